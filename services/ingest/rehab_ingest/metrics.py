"""What this service measures."""

from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram

streams = declare_gauge(
    "ingest_open_streams", "Devices streaming.", "near MAX_STREAMS, add replicas"
)
acknowledged = declare_counter(
    "ingest_acknowledged_events_total",
    "Events committed and acknowledged.",
    "nothing: it is the work done",
)
rejected = declare_counter(
    "ingest_rejected_events_total",
    "Events refused, by reason.",
    "find the producer: an app version that breaks a rule, or a device without consent",
    ["reason"],
)
quarantined = declare_counter(
    "ingest_quarantined_events_total",
    "Refused events, by whether they were kept.",
    "look at them: rehab quarantine list; after a fix: rehab quarantine replay",
    ["fate"],
)
settle_seconds = declare_histogram(
    "ingest_settle_seconds",
    "Time from an event's arrival to its acknowledgement.",
    "look at eventstore_commit_seconds and at the queue of the event store",
)
