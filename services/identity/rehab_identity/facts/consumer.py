"""Folds batches of the log into what decisions rest on."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_identity import metrics
from rehab_identity.domain.fold import fold, touched, unread
from rehab_identity.domain.record import PatientRecord
from rehab_identity.facts.storage import Storage, UnstorableError
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import Cursor, FencedError

KNOWN = 200_000
"""Patients of a shard of whom it is remembered that they are known."""
ANEW = (
    "empty the tables patient, emergency, access_entry and fact_cursor of this service's database "
    "and start it: it folds the log anew"
)

log = get_logger("facts")
Erase = Callable[[str], Awaitable[None]]
"""Takes away what else is kept of an account. It may be asked twice."""


class Consumer:
    """The fold of all shards."""

    def __init__(self, storage: Storage, erase: Erase) -> None:
        self._storage = storage
        self._erase = erase
        self._known: dict[int, OrderedDict[str, None]] = {}

    def begun(self, cursor: Cursor) -> None:
        """What is remembered of the shard may not be stored."""
        self._known[cursor.shard] = OrderedDict()

    async def fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        """Store what a batch changes, with the cursor behind it. Raises FencedError. An event that
        cannot be kept is passed over, like one that cannot be read."""
        known = self._known[cursor.shard]
        wanted = touched(batch, known)
        before: dict[str, PatientRecord] = {}
        if wanted:
            kept = await self._storage.kept(sorted(wanted))
            before = {name: one.record for name, one in kept.items() if one.record is not None}
        changes = fold(before, batch, cursor.shard, wanted)
        for patient_id in changes.erased:
            # before the position is saved: whoever falls in between does it again
            await self._erase(patient_id)
        try:
            cursor = await self._storage.save(cursor, batch, changes)
        except FencedError:
            metrics.fenced.inc()
            raise
        except UnstorableError as error:
            if len(batch) > 1:
                # event by event, to pass over only the one that it is about
                for event in batch:
                    cursor = await self.fold(cursor, [event])
                return cursor
            position = batch[0].envelope.position
            log.error("an event cannot be kept", position=position, reason=str(error))
            changes = unread(before, batch[0], cursor.shard)
            cursor = await self._storage.save(cursor, batch, changes)
        _remember(known, [*before, *(one.patient_id for one in changes.records)])
        for one in changes.records:
            if one.unreadable_at is not None:
                metrics.unreadable.inc()
                log.error(
                    "an event that decisions rest on cannot be read: nothing of this patient is "
                    "allowed on what came before",
                    position=cursor.position,
                    remedy="verify the log: rehab log verify",
                )
        metrics.folded.inc(len(batch))
        return cursor


def _remember(known: OrderedDict[str, None], patient_ids: Sequence[str]) -> None:
    for one in patient_ids:
        known[one] = None
    while len(known) > KNOWN:
        known.popitem(last=False)
