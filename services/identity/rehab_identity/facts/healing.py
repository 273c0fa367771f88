"""Reads once more what could not be read: a key may have been refused for a while."""

from __future__ import annotations

import asyncio

from rehab_identity.domain.fold import fold, touched
from rehab_identity.facts.storage import Storage
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger
from rehab_runtime.slices import shard_of

EVERY_S = 60.0

log = get_logger("healing")


async def heal_on(storage: Storage, event_log: EventLog) -> None:
    """Try again every EVERY_S, for ever."""
    while True:
        try:
            await heal(storage, event_log)
        except RehabError as error:
            log.warning("cannot try unreadable events again", reason=error.detail)
        await asyncio.sleep(EVERY_S)


async def heal(storage: Storage, event_log: EventLog) -> None:
    """Fold the stream of each patient anew who has an unreadable event. Raises what storage and
    log raise."""
    for patient_id, version in await storage.unreadable():
        events = [
            one
            for one in await event_log.read_stream(patient_id)
            if one.envelope.stream_version <= version
        ]
        shard = shard_of(patient_id, (await event_log.head()).shards)
        (record,) = fold({}, events, shard, touched(events, {})).records
        # what the fold has stored meanwhile stays: the next look finds it
        if record.unreadable_at is None and await storage.mend(record):
            log.info("a patient's events are readable again")
