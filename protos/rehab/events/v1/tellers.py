"""The table of kinds: who may tell which kind of event. What is not here nobody may.

Roles are those in whose name an event is told: a patient's phone may name itself, "device", or its
patient. What makes a day count for remote therapeutic monitoring is the patient's own to tell. A
test holds the table against the contract; `rehab access kinds` prints it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

from rehab.events.v1.event_pb2 import Body

Roles = frozenset[str]
SUITE: Roles = frozenset({"service"})
PHONE: Roles = frozenset({"patient", "device"})
OWN = PHONE | SUITE
"""What the patient does and feels, and what is measured of it."""
STAFF = frozenset({"therapist"}) | SUITE
"""What clinicians decide and do."""
EVERYBODY = OWN | STAFF


@dataclass(frozen=True)
class Tellers:
    """`who` may tell the kind. Where steps of one kind are told by different people, `step` is the
    oneof or the enum that names them, and `steps` says who may tell which; then `who` is all of
    them together."""

    who: Roles
    step: str = ""
    steps: Mapping[str, Roles] = field(default_factory=dict)


def _by_step(step: str, **steps: Roles) -> Tellers:
    return Tellers(frozenset().union(*steps.values()), step, MappingProxyType(steps))


KIND_TABLE: Mapping[str, Tellers] = MappingProxyType(
    {
        **dict.fromkeys(
            ("exercise_session", "rep_observation", "pain_report", "symptom_report"), Tellers(OWN)
        ),
        **dict.fromkeys(
            ("questionnaire", "health_samples", "sleep", "workout", "route", "import_receipt"),
            Tellers(OWN),
        ),
        "feedback": _by_step("said", form=EVERYBODY, exertion=OWN, difficulty=OWN),
        # to agree to something takes the person, not a thing that acts for them
        "consent": Tellers(EVERYBODY - {"device"}),
        "message": Tellers(EVERYBODY),
        "adherence_rating": _by_step(
            "scale", ADHERENCE_SCALE_SIRAS=STAFF, ADHERENCE_SCALE_EARS=OWN - {"device"}
        ),
        **dict.fromkeys(
            ("care_team", "plan", "enrolment", "monitoring", "plan_of_care", "goal"), Tellers(STAFF)
        ),
        **dict.fromkeys(
            ("interaction", "review", "rtm_time", "note", "appointment"), Tellers(STAFF)
        ),
        "alert": _by_step(
            "action",
            raised=SUITE,
            escalated=SUITE,
            recurred=SUITE,
            acknowledged=STAFF,
            resolved=STAFF,
            snoozed=STAFF,
        ),
        "nudge": _by_step(
            "stage",
            NUDGE_STAGE_DECIDED=SUITE,
            NUDGE_STAGE_SENT=SUITE,
            NUDGE_STAGE_SUPPRESSED=SUITE,
            NUDGE_STAGE_OPENED=OWN,
        ),
        "billing_item": _by_step(
            "stage",
            BILLING_STAGE_PROPOSED=SUITE,
            BILLING_STAGE_APPROVED=STAFF,
            BILLING_STAGE_EXPORTED=SUITE,
            BILLING_STAGE_WITHDRAWN=STAFF,
        ),
        # a device on which a model runs says how its inputs drift
        "model_drift": Tellers(frozenset({"device"}) | SUITE),
        **dict.fromkeys(
            ("access", "archive", "benefit", "break_glass", "emr_delivery", "erasure", "export"),
            Tellers(SUITE),
        ),
        **dict.fromkeys(("notification", "policy_change", "quarantine"), Tellers(SUITE)),
    }
)
SUITE_ONLY = frozenset(kind for kind, row in KIND_TABLE.items() if row.who == SUITE)
"""Kinds that services of the suite tell, and nobody else."""


def tellers(kind: str, body: Body) -> Roles:
    """Who may tell this; nobody what the table does not know. Of a body that is another kind's, or
    says no step, what may be told of the kind at all: that it is wrong others find."""
    row = KIND_TABLE.get(kind)
    if row is None:
        return frozenset()
    if not row.step or body.WhichOneof("kind") != kind:
        return row.who
    step = step_of(getattr(body, kind), row.step)
    return row.who if not step else row.steps.get(step, frozenset())


def step_of(content: Any, step: str) -> str:
    """The name of the step that a message tells, by its oneof or its enum; empty for none."""
    if step in content.DESCRIPTOR.oneofs_by_name:
        return str(content.WhichOneof(step) or "")
    number = getattr(content, step)
    named = content.DESCRIPTOR.fields_by_name[step].enum_type.values_by_number.get(number)
    return named.name if named is not None and number else ""
