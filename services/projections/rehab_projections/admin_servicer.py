"""gRPC in for operators: versions of the read models, and streams that are held back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import aclosing
from typing import Any

import grpc

from rehab.projections.v1 import projections_admin_service_pb2 as pb
from rehab.projections.v1 import projections_admin_service_pb2_grpc as pb_grpc
from rehab_projections.messages import stamped
from rehab_projections.parked import ParkedStreams
from rehab_projections.registry.building import Builder, Built, Progress, Wish
from rehab_projections.registry.versions import Version, Versions
from rehab_runtime.auth import require_service
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext


class AdminServicer(pb_grpc.ProjectionsAdminServiceServicer):
    def __init__(
        self,
        versions: Versions,
        builder: Builder,
        parked: ParkedStreams,
        allowed: frozenset[str],
    ) -> None:
        self._versions = versions
        self._builder = builder
        self._parked = parked
        self._allowed = allowed

    async def Rebuild(
        self, request: pb.RebuildRequest, context: Context
    ) -> AsyncIterator[pb.RebuildResponse]:
        require_service(self._allowed)
        require_valid(request)
        wish = Wish(request.workers, request.keep_old, request.expect_same, request.afresh)
        async with aclosing(self._builder.rebuild(wish)) as steps:
            async for step in steps:
                yield pb.RebuildResponse(**_content(step))

    async def SwitchVersion(
        self, request: pb.SwitchVersionRequest, context: Context
    ) -> AsyncIterator[pb.SwitchVersionResponse]:
        require_service(self._allowed)
        require_valid(request)
        async with aclosing(self._builder.switch(request.version)) as steps:
            async for step in steps:
                yield pb.SwitchVersionResponse(**_content(step))

    async def ListVersions(
        self, request: pb.ListVersionsRequest, context: Context
    ) -> pb.ListVersionsResponse:
        require_service(self._allowed)
        return pb.ListVersionsResponse(
            versions=[_version(one) for one in await self._versions.all()]
        )

    async def DropVersion(
        self, request: pb.DropVersionRequest, context: Context
    ) -> pb.DropVersionResponse:
        require_service(self._allowed)
        require_valid(request)
        if request.version == await self._versions.live():
            rule = Violation("version", "version.idle", "must not be the one that answers")
            raise InvalidArgument(violations=[rule])
        await self._builder.drop(request.version)
        return pb.DropVersionResponse()

    async def ListParked(
        self, request: pb.ListParkedRequest, context: Context
    ) -> pb.ListParkedResponse:
        require_service(self._allowed)
        return pb.ListParkedResponse(
            parked=[
                pb.ParkedStream(
                    patient_id=one.parked.patient_id,
                    shard=one.shard,
                    position=one.parked.position,
                    event_id=one.parked.event_id,
                    reason=one.parked.reason,
                    parked_at=stamped(one.since),
                )
                for one in await self._parked.all()
            ]
        )

    async def RetryParked(
        self, request: pb.RetryParkedRequest, context: Context
    ) -> pb.RetryParkedResponse:
        require_service(self._allowed)
        require_valid(request)
        released, parked = await self._parked.retry(request.patient_id)
        return pb.RetryParkedResponse(released=released, parked=parked)

    async def SkipParked(
        self, request: pb.SkipParkedRequest, context: Context
    ) -> pb.SkipParkedResponse:
        who = require_service(self._allowed)
        require_valid(request)
        event_id, released = await self._parked.skip(request.patient_id, request.reason, who)
        return pb.SkipParkedResponse(event_id=event_id, released=released)


def _content(step: Progress | Built) -> dict[str, Any]:
    if isinstance(step, Progress):
        progress = pb.RebuildProgress(version=step.version, folded=step.folded, total=step.total)
        return {"progress": progress}
    differences = [
        pb.TableDifference(table=one.table, rows_before=one.before, rows_after=one.after)
        for one in step.differences
    ]
    built = pb.Rebuilt(version=step.version, answers=step.answers, differences=differences)
    return {"built": built}


def _version(one: Version) -> pb.ReadModelVersion:
    return pb.ReadModelVersion(
        version=one.number,
        status=pb.VersionStatus.Value(f"VERSION_STATUS_{one.status.upper()}"),
        begun_at=stamped(one.begun_at),
        changed_at=stamped(one.changed_at),
        events=one.events,
    )
