"""Snapshots for the services that may open bodies: message to call, result to message."""

from __future__ import annotations

import grpc

from rehab.eventstore.v1 import snapshot_service_pb2 as pb
from rehab.eventstore.v1 import snapshot_service_pb2_grpc as pb_grpc
from rehab_eventstore.audit import KeyTrail
from rehab_eventstore.messages import bounded
from rehab_eventstore.storage.read import LAST
from rehab_eventstore.storage.snapshots import Place, Snapshots, State
from rehab_runtime.auth import require_service
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
LOAD_SNAPSHOT = "rehab.eventstore.v1.SnapshotService/LoadSnapshot"


class SnapshotServicer(pb_grpc.SnapshotServiceServicer):
    def __init__(self, snapshots: Snapshots, trail: KeyTrail, readers: frozenset[str]) -> None:
        self._snapshots = snapshots
        self._trail = trail
        self._readers = readers

    async def SaveSnapshot(
        self, request: pb.SaveSnapshotRequest, context: Context
    ) -> pb.SaveSnapshotResponse:
        require_service(self._readers)
        require_valid(request)
        told = request.snapshot
        await self._snapshots.save(
            Place(told.stream, told.fold, told.code_version),
            State(bounded(told.stream_version), told.state),
        )
        return pb.SaveSnapshotResponse()

    async def LoadSnapshot(
        self, request: pb.LoadSnapshotRequest, context: Context
    ) -> pb.LoadSnapshotResponse:
        self._trail.admit(self._readers, LOAD_SNAPSHOT)
        require_valid(request)
        place = Place(request.stream, request.fold, request.code_version)
        found = await self._snapshots.load(place, bounded(request.until_version) or LAST)
        if found is None:
            return pb.LoadSnapshotResponse()
        await self._trail.read(LOAD_SNAPSHOT, [place.stream])
        snapshot = pb.Snapshot(
            stream=place.stream,
            fold=place.fold,
            code_version=place.code_version,
            stream_version=found.stream_version,
            state=found.state,
        )
        return pb.LoadSnapshotResponse(snapshot=snapshot)
