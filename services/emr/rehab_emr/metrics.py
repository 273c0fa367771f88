"""What this service measures."""

from __future__ import annotations

from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram

folded = declare_counter(
    "emr_events_folded_total",
    "Events of patients' streams folded to be shared.",
    "raise EMR_PATIENTS_IN_MEMORY when it grows much faster than the log",
)
requests = declare_counter(
    "emr_requests_total",
    "Bundles sent, by what became of the request: answered, or as EmrService tells reasons.",
    "rehab emr status tells which endpoint; its breaker leaves it alone for a while",
    ["result"],
)
notifications = declare_counter(
    "emr_notifications_total",
    "Notifications to systems that pull, by kind and what became of the request.",
    "rehab emr subscription tells how far a system is; what it missed is told when it is back",
    ["kind", "result"],
)
pulls = declare_counter(
    "emr_pulls_total",
    "Requests of systems that pull, by the status they were answered.",
    "401 and 429: somebody tries tokens, or a system has an old one: rehab emr rotate-token",
    ["status"],
)
request_seconds = declare_histogram(
    "emr_request_seconds",
    "From sending a Bundle to its answer.",
    "the receiver is slow: nothing to do here but to tell whoever runs it",
)
deliveries = declare_counter(
    "emr_deliveries_total",
    "Resources by what became of them: delivered, dead, retry, no_news.",
    "dead: rehab emr deliveries --state dead; mend the cause, then rehab emr replay",
    ["result"],
)
failures = declare_counter(
    "emr_failures_total",
    "What could not be folded, mapped or stored.",
    "the log names the event, or the kind of the resource",
    ["what"],
)
lost_lanes = declare_counter(
    "emr_lost_lanes_total",
    "Patients whose sending took longer than its lease.",
    "raise EMR_LEASE_MS: PostgreSQL, the event store or this process is slow",
)
paused = declare_counter(
    "emr_endpoints_paused_total",
    "Endpoints that were paused because they refuse whatever is sent.",
    "rehab emr endpoints tells why; mend it, then rehab emr resume",
)
statements = declare_counter(
    "emr_statements_total",
    "CapabilityStatements read again: same, changed, or unread.",
    "unread: rehab emr endpoints tells why; changed: it tells what the receiver lacks now",
    ["result"],
)
sending = declare_gauge(
    "emr_lanes_open", "Patients being sent in this process.", "nothing: it is bounded"
)
watchers = declare_gauge("emr_watchers", "Watches of deliveries open in this process.", "nothing")
