"""gRPC in: message to question, answer to message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from functools import partial

import grpc

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1 import projections_service_pb2_grpc as pb_grpc
from rehab_projections import pages
from rehab_projections.access import may_read_patient_of, may_read_patients, may_read_queue
from rehab_projections.answers import (
    AsOf,
    answer_adherence,
    answer_quality,
    answer_sessions,
    clinic_of,
)
from rehab_projections.board import Board, chosen
from rehab_projections.consumer import Behind
from rehab_projections.domain.work_queue import Status
from rehab_projections.messages import (
    adherence_message,
    aged,
    freshness,
    freshness_of_all,
    quality_message,
    session_message,
    work_item_message,
)
from rehab_projections.progress import Progress, Wanted, require_reached
from rehab_projections.questions import as_of_of, of_all, of_patient, window_of
from rehab_projections.storage.cursors import NAME
from rehab_projections.storage.read import Reader, Snapshot
from rehab_projections.watch import Watch
from rehab_runtime.auth import current_principal
from rehab_runtime.clock import Clock
from rehab_runtime.slices import shard_of
from rehab_runtime.validation import require_valid

DEFAULT_WAIT_MS = 1000
DEFAULT_PAGE = 50
FURTHEST = timedelta(days=366)

Context = grpc.aio.ServicerContext
PatientRequest = pb.GetAdherenceRequest | pb.GetQualityRequest | pb.ListSessionsRequest


class ProjectionsServicer(pb_grpc.ProjectionsServiceServicer):
    def __init__(
        self,
        *,
        reader: Reader,
        board: Board,
        progress: Progress,
        watch: Watch,
        behind: Callable[[], Awaitable[Sequence[Behind]]],
        clock: Clock,
    ) -> None:
        self._reader = reader
        self._board = board
        self._progress = progress
        self._watch = watch
        self._behind = behind
        self._clock = clock

    async def GetAdherence(
        self,
        request: pb.GetAdherenceRequest,
        context: Context,
    ) -> pb.GetAdherenceResponse:
        _check(request)
        window, as_of = window_of(request), self._as_of(request)
        async with self._patient(request) as view:
            answer = await answer_adherence(view, request.patient_id, window, as_of)
        return adherence_message(
            request.patient_id,
            answer,
            view.cursors.home(request.patient_id),
            occurrences=request.include_occurrences,
        )

    async def GetQuality(
        self,
        request: pb.GetQualityRequest,
        context: Context,
    ) -> pb.GetQualityResponse:
        _check(request)
        window, as_of = window_of(request), self._as_of(request)
        async with self._patient(request) as view:
            answer = await answer_quality(
                view, request.patient_id, window, as_of, request.exercise_id
            )
        return quality_message(request.patient_id, answer, view.cursors.home(request.patient_id))

    async def ListSessions(
        self,
        request: pb.ListSessionsRequest,
        context: Context,
    ) -> pb.ListSessionsResponse:
        _check(request)
        scope = ("sessions", request.patient_id)
        place = pages.redeem(scope, request.page_token)
        after = (_from_us(place[0]), place[1]) if place else None
        async with self._patient(request) as view:
            page = await answer_sessions(
                view, request.patient_id, after, request.page_size or DEFAULT_PAGE
            )
        token = pages.issue(scope, [_us(page.after[0]), page.after[1]]) if page.after else ""
        return pb.ListSessionsResponse(
            sessions=[session_message(one) for one in page.sessions],
            next_page_token=token,
            freshness=freshness(view.cursors.home(request.patient_id)),
        )

    async def ListWorkQueue(
        self,
        request: pb.ListWorkQueueRequest,
        context: Context,
    ) -> pb.ListWorkQueueResponse:
        require_valid(request)
        may_read_queue(current_principal(), request.clinic_id)
        status = Status(request.status or Status.OPEN)
        asked = (request.clinic_id, request.therapist_id, str(status), str(request.min_severity))
        place = pages.redeem(("work", *asked), request.page_token)
        as_of, live = self._as_of(request), not request.HasField("as_of")
        if place:
            as_of, live = AsOf(_from_us(place[0]), _from_us(place[1])), bool(place[2])
        async with self._snapshot(request.consistency, of_all) as view:
            items = await self._board.items(view, request.clinic_id, as_of, live=live)
        ranked = chosen(items, status, request.therapist_id, request.min_severity)
        if place:
            after = (place[3], _from_us(place[4]), place[5])
            ranked = [(rank, item) for rank, item in ranked if item.order() > after]
        size = request.page_size or DEFAULT_PAGE
        token = ""
        if len(ranked) > size:
            severity, since, patient_id = ranked[size - 1][1].order()
            until = [_us(as_of.instant), _us(as_of.facts_until), int(live)]
            token = pages.issue(("work", *asked), [*until, severity, _us(since), patient_id])
        return pb.ListWorkQueueResponse(
            items=[
                aged(work_item_message(item, request.clinic_id, rank, as_of.instant), as_of.instant)
                for rank, item in ranked[:size]
            ],
            next_page_token=token,
            freshness=freshness_of_all(view.cursors),
        )

    async def WatchWorkQueue(
        self,
        request: pb.WatchWorkQueueRequest,
        context: Context,
    ) -> AsyncIterator[pb.WatchWorkQueueResponse]:
        require_valid(request)
        may_read_queue(current_principal(), request.clinic_id)
        async for change in self._watch.changes(
            request.clinic_id, request.therapist_id, request.min_severity
        ):
            yield change

    async def GetLag(
        self,
        request: pb.GetLagRequest,
        context: Context,
    ) -> pb.GetLagResponse:
        each = await self._behind()
        held = [shard_of(patient, len(each)) for patient in await self._reader.parked()]
        return pb.GetLagResponse(projections=[_lag(one, held.count(one.shard)) for one in each])

    @asynccontextmanager
    async def _patient(self, request: PatientRequest) -> AsyncIterator[Snapshot]:
        """A snapshot to answer from, for a caller who may read the patient."""
        asked = partial(of_patient, request.patient_id)
        async with self._snapshot(request.consistency, asked) as view:
            clinic_id = await clinic_of(view, request.patient_id)
            may_read_patient_of(current_principal(), clinic_id)
            yield view

    @asynccontextmanager
    async def _snapshot(
        self, consistency: pb.Consistency, asked: Callable[[pb.Consistency, int], Wanted]
    ) -> AsyncIterator[Snapshot]:
        """A snapshot at the positions asked for or later. Raises Stale, InvalidArgument."""
        wanted: Wanted = {}
        if consistency.min_position or consistency.min_positions:
            max_wait_s = (consistency.max_wait_ms or DEFAULT_WAIT_MS) / 1000
            wanted = asked(consistency, await self._progress.shards(max_wait_s))
            await self._progress.until(wanted, max_wait_s)
        async with self._reader.snapshot() as view:
            # A database that crashed may stand before what it had shown.
            require_reached(wanted, view.cursors)
            yield view

    def _as_of(
        self, request: pb.GetAdherenceRequest | pb.GetQualityRequest | pb.ListWorkQueueRequest
    ) -> AsOf:
        now = self._clock.now()
        told = as_of_of(request.as_of, told=request.HasField("as_of"), latest=now + FURTHEST)
        return AsOf.at(told, now)


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
    )


def _check(request: PatientRequest) -> None:
    """Raises InvalidArgument for a bad request, PermissionDenied for a role without access."""
    require_valid(request)
    may_read_patients(current_principal(), request.patient_id)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def _from_us(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)
