"""The simulated clinic's events: valid by the contract, the same for a seed, true to life."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import groupby, islice
from zoneinfo import ZoneInfo

import pytest

from rehab.events.v1.kinds import KINDS, kind_of
from rehab_cli.clinic import TimedEvent, clinic, simulate
from rehab_cli.clinic.people import ZONES
from rehab_ingest.domain.door import refusal

SEED = 11
START = datetime(2025, 2, 20, 10, tzinfo=UTC)
DAYS = 60
"""Clocks change in these weeks, in America and in Europe on different days."""
STEPS = (
    "consent.granted",
    "enrolment.enrolled",
    "enrolment.episode_opened",
    "care_team",
    "monitoring",
    "plan.prescribed",
    "plan.paused",
    "plan.resumed",
    "exercise_session.started",
    "exercise_session.set_completed",
    "exercise_session.exercise_skipped",
    "exercise_session.completed",
    "exercise_session.abandoned",
    "exercise_session.self_reported",
    "rep_observation",
    "feedback.form",
    "feedback.exertion",
    "feedback.difficulty",
    "pain_report",
    "symptom_report.symptom",
    "symptom_report.fall",
    "review.closed",
)
OPAQUE = re.compile(r"[a-z]+-[0-9a-f]{12}")


@pytest.fixture(scope="module")
def events() -> list[TimedEvent]:
    return list(simulate(SEED, start=START, days=DAYS))


def happened(timed: TimedEvent) -> datetime:
    return timed.event.envelope.occurred_at.ToDatetime(UTC)


def action(timed: TimedEvent) -> str:
    """The kind with the chosen field of its own oneof, such as "plan.paused"."""
    kind = timed.event.envelope.kind
    content = getattr(timed.event.body, kind)
    told = [content.WhichOneof(oneof.name) or "" for oneof in content.DESCRIPTOR.oneofs]
    return ".".join([kind, *(name for name in told if not name.startswith("_"))][:2])


def identical(some: Iterable[TimedEvent], others: Iterable[TimedEvent]) -> bool:
    def told(events: Iterable[TimedEvent]) -> list[tuple[datetime, str, bytes]]:
        return [(e.at, e.device_id, e.event.SerializeToString(deterministic=True)) for e in events]

    return told(some) == told(others)


def test_every_event_of_sixty_days_may_come_in(events: list[TimedEvent]) -> None:
    clinic_id = clinic(SEED).id
    refused = [refusal(timed.event, clinic_id, 262_144) for timed in events]
    assert [error for error in refused if error is not None] == []


def test_kind_phi_and_version_are_those_of_the_contract(events: list[TimedEvent]) -> None:
    for timed in events:
        envelope = timed.event.envelope
        kind = KINDS[envelope.kind]
        assert envelope.kind == kind_of(timed.event.body)
        assert (envelope.phi, envelope.schema_version) == (kind.phi, kind.schema_version)
        assert bool(envelope.consent_id) == kind.phi


def test_the_same_seed_makes_the_same_events_and_another_seed_others() -> None:
    def weeks(seed: int) -> list[TimedEvent]:
        return list(simulate(seed, start=START, days=14, patients=6))

    assert identical(weeks(1), weeks(1))
    assert not identical(weeks(1), weeks(2))


def test_fewer_days_and_fewer_patients_are_a_part_of_more() -> None:
    few = simulate(SEED, start=START, days=10, patients=4, therapists=1)
    many = simulate(SEED, start=START, days=30, patients=9, therapists=1)
    known = {e.event.envelope.event_id: e.event.SerializeToString() for e in many}
    for timed in few:
        assert known[timed.event.envelope.event_id] == timed.event.SerializeToString()


def test_events_arrive_in_time_order_and_each_device_keeps_its_own(
    events: list[TimedEvent],
) -> None:
    assert [e.at for e in events] == sorted(e.at for e in events)
    assert all(START <= happened(e) <= e.at <= START + timedelta(days=DAYS) for e in events)
    by_phone = sorted(
        (e for e in events if e.device_id.startswith("phone")), key=lambda e: e.device_id
    )
    for _, told in groupby(by_phone, key=lambda e: e.device_id):
        times = [happened(e) for e in told]
        assert times == sorted(times)


def test_no_event_id_is_used_twice_and_each_tells_its_time(events: list[TimedEvent]) -> None:
    ids = [timed.event.envelope.event_id for timed in events]
    assert len(set(ids)) == len(ids)
    for timed in events[::50]:
        milliseconds = int(timed.event.envelope.event_id.replace("-", "")[:12], 16)
        assert milliseconds == timed.event.envelope.occurred_at.ToMilliseconds()


def test_phones_without_a_network_deliver_hours_and_a_day_later(events: list[TimedEvent]) -> None:
    late = [e.at - happened(e) for e in events if e.at - happened(e) > timedelta(minutes=30)]
    assert len(late) > 100
    assert max(late) > timedelta(hours=20)
    assert len(late) < len(events) / 5


def test_no_name_or_address_is_in_any_event_and_ids_tell_nothing(
    events: list[TimedEvent],
) -> None:
    canaries = [canary.encode() for canary in clinic(SEED).canaries()]
    assert len(canaries) == 172
    written = b"\n".join(timed.event.SerializeToString() for timed in events)
    assert not [canary for canary in canaries if canary in written]
    for timed in events:
        envelope = timed.event.envelope
        ids = (envelope.clinic_id, envelope.subject_id, envelope.actor.id, timed.device_id)
        assert all(OPAQUE.fullmatch(each) for each in ids)


def test_consent_comes_first_and_covers_all_that_follows(events: list[TimedEvent]) -> None:
    seen: set[str] = set()
    consents = {patient.id: patient.consent_id for patient in clinic(SEED).patients}
    for timed in events:
        envelope = timed.event.envelope
        if envelope.subject_id not in seen:
            granted = timed.event.body.consent.granted
            assert granted.purpose == "treatment"
            assert granted.valid_from == envelope.occurred_at
            seen.add(envelope.subject_id)
        assert envelope.consent_id == consents[envelope.subject_id]
    assert len(seen) == 40


def test_sessions_fall_within_the_local_window_they_name(events: list[TimedEvent]) -> None:
    """Across both changes of the clocks, in every zone."""
    zones = set()
    for timed in events:
        started = timed.event.body.exercise_session.started
        if not started.HasField("occurrence"):
            continue
        zone = ZoneInfo(timed.event.envelope.zone)
        local = happened(timed).astimezone(zone)
        assert local.date().isoformat() == started.occurrence.local_date
        assert time.fromisoformat(started.occurrence.slot) <= local.time() <= time(22)
        assert local.utcoffset() == timedelta(minutes=timed.event.envelope.utc_offset_min)
        zones.add((zone.key, timed.event.envelope.utc_offset_min))
    assert {zone for zone, _ in zones} == set(ZONES)
    assert len(zones) == 7  # three of the four change their clocks


def test_life_has_everything_that_a_clinic_sees(events: list[TimedEvent]) -> None:
    counted = Counter(action(timed) for timed in events)
    for step in STEPS:
        assert counted[step] > 0, step
    assert counted["plan.prescribed"] > 2 * 40
    assert counted["exercise_session.abandoned"] < counted["exercise_session.completed"] / 4


def test_unscored_repetitions_say_why_and_are_few_where_a_model_exists(
    events: list[TimedEvent],
) -> None:
    seen = [
        (timed.event.body.rep_observation.exercise_id, rep)
        for timed in events
        for rep in timed.event.body.rep_observation.reps
    ]
    assert all(rep.HasField("score") == (rep.unscored_reason == 0) for _, rep in seen)
    modelled = [rep for exercise, rep in seen if exercise != "heel_raise"]
    unscored = sum(not rep.HasField("score") for rep in modelled)
    assert 0 < unscored < 0.06 * len(modelled)
    assert len({rep.unscored_reason for rep in modelled}) == 4


def test_four_weeks_of_forty_patients_are_15_to_30_thousand_events() -> None:
    assert 15_000 <= sum(1 for _ in simulate(SEED, start=START, days=28)) <= 30_000


def test_an_endless_clinic_is_made_as_it_is_asked_for() -> None:
    endless = simulate(SEED, start=START, days=None, patients=5)
    first = list(islice(endless, 2000))
    assert len(first) == 2000
    assert [e.at for e in first] == sorted(e.at for e in first)


def test_smaller_batches_hold_the_same_repetitions() -> None:
    def reps(events: Iterable[TimedEvent]) -> Sequence[bytes]:
        told = (e.event.body.rep_observation for e in events)
        return sorted(
            f"{seen.session_id}:{seen.exercise_id}:{seen.set_index}:".encode()
            + rep.SerializeToString()
            for seen in told
            for rep in seen.reps
        )

    sets = list(simulate(SEED, start=START, days=7, patients=4))
    singles = list(simulate(SEED, start=START, days=7, patients=4, reps_per_event=1))
    assert reps(sets) == reps(singles)
    assert all(len(e.event.body.rep_observation.reps) <= 1 for e in singles)
    assert len(singles) > len(sets)


@pytest.mark.parametrize(
    "wrong",
    [
        {"start": datetime(2025, 3, 1)},  # noqa: DTZ001 - that is what is wrong with it
        {"days": 0},
        {"patients": 0},
        {"therapists": 0},
        {"reps_per_event": -1},
    ],
)
def test_what_cannot_be_simulated_is_refused_at_once(wrong: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="must"):
        simulate(SEED, **{"start": START, "days": 1, **wrong})  # type: ignore[arg-type]
