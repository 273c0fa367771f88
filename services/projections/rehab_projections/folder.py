"""Folds batches into a store, one after the other."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections import metrics
from rehab_projections.changes import Changes
from rehab_projections.projector import Projector
from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.write import UnstorableError, Writer
from rehab_runtime.logging import get_logger

Stored = Callable[[Cursor, Sequence[RecordedEvent], Changes], None]

log = get_logger("folder")


class Folder:
    """`stored` is told of every batch once it is visible."""

    def __init__(
        self, writer: Writer, projector: Projector, stored: Stored = lambda *_: None
    ) -> None:
        self._writer = writer
        self._projector = projector
        self._stored = stored

    async def fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        """The cursor after a batch. A stream with an event that cannot be folded or stored is held
        back; the others go on. Raises FencedError, Unavailable."""
        changes = await self._projector.changes_of(batch)
        try:
            cursor = await self._writer.store(cursor, batch[-1], changes)
        except UnstorableError as error:
            if len(batch) > 1:
                # event by event, to hold back only whose it was
                for event in batch:
                    cursor = await self.fold(cursor, [event])
                return cursor
            changes = self._projector.parking(batch[0], error)
            cursor = await self._writer.store(cursor, batch[0], changes)
        self._projector.stored(changes)
        self._stored(cursor, batch, changes)
        for parked in changes.parked:
            metrics.parked_streams.inc()
            log.error(
                "a stream is held back: an event could not be folded",
                event_id=parked.event_id,
                position=parked.position,
                reason=parked.reason,
                remedy="rehab projections parked, then retry or skip",
            )
        return cursor
