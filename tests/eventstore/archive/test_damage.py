"""What is wrong with the archive is named by whoever reads it, never passed over."""

from __future__ import annotations

import asyncio
import shutil
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab.eventstore.v1 import archive_service_pb2 as pb
from rehab_eventstore.proof.archived import ArchiveKeys
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_eventstore.proof.verify import Asked, Verdict, Verifier
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.segments import Segments
from rehab_runtime import postgres
from rehab_runtime.auth import service_principal
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import ArchiveUnreadable, Unavailable
from rehab_runtime.eventlog import EventLog, follow
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.postgres import Queries
from rehab_runtime.startup import StartupError
from tests.eventstore.archive.archiving import Archiving, archived_settings, fetch, fill
from tests.eventstore.store import Store, refused, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVENTS = 120
STREAMS = 6


@dataclass(frozen=True)
class Archived:
    """A log that was archived; `settings` are those of a replica that keeps no frame in memory."""

    settings: Settings
    folder: Path
    segments: list[pb.Segment]

    def path(self, number: int) -> Path:
        return self.folder / self.segments[number].path

    async def finding(self, url: str = "") -> Finding | None:
        """What a walk over the whole log finds."""
        dsn = self.settings.postgres_dsn
        async with postgres.connect(dsn, name="test") as database:
            segments = Segments(
                database,
                Queries.load("rehab_eventstore", "archive.sql"),
                LocalKeys(Path(self.settings.key_file)),
            )

            async def keys(shard: int, first: int, last: int) -> ArchiveKeys:
                found = await segments.keys_between(shard, first, last)
                return ArchiveKeys(url or self.settings.archive_url, found)

            queries = Queries.load("rehab_eventstore", "proof.sql")
            # threads: to start processes takes longer than so few events
            verifier = Verifier(dsn, database, queries, 1, ThreadPoolExecutor, keys)
            steps = [step async for step in verifier.verify(Asked(0))]
        assert isinstance(steps[-1], Verdict)
        return steps[-1].finding


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def archived(
    module_dsn: str, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Archived]:
    folder = tmp_path_factory.mktemp("archive")
    settings = archived_settings(module_dsn, nats.url, folder, archive_cache_bytes=0)
    async with store(settings) as made:
        await fill(made, EVENTS, STREAMS)
        await Archiving(made).archive()
        yield Archived(settings, folder, list(await Archiving(made).segments()))


@pytest_asyncio.fixture(loop_scope="module")
async def fresh(archived: Archived) -> AsyncIterator[Store]:
    """A replica that has read nothing yet."""
    async with store(archived.settings) as made:
        yield made


@pytest.fixture
def kept(archived: Archived, tmp_path: Path) -> Any:
    """The folder is brought back as it was."""
    shutil.copytree(archived.folder, tmp_path / "copy")
    yield
    shutil.rmtree(archived.folder)
    shutil.copytree(tmp_path / "copy", archived.folder)


def changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[100] ^= 1
    path.write_bytes(content)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-10])


def empty(path: Path) -> None:
    path.write_bytes(b"")


def index_changed(path: Path) -> None:
    content = bytearray(path.read_bytes())
    content[-40] ^= 1
    path.write_bytes(content)


HARMS = {
    "missing": (Path.unlink, "missing"),
    "changed": (changed, "damaged"),
    "cut": (cut, "damaged"),
    "empty": (empty, "damaged"),
    "index": (index_changed, "damaged"),
}


@pytest.mark.parametrize("harm", HARMS)
async def test_an_object_that_is_not_as_it_was_is_named_by_reads_and_by_the_proof(
    archived: Archived, fresh: Store, kept: None, harm: str
) -> None:
    do, trouble = HARMS[harm]
    do(archived.path(1))
    await assert_named(archived, fresh, 1, trouble)


async def test_an_object_in_the_place_of_another_is_named(
    archived: Archived, fresh: Store, kept: None
) -> None:
    shutil.copy(archived.path(0), archived.path(1))
    await assert_named(archived, fresh, 1, "damaged")


async def assert_named(archived: Archived, made: Store, number: int, trouble: str) -> None:
    segment = archived.segments[number]
    error = await refused(made.all())
    assert isinstance(error, ArchiveUnreadable)
    assert error.metadata == {
        "segment": segment.name,
        "position": str(segment.first_position),
        "trouble": trouble,
    }
    finding = await archived.finding()
    assert finding is not None
    assert (finding.position, finding.damage) == (segment.first_position, Damage.ARCHIVE)
    assert segment.name in finding.message
    error = await refused(Archiving(made).restore(segment=segment.name))
    assert isinstance(error, ArchiveUnreadable)
    assert error.metadata["segment"] == segment.name


