"""gRPC in: message to question, answer to message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing
from datetime import datetime

import grpc

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1 import projections_service_pb2_grpc as pb_grpc
from rehab_projections.answers import answer_adherence, answer_quality, answer_sessions
from rehab_projections.asked import DEFAULT_PAGE, Asked, next_page, of_patient_kept
from rehab_projections.behind import Behind
from rehab_projections.board import Board, chosen
from rehab_projections.domain.work_queue import Status
from rehab_projections.messages import (
    adherence_message,
    aged,
    quality_message,
    session_message,
    work_item_message,
)
from rehab_projections.questions import window_told
from rehab_projections.storage.cursors import NAME
from rehab_projections.storage.read import Reader, Snapshot
from rehab_projections.watch import Watches, watching
from rehab_projections.work_watch import WorkWatch
from rehab_runtime import pages
from rehab_runtime.slices import shard_of

Context = grpc.aio.ServicerContext
LIST = "/rehab.projections.v1.ProjectionsService/ListWorkQueue"


@watching(pb.DESCRIPTOR.services_by_name["ProjectionsService"])
class ProjectionsServicer(pb_grpc.ProjectionsServiceServicer):
    def __init__(
        self,
        *,
        asked: Asked,
        reader: Reader,
        board: Board,
        work: WorkWatch,
        watches: Watches,
        behind: Callable[[], Awaitable[Sequence[Behind]]],
    ) -> None:
        self.asked = asked
        self._reader = reader
        self._board = board
        self._work = work
        self.watches = watches
        self._behind = behind

    @of_patient_kept(pb.GetAdherenceResponse)
    async def GetAdherence(
        self, request: pb.GetAdherenceRequest, view: Snapshot, fresh: pb.Freshness
    ) -> pb.GetAdherenceResponse:
        window, as_of = window_told(request.window), self.asked.as_of(request)
        answer = await answer_adherence(view, request.patient_id, window, as_of)
        return adherence_message(
            request.patient_id,
            answer,
            fresh,
            occurrences=request.include_occurrences,
        )

    @of_patient_kept(pb.GetQualityResponse)
    async def GetQuality(
        self, request: pb.GetQualityRequest, view: Snapshot, fresh: pb.Freshness
    ) -> pb.GetQualityResponse:
        window, as_of = window_told(request.window), self.asked.as_of(request)
        answer = await answer_quality(view, request.patient_id, window, as_of, request.exercise_id)
        return quality_message(request.patient_id, answer, fresh)

    @of_patient_kept(pb.ListSessionsResponse)
    async def ListSessions(
        self, request: pb.ListSessionsRequest, view: Snapshot, fresh: pb.Freshness
    ) -> pb.ListSessionsResponse:
        scope = ("sessions", request.patient_id)
        place = pages.redeem(scope, request.page_token, (datetime, str))
        after = (place[0], place[1]) if place else None
        page = await answer_sessions(
            view, request.patient_id, after, request.page_size or DEFAULT_PAGE
        )
        token = pages.issue(scope, page.after) if page.after else ""
        return pb.ListSessionsResponse(
            sessions=[session_message(one) for one in page.sessions],
            next_page_token=token,
            freshness=fresh,
        )

    async def ListWorkQueue(
        self,
        request: pb.ListWorkQueueRequest,
        context: Context,
    ) -> pb.ListWorkQueueResponse:
        async with self.asked.clinic(request) as (view, fresh):
            # not before: it is the context that refuses a status there is none of
            status = Status(request.status or Status.OPEN)
            asked = (request.therapist_id, str(status), str(request.min_severity))
            scope = ("work", request.clinic_id, *asked)
            as_of, place = self.asked.page(scope, request, bool, int, datetime, str)
            live = place[0] if place else not request.HasField("as_of")
            items = await self._board.items(view, request.clinic_id, as_of, live=live)
        ranked = chosen(items, status, request.therapist_id, request.min_severity)
        if place:
            ranked = [(rank, item) for rank, item in ranked if item.order() > tuple(place[1:])]
        size = request.page_size or DEFAULT_PAGE
        token = ""
        if len(ranked) > size:
            token = next_page(scope, as_of, [live, *ranked[size - 1][1].order()])
        messages = [
            aged(work_item_message(item, request.clinic_id, rank, as_of.instant), as_of.instant)
            for rank, item in ranked[:size]
        ]
        shown = await self.asked.shown(LIST, {one.patient_id for one in messages})
        return pb.ListWorkQueueResponse(
            items=[one for one in messages if one.patient_id in shown],
            next_page_token=token,
            freshness=fresh,
        )

    async def WatchWorkQueue(
        self,
        request: pb.WatchWorkQueueRequest,
        context: Context,
    ) -> AsyncIterator[pb.WatchWorkQueueResponse]:
        async with aclosing(self._work.changes(request)) as changes:
            async for change in changes:
                yield change

    async def GetLag(
        self,
        request: pb.GetLagRequest,
        context: Context,
    ) -> pb.GetLagResponse:
        each = await self._behind()
        held = [shard_of(patient, len(each)) for patient in await self._reader.parked()]
        return pb.GetLagResponse(projections=[_lag(one, held.count(one.shard)) for one in each])


def _lag(behind: Behind, parked: int) -> pb.ProjectionLag:
    return pb.ProjectionLag(
        name=NAME,
        shard=behind.shard,
        position=behind.position,
        head=behind.head,
        events=max(0, behind.head - behind.position),
        oldest_unprocessed_ms=behind.oldest_ms,
        lag_p50_ms=behind.lag_p50_ms,
        lag_p99_ms=behind.lag_p99_ms,
        parked=parked,
        status=behind.status,
        incarnation=behind.incarnation,
        holder=behind.holder,
        held_ms=behind.held_ms,
    )
