"""Every read can be watched: what it answers now, and again when that changed."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from google.protobuf.message import Message

from rehab.projections.v1 import (
    billing_service_pb2,
    progress_service_pb2,
    projections_service_pb2,
    vitals_service_pb2,
    work_service_pb2,
)
from rehab_runtime.auth import Principal
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import (
    Draining,
    InvalidArgument,
    NotFound,
    Overloaded,
    Stale,
    Unavailable,
)
from tests.projections.asking import Asking, asking, watch_of
from tests.projections.given import (
    CLINIC,
    PATIENT,
    body,
    event,
    item,
    observed,
    pain,
    prescribed,
    rep,
    whole_session,
)
from tests.projections.given_care import agreed, monitoring, sample, samples, segment, slept, worked
from tests.projections.service import (
    Clinic,
    Place,
    eventstore,
    projections,
    refused,
    rules_of,
    since,
)

MODULES = (
    billing_service_pb2,
    progress_service_pb2,
    projections_service_pb2,
    vitals_service_pb2,
    work_service_pb2,
)
OF_PATIENT = {"patient_id": PATIENT}
OF_CLINIC = {"clinic_id": CLINIC}
NOW = datetime.now(UTC).replace(microsecond=0)
TODAY = NOW.date().isoformat()
ASKED = {
    ("Projections", "GetAdherence"): OF_PATIENT,
    ("Projections", "GetQuality"): OF_PATIENT,
    ("Projections", "ListSessions"): OF_PATIENT,
    ("Progress", "ListAdherenceWeeks"): OF_PATIENT,
    ("Progress", "ListMissedSessions"): {**OF_PATIENT, "include_incomplete": True},
    ("Progress", "GetSession"): {**OF_PATIENT, "session_id": "s1"},
    ("Progress", "ListReps"): {**OF_PATIENT, "session_id": "s1"},
    ("Progress", "GetPainAgainstQuality"): OF_PATIENT,
    ("Vitals", "ListVitalMetrics"): OF_PATIENT,
    ("Vitals", "ListReadings"): {**OF_PATIENT, "metric": "steps"},
    ("Vitals", "ListVitalDays"): {**OF_PATIENT, "metrics": ["steps"]},
    ("Vitals", "ListNights"): OF_PATIENT,
    ("Billing", "GetBillingEvidence"): OF_PATIENT,
    ("Billing", "ListBillingGaps"): OF_CLINIC,
    ("Work", "ListTherapistLoads"): OF_CLINIC,
    ("Work", "ListWorkDays"): {**OF_CLINIC, "days": {"from_date": TODAY, "to_date": TODAY}},
}


def hours_ago(hours: float) -> datetime:
    return NOW - timedelta(hours=hours)


def beginning() -> list[Any]:
    plan = prescribed(
        item(times=["00:00"], window_h=24),
        effective_from=(NOW - timedelta(days=9)).date().isoformat(),
        zone="UTC",
    )
    yesterday = hours_ago(30)
    return [
        event(1, hours_ago(24 * 9), plan),
        event(2, hours_ago(24 * 9), agreed(hours_ago(24 * 10))),
        event(3, hours_ago(24 * 9), monitoring()),
        *whole_session(10, "s1", yesterday, [10]),
        event(20, yesterday, observed("s1", [rep(1), rep(2)])),
    ]


def afterwards() -> list[Any]:
    """Something that changes every answer."""
    yesterday = hours_ago(29)
    return [
        *whole_session(30, "s2", yesterday, [20]),
        event(40, yesterday, observed("s1", [rep(3)], index=2)),
        event(41, yesterday, pain(9, "POST", "s1")),
        event(42, yesterday, samples(sample(hours_ago(2), 50))),
        event(43, yesterday, slept(hours_ago(20), 8, segment("core", hours_ago(20), 8))),
        event(44, yesterday, worked("e1", hours_ago(3), 12)),
        event(45, hours_ago(1), body(symptom_report={"fall": {}})),
    ]


def plain(answer: Message) -> Message:
    """An answer without what differs from one moment to the next."""
    told = type(answer)()
    told.CopyFrom(answer)
    told.ClearField("freshness")
    return told


def test_every_read_about_a_patient_or_a_clinic_has_a_watch():
    found = set()
    for module in MODULES:
        for service in module.DESCRIPTOR.services_by_name.values():
            names = {method.name for method in service.methods}
            for method in service.methods:
                fields = method.input_type.fields_by_name
                if not method.server_streaming and {"patient_id", "clinic_id"} & set(fields):
                    assert watch_of(method.name) in names, method.full_name
                    found.add((service.name.removesuffix("Service"), method.name))
    # the list has a watch of its own, which tells it item by item
    assert found - {("Projections", "ListWorkQueue")} == set(ASKED)


@pytest.mark.parametrize(("service", "rpc"), ASKED)
async def test_a_watch_tells_what_its_read_answers_and_again_when_that_changed(
    running: Clinic, service: str, rpc: str
):
    asked = ASKED[service, rpc]
    position = await running.log.append(*beginning())
    async with asyncio.timeout(30), asking(running) as ask:
        watch = ask.watch(service, rpc, **asked, consistency=since(position))
        async with aclosing(watch) as told:
            first = (await anext(told)).answer
            assert plain(first) == plain(await ask(service, rpc, **asked))
            assert first.freshness.position >= position
            position = await running.log.append(*afterwards())
            await running.reads.lag_at(position)
            settled = plain(await ask(service, rpc, **asked))
            assert settled != plain(first)
            last = await told_until(told, settled)
            assert last.freshness.position > first.freshness.position


async def told_until(told: AsyncIterator[Any], wanted: Message) -> Any:
    """The answer that was waited for; each before it differs from the one before."""
    before: Message | None = None
    async for one in told:
        if one.HasField("unchanged"):
            continue
        assert plain(one.answer) != before
        before = plain(one.answer)
        if before == wanted:
            return one.answer
    raise AssertionError("the watch ended")


async def test_what_is_told_of_others_is_no_answer_but_makes_the_last_one_fresher(place: Place):
    async with (
        asyncio.timeout(30),
        eventstore(place) as (log, address),
        projections(place, address, log, watch_heartbeat_ms=50) as running,
        asking(running) as ask,
    ):
        await running.reads.lag_at(await log.append(*beginning()))
        async with aclosing(ask.watch("Projections", "ListSessions", **OF_PATIENT)) as told:
            assert (await anext(told)).HasField("answer")
            other = await log.append(event(120, hours_ago(4), pain(3), patient="other"))
            while (one := await anext(told)).unchanged.position < other:
                assert not one.HasField("answer")


async def test_a_burst_is_told_as_it_is_in_the_end(place: Place):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log, watch_interval_ms=300) as running,
        asking(running) as ask,
        asyncio.timeout(30),
    ):
        await running.reads.lag_at(await log.append(*beginning()))
        asked = {**OF_PATIENT, "session_id": "s1"}
        async with aclosing(ask.watch("Progress", "ListReps", **asked)) as told:
            await anext(told)
            for n in range(60):
                last = await log.append(
                    event(200 + n, hours_ago(29), observed("s1", [rep(n + 1)], index=3))
                )
            await running.reads.lag_at(last)
            settled = plain(await ask("Progress", "ListReps", **asked))
            answers = 0
            async for one in told:
                answers += 1
                if plain(one.answer) == settled:
                    break
            assert answers < 30


async def test_a_reader_that_does_not_read_misses_states_and_keeps_nobody_waiting(running: Clinic):
    rows = [
        event(
            300 + n, hours_ago(9), samples(*(sample(hours_ago(n + i / 70), 1) for i in range(60)))
        )
        for n in range(9)
    ]
    await running.reads.lag_at(await running.log.append(*beginning(), *rows))
    asked = {**OF_PATIENT, "metric": "steps", "page_size": 500}
    async with (
        asyncio.timeout(60),
        asking(running) as ask,
        aclosing(ask.watch("Vitals", "ListReadings", **asked)) as told,
    ):
        assert len((await anext(told)).answer.readings) == 500
        for n in range(30):
            newer = samples(sample(hours_ago(0.5 - n / 90), n))
            position = await running.log.append(event(400 + n, hours_ago(1), newer))
            await running.reads.lag_at(position)
        settled = newest_of(await ask("Vitals", "ListReadings", **asked))
        answers = [newest_of((await anext(told)).answer)]
        while answers[-1] != settled:
            answers.append(newest_of((await anext(told)).answer))
        assert len(answers) < 15


def newest_of(answer: Any) -> Any:
    return answer.readings[0].start.ToDatetime()


async def test_a_watch_goes_on_from_a_position(running: Clinic):
    position = await running.log.append(*beginning())
    async with asking(running) as ask, asyncio.timeout(20):
        told = ask.watch("Billing", "GetBillingEvidence", **OF_PATIENT, consistency=since(position))
        async with aclosing(told):
            assert (await anext(told)).answer.freshness.position >= position
        late = {"min_position": position + 1000, "max_wait_ms": 20}
        told = ask.watch("Vitals", "ListNights", **OF_PATIENT, consistency=late)
        assert isinstance(await refused(anext(told)), Stale)


async def test_a_watch_is_refused_as_its_read_is(running: Clinic):
    await running.reads.lag_at(await running.log.append(*beginning()))
    sessions = ("Projections", "ListSessions")
    async with asking(running) as ask:
        token = (await ask(*sessions, **OF_PATIENT, page_size=1)).next_page_token or "x"
        turned = await refused(anext(ask.watch(*sessions, **OF_PATIENT, page_token=token)))
        assert rules_of(turned) == [("asked.page_token", "watch.first_page")]
        nobody = await refused(anext(ask.watch(*sessions, patient_id="nobody")))
        assert isinstance(nobody, NotFound)
        wrong = await refused(anext(ask.watch(*sessions, patient_id="no/body")))
        assert isinstance(wrong, InvalidArgument)
    for role, clinic in (("therapist", "clinic-2"), ("patient", CLINIC)):
        async with asking(running, Principal("eve", role, clinic)) as ask:
            other = await refused(anext(ask.watch(*sessions, **OF_PATIENT)))
            assert isinstance(other, NotFound)


async def watched(ask: Asking, consistency: Any = None) -> Any:
    told = ask.watch("Projections", "ListSessions", **OF_PATIENT, consistency=consistency)
    await anext(told)
    return told


async def all_of(told: Any) -> None:
    async for _ in told:
        pass


async def test_too_many_watches_are_refused_and_one_that_ends_makes_room(place: Place):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log, max_watches=1) as running,
        asking(running) as ask,
        asyncio.timeout(20),
    ):
        await running.reads.lag_at(await log.append(*beginning()))
        first = await watched(ask)
        second = ask.watch("Projections", "ListSessions", **OF_PATIENT)
        assert isinstance(await refused(anext(second)), Overloaded)
        await first.aclose()
        while True:
            try:
                third = await watched(ask)
                break
            except Overloaded:
                await asyncio.sleep(0.01)
        await third.aclose()


async def test_watches_are_asked_to_leave_when_the_service_stops(place: Place):
    async with (
        asyncio.timeout(20),
        AsyncExitStack() as after_the_service,
        eventstore(place) as (log, address),
    ):
        async with projections(place, address, log) as running:
            ask = await after_the_service.enter_async_context(asking(running))
            await running.reads.lag_at(await log.append(*beginning()))
            told = await watched(ask)
            left = asyncio.create_task(refused(anext(told)))
        assert isinstance(await left, Draining)


@pytest.mark.timeout(300)
async def test_a_watch_ends_while_postgresql_is_away_and_another_one_goes_on(
    place: Place, tmp_path: Path
):
    async with (
        asyncio.timeout(100),
        Postgres(tmp_path / "postgres") as own,
        eventstore(place) as (log, address),
        projections(
            place, address, log, postgres_dsn=own.dsn("projections"), watch_heartbeat_ms=50
        ) as running,
        asking(running) as ask,
    ):
        position = await log.append(*beginning())
        told = await watched(ask, since(position))
        await own.kill()
        assert isinstance(await refused(all_of(told)), Unavailable)
        await own.start()
        # a database that crashed may stand before what it had shown; the next event mends that
        position = await log.append(event(120, hours_ago(4), pain(3)))
        while True:
            try:
                again = await watched(ask, since(position))
                break
            except (Unavailable, Stale):
                await asyncio.sleep(0.05)
        async with aclosing(again):
            await log.append(*whole_session(30, "s2", hours_ago(5), [20]))
            while len((await anext(again)).answer.sessions) < 2:
                pass


@pytest.mark.parametrize("folded_by", ["this replica", "another replica"])
async def test_a_watch_of_a_read_hears_of_what_any_replica_folded(place: Place, folded_by: str):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log) as one,
        projections(place, address, log) as other,
        asking(one if folded_by == "this replica" else other) as ask,
        asyncio.timeout(30),
    ):
        await one.reads.lag_at(await log.append(*beginning()))
        await other.reads.lag_at(1)
        async with aclosing(ask.watch("Projections", "ListSessions", **OF_PATIENT)) as told:
            assert len((await anext(told)).answer.sessions) == 1
            await log.append(*whole_session(30, "s2", hours_ago(5), [20]))
            while len((await anext(told)).answer.sessions) < 2:
                pass
