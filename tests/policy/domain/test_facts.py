"""What conditions see of a patient, beside independent reckonings."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta

import pytest
from rehab_clinical.days import day_start

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.policy.v1.facts_pb2 import PatientFacts
from rehab_cli.clinic import expected, simulate
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.facts import About, patient_facts
from rehab_policy.domain.given import PATIENT, Given, Setting
from tests.policy.domain.books import ZONE, book, event, events, local, pain

GROUPS = [field.name for field in PatientFacts.DESCRIPTOR.fields if field.message_type]
DAYS = 20


def facts(*given: Given, at: tuple[int, str], setting: Setting | None = None) -> PatientFacts:
    engine = Engine(book())
    state = engine.start(PATIENT)
    for one in events(*given, setting=setting):
        engine.step(state, one)
    now = local(at[0], time.fromisoformat(at[1]), ZONE)
    engine.until(state, now)
    state.now = now
    return patient_facts(state, About(now, now.astimezone(state.zone)), [*GROUPS, "consents"])


def session(day: int, at: str, **action: object) -> Given:
    return event(day, at, "exercise_session", {"session_id": f"s-{day}", **action})


def test_adherence_is_what_the_simulated_clinic_did_in_every_zone() -> None:
    """The oracle counts from the simulation's own record and shares no code with the formulae."""
    start = datetime(2026, 1, 5, tzinfo=UTC)
    timed = list(simulate(5, start=start, days=DAYS, patients=4))
    engine = Engine(book())
    states = {one.event.envelope.subject_id: engine.start("") for one in timed}
    for version, one in enumerate(timed, start=1):
        recorded = RecordedEvent(
            envelope=one.event.envelope, body=one.event.body.SerializeToString()
        )
        recorded.envelope.recorded_at.FromDatetime(one.at)
        recorded.envelope.stream_version = version
        engine.step(states[one.event.envelope.subject_id], recorded)
    now = start + timedelta(days=DAYS)
    zones = set()
    for patient, state in states.items():
        state.now = now
        zone = state.plan_zone
        zones.add(zone.key)
        told = patient_facts(state, About(now, now.astimezone(state.zone)), ["adherence"]).adherence
        right = expected(timed, day_start(now.astimezone(zone).date(), zone)).patients[patient]
        assert (told.due_28d, told.started_28d) == (right.due, right.started)
        assert told.full_28d == pytest.approx(right.full / right.due)
        assert told.dose_28d == pytest.approx(right.dose_ratio)
    assert len(zones) == 4


def test_a_plan_is_active_until_it_is_paused_and_again_when_it_is_resumed() -> None:
    plan = {"plan_id": "plan-test", "version": 1}
    paused = event(3, "10:00", "plan", {**plan, "paused": {"reason": "pain"}})
    resumed = event(5, "10:00", "plan", {**plan, "resumed": {}})
    for day, given, active in ((2, [], True), (3, [paused], False), (5, [paused, resumed], True)):
        told = facts(*given, at=(day, "12:00")).plan
        assert (told.active, told.paused) == (active, not active)


def test_a_pause_with_an_end_ends_by_itself() -> None:
    until = {"reason": "travel", "until": "2026-03-06T11:00:00Z"}
    paused = event(1, "10:00", "plan", {"plan_id": "plan-test", "version": 1, "paused": until})
    assert not facts(paused, at=(4, "11:59")).plan.active
    assert facts(paused, at=(4, "12:01")).plan.active


def test_a_plan_ends_with_its_last_day() -> None:
    setting = Setting(plan={"prescribed": {"effective_until": "2026-03-05"}})
    assert facts(at=(3, "23:00"), setting=setting).plan.days_left == 0
    told = facts(at=(4, "00:30"), setting=setting).plan
    assert (told.active, told.HasField("days_left")) == (False, False)


def test_a_plan_that_begins_later_is_not_active_yet() -> None:
    setting = Setting(plan={"prescribed": {"effective_from": "2026-03-05"}})
    early, late = facts(at=(2, "12:00"), setting=setting), facts(at=(3, "00:01"), setting=setting)
    assert (early.plan.active, early.plan.HasField("days")) == (False, False)
    assert (late.plan.active, late.plan.days) == (True, 0)


def test_sessions_count_days_in_a_row_up_to_yesterday() -> None:
    given = [session(day, "10:00", completed={"duration_s": 60}) for day in (0, 2, 3, 4)]
    assert facts(*given, at=(4, "12:00")).sessions.day_streak == 3
    assert facts(*given, at=(5, "12:00")).sessions.day_streak == 3
    assert facts(*given, at=(6, "12:00")).sessions.day_streak == 0


def test_an_open_session_is_the_newest_that_has_not_ended() -> None:
    begun, ended = session(1, "10:00", started={}), session(1, "10:30", completed={"duration_s": 1})
    assert facts(begun, at=(1, "10:10")).sessions.open_session_id == "s-1"
    assert facts(begun, ended, at=(1, "10:40")).sessions.open_session_id == ""


def test_figures_that_nothing_was_measured_for_are_absent() -> None:
    told = facts(at=(0, "10:00"), setting=Setting(plan=None))
    assert not told.pain.HasField("last")
    assert not told.sessions.HasField("days_since_last")
    assert not told.adherence.HasField("dose_7d")
    assert not told.plan.HasField("days")


def test_pain_is_told_by_the_time_it_was_felt() -> None:
    late = pain(0, "10:00", 9, late_h=30)
    told = facts(late, pain(1, "10:00", 3), at=(2, "10:00")).pain
    assert (told.last, told.worst_7d, told.HasField("worst_24h")) == (3, 9, False)
    assert told.days_since_last == 1.0


def test_consents_are_those_in_force() -> None:
    revoked = {"consent_id": "consent-test", "revoked": {"effective_at": "2026-03-03T09:00:00Z"}}
    given = event(0, "10:00", "consent", revoked)
    assert list(facts(given, at=(1, "09:59")).consents) == ["treatment"]
    assert list(facts(given, at=(1, "10:00")).consents) == []


def test_the_patients_clock_is_that_of_where_they_are() -> None:
    told = facts(pain(0, "10:00", 1), at=(0, "22:30"))
    assert (told.local_hour, told.local_weekday, told.zone) == (22, 1, ZONE)
    assert told.enrolled_days == pytest.approx((22 * 60 + 29) / 1440)
