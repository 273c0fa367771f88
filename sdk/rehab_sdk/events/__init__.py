"""Events: bodies by name, and the context that puts them into envelopes.

>>> context = Context(clinic_id="clinic-1", actor=Actor("therapist-1", "therapist"))
>>> event = context.event("patient-1", pain(3, phase="post"), consent_id="consent-1")
>>> event.envelope.kind, event.body.pain_report.nprs
('pain_report', 3)

A kind without a builder here is made from its message: `Body(sleep=Sleep(...))`.
"""

from rehab.events.v1.event_pb2 import Body, Event
from rehab_sdk.events._fill import SideName
from rehab_sdk.events.envelope import Actor, Context, ProvenanceName, RoleName, Source
from rehab_sdk.events.exercise import (
    AbandonReason,
    CaptureModeName,
    PlanRef,
    SkipReason,
    UnscoredName,
    compensation,
    cue_given,
    difficulty,
    exercise_skipped,
    exertion,
    joint,
    occurrence,
    rep,
    reps_observed,
    session_abandoned,
    session_completed,
    session_self_reported,
    session_started,
    set_completed,
    set_done,
)
from rehab_sdk.events.patient import (
    PainPhaseName,
    care_team,
    consent_granted,
    consent_revoked,
    enrolled,
    episode_closed,
    episode_opened,
    fall,
    pain,
    review_closed,
    review_snoozed,
    symptom,
)
from rehab_sdk.events.plan import plan, plan_ended, plan_item, plan_paused, plan_resumed, schedule

__all__ = [
    "AbandonReason",
    "Actor",
    "Body",
    "CaptureModeName",
    "Context",
    "Event",
    "PainPhaseName",
    "PlanRef",
    "ProvenanceName",
    "RoleName",
    "SideName",
    "SkipReason",
    "Source",
    "UnscoredName",
    "care_team",
    "compensation",
    "consent_granted",
    "consent_revoked",
    "cue_given",
    "difficulty",
    "enrolled",
    "episode_closed",
    "episode_opened",
    "exercise_skipped",
    "exertion",
    "fall",
    "joint",
    "occurrence",
    "pain",
    "plan",
    "plan_ended",
    "plan_item",
    "plan_paused",
    "plan_resumed",
    "rep",
    "reps_observed",
    "review_closed",
    "review_snoozed",
    "schedule",
    "session_abandoned",
    "session_completed",
    "session_self_reported",
    "session_started",
    "set_completed",
    "set_done",
    "symptom",
]
