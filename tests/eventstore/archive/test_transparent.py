"""Wherever events are, they are answered alike, byte for byte."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab.events.v1.event_pb2 import Body
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.auth import service_principal
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import (
    EventIdReused,
    InvalidArgument,
    NotFound,
    PermissionDenied,
    VersionConflict,
)
from rehab_runtime.eventlog import EventLog
from rehab_runtime.folding import Fold, Snapshots, fold_stream
from tests.eventstore.archive.archiving import (
    Archiving,
    archived_settings,
    clean,
    fetch,
    fill,
    slim,
    table,
)
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, copy, event
from tests.eventstore.store import Store, refused, rules, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVENTS = 240
STREAMS = 6


@dataclass(frozen=True)
class Scene:
    """A store whose log was archived, what it had answered before, and what was sent to it."""

    store: Store
    folder: Path
    sent: list[Any]
    before: dict[str, Any]
    rows: list[tuple[Any, ...]]
    settings: Any


def asked() -> dict[str, tuple[str, dict[str, Any]]]:
    """Reads of all kinds, by name."""
    chance = random.Random(7)
    made: dict[str, tuple[str, dict[str, Any]]] = {"all": ("pages", {})}
    for number in range(12):
        after = chance.randrange(EVENTS)
        until = after + chance.randrange(1, 120)
        made[f"all {number}"] = ("pages", {"after_position": after, "until_position": until})
        made[f"limited {number}"] = (
            "pages",
            {"after_position": after, "limit": chance.randrange(1, 40)},
        )
        stream = f"patient-{chance.randrange(STREAMS)}"
        made[f"stream {number}"] = (
            "stream",
            {
                "stream": stream,
                "after_version": chance.randrange(40),
                "limit": chance.randrange(1, 30),
                "backwards": number % 2 == 1,
            },
        )
        made[f"as of version {number}"] = (
            "stream",
            {"stream": stream, "until_version": chance.randrange(1, 40)},
        )
    made["kinds"] = ("pages", {"filter": pb.Filter(kinds=["alert"])})
    made["streams"] = ("pages", {"filter": pb.Filter(streams=["patient-1", "patient-4"])})
    made["kind of a stream"] = ("stream", {"stream": "patient-0", "kinds": ["alert"]})
    return made


ASKED = asked()


async def answer(made: Store, name: str) -> list[list[bytes]]:
    """The pages of a read, and the events in each. Later events are no part of it."""
    how, what = ASKED[name]
    if how == "stream":
        pages: Any = await made.stream_pages(**what)
    else:
        what = {**what, "until_position": min(EVENTS, what.get("until_position", EVENTS))}
        pages = [page.events for page in await made.pages(**what)]
    return [[one.SerializeToString(deterministic=True) for one in page] for page in pages]


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def scene(
    module_dsn: str, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Scene]:
    folder = tmp_path_factory.mktemp("archive") / "here"
    settings = archived_settings(module_dsn, nats.url, folder)
    async with store(settings) as made:
        sent = await fill(made, EVENTS, STREAMS)
        before = {name: await answer(made, name) for name in ASKED}
        rows = await table(module_dsn)
        moved = await Archiving(made).archive()
        assert moved.events == moved.total == EVENTS - STREAMS
        yield Scene(made, folder, sent, before, rows, settings)


@pytest.mark.parametrize("name", ASKED)
async def test_pages_are_those_of_before(scene: Scene, name: str) -> None:
    assert await answer(scene.store, name) == scene.before[name]


async def test_another_replica_reads_the_same_without_being_told(scene: Scene) -> None:
    async with store(scene.settings) as other:
        for name in ASKED:
            assert await answer(other, name) == scene.before[name]


async def test_what_the_rows_give_up_is_in_the_folder_and_sealed_there(scene: Scene) -> None:
    dsn = scene.settings.postgres_dsn
    assert len(await slim(dsn)) == EVENTS - STREAMS
    objects = [path for path in scene.folder.rglob("*") if path.is_file()]
    listed = await Archiving(scene.store).segments()
    assert sorted(path.name for path in objects) == sorted(one.name for one in listed)
    assert [path.stat().st_size for path in sorted(objects)] == [
        one.size_bytes for one in sorted(listed, key=lambda one: one.name)
    ]
    content = b"".join(path.read_bytes() for path in objects)
    assert b"body" not in content
    assert b"patient-" not in content


async def test_the_newest_event_of_every_stream_stays(scene: Scene) -> None:
    rows = await fetch(
        scene.settings.postgres_dsn,
        "SELECT DISTINCT ON (stream_id) segment, body FROM events"
        " ORDER BY stream_id, stream_version DESC",
    )
    assert all(row["segment"] is None and row["body"] for row in rows)


async def test_the_log_tells_of_each_segment_and_proves_itself(scene: Scene) -> None:
    listed = {one.name: one for one in await Archiving(scene.store).segments()}
    told = await scene.store.stream("archive-0")
    manifests = {}
    for one in told:
        body = Body.FromString(one.body).archive
        if body.stage == 1:
            manifests[body.segment] = (body, one.envelope.position)
    assert listed.keys() == manifests.keys()
    by_position = {one.envelope.position: one.hash for one in await scene.store.all()}
    for name, (body, position) in manifests.items():
        assert position == listed[name].manifest_position
        assert (body.first_position, body.last_position, body.events) == (
            listed[name].first_position,
            listed[name].last_position,
            listed[name].events,
        )
        assert body.sha256 == listed[name].sha256
        assert body.first_hash == by_position[body.first_position]
        assert body.last_hash == by_position[body.last_position]
    assert await clean(scene.store)


async def test_a_repeat_of_an_archived_event_is_answered_with_its_first_place(
    scene: Scene,
) -> None:
    async with store(scene.settings) as fresh:
        for made in (scene.store, fresh):
            for request, first in scene.sent[:: len(scene.sent) // 20]:
                again = await made.append(copy(request))
                assert again.duplicate
                assert again.first_position == first.first_position
                assert again.stream_version == first.stream_version


async def test_the_id_of_an_archived_event_is_not_given_to_another(scene: Scene) -> None:
    request, _ = scene.sent[3]
    other = copy(request)
    other.events[0].body = b"other"
    assert isinstance(await refused(scene.store.append(other)), EventIdReused)


async def test_a_stream_goes_on_at_the_version_where_it_was(scene: Scene) -> None:
    last = EVENTS // STREAMS
    stale = append("patient-2", expected=last - 1)
    assert isinstance(await refused(scene.store.append(stale)), VersionConflict)
    assert (await scene.store.append(append("patient-2", expected=last))).stream_version == last + 1


async def test_an_event_is_bound_to_what_opens_it(scene: Scene) -> None:
    events = await scene.store.stream("patient-1")
    await scene.store.as_(service_principal("projections")).open(events)
    assert all(b"body" in one.body for one in events[: EVENTS // STREAMS])


async def test_subscribers_catch_up_through_the_archive(scene: Scene) -> None:
    head = (await scene.store.head()).position
    seen: list[int] = []
    async for step in scene.store.subscribe(after_position=0):
        seen += [one.envelope.position for one in step.page.events]
        if step.HasField("caught_up"):
            break
    assert seen == list(range(1, head + 1))


async def test_a_stream_folds_as_before(scene: Scene) -> None:
    principal = service_principal("projections")
    fold = Fold("bytes", 1, int, lambda n, one: n + len(one.body), lambda n: b"%d" % n, int)
    connection = scene.store.connection
    log, kept = EventLog(connection, principal), Snapshots(connection, principal)
    folded = await fold_stream(log, kept, "patient-3", fold, every=10)
    bodies = [one for page in await scene.store.stream_pages("patient-3") for one in page]
    await scene.store.as_(principal).open(bodies)
    assert folded.state == sum(len(one.body) for one in bodies)


async def test_a_stream_as_of_a_moment_is_the_same(scene: Scene) -> None:
    rows = [row for row in scene.rows if "patient-5" in row]
    moments = [value for value in rows[20] if isinstance(value, datetime)]
    asked_at = pb.ReadStreamRequest()
    asked_at.until_time.FromDatetime(max(moments))
    events = await scene.store.stream("patient-5", until_time=asked_at.until_time)
    assert [one.envelope.stream_version for one in events] == list(range(1, len(events) + 1))
    assert 21 <= len(events) < EVENTS // STREAMS


async def test_only_those_named_for_it_archive(scene: Scene) -> None:
    stranger = Archiving(scene.store, service_principal("ingest"))
    assert isinstance(await refused(stranger.archive()), PermissionDenied)
    assert isinstance(await refused(stranger.restore()), PermissionDenied)
    assert isinstance(await refused(stranger.segments()), PermissionDenied)


async def test_nobody_else_writes_where_the_log_tells_of_its_archive(scene: Scene) -> None:
    error = await refused(scene.store.append(append("archive-0")))
    assert rules(error) == [("stream", "stream.of_the_log")]
    error = await refused(
        scene.store.append(append("patient-1", event("patient-1", kind="archive")))
    )
    assert ("events[0].envelope.kind", "archive.of_the_log") in rules(error)
    error = await refused(Erasing(scene.store).prepare("archive-0"))
    assert rules(error) == [("subject_id", "stream.of_the_log")]


async def test_an_unknown_segment_is_not_found(scene: Scene) -> None:
    asked_for = Archiving(scene.store).restore(segment="0.0000-0000.1-1.00")
    assert isinstance(await refused(asked_for), NotFound)


async def test_where_there_is_no_archive_none_is_made(scene: Scene, database_dsn: str) -> None:
    told = scene.settings.model_copy(update={"archive_url": "", "postgres_dsn": database_dsn})
    async with store(told) as made:
        error = await refused(Archiving(made).archive())
        assert isinstance(error, InvalidArgument)
        assert rules(error) == [("", "archive_url.set")]


async def test_what_is_restored_is_as_it_was(scene: Scene) -> None:
    """The last test of the module: it ends with a log without archived events."""
    dsn, archiving = scene.settings.postgres_dsn, Archiving(scene.store)
    names = [one.name for one in await archiving.segments() if one.state == 2]
    first = await archiving.restore(segment=names[0])
    assert (first.segments, first.events) == (1, first.total)
    assert len(await slim(dsn)) == EVENTS - STREAMS - first.events
    again = await archiving.restore(segment=names[0])
    assert (again.segments, again.events) == (0, 0)
    some = await archiving.restore(from_position=1, to_position=60)
    rest = await archiving.restore()
    assert first.events + some.events + rest.events == EVENTS - STREAMS
    assert await slim(dsn) == []
    assert (await table(dsn))[:EVENTS] == scene.rows
    for name in ASKED:
        if ASKED[name][1].get("stream") != "patient-2":
            assert await answer(scene.store, name) == scene.before[name]
    assert await clean(scene.store)
    back = await archiving.archive()
    assert back.events >= EVENTS - STREAMS
    assert await clean(scene.store)
