"""An erased patient is noise in the archive too, whichever came first."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from rehab.events.v1.event_pb2 import Envelope, RecordedEvent
from rehab_eventstore.archive.form import Kept, Segment
from rehab_eventstore.storage.segments import Segments
from rehab_runtime import postgres
from rehab_runtime.auth import service_principal
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import Erased
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.postgres import Queries
from tests.eventstore.archive.archiving import (
    SEALED,
    Archiving,
    archived_settings,
    clean,
    fetch,
    published,
    slim,
)
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, event
from tests.eventstore.store import Store, refused, store

READER = service_principal("projections")
GONE, STAYS = "patient-gone", "patient-stays"


async def filled(made: Store) -> None:
    for number in range(12):
        for stream in (GONE, STAYS):
            await made.append(append(stream, event(stream, b"words %d" % number, **SEALED)))
    await published(made)


async def in_the_archive(settings: Any) -> dict[int, Kept]:
    """Every event in every object, as whoever has folder, database and key file can open it."""
    async with postgres.connect(settings.postgres_dsn, name="test") as database:
        queries = Queries.load("rehab_eventstore", "archive.sql")
        segments = Segments(database, queries, LocalKeys(Path(settings.key_file)))
        stored = await segments.archived(0, "", 0, 2**62)
        found: dict[int, Kept] = {}
        for one, key in zip(stored, await segments.keys(stored), strict=True):
            assert isinstance(key, bytes)
            whole = (
                Path(settings.archive_url.removeprefix("file://")) / one.span.path
            ).read_bytes()
            found |= dict(Segment(one.span, key, len(whole)).open_all(whole))
    return found


def recorded(kept: Kept) -> RecordedEvent:
    """An event taken from an object, as a consumer would have it."""
    link = kept.link
    envelope = Envelope.FromString(link.meta)
    envelope.event_id, envelope.subject_id = link.event_id, link.stream
    envelope.kind, envelope.schema_version = link.kind, link.schema_version
    return RecordedEvent(envelope=envelope, body=link.body, key_id=link.key_id)


@pytest.mark.parametrize("first", ["archive", "erase"])
async def test_no_copy_of_an_erased_patient_can_be_opened(
    database_dsn: str, nats: Nats, tmp_path: Path, first: str
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await filled(made)
        if first == "archive":
            await Archiving(made).archive()
            # once read, opened frames are in memory
            assert len(await made.stream(GONE)) == 12
        done = await Erasing(made).erase(GONE)
        await published(made)
        moved = await Archiving(made).archive()
        assert moved.events == (1 if first == "archive" else 23)
        events = await made.stream(GONE)
        assert len(events) == 13
        assert all(one.erased and not one.body for one in events[:12])
        assert events[-1].envelope.position == done.position
        assert all(one.erased and not one.body for one in await of(made, GONE))
        assert await fetch(database_dsn, "SELECT FROM data_key WHERE wrapped IS NOT NULL") == [()]
        kept = await in_the_archive(settings)
        assert len(kept) == len(await slim(database_dsn))
        copies = [recorded(one) for one in kept.values() if one.link.stream == GONE]
        others = [recorded(one) for one in kept.values() if one.link.stream == STAYS]
        assert len(copies) == 12
        assert all(one.body and b"words" not in one.body for one in copies)
        await made.as_(READER).open(copies)
        await made.as_(READER).open(others)
        assert all(one.erased and not one.body for one in copies)
        assert all(one.body.startswith(b"words") for one in others)
        assert await clean(made)
        report = await Erasing(made).report(GONE)
        assert (report.complete, report.sealed_events) == (True, 12)


async def of(made: Store, stream: str) -> list[RecordedEvent]:
    found = [one for one in await made.all() if one.envelope.subject_id == stream]
    return [one for one in found if one.key_id]


async def test_what_was_erased_stays_so_when_it_is_restored(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await filled(made)
        await Archiving(made).archive()
        await Erasing(made).erase(GONE)
        await Archiving(made).restore()
        assert await slim(database_dsn) == []
        assert all(one.erased and not one.body for one in (await made.stream(GONE))[:12])
        assert isinstance(await refused(made.append(append(GONE))), Erased)
        events = await made.stream(STAYS)
        await made.as_(READER).open(events)
        assert [one.body for one in events] == [b"words %d" % number for number in range(12)]
        assert await clean(made)


async def test_a_stream_under_a_legal_hold_is_archived_and_not_erased(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    settings = archived_settings(database_dsn, nats.url, tmp_path)
    async with store(settings) as made:
        await filled(made)
        await Erasing(made).hold(STAYS)
        await Archiving(made).archive()
        assert (await refused(Erasing(made).prepare(STAYS))).metadata == {"reason": "court"}
        events = await made.stream(STAYS)
        await made.as_(READER).open(events)
        assert [one.body for one in events] == [b"words %d" % number for number in range(12)]
