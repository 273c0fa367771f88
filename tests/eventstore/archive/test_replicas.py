"""Several replicas and one archive."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

from rehab.eventstore.v1 import key_admin_service_pb2 as pb
from rehab.eventstore.v1.key_admin_service_pb2_grpc import KeyAdminServiceStub
from rehab_runtime import keyfile
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.clock import SystemClock
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import ArchiveUnreadable, Overloaded, RehabError
from tests.eventstore.archive.archiving import (
    Archiving,
    archived_settings,
    clean,
    fetch,
    fill,
    published,
    slim,
    told,
)
from tests.eventstore.given import append
from tests.eventstore.store import Store, refused, store

EVENTS = 120
STREAMS = 6


async def test_two_replicas_that_archive_at_once_archive_each_event_once(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as one, store(settings) as other:
        await fill(one, EVENTS, STREAMS)
        done = await asyncio.gather(
            *(Archiving(made).archive() for made in (one, other, one)), return_exceptions=True
        )
        failed = [error for error in done if isinstance(error, BaseException)]
        assert all(isinstance(error, Overloaded) for error in failed)
        await Archiving(other).archive()
        segments = await Archiving(one).segments()
        assert sum(segment.events for segment in segments) == EVENTS - STREAMS
        assert len(await slim(database_dsn)) == EVENTS - STREAMS
        assert await clean(one)


async def test_readers_and_writers_go_on_while_events_move_to_and_fro(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    """Every read is the same, at a replica that nobody tells of it."""
    settings = archived_settings(database_dsn, nats.url, tmp_path, archive_segment_events=10)
    async with store(settings) as mover, store(settings) as reader:
        await fill(mover, EVENTS, STREAMS)
        before = await pages(reader)
        moving = asyncio.create_task(to_and_fro(mover))
        reads = 0
        while not moving.done():
            assert await pages(reader) == before
            await reader.append(append("patient-0"))
            reads += 1
        await moving
        assert reads > 3
        assert await clean(reader)


async def to_and_fro(made: Store) -> None:
    for _ in range(2):
        await Archiving(made).archive(until_position=EVENTS)
        await Archiving(made).restore()


async def pages(made: Store) -> list[list[bytes]]:
    stream = await made.stream_pages("patient-1", until_version=EVENTS // STREAMS)
    everything = await made.pages(until_position=EVENTS)
    return [told(page.events) for page in everything] + [told(page) for page in stream]


async def test_several_heads_have_archives_of_their_own(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path, shards=3)
    async with store(settings) as made:
        await fill(made, EVENTS, 12)
        async with asyncio.timeout(10):
            for shard in range(3):
                while (head := await made.head(shard)).published < head.position:
                    await asyncio.sleep(0.01)
        before = [await made.all(shard=shard) for shard in range(3)]
        moved = [(await Archiving(made).archive(shard=shard)).events for shard in range(3)]
        assert sum(moved) == EVENTS - 12
        for shard in range(3):
            again = await made.all(shard=shard, until_position=len(before[shard]))
            assert again == before[shard]
            assert {one.shard for one in await Archiving(made).segments(shard=shard)} <= {shard}
            await Archiving(made).restore(shard=shard)


async def test_only_what_is_older_than_asked_is_moved(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await fill(made, 40, 4)
        between = datetime.now(UTC)
        await fill(made, 40, 4)
        assert (await Archiving(made).archive(until_position=15)).events == 15
        assert await slim(database_dsn) == list(range(1, 16))
        assert (await Archiving(made).archive(before=between)).events == 25
        assert await slim(database_dsn) == list(range(1, 41))


async def test_what_the_broker_has_not_taken_stays(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, "nats://127.0.0.1:1", tmp_path)
    async with store(settings) as made:
        for _ in range(20):
            await made.append(append("patient-0"))
        assert (await Archiving(made).archive()).events == 0
    told = settings.model_copy(update={"nats_url": nats.url})
    async with store(told) as made:
        await published(made)
        assert (await Archiving(made).archive()).events == 19


async def test_keys_of_segments_are_wrapped_anew_with_the_others(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    """Without it, an old key-encryption key that is destroyed takes the archive with it."""
    keys = tmp_path / "keys.json"
    settings = archived_settings(
        database_dsn, nats.url, tmp_path / "archive", key_file=str(keys), archive_cache_bytes=0
    )
    async with store(settings) as made:
        await fill(made, 40, 4)
        before = await made.all()
        await Archiving(made).archive()
        keyfile.rotate(keys, SystemClock())
        await rewrap(made)
        versions = await fetch(database_dsn, "SELECT DISTINCT kek_version FROM archive_segment")
        assert [row["kek_version"] for row in versions] == ["2"]
    async with store(settings) as made:
        assert await made.all(until_position=40) == before


async def rewrap(made: Store) -> None:
    steps = KeyAdminServiceStub(made.connection).RewrapDataKeys(
        pb.RewrapDataKeysRequest(), metadata=(bearer(service_principal("cli")),)
    )
    last = [step async for step in steps][-1]
    assert (last.left, last.refused) == (0, 0)


async def test_a_segment_whose_key_is_refused_is_named(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await fill(made, 40, 4)
        await Archiving(made).archive()
    await fetch(database_dsn, "UPDATE archive_segment SET wrapped = wrapped || '\\x00'")
    async with store(settings) as made:
        error = await refused(made.all())
        assert isinstance(error, ArchiveUnreadable)
        assert error.metadata["trouble"] == "refused"
        assert isinstance(await refused(Archiving(made).restore()), RehabError)
