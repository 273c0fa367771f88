"""Tells watchers what changes in a clinic's work queue, item by item."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.asked import Asked
from rehab_projections.board import Board, chosen
from rehab_projections.domain.work_queue import Status
from rehab_projections.messages import work_item_message
from rehab_projections.news import News
from rehab_projections.pace import Pace

WATCH = "/rehab.projections.v1.ProjectionsService/WatchWorkQueue"


class WorkWatch:
    """Looks at a clinic's list when something was folded for it, and every `tick_s` anyway: time
    alone puts patients on it."""

    def __init__(self, asked: Asked, board: Board, news: News, pace: Pace) -> None:
        self._asked = asked
        self._board = board
        self._news = news
        self._pace = pace

    async def changes(
        self, request: pb.WatchWorkQueueRequest
    ) -> AsyncGenerator[pb.WatchWorkQueueResponse, None]:
        """The list, `listed`, and then changes, for ever. A change of rank alone is none. Raises
        InvalidArgument, PermissionDenied, Stale, Draining, Overloaded."""
        told: dict[str, bytes] = {}
        loop = asyncio.get_running_loop()
        times = self._pace.times
        with self._pace.watching(), self._news.of_clinic(request.clinic_id) as news:
            turns = self._pace.turns(news)
            items, fresh = await self._items(request)
            request.ClearField("consistency")
            for change in _differences(told, items):
                yield change
            yield pb.WatchWorkQueueResponse(listed=fresh)
            told_at = loop.time()
            while True:
                await turns.rest(loop.time() + times.tick_s)
                await self._asked.again(WATCH, request)
                items, fresh = await turns.look(lambda: self._items(request))
                for change in _differences(told, items):
                    told_at = loop.time()
                    yield change
                if loop.time() - told_at >= times.heartbeat_s:
                    told_at = loop.time()
                    yield pb.WatchWorkQueueResponse(unchanged=fresh)

    async def _items(self, request: Any) -> tuple[list[pb.WorkItem], pb.Freshness]:
        as_of = self._asked.now()
        async with self._asked.clinic(request) as (view, fresh):
            items = await self._board.items(view, request.clinic_id, as_of, live=True)
        ranked = chosen(items, Status.OPEN, request.therapist_id, request.min_severity)
        messages = [
            work_item_message(item, request.clinic_id, rank, as_of.instant) for rank, item in ranked
        ]
        shown = await self._asked.shown(WATCH, {one.patient_id for one in messages})
        return [one for one in messages if one.patient_id in shown], fresh


def _differences(
    told: dict[str, bytes], items: list[pb.WorkItem]
) -> list[pb.WatchWorkQueueResponse]:
    """What changed since it was told; `told` is brought up to date."""
    changes: list[pb.WatchWorkQueueResponse] = []
    current: dict[str, bytes] = {}
    for item in items:
        content = _without_rank(item)
        current[item.item_id] = content
        if told.get(item.item_id) != content:
            changes.append(pb.WatchWorkQueueResponse(upserted=item))
    changes += [
        pb.WatchWorkQueueResponse(removed_item_id=item_id)
        for item_id in told
        if item_id not in current
    ]
    told.clear()
    told.update(current)
    return changes


def _without_rank(item: pb.WorkItem) -> bytes:
    plain = pb.WorkItem()
    plain.CopyFrom(item)
    plain.ClearField("rank")
    content: bytes = plain.SerializeToString(deterministic=True)
    return content
