"""What an application reads, on real servers."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from rehab_sdk import AsyncRehab, errors, events
from tests.sdk.clinic import Clinic, admit, pains
from tests.sdk.given import CLINIC

pytestmark = pytest.mark.asyncio(loop_scope="module")


def week_ago() -> date:
    return (datetime.now(UTC) - timedelta(days=7)).date()


def squats() -> events.Body:
    """Five squats a day for a week, in days of UTC."""
    daily = events.schedule("00:00", window_h=24)
    item = events.plan_item("squat", daily, sets=1, reps=5)
    return events.plan("plan-1", [item], effective_from=week_ago(), zone="UTC")


async def exercise(client: AsyncRehab, patient: str, scores: list[float]) -> None:
    async with client.session(patient=patient, plan=1, exercise="squat") as session:
        for score in scores:
            await session.rep(score=score, rom_deg=95.0, duration_ms=2000)
        await session.set_completed()
        await session.pain(3, phase="post")


async def test_a_read_reflects_what_its_client_wrote_before(suite: Clinic, patient: str) -> None:
    await admit(suite, patient, squats())
    async with suite.phone(patient) as client:
        for expected in (1, 2, 3):
            await exercise(client, patient, [80.0] * 5)
            answer = await client.patients.adherence(patient, days=28)
            assert answer.sessions == expected
            assert answer.freshness.position >= client.last_positions[0]


async def test_adherence_tells_due_windows_when_asked(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient, squats())
    async with suite.therapist() as client:
        answer = await client.patients.adherence(
            patient, days="whole_plan", occurrences=True, min_position=position
        )
        assert answer.due == 7
        assert len(answer.occurrences) >= 7
        assert answer.started_ratio == 0
        first = week_ago()
        chosen = await client.patients.adherence(patient, days=(first, first))
        assert (chosen.from_date, chosen.due) == (first.isoformat(), 1)


async def test_quality_tells_each_exercise(suite: Clinic, patient: str) -> None:
    await admit(suite, patient, squats())
    async with suite.phone(patient) as client:
        await exercise(client, patient, [60.0, 70.0, 80.0])
        answer = await client.patients.quality(patient)
        (squat,) = answer.exercises
        assert (squat.exercise_id, squat.reps, squat.good) == ("squat", 3, 2)
        assert squat.median_score == 70
        assert answer.pain.latest == 3


async def test_sessions_come_newest_first_over_all_pages(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with suite.phone(patient) as client:
        for _ in range(5):
            await exercise(client, patient, [80.0])
        found = [one async for one in client.patients.sessions(patient, page_size=2)]
    assert [one.status for one in found] == ["completed"] * 5
    starts = [one.started_at.ToDatetime() for one in found]
    assert starts == sorted(starts, reverse=True)


async def test_a_read_that_asks_for_the_future_is_stale(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with suite.therapist() as client:
        with pytest.raises(errors.Stale) as stale:
            await client.patients.adherence(patient, min_position=10**9, max_wait_s=0.05)
    assert stale.value.min_position == 10**9
    assert stale.value.position is not None


async def test_a_patient_nobody_knows_is_not_found(suite: Clinic, patient: str) -> None:
    async with suite.therapist() as client:
        with pytest.raises(errors.NotFound):
            await client.patients.adherence(patient)


async def test_a_wrong_argument_is_named_by_the_server(suite: Clinic, patient: str) -> None:
    async with suite.therapist() as client:
        with pytest.raises(errors.Invalid) as refused:
            await client.patients.adherence(patient, days=10_000)
    assert [violation.field for violation in refused.value.violations] == ["window.days"]


async def test_a_patient_reads_no_work_queue(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient) as client:
        with pytest.raises(errors.AuthError) as refused:
            await client.work_queue.list()
    assert refused.value.reason == "PERMISSION_DENIED"


async def test_the_work_queue_lists_who_needs_somebody(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with suite.phone(patient) as phone, suite.therapist() as client:
        stored = await phone.log(phone.event(patient, events.fall(injury=True)))
        items = await client.work_queue.list(min_position=stored.position)
        mine = [item for item in items if item.patient_id == patient]
        assert "fall" in [reason.code for item in mine for reason in item.reasons]
        assert len(await client.work_queue.list(limit=1, min_position=stored.position)) == 1


async def test_a_watcher_sees_the_list_and_then_changes(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with (
        suite.phone(patient) as phone,
        suite.therapist() as client,
        client.work_queue.watch() as changes,
    ):
        async for change in changes:
            assert change.upserted.patient_id != patient
            if change.HasField("listed"):
                break
        await phone.log(phone.event(patient, events.fall()))
        async for change in changes:
            if change.upserted.patient_id == patient:
                break
        assert "fall" in [reason.code for reason in change.upserted.reasons]


async def test_lag_tells_how_far_the_read_models_are(suite: Clinic, patient: str) -> None:
    async with suite.phone(patient) as phone, suite.therapist() as client:
        await phone.log_many(pains(phone, patient, 3))
        lag = await client.lag()
    assert lag.projections[0].head >= phone.last_positions[0]


async def test_a_clinics_own_queue_is_meant_unless_told(suite: Clinic) -> None:
    async with suite.therapist() as client:
        with pytest.raises(errors.AuthError):
            await client.work_queue.list(clinic=f"{CLINIC}-other")
