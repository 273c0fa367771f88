"""The archive for the suite's services: message to call, result to message."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing

import grpc

from rehab.eventstore.v1 import archive_service_pb2 as pb
from rehab.eventstore.v1 import archive_service_pb2_grpc as pb_grpc
from rehab_eventstore.archive.archiver import Archiver, Wanted
from rehab_eventstore.messages import moment
from rehab_eventstore.shard import Shards
from rehab_eventstore.storage.read import LAST
from rehab_eventstore.storage.segments import Stored
from rehab_runtime.auth import require_service
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
LISTED = 100
STATES = {
    "archived": pb.SEGMENT_STATE_ARCHIVED,
    "returned": pb.SEGMENT_STATE_RESTORED,
    "restored": pb.SEGMENT_STATE_RESTORED,
}


class ArchiveServicer(pb_grpc.ArchiveServiceServicer):
    """`archiver` is None where no archive is told."""

    def __init__(self, archiver: Archiver | None, shards: Shards, allowed: frozenset[str]) -> None:
        self._archiver = archiver
        self._shards = shards
        self._allowed = allowed

    async def ArchiveEvents(
        self, request: pb.ArchiveEventsRequest, context: Context
    ) -> AsyncIterator[pb.ArchiveEventsResponse]:
        by = require_service(self._allowed)
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        wanted = Wanted(
            min(request.until_position, LAST) or None,
            moment(request.before) if request.HasField("before") else None,
        )
        async with aclosing(self._own().archive(shard, wanted, by)) as steps:
            async for step in steps:
                yield pb.ArchiveEventsResponse(
                    events=step.events,
                    total=step.total,
                    segments=step.segments,
                    size_bytes=step.size,
                )

    async def RestoreEvents(
        self, request: pb.RestoreEventsRequest, context: Context
    ) -> AsyncIterator[pb.RestoreEventsResponse]:
        by = require_service(self._allowed)
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        first, last = min(request.from_position, LAST), min(request.to_position, LAST) or LAST
        async with aclosing(self._own().restore(shard, request.segment, first, last, by)) as steps:
            async for step in steps:
                yield pb.RestoreEventsResponse(
                    events=step.events, total=step.total, segments=step.segments
                )

    async def ListSegments(
        self, request: pb.ListSegmentsRequest, context: Context
    ) -> pb.ListSegmentsResponse:
        require_service(self._allowed)
        require_valid(request)
        shard = self._shards.numbered(request.shard).number
        listed = await self._own().listed(shard, request.after, request.limit or LISTED)
        return pb.ListSegmentsResponse(segments=map(_segment, listed))

    def _own(self) -> Archiver:
        if self._archiver is None:
            rule = Violation("", "archive_url.set", "EVENTSTORE_ARCHIVE_URL must be set")
            raise InvalidArgument(violations=[rule])
        return self._archiver


def _segment(one: Stored) -> pb.Segment:
    span = one.span
    return pb.Segment(
        name=span.name,
        path=span.path,
        state=STATES.get(one.state, pb.SEGMENT_STATE_PENDING),
        shard=span.shard,
        first_slice=span.first_slice,
        last_slice=span.last_slice,
        first_position=span.first_position,
        last_position=span.last_position,
        events=span.events,
        size_bytes=one.size,
        sha256=one.sha256,
        manifest_position=one.manifest_position,
    )
