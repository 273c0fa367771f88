"""Emergencies first: what cannot wait is told ahead of everything that is still to be folded. The
fold tells the same later, with the same ids."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy import metrics
from rehab_policy.books import LIVE, Books, Track
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.firing import Firing
from rehab_policy.keeping import Keeping
from rehab_policy.publisher import Publisher
from rehab_policy.states import States
from rehab_policy.storage.alerts import Alerts
from rehab_policy.telling import fact_told
from rehab_runtime.errors import RehabError, Stale
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import Progress
from rehab_runtime.tasks import set_within, until_set

PATIENTS = 500
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0
LOOK_S = 60.0

log = get_logger("ahead")


class Ahead:
    """`run` is its task. It waits `patience_s` for the fold: mostly that is as fast."""

    def __init__(
        self,
        event_log: EventLog,
        books: Books,
        publisher: Publisher,
        alerts: Alerts,
        progress: Progress,
        patience_s: float,
        keeping: Keeping,
    ) -> None:
        self._log = event_log
        self._books = books
        self._publisher = publisher
        self._alerts = alerts
        self._progress = progress
        self._patience_s = patience_s
        # those of the fold stand elsewhere
        self._states = States(event_log, PATIENTS, keeping, "ahead")

    async def run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            changed = self._books.changed
            try:
                track = await self._track()
                if track is None or not track.emergencies:
                    await set_within(changed, LOOK_S)
                    continue
                await until_set(changed, self._listen(track))
                pause = FIRST_PAUSE_S
            except RehabError as error:
                log.debug("the log is not heard", reason=error.detail)
                await asyncio.sleep(pause)
                pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _track(self) -> Track | None:
        return next((one for one in await self._books.tracks() if one.id == LIVE), None)

    async def _listen(self, track: Track) -> None:
        shards = (await self._log.head()).shards
        try:
            async with asyncio.TaskGroup() as tasks:
                for shard in range(shards):
                    tasks.create_task(self._listen_to(track, shard), name=f"ahead-{shard}")
        except ExceptionGroup as fallen:
            raise fallen.exceptions[0] from None

    async def _listen_to(self, track: Track, shard: int) -> None:
        async for events in self._log.live(sorted(track.emergencies), shard):
            last = events[-1].envelope.position
            try:
                await self._progress.wait(shard, last, self._patience_s)
            except Stale:
                await self._look(track, events)

    async def _look(self, track: Track, events: Sequence[RecordedEvent]) -> None:
        await self._log.open(events)
        for event in events:
            if not event.key_id and not event.erased:
                # judged by the limits that stood when it came, as the fold will judge it
                known = await self._states.before(track, event)
                limits = track.engine.limits_of(known.state)
                firings = track.engine.emergencies(event, limits)
                await self._tell(firings, known.state.care.therapist_id)

    async def _tell(self, firings: Sequence[Firing], therapist_id: str) -> None:
        events = [event for firing in firings if not firing.shadow for event in events_of(firing)]
        if not events:
            return
        await self._publisher.append(events)
        facts = [fact_told(event, therapist_id) for event in events]
        await self._alerts.keep_now([fact for fact in facts if fact is not None])
        metrics.ahead.inc(len(firings))