async def test_what_is_not_in_the_harmed_object_is_read_all_the_same(
    archived: Archived, fresh: Store, kept: None
) -> None:
    archived.path(1).unlink()
    first = archived.segments[1].first_position
    assert len(await fresh.all(until_position=first - 1)) == first - 1
    head = (await fresh.head()).position
    assert await fresh.all(after_position=EVENTS, until_position=head)


async def test_once_the_object_is_back_it_is_read_again(archived: Archived, fresh: Store) -> None:
    path = archived.path(1)
    away = path.rename(path.with_suffix(".away"))
    assert isinstance(await refused(fresh.all()), ArchiveUnreadable)
    away.rename(path)
    assert len(await fresh.all(until_position=EVENTS)) == EVENTS
    assert await archived.finding() is None


async def test_who_follows_the_log_waits_for_the_object_and_goes_on(
    archived: Archived, fresh: Store
) -> None:
    path = archived.path(1)
    away = path.rename(path.with_suffix(".away"))
    log = EventLog(fresh.connection, service_principal("projections"))
    follower = follow(log, None, 0, max_batch=5)
    seen: list[int] = []
    last = (await fresh.head()).position

    async def read() -> None:
        async for events in follower:
            seen.extend(one.envelope.position for one in events)
            if seen[-1] >= last:  # who is lent keys is told behind it
                return

    reading = asyncio.create_task(read())
    try:
        async with asyncio.timeout(10):
            while not follower.waiting:
                await asyncio.sleep(0.01)
    finally:
        away.rename(path)
    async with asyncio.timeout(20):
        await reading
    assert seen[:last] == list(range(1, last + 1))


ROWS: dict[str, tuple[str, str, Damage]] = {
    "stream_version": ("stream_version + 100", "stream_version - 100", Damage.CHANGED),
    "clinic_id": ("'clinic-x'", "'clinic-1'", Damage.CHANGED),
    "archived_bytes": ("archived_bytes + 1", "archived_bytes - 1", Damage.COLUMN),
    "segment": ("segment + 1000", "segment - 1000", Damage.ARCHIVE),
    "hash": ("hash || '\\x00'", "substring(hash for 32)", Damage.ARCHIVE),
}


@pytest.mark.parametrize("column", ROWS)
async def test_a_slim_row_that_was_changed_is_found(archived: Archived, column: str) -> None:
    there, back, damage = ROWS[column]
    dsn, position = archived.settings.postgres_dsn, archived.segments[0].first_position
    change = f"UPDATE events SET {column} = $1 WHERE position = {position}"
    await fetch(dsn, change.replace("$1", there))
    try:
        finding = await archived.finding()
    finally:
        await fetch(dsn, change.replace("$1", back))
    assert finding is not None
    assert (finding.position, finding.damage) == (position, damage)
    assert await archived.finding() is None


async def test_a_store_that_is_away_says_nothing_of_the_log(archived: Archived) -> None:
    with pytest.raises(Unavailable):
        await archived.finding("s3://bucket/prefix")


async def test_rows_that_do_not_prove_themselves_are_not_archived(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await fill(made, 30, 3)
        await fetch(database_dsn, "UPDATE events SET body = 'x' WHERE position = 7")
        error = await refused(Archiving(made).archive())
        assert [broken.rule for broken in error.violations] == ["chain.holds"]
        assert "position 7 " in error.message
        assert 7 not in {
            row["position"]
            for row in await fetch(
                database_dsn, "SELECT position FROM events WHERE segment IS NOT NULL"
            )
        }


async def test_a_log_with_an_archive_does_not_start_without_being_told_where(
    archived: Archived,
) -> None:
    with pytest.raises(StartupError, match="EVENTSTORE_ARCHIVE_URL"):
        async with store(archived.settings.model_copy(update={"archive_url": ""})):
            pass


async def test_a_folder_that_cannot_be_made_is_told_in_one_line(archived: Archived) -> None:
    url = (archived.path(0) / "below-a-file").as_uri()
    with pytest.raises(StartupError, match="the archive cannot be opened"):
        async with store(archived.settings.model_copy(update={"archive_url": url})):
            pass
