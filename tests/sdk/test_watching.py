"""What an application watches, on real servers and over links that break."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from rehab_sdk import AsyncRehab, Rehab, dev_token, errors, events
from tests.sdk.clinic import OPTIONS, Clinic, admit
from tests.sdk.given import CLINIC, CONSENT
from tests.sdk.test_reading import exercise, squats
from tests.sdk.test_reading_models import steps
from tests.support.proxy import proxy_to

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(240)]


async def test_a_watch_yields_what_its_read_returns_and_again_when_that_changed(
    suite: Clinic, patient: str
) -> None:
    position = await admit(suite, patient, squats())
    async with suite.phone(patient) as client:
        client.reflect({0: position})
        await watched_four_ways(client, patient)


async def watched_four_ways(client: AsyncRehab, patient: str) -> None:
    async with (
        client.watch(client.patients.adherence, patient, days=7) as adherence,
        client.watch(client.patients.sessions, patient, page_size=1) as newest,
        client.watch(client.vitals.metrics, patient) as metrics,
        client.watch(client.progress.weeks, patient) as weeks,
    ):
        assert (await anext(adherence)).sessions == 0
        assert [await anext(newest), await anext(metrics)] == [[], []]
        assert sum(week.sessions for week in await anext(weeks)) == 0
        for number in (1, 2):
            await exercise(client, patient, [80.0] * number)
            await until(adherence, lambda told, n=number: told.sessions == n)
            await until(weeks, lambda told, n=number: sum(one.sessions for one in told) == n)
            (session,) = await until(newest, lambda told, n=number: told and told[0].reps == n)
            assert session == await anext(client.patients.sessions(patient))
        await client.log(client.event(patient, steps(1, 100)))
        (metric,) = await until(metrics, bool)
        assert metric == (await client.vitals.metrics(patient))[0]
        assert adherence.freshness is not None
        assert adherence.freshness.position > 0


async def until(answers: Any, holds: Any) -> Any:
    async for told in answers:
        if holds(told):
            return told
    raise AssertionError("the watch ended")


async def test_a_clinic_and_the_evidence_of_a_bill_are_watched(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient)
    today = datetime.now(UTC).date()
    async with (
        suite.therapist() as client,
        suite.phone(patient) as phone,
        client.watch(client.workload.therapists, CLINIC) as loads,
        client.watch(client.workload.days, CLINIC, today - timedelta(days=1), today) as days,
        client.watch(client.billing.evidence, patient, min_position=position) as evidence,
    ):
        critical = sum(load.critical for load in await anext(loads))
        opened = sum(day.opened for day in await anext(days))
        assert not (await anext(evidence)).periods
        await phone.log(phone.event(patient, events.fall(injury=True)))
        await until(loads, lambda told: sum(load.critical for load in told) == critical + 1)
        await until(days, lambda told: sum(day.opened for day in told) == opened + 1)


async def test_a_watch_goes_on_over_lost_links_and_repeats_nothing(
    suite: Clinic, patient: str
) -> None:
    position = await admit(suite, patient)
    async with proxy_to(suite.projections) as proxy, suite.phone(patient) as phone:
        suite_through = replace(suite, projections=proxy.address)
        async with (
            suite_through.therapist() as client,
            client.watch(client.patients.sessions, patient, min_position=position) as answers,
        ):
            counts = [len(await anext(answers))]
            for number in range(1, 4):
                proxy.close()
                await exercise(phone, patient, [80.0])
                proxy.reopen()
                told = await until(answers, lambda told, n=number: len(told) == n and told[0].reps)
                counts.append(len(told))
                proxy.cut()
            assert counts == [0, 1, 2, 3]


async def test_a_watch_ends_when_consent_is_withdrawn(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient)
    async with (
        suite.therapist() as client,
        client.watch(client.patients.quality, patient, min_position=position) as answers,
    ):
        await anext(answers)
        revoked = events.consent_revoked(CONSENT, effective_at=datetime.now(UTC))
        await client.log(client.event(patient, revoked))
        with pytest.raises(errors.ConsentRequired) as ended:
            await until(answers, lambda _: False)
        assert ended.value.reason == "CONSENT_NOT_IN_FORCE"


async def test_what_is_no_read_is_not_watched(suite: Clinic, patient: str) -> None:
    async with suite.therapist() as client:
        wrong: list[Any] = [
            client.work_queue.list,
            client.work_queue.watch,
            client.workload.templates,
            client.log_many,
            len,
        ]
        for read in wrong:
            with pytest.raises((errors.Invalid, TypeError)):
                client.watch(read)
        async with client.watch(client.patients.quality, patient) as answers:
            with pytest.raises(errors.NotFound):
                await anext(answers)


def watched_without_a_loop(suite: Clinic, patient: str, position: int) -> list[Any]:
    with Rehab.connect(
        ingest=suite.ingest,
        projections=suite.projections,
        token=dev_token("patient", CLINIC, patient),
        device_id=f"phone-of-{patient}",
        consent_id=CONSENT,
        options=OPTIONS,
    ) as client:
        client.reflect({0: position})
        return watched_twice(client, patient)


def watched_twice(client: Rehab, patient: str) -> list[Any]:
    with (
        client.watch(client.patients.adherence, patient, days=7) as answers,
        client.watch(client.patients.sessions, patient) as sessions,
    ):
        told: list[Any] = [next(answers).sessions, next(sessions)]
        with client.session(patient=patient, exercise="squat") as session:
            session.rep(score=80)
        told += [next(one.sessions for one in answers if one.sessions)]
        told += [next([one.reps for one in told] for told in sessions if told and told[0].reps)]
        return told


async def test_a_blocking_program_watches_too(suite: Clinic, patient: str) -> None:
    position = await admit(suite, patient)
    told = await asyncio.to_thread(watched_without_a_loop, suite, patient, position)
    assert told == [0, [], 1, [1]]
