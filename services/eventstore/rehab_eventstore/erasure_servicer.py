"""Erasure for the suite's services: message to call, result to message."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.eventstore.v1 import erasure_service_pb2 as pb
from rehab.eventstore.v1 import erasure_service_pb2_grpc as pb_grpc
from rehab_eventstore.domain.confirmation import Intent
from rehab_eventstore.erasing import Eraser
from rehab_eventstore.shard import Shards
from rehab_eventstore.storage.erasures import Erasures, KeyRecord, Report
from rehab_runtime.auth import require_service
from rehab_runtime.errors import Erased
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
REPORTS = 1000


class ErasureServicer(pb_grpc.ErasureServiceServicer):
    def __init__(
        self, eraser: Eraser, erasures: Erasures, shards: Shards, allowed: frozenset[str]
    ) -> None:
        self._eraser = eraser
        self._erasures = erasures
        self._shards = shards
        self._allowed = allowed

    async def PrepareErasure(
        self, request: pb.PrepareErasureRequest, context: Context
    ) -> pb.PrepareErasureResponse:
        by = require_service(self._allowed)
        require_valid(request)
        prepared = await self._eraser.prepare(Intent(request.subject_id, request.reason, by))
        return pb.PrepareErasureResponse(
            token=prepared.token,
            expires_at=_at(prepared.expires_at),
            events=prepared.reach.sealed,
            keys=len(prepared.reach.key_ids),
        )

    async def EraseSubject(
        self, request: pb.EraseSubjectRequest, context: Context
    ) -> pb.EraseSubjectResponse:
        by = require_service(self._allowed)
        require_valid(request)
        done = await self._eraser.erase(request.subject_id, request.token, by)
        return pb.EraseSubjectResponse(position=done.position, keys=done.keys)

    async def PlaceLegalHold(
        self, request: pb.PlaceLegalHoldRequest, context: Context
    ) -> pb.PlaceLegalHoldResponse:
        by = require_service(self._allowed)
        require_valid(request)
        if not await self._erasures.place_hold(request.subject_id, request.reason, by):
            raise Erased
        return pb.PlaceLegalHoldResponse()

    async def ReleaseLegalHold(
        self, request: pb.ReleaseLegalHoldRequest, context: Context
    ) -> pb.ReleaseLegalHoldResponse:
        require_service(self._allowed)
        require_valid(request)
        await self._erasures.release_hold(request.subject_id)
        return pb.ReleaseLegalHoldResponse()

    async def ListLegalHolds(
        self, request: pb.ListLegalHoldsRequest, context: Context
    ) -> pb.ListLegalHoldsResponse:
        require_service(self._allowed)
        return pb.ListLegalHoldsResponse(
            holds=[
                pb.LegalHold(
                    subject_id=hold.stream,
                    reason=hold.reason,
                    placed_by=hold.placed_by,
                    placed_at=_at(hold.placed_at),
                )
                for hold in await self._erasures.holds()
            ]
        )

    async def GetErasureReport(
        self, request: pb.GetErasureReportRequest, context: Context
    ) -> pb.GetErasureReportResponse:
        require_service(self._allowed)
        require_valid(request)
        reports = await self._erasures.reports(request.subject_id, request.limit or REPORTS)
        return pb.GetErasureReportResponse(reports=map(self._report, reports))

    def _report(self, report: Report) -> pb.ErasureReport:
        return pb.ErasureReport(
            subject_id=report.stream,
            reason=report.reason,
            begun_by=report.begun_by,
            begun_at=_at(report.begun_at),
            ended_at=_at(report.ended_at),
            shard=self._shards.of(report.stream).number,
            position=report.position or 0,
            event_hash=report.event_hash,
            keys=_keys(report.keys),
            sealed_events=report.sealed,
            living_keys=report.living,
            snapshots=report.snapshots,
            complete=report.complete,
        )


def _keys(keys: Sequence[KeyRecord]) -> list[pb.DestroyedKey]:
    return [
        pb.DestroyedKey(
            key_id=key.key_id,
            created_at=_at(key.created_at),
            destroyed_at=_at(key.destroyed_at),
        )
        for key in keys
    ]


def _at(moment: datetime | None) -> Timestamp | None:
    if moment is None:
        return None
    told = Timestamp()
    told.FromDatetime(moment)
    return told
