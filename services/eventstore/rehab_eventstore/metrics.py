"""What this service measures."""

from __future__ import annotations

from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram

appended = declare_counter(
    "eventstore_events_total",
    "Events committed to the log by this replica.",
    "nothing: this is the load",
)
commit_seconds = declare_histogram(
    "eventstore_commit_seconds",
    "Time to decide and commit one batch.",
    "see whether PostgreSQL's disk is slow to sync; large bodies make large batches",
)
batch_events = declare_histogram(
    "eventstore_batch_events",
    "Events committed together.",
    "nothing by itself: it grows with the load until MAX_BATCH_EVENTS, then the queue does",
    buckets=(1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000),
)
overloaded = declare_counter(
    "eventstore_overloaded_total",
    "Appends refused because their queue was full.",
    "PostgreSQL is too slow for the load, or an import too eager: see eventstore_commit_seconds",
    ["queue"],
)
lost_rounds = declare_counter(
    "eventstore_lost_rounds_total",
    "Batches tried again because another replica had appended first.",
    "send appends of a shard to one replica; correctness does not suffer, latency does",
)
forwarded = declare_counter(
    "eventstore_forwarded_total",
    "Requests to append that were handed to the replica that leads the shard.",
    "nothing by itself; callers that know the leader save a hop",
)
unknown_outcomes = declare_counter(
    "eventstore_unknown_outcomes_total",
    "Commits whose answer was lost; each was looked up in the log.",
    "the link to PostgreSQL breaks, or PostgreSQL restarts: see its log",
)
oldest_unpublished_seconds = declare_gauge(
    "eventstore_oldest_unpublished_seconds",
    "Age of the oldest committed event that the message broker has not acknowledged; 0 for none.",
    "NATS is away, full or slow: consumers then poll, which is slower; see this service's log",
    ["shard"],
)
clock_behind_seconds = declare_gauge(
    "eventstore_clock_behind_seconds",
    "How far this replica's clock was behind the log's last time when it committed last; 0 if not.",
    "set its clock, or that of the replica that was ahead: meanwhile all is recorded at one time",
)
published = declare_counter(
    "eventstore_published_total",
    "Events handed to the message broker and acknowledged by it.",
    "nothing: this is the load",
)
unpublishable = declare_counter(
    "eventstore_unpublishable_total",
    "Events too large for the message broker; consumers read them from the log.",
    "raise NATS max_payload and RELAY_MAX_BYTES, or make the producer send less at once",
)
rotated = declare_counter(
    "eventstore_data_keys_rotated_total",
    "Patients' data keys that were replaced because they had sealed long enough.",
    "nothing: each patient's key does once in DATA_KEY_MAX_AGE_D days",
)
subscribers = declare_gauge(
    "eventstore_subscribers",
    "Open subscriptions.",
    "see who subscribes; most consumers should follow the message broker instead",
)
archived = declare_counter(
    "eventstore_archived_total",
    "Events whose envelopes and bodies were moved to the archive.",
    "nothing: this is what was asked for",
)
restored = declare_counter(
    "eventstore_restored_total",
    "Events brought back from the archive.",
    "nothing: this is what was asked for",
)
archive_frames = declare_counter(
    "eventstore_archive_frames_total",
    "Frames read from the archive and opened, because they were not in memory.",
    "somebody reads what is old: if often, restore it or raise ARCHIVE_CACHE_BYTES",
)
archive_fetch_seconds = declare_histogram(
    "eventstore_archive_fetch_seconds",
    "Time to read a frame from the archive.",
    "see what stores the objects, and the way to it",
)
archive_unreadable = declare_counter(
    "eventstore_archive_unreadable_total",
    "Reads that failed because an object of the archive is missing, damaged or away.",
    "this service's log names the segment; run rehab log verify, restore the object from its copy",
)
