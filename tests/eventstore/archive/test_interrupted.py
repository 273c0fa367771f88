"""A replica that is killed while it moves events leaves a log that reads as before, and another
replica ends what was begun."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import asyncpg
import pytest

from rehab.events.v1.event_pb2 import Body
from rehab.eventstore.v1 import archive_service_pb2 as pb
from rehab_cli.supervisor import Service, environment
from rehab_eventstore.settings import Settings
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import RehabError
from tests.eventstore.archive.archiving import (
    Archiving,
    archived_settings,
    clean,
    fetch,
    fill,
    slim,
    table,
    told,
)
from tests.eventstore.store import Store, store

EVENTS = 48
STREAMS = 4
GATE = 4_077
"""Whoever comes to the step of a test waits for this advisory lock."""
STEPS = {
    "planned": ("archive_segment", "INSERT", "true"),
    "written": ("archive_segment", "UPDATE", "NEW.state = 'written'"),
    "told": ("events", "INSERT", "NEW.kind = 'archive'"),
    "archived": ("archive_segment", "UPDATE", "NEW.state = 'archived'"),
    "returned": ("archive_segment", "UPDATE", "NEW.state = 'returned'"),
    "restored": ("archive_segment", "UPDATE", "NEW.state = 'restored'"),
}


@asynccontextmanager
async def gate(dsn: str, step: str) -> AsyncIterator[asyncpg.Connection]:
    """While it is open, whoever comes to a step waits, in the database."""
    where, how, when = STEPS[step]
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" PERFORM pg_advisory_xact_lock({GATE}); RETURN NEW; END $$"
    )
    await connection.execute(
        f"CREATE TRIGGER wait BEFORE {how} ON {where} FOR EACH ROW WHEN ({when})"
        " EXECUTE FUNCTION wait()"
    )
    await connection.execute("SELECT pg_advisory_lock($1)", GATE)
    try:
        yield connection
    finally:
        await connection.execute("SELECT pg_advisory_unlock_all()")
        # what had waited is rolled back, or was one statement and is done
        async with asyncio.timeout(10):
            while await connection.fetchval("SELECT count(*) FROM pg_locks WHERE objid = 4077"):
                await asyncio.sleep(0.01)
        # the trigger stays: nobody waits there any more
        await connection.close()


async def waited_for(connection: asyncpg.Connection) -> None:
    async with asyncio.timeout(20):
        while not await connection.fetchval(
            "SELECT count(*) FROM pg_locks WHERE objid = 4077 AND NOT granted"
        ):
            await asyncio.sleep(0.01)


@asynccontextmanager
async def replica(settings: Settings) -> AsyncIterator[Service]:
    """A replica that is a process of its own."""
    own = {
        name.upper(): str(value)
        for name, value in settings.model_dump().items()
        if name not in ("reflection", "log_json", "log_level") and value not in ("", None)
    }
    service = Service("eventstore", environment("eventstore", own), lambda *_: None, 60)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def killed_at(settings: Settings, step: str, rpc: str) -> None:
    """A replica archives or restores, and dies at a step."""
    async with (
        replica(settings) as victim,
        channel(victim.address) as connection,
        gate(settings.postgres_dsn, step) as door,
    ):
        caller = Archiving(Store(connection, settings, service_principal("test")))
        work = asyncio.create_task(getattr(caller, rpc)())
        await waited_for(door)
        os.kill(victim.pid, signal.SIGKILL)
        with contextlib.suppress(RehabError):
            await work


async def read(made: Store) -> list[list[bytes]]:
    pages = await made.pages(until_position=EVENTS)
    return [told(page.events) for page in pages] + [
        told(page)
        for number in range(STREAMS)
        for page in await made.stream_pages(f"patient-{number}")
    ]


async def manifests(made: Store) -> dict[str, list[int]]:
    """The stages that the log tells, by segment."""
    found: dict[str, list[int]] = {}
    for one in await made.stream("archive-0"):
        body = Body.FromString(one.body).archive
        found.setdefault(body.segment, []).append(body.stage)
    return found


@pytest.mark.parametrize("step", ["planned", "written", "told", "archived"])
async def test_archiving_that_was_killed_is_ended_by_another_replica(
    database_dsn: str, nats: Nats, tmp_path: Path, step: str
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as survivor:
        await fill(survivor, EVENTS, STREAMS)
        before, rows = await read(survivor), await table(database_dsn)
        await killed_at(settings, step, "archive")
        assert await read(survivor) == before
        await Archiving(survivor).archive()
        assert await read(survivor) == before
        assert len(await slim(database_dsn)) == EVENTS - STREAMS
        segments = await Archiving(survivor).segments()
        assert {one.state for one in segments} == {pb.SEGMENT_STATE_ARCHIVED}
        assert sum(one.events for one in segments) == EVENTS - STREAMS
        assert await manifests(survivor) == {one.name: [1] for one in segments}
        assert await clean(survivor)
        await Archiving(survivor).restore()
        assert await table(database_dsn) == rows


@pytest.mark.parametrize("step", ["returned", "told", "restored"])
async def test_restoring_that_was_killed_is_ended_by_another_replica(
    database_dsn: str, nats: Nats, tmp_path: Path, step: str
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as survivor:
        await fill(survivor, EVENTS, STREAMS)
        before, rows = await read(survivor), await table(database_dsn)
        await Archiving(survivor).archive()
        await killed_at(settings, step, "restore")
        assert await read(survivor) == before
        await Archiving(survivor).restore()
        assert await read(survivor) == before
        assert await table(database_dsn) == rows
        segments = await Archiving(survivor).segments()
        assert {one.state for one in segments} == {pb.SEGMENT_STATE_RESTORED}
        assert await manifests(survivor) == {one.name: [1, 2] for one in segments}
        assert await clean(survivor)


async def test_a_plan_whose_object_was_never_written_is_dropped(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as made:
        await fill(made, EVENTS, STREAMS)
        await killed_at(settings, "written", "archive")
        (planned,) = await Archiving(made).segments()
        assert planned.state == pb.SEGMENT_STATE_PENDING
        (tmp_path / "archive" / planned.path).unlink()
        await Archiving(made).archive()
        assert planned.name not in [one.name for one in await Archiving(made).segments()]
        assert len(await slim(database_dsn)) == EVENTS - STREAMS


@pytest.mark.parametrize("step", ["written", "archived"])
async def test_a_segment_whose_key_is_lost_before_its_rows_give_up_holds_nothing_up(
    database_dsn: str, nats: Nats, tmp_path: Path, step: str
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as made:
        await fill(made, EVENTS, STREAMS)
        before = await read(made)
        await killed_at(settings, step, "archive")
        await fetch(database_dsn, "UPDATE archive_segment SET wrapped = wrapped || '\\x00'")
        await Archiving(made).archive()
        assert len(await slim(database_dsn)) == EVENTS - STREAMS
        assert await read(made) == before
        assert await clean(made)


async def test_rows_stay_when_their_object_is_lost_before_they_give_up(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as made:
        await fill(made, EVENTS, STREAMS)
        before = await read(made)
        await killed_at(settings, "archived", "archive")
        (written,) = await Archiving(made).segments()
        (tmp_path / "archive" / written.path).unlink()
        await Archiving(made).archive()
        states = {one.name: one.state for one in await Archiving(made).segments()}
        assert states.pop(written.name) == pb.SEGMENT_STATE_RESTORED
        assert set(states.values()) == {pb.SEGMENT_STATE_ARCHIVED}
        assert len(await slim(database_dsn)) == EVENTS - STREAMS
        assert await read(made) == before
        assert await clean(made)


async def test_rows_that_changed_meanwhile_are_not_given_up(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    """Somebody who writes to the table itself: what was verified is not what is there."""
    settings = archived_settings(database_dsn, nats.url, tmp_path / "archive")
    async with store(settings) as made:
        await fill(made, EVENTS, STREAMS)
        await killed_at(settings, "archived", "archive")
        (written,) = await Archiving(made).segments()
        await fetch(
            database_dsn,
            "UPDATE events SET body = body || '\\x00' WHERE position = $1",
            written.first_position,
        )
        with pytest.raises(RehabError):
            await Archiving(made).archive()
        assert written.first_position not in await slim(database_dsn)
