"""What this service measures."""

from __future__ import annotations

from rehab_runtime.metrics import declare_counter, declare_gauge

folded = declare_counter(
    "identity_events_total",
    "Events of the log taken in, whether or not decisions rest on them.",
    "nothing: this is the load",
)
fenced = declare_counter(
    "identity_fenced_total",
    "Batches not stored because another replica had stored them.",
    "expect this with several replicas: each folds, one stores",
)
unreadable = declare_counter(
    "identity_unreadable_total",
    "Events of consent, care or emergency access that could not be read.",
    "verify the log; until then nothing of these patients is allowed on what came before",
)
overdue = declare_gauge(
    "identity_emergency_overdue",
    "Emergency access that nobody has reviewed within EMERGENCY_REVIEW_H hours.",
    "an admin of the clinic reviews it: rehab access emergencies --unreviewed",
)
undelivered = declare_gauge(
    "identity_emergency_undelivered",
    "Notices of emergency access that the port has not taken yet.",
    "see why IDENTITY_NOTICE_URL does not answer 2xx; they are tried again until it does",
)
watchers = declare_gauge(
    "identity_watchers",
    "Streams that are told of changes.",
    "as many as there are replicas of services; more means that they reconnect often",
)
