"""What an application reads of vitals, billing evidence, progress and workload, on real servers."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from rehab.events.v1 import care_pb2, event_pb2, health_pb2, patient_pb2
from rehab_sdk import AsyncRehab, errors, events
from tests.sdk.clinic import Clinic, admit
from tests.sdk.given import CLINIC
from tests.sdk.test_reading import exercise, squats

pytestmark = pytest.mark.asyncio(loop_scope="module")


def steps(hours_ago: int, count: float) -> event_pb2.Body:
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0)
    body = event_pb2.Body()
    told = body.health_samples
    told.metric, told.aggregation = "step_count", "hours"
    sample = health_pb2.HealthSample(sources=["Watch"])
    sample.start.FromDatetime(start - timedelta(hours=hours_ago))
    sample.end.FromDatetime(start - timedelta(hours=hours_ago - 1))
    sample.quantity.value = sample.quantity.canonical_value = count
    sample.quantity.ucum = "{count}"
    told.samples.append(sample)
    return body


async def test_vitals_are_read_page_by_page(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with suite.phone(patient) as client:
        for hour in range(1, 6):
            await client.log(client.event(patient, steps(hour, 100 * hour)))
        found = [one.value async for one in client.vitals.readings(patient, "steps", page_size=2)]
        assert found == [100, 200, 300, 400, 500]
        days = [one async for one in client.vitals.days(patient, ["step_count"], days=7)]
        assert sum(day.total for day in days) == 1500
        (metric,) = await client.vitals.metrics(patient)
        assert (metric.metric, metric.cumulative) == ("step_count", True)
        assert await client.vitals.nights(patient, days="this_week") == []


async def test_progress_is_read_down_to_the_repetition(suite: Clinic, patient: str) -> None:
    await admit(suite, patient, squats())
    async with suite.phone(patient) as client:
        await exercise(client, patient, [60.0, 70.0, 80.0])
        (session,) = [one async for one in client.patients.sessions(patient)]
        told = await client.progress.session(patient, session.session_id)
        assert (told.sets[0].reps, told.pain[0].nprs) == (3, 3)
        reps = client.progress.reps(patient, session.session_id, exercise="squat")
        assert [one.rep.score async for one in reps] == [60, 70, 80]
        missed = [one async for one in client.progress.missed(patient, days="whole_plan")]
        assert len(missed) >= 6
        weeks = [one async for one in client.progress.weeks(patient)]
        assert sum(week.sessions for week in weeks) == 1
        pain = await client.progress.pain_against_quality(patient)
        assert (len(pain.sessions), pain.association) == (1, "unknown")


def monitored() -> event_pb2.Body:
    return event_pb2.Body(
        monitoring=patient_pb2.Monitoring(
            active=True,
            system=patient_pb2.MONITORING_SYSTEM_MUSCULOSKELETAL,
            education_done=True,
        )
    )


def worked(minutes: int) -> event_pb2.Body:
    body = event_pb2.Body(rtm_time=care_pb2.RtmTime(entry_id="e1"))
    body.rtm_time.logged.activity = "view_data"
    noon = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
    start = noon - timedelta(days=1)
    body.rtm_time.logged.start.FromDatetime(start)
    body.rtm_time.logged.end.FromDatetime(start + timedelta(minutes=minutes))
    return body


async def therapist_writes(client: AsyncRehab, patient: str, *bodies: event_pb2.Body) -> None:
    for body in bodies:
        await client.log(client.event(patient, body))


async def test_billing_evidence_and_workload_are_read(suite: Clinic, patient: str) -> None:
    await admit(suite, patient)
    async with suite.phone(patient) as phone:
        await phone.log(phone.event(patient, events.pain(8, phase="pre")))
    async with suite.therapist() as client:
        await therapist_writes(client, patient, monitored(), worked(1))
        told = await client.billing.evidence(patient, clinic_zone="UTC", days=35)
        assert sum(month.minutes for month in told.months) == 1
        (period,) = told.periods
        evidence = {one.event_id for one in period.row.evidence}
        stored = {event.envelope.event_id for event in await suite.stored(patient)}
        assert evidence
        assert evidence <= stored
        assert "no_plan_of_care" in period.row.blocked_by
        gaps = {gap.code async for gap in client.billing.gaps(CLINIC)}
        assert "days_short" in gaps or "no_live_interaction" in gaps
        (load,) = [one for one in await client.workload.therapists(CLINIC) if one.critical]
        assert load.therapist_id == "therapist-1"
        today = datetime.now(UTC).date()
        (day,) = await client.workload.days(CLINIC, today, today)
        assert day.opened >= 1
        assert {one.code for one in await client.workload.templates()} >= {"fall", "alert"}
        with pytest.raises(errors.RehabError) as refused:
            await client.billing.evidence(patient, payer="acme")
        assert isinstance(refused.value, errors.Invalid)
