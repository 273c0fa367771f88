"""What this service measures."""

from __future__ import annotations

from rehab_runtime.metrics import declare_counter, declare_gauge, declare_histogram

folded = declare_counter(
    "policy_events_folded_total", "Events of the log evaluated.", "nothing: it grows with the log"
)
refolded = declare_counter(
    "policy_events_refolded_total",
    "Events folded again, by whom: fold, for patients who were not in memory, and ahead, for "
    "emergencies that the fold had not come to.",
    "fold: raise POLICY_PATIENTS_IN_MEMORY when it grows as fast as policy_events_folded_total; "
    "ahead: the fold is behind, see oldest_unprocessed_seconds of policy",
    ["by"],
)
kept = declare_counter(
    "policy_states_kept_total", "Patients' states kept at the event store.", "nothing"
)
restored = declare_counter(
    "policy_states_restored_total",
    "Patients who were not in memory and whose kept state was used.",
    "nothing: fewer events are folded again",
)
in_memory = declare_gauge(
    "policy_patients_in_memory",
    "Patients' states in memory, open or closed: closed ones were not asked for in minutes.",
    "open ones take some 0.7 MB each, closed ones half of that: see POLICY_PATIENTS_IN_MEMORY",
    ["form"],
)
fired = declare_counter(
    "policy_fired_total",
    "What rules did, by action: feedback, nudge, alert; late is feedback that came too late.",
    "of late: see oldest_unprocessed_seconds of policy",
    ["action"],
)
failures = declare_counter(
    "policy_failures_total",
    "What could not be evaluated or appended, by where: rule, event, append.",
    "the log names the rule or event: correct the rule, or report the event",
    ["where"],
)
fenced = declare_counter(
    "policy_fenced_total",
    "Batches that another replica stored first.",
    "nothing: replicas fold alike, and the first one stores",
)
ahead = declare_counter(
    "policy_emergencies_ahead_total",
    "Emergencies told ahead of what was still to be folded.",
    "the fold is behind: see oldest_unprocessed_seconds of policy",
)
timers_late_seconds = declare_gauge(
    "policy_timers_late_seconds",
    "How long a look for timers that are due takes, until all of them have fired.",
    "the fold is behind, or the event store does not answer: see this service's log",
    ["shard"],
)
feedback_seconds = declare_histogram(
    "policy_feedback_seconds",
    "From a repetition's commit to its feedback's.",
    "goal p99 < 0.075 s: see policy_events_refolded_total by fold, and how busy this process is",
)
watchers = declare_gauge(
    "policy_watchers", "Watches of alerts that are open in this process.", "nothing"
)
