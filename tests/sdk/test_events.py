"""What the builders make is what the contract takes, and what they refuse they name."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

import pytest

from rehab.events.v1 import event_pb2
from rehab.events.v1.kinds import KINDS
from rehab_runtime.validation import violations
from rehab_sdk import events
from rehab_sdk.clock import EventIds
from rehab_sdk.errors import Invalid
from rehab_sdk.events import Actor, Body, Source
from tests.sdk.given import CONSENT, PATIENT, START, StandingClock, context

ITEM = events.plan_item(
    "squat", events.schedule("08:00", weekdays=[1, 3, 5]), sets=3, reps=10, rom_target_deg=90
)
BODIES: dict[str, Body] = {
    "session_started": events.session_started(
        "s1", mode="camera", occurrence=events.occurrence("p1", 1, date(2026, 3, 2), "08:00")
    ),
    "reps_observed": events.reps_observed(
        "s1",
        "squat",
        [
            events.rep(
                1,
                score=82,
                rom_deg=95,
                duration_ms=2400,
                phases_ms=[1000, 200, 1000, 200],
                smoothness=-2.1,
                symmetry_pct=4,
                compensations=[events.compensation("knee_valgus", 8.5, 12)],
                joints=[events.joint("knee_left", 5, 100)],
            ),
            events.rep(2, unscored="occluded"),
        ],
        side="left",
    ),
    "set_completed": events.set_completed("s1", events.set_done("squat", reps=10, good_reps=8)),
    "exercise_skipped": events.exercise_skipped("s1", "lunge", "pain"),
    "session_completed": events.session_completed("s1", 900),
    "session_abandoned": events.session_abandoned("s1", "fatigue", 300),
    "session_self_reported": events.session_self_reported(
        "s2", START, [events.set_done("squat", reps=10)]
    ),
    "cue_given": events.cue_given("s1", "keep_knee_out", exercise="squat", heeded=True),
    "exertion": events.exertion("s1", 4.5),
    "difficulty": events.difficulty("s1", 3, exercise="squat"),
    "pain": events.pain(3, phase="24h", site="knee", side="right", quality="dull"),
    "symptom": events.symptom("dizziness", severity="high", session_id="s1"),
    "unmapped_symptom": events.symptom(text="Opresión"),
    "fall": events.fall(near=True),
    "enrolled": events.enrolled("America/New_York", "en-US"),
    "episode_opened": events.episode_opened("e1", side="left", surgery_date="2026-01-15"),
    "episode_closed": events.episode_closed("e1", "discharged"),
    "consent_granted": events.consent_granted("c1", valid_from=START, mode="electronic"),
    "consent_revoked": events.consent_revoked("c1", START),
    "care_team": events.care_team("t1", primary=True),
    "plan": events.plan("p1", [ITEM], effective_from=date(2026, 3, 2), zone="Europe/Berlin"),
    "plan_hold": events.plan(
        "p1",
        [events.plan_item("plank", events.schedule("08:00"), sets=2, hold_s=30)],
        effective_from="2026-03-02",
        effective_until="2026-04-02",
        zone="Europe/Berlin",
        version=2,
        sessions_per_week=3,
    ),
    "plan_duration": events.plan(
        "p1",
        [events.plan_item("walk", events.schedule("08:00", policy="same_day"), minutes=20)],
        effective_from="2026-03-02",
        zone="Europe/Berlin",
    ),
    "plan_paused": events.plan_paused("p1", 1, "travel", START + timedelta(days=7)),
    "plan_resumed": events.plan_resumed("p1", 1),
    "plan_ended": events.plan_ended("p1", 1, "completed"),
    "review_closed": events.review_closed("w1", "contacted"),
    "review_snoozed": events.review_snoozed("w1", START + timedelta(days=1)),
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_what_is_built_keeps_every_rule_of_the_contract(body: Body) -> None:
    assert violations(context().event(PATIENT, body)) == []


def test_the_envelope_is_filled_from_the_context() -> None:
    envelope = context().event(PATIENT, BODIES["pain"]).envelope
    assert envelope.kind == "pain_report"
    assert (envelope.clinic_id, envelope.subject_id) == ("clinic-1", PATIENT)
    assert (envelope.device_id, envelope.consent_id) == ("device-1", CONSENT)
    assert (envelope.actor.id, envelope.actor.role) == (PATIENT, event_pb2.ROLE_PATIENT)
    assert envelope.occurred_at.ToDatetime(UTC) == START
    assert (envelope.phi, envelope.schema_version) == (True, 1)


def test_a_kind_without_patient_data_names_no_consent() -> None:
    kind = next(kind for kind in KINDS.values() if not kind.phi)
    body = Body()
    getattr(body, kind.name).SetInParent()
    envelope = context().event(PATIENT, body).envelope
    assert (envelope.phi, envelope.consent_id) == (False, "")


def test_a_consent_is_its_own_consent() -> None:
    envelope = context().event(PATIENT, BODIES["consent_granted"]).envelope
    assert envelope.consent_id == "c1"


def test_what_the_event_says_goes_before_what_the_context_says() -> None:
    doctor = Actor("therapist-1", "therapist", "PT")
    event = context().event(
        PATIENT,
        BODIES["pain"],
        occurred_at=START - timedelta(days=1),
        consent_id="other",
        actor=doctor,
        zone="America/New_York",
        provenance="import",
    )
    envelope = event.envelope
    assert envelope.occurred_at.ToDatetime(UTC) == START - timedelta(days=1)
    assert (envelope.consent_id, envelope.actor.credential) == ("other", "PT")
    assert envelope.provenance == event_pb2.PROVENANCE_IMPORT
    assert (envelope.zone, envelope.utc_offset_min) == ("America/New_York", -300)


@pytest.mark.parametrize(("month", "offset_min"), [(1, 60), (7, 120)])
def test_the_offset_is_the_one_in_force_in_the_zone(month: int, offset_min: int) -> None:
    at = datetime(2026, month, 1, tzinfo=UTC)
    event = context().event(PATIENT, BODIES["pain"], occurred_at=at)
    assert event.envelope.utc_offset_min == offset_min


def test_a_source_is_named_when_told() -> None:
    told = replace(context(), source=Source(app="Knee", app_version="1.2"))
    assert told.event(PATIENT, BODIES["pain"]).envelope.source.app == "Knee"
    assert not context().event(PATIENT, BODIES["pain"]).envelope.HasField("source")


@pytest.mark.parametrize(
    ("field", "make"),
    [
        ("phase", lambda: events.pain(3, phase="later")),  # type: ignore[arg-type]
        ("nprs", lambda: events.pain(-1, phase="pre")),
        ("nprs", lambda: events.pain("much", phase="pre")),  # type: ignore[arg-type]
        ("side", lambda: events.pain(1, phase="pre", side="up")),  # type: ignore[arg-type]
        ("dose", lambda: events.plan_item("squat", events.schedule("08:00"))),
        ("valid_from", lambda: events.consent_granted("c", valid_from=datetime(2026, 1, 1))),  # noqa: DTZ001
        ("zone", lambda: context().event(PATIENT, BODIES["pain"], zone="Mars/Base")),
        ("body.kind", lambda: context().event(PATIENT, Body())),
        ("weekdays", lambda: events.schedule("08:00", weekdays=["Monday"])),  # type: ignore[list-item]
    ],
)
def test_what_no_event_can_hold_is_refused_by_field(field: str, make: Callable[[], object]) -> None:
    with pytest.raises(Invalid) as refused:
        make()
    assert [violation.field for violation in refused.value.violations] == [field]


def test_a_refusal_never_quotes_the_value() -> None:
    with pytest.raises(Invalid) as refused:
        events.pain(987654321987, phase="pre")
    assert "987654321987" not in str(refused.value)
    assert refused.value.__cause__ is None


def test_a_nan_is_left_to_the_server_to_refuse() -> None:
    body = events.reps_observed("s1", "squat", [events.rep(1, score=math.nan)])
    broken = violations(context().event(PATIENT, body))
    assert {violation.field for violation in broken} == {"body.rep_observation.reps[0].score"}


def test_event_ids_are_uuid_7_in_rising_order_even_when_the_clock_stands_or_steps_back() -> None:
    clock = StandingClock()
    new_id = EventIds(clock)
    ids = [new_id() for _ in range(5000)]  # more than one millisecond's counter holds
    clock.advance(-60)
    ids += [new_id() for _ in range(10)]
    clock.advance(120)
    ids.append(new_id())
    assert ids == sorted(set(ids))
    assert {(event_id[14], event_id[19] in "89ab") for event_id in ids} == {("7", True)}


def test_an_event_id_tells_its_millisecond() -> None:
    stamp = int(EventIds(StandingClock())().replace("-", "")[:12], 16)
    assert datetime.fromtimestamp(stamp / 1000, UTC) == START
