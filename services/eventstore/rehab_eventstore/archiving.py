"""The archive as the settings say, and what reads it."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.archive.archiver import Archiver, Ends
from rehab_eventstore.archive.library import Library
from rehab_eventstore.archive.mover import Mover
from rehab_eventstore.archive.objects import Objects
from rehab_eventstore.archive.plan import Limits
from rehab_eventstore.domain.head import Head
from rehab_eventstore.messages import own_command
from rehab_eventstore.proof.archived import ArchiveKeys
from rehab_eventstore.proof.checkpoints import Checkpoints
from rehab_eventstore.proof.signing import Signer
from rehab_eventstore.queue import Priority
from rehab_eventstore.settings import Settings
from rehab_eventstore.shard import Log, Shards
from rehab_eventstore.storage.segments import Segments
from rehab_runtime.clock import Clock
from rehab_runtime.keepers.wrapper import KeyWrapper
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.startup import StartupError


@dataclass(frozen=True)
class Archive:
    """`objects` is None where no archive is told."""

    url: str
    objects: Objects | None
    segments: Segments
    library: Library

    async def keys(self, shard: int, first: int, last: int) -> ArchiveKeys:
        """What opens the archived events between two positions. Raises KeysUnavailable."""
        return ArchiveKeys(self.url, await self.segments.keys_between(shard, first, last))


async def open_archive(settings: Settings, database: Database, wrapper: KeyWrapper) -> Archive:
    """Raises StartupError when it cannot be used, or is not told and the log needs it."""
    segments = Segments(database, Queries.load("rehab_eventstore", "archive.sql"), wrapper)
    if not settings.archive_url and await segments.any_archived():
        raise StartupError(
            "events of this log are in an archive, and none is told",
            "set EVENTSTORE_ARCHIVE_URL to where they are",
        )
    objects = Objects(settings.archive_url) if settings.archive_url else None
    library = Library(objects, segments.find, cache_bytes=settings.archive_cache_bytes)
    return Archive(settings.archive_url, objects, segments, library)


def archiver_of(
    archive: Archive,
    settings: Settings,
    log: Log,
    shards: Shards,
    wrapper: KeyWrapper,
    checkpoints: Checkpoints,
    signer: Signer | None,
) -> Archiver | None:
    """None where there is no archive."""
    if archive.objects is None:
        return None
    limits = Limits(
        settings.archive_runs, settings.archive_segment_events, settings.archive_segment_bytes
    )
    ends = Ends(
        log.reader.head,
        lambda shard: shards.numbered(shard).relay.published(),
        partial(_sign, checkpoints, signer, log.clock),
    )
    mover = Mover(archive.segments, archive.objects, wrapper, partial(_tell, shards), log.clock)
    return Archiver(
        archive.segments, mover, ends, limits, log.clock, lease_s=settings.archive_lease_s
    )


async def _tell(shards: Shards, event: pb.NewEvent) -> int:
    writer = shards.of(event.envelope.subject_id).writer
    (told,) = await writer.append(own_command(event), Priority.LIVE)
    return told.first_position


async def _sign(checkpoints: Checkpoints, signer: Signer | None, clock: Clock, head: Head) -> None:
    """What leaves the database is covered by a signature first, where checkpoints are signed."""
    if signer is not None and (await checkpoints.newest(head))[0] < head.position:
        await checkpoints.sign(head, signer, clock.now())
