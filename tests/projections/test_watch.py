"""A therapist's list that keeps itself up to date."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack, aclosing
from datetime import UTC, datetime, timedelta

import pytest

from rehab_runtime.errors import Draining
from tests.projections.given import at, body, event, item, pain, prescribed
from tests.projections.service import (
    THERAPIST,
    Clinic,
    Place,
    codes,
    eventstore,
    projections,
    refused,
)

BEGIN = at("2026-03-02T08:00")
FALL = body(symptom_report={"fall": {}})


def report(number: int, patient: str, content=FALL):
    return event(number, BEGIN, content, patient=patient)


def closed(number: int, patient: str):
    action = {"closed": {"outcome": "contacted"}}
    return report(number, patient, body(review={"item_id": f"work:{patient}", **action}))


async def listed(changes) -> list[str]:
    """The patients of the list, up to its end."""
    seen = []
    async for change in changes:
        if change.HasField("listed"):
            return seen
        seen.append(change.upserted.patient_id)
    raise AssertionError("the watch ended before the list did")


async def test_a_watch_begins_with_the_list_and_goes_on_with_its_changes(running: Clinic):
    await running.reads.lag_at(await running.log.append(report(1, "b"), report(2, "a")))
    async with asyncio.timeout(20), aclosing(running.reads.watch()) as changes:
        assert await listed(changes) == ["a", "b"]
        await running.log.append(report(3, "c"))
        assert (await anext(changes)).upserted.patient_id == "c"
        await running.log.append(report(4, "a", pain(9)))
        changed = (await anext(changes)).upserted
        assert (changed.patient_id, codes(changed)) == ("a", ["fall", "pain_severe"])
        await running.log.append(closed(5, "b"))
        assert (await anext(changes)).removed_item_id == "work:b"


async def test_a_watch_shows_only_what_was_asked_for(running: Clinic):
    near = body(symptom_report={"fall": {"near": True}})
    await running.reads.lag_at(await running.log.append(report(1, "a", near), report(2, "b")))
    async with asyncio.timeout(20):
        async with aclosing(running.reads.watch(min_severity="SEVERITY_CRITICAL")) as changes:
            assert await listed(changes) == ["b"]
        async with aclosing(running.reads.watch(therapist_id="cy")) as changes:
            assert await listed(changes) == []
            given = body(review={"item_id": "work:a", "assigned": {"therapist_id": "cy"}})
            await running.log.append(report(3, "a", given))
            assert (await anext(changes)).upserted.patient_id == "a"


async def test_time_alone_changes_the_list(running: Clinic):
    begun = datetime.now(UTC) - timedelta(hours=49) + timedelta(seconds=2)
    plan = prescribed(item(times=["00:00"]), effective_from=begun.date().isoformat(), zone="UTC")
    session = body(exercise_session={"session_id": "s", "completed": {"duration_s": 60}})
    position = await running.log.append(
        event(1, begun - timedelta(days=9), plan), event(2, begun, session)
    )
    await running.reads.lag_at(position)
    async with asyncio.timeout(20), aclosing(running.reads.watch()) as changes:
        assert await listed(changes) == []
        change = await anext(changes)
        assert codes(change.upserted) == ["no_session"]


async def test_watchers_are_asked_to_leave_when_the_service_stops(place: Place):
    async with (
        asyncio.timeout(20),
        AsyncExitStack() as after_the_service,
        eventstore(place) as (log, address),
    ):
        async with projections(place, address, log) as clinic:
            reads = await after_the_service.enter_async_context(clinic.as_(THERAPIST))
            changes = reads.watch()
            assert await listed(changes) == []
            left = asyncio.create_task(refused(anext(changes)))
        assert isinstance(await left, Draining)


@pytest.mark.parametrize("folded_by", ["this replica", "another replica"])
async def test_a_watch_hears_of_what_any_replica_folded(place: Place, folded_by: str):
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log) as one,
        projections(place, address, log) as other,
    ):
        watched = one if folded_by == "this replica" else other
        async with asyncio.timeout(20), aclosing(watched.reads.watch()) as changes:
            assert await listed(changes) == []
            await log.append(report(1, "a"))
            assert (await anext(changes)).upserted.patient_id == "a"
