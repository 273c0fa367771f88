"""What this service measures."""

from __future__ import annotations

from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram

lag_seconds = declare_histogram(
    "projections_lag_seconds",
    "Time from an event's commit in the log to its being visible here, live events only.",
    "see whether NATS is away (reading by polling is slower), PostgreSQL slow or the batch large",
)
events_folded = declare_counter(
    "projections_events_total",
    "Events of the log taken in, whether or not they change a read model.",
    "nothing: this is the load",
)
batch_seconds = declare_histogram(
    "projections_batch_seconds",
    "Time to fold and store one batch of events.",
    "see whether PostgreSQL is slow; a large import makes large batches",
)
parked_streams = declare_gauge(
    "projections_parked_streams",
    "Patients whose stream is held back by an event that could not be folded.",
    "rehab projections parked names them; a new release may fold what the last one could not",
)
fenced = declare_counter(
    "projections_fenced_total",
    "Batches not stored because another replica had taken the shard over.",
    "this replica stands still for longer than its leases last: see what holds it up",
)
holds_shard = declare_gauge(
    "projections_holds_shard",
    "1 when this replica folds the shard. Over all replicas the sum is 1.",
    "when one stood still two may show it for a moment; nothing is folded twice",
    ["shard"],
)
watches = declare_gauge(
    "projections_watches",
    "Watches that are open in this process.",
    "nothing below PROJECTIONS_MAX_WATCHES; near it add replicas",
)
kept_answers = declare_counter(
    "projections_kept_answers_total",
    "Answers looked for in Valkey, by result: hit, miss, away.",
    "of away: see whether Valkey runs; reads are slower meanwhile, never wrong",
    ["result"],
)
