"""Tells watchers what changes in a clinic's work queue."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.answers import AsOf
from rehab_projections.board import Board, chosen
from rehab_projections.domain.work_queue import Status
from rehab_projections.messages import freshness_of_all, work_item_message
from rehab_projections.progress import Progress
from rehab_projections.storage.cursors import Cursors
from rehab_projections.storage.read import Reader
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining


class Watch:
    """Looks at a clinic's list when something was folded for it, and every so often anyway.

    Time alone changes the list too, and another replica may be the one that folds. Looks are at
    least `interval_s` apart; after `tick_s` without news there is one all the same.
    """

    def __init__(
        self,
        reader: Reader,
        board: Board,
        progress: Progress,
        clock: Clock,
        *,
        interval_s: float,
        tick_s: float,
    ) -> None:
        self._reader = reader
        self._board = board
        self._progress = progress
        self._clock = clock
        self._interval_s = interval_s
        self._tick_s = tick_s
        self._closing = asyncio.Event()

    def close(self) -> None:
        """End every watch with Draining, so that watchers connect to another replica."""
        self._closing.set()

    async def changes(
        self, clinic_id: str, therapist_id: str, min_severity: int
    ) -> AsyncIterator[pb.WatchWorkQueueResponse]:
        """The list, `listed`, and then changes, for ever. A change of rank alone is none."""
        told: dict[str, bytes] = {}
        news = self._progress.watch(clinic_id)
        try:
            listed = False
            while True:
                news.clear()
                items, cursors = await self._look(clinic_id, therapist_id, min_severity)
                for change in _differences(told, items):
                    yield change
                if not listed:
                    yield pb.WatchWorkQueueResponse(listed=freshness_of_all(cursors))
                    listed = True
                await self._pause(news)
        finally:
            self._progress.unwatch(clinic_id, news)

    async def _look(
        self, clinic_id: str, therapist_id: str, min_severity: int
    ) -> tuple[list[pb.WorkItem], Cursors]:
        as_of = AsOf.at(None, self._clock.now())
        async with self._reader.snapshot() as view:
            items = await self._board.items(view, clinic_id, as_of, live=True)
        ranked = chosen(items, Status.OPEN, therapist_id, min_severity)
        messages = [
            work_item_message(item, clinic_id, rank, as_of.instant) for rank, item in ranked
        ]
        return messages, view.cursors

    async def _pause(self, news: asyncio.Event) -> None:
        """Wait for news or a tick, never less than the interval. Raises Draining on closing."""
        await self._closing_within(self._interval_s)
        waiting = [asyncio.create_task(event.wait()) for event in (news, self._closing)]
        try:
            rest_s = max(0.0, self._tick_s - self._interval_s)
            await asyncio.wait(waiting, timeout=rest_s, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in waiting:
                task.cancel()
        if self._closing.is_set():
            raise Draining("watchers are asked to leave")

    async def _closing_within(self, seconds: float) -> None:
        try:
            async with asyncio.timeout(seconds):
                await self._closing.wait()
        except TimeoutError:
            return
        raise Draining("watchers are asked to leave")


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
