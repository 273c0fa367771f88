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
feedback = declare_counter(
    "ingest_live_feedback_total",
    "Live feedback for patients who stream here, by whether a device of the session heard it.",
    "nobody: the session ended, or its device streams to another replica by now",
    ["fate"],
)
feedback_seconds = declare_histogram(
    "ingest_live_feedback_seconds",
    "Time from the commit of live feedback to its being written to the device's stream.",
    "look at the event store's subscriptions and at the load of this replica",
)
settle_seconds = declare_histogram(
    "ingest_settle_seconds",
    "Time from an event's arrival to its acknowledgement.",
    "look at eventstore_commit_seconds and at the queue of the event store",
)
