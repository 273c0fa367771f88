"""Folds the log: asks the rules about every event, appends what they decide, and only then saves
how far it came. Whoever falls in between decides the same again, with the same ids."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_policy import metrics
from rehab_policy.books import LIVE, Books, Track
from rehab_policy.decided import Decided, Fresh
from rehab_policy.domain.engine import FAR, Step
from rehab_policy.domain.state import NEVER
from rehab_policy.keeping import Known
from rehab_policy.publisher import Publisher
from rehab_policy.states import EVENTS_BETWEEN, States, stepped
from rehab_policy.storage.folds import Anew, Changes, Due, Folds
from rehab_policy.telling import fact_of, moment
from rehab_runtime.access.streams import is_audit
from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import Cursor, FencedError

PATIENTS_KNOWN = 200_000

log = get_logger("consumer")


class Consumer:
    """The fold of all shards. While a shard's lock is held its position stands."""

    def __init__(
        self,
        folds: Folds,
        books: Books,
        states: States,
        publisher: Publisher,
        clock: Clock,
        fresh: timedelta,
    ) -> None:
        self.locks: dict[int, asyncio.Lock] = defaultdict(asyncio.Lock)
        self.cursors: dict[int, Cursor] = {}
        self._folds = folds
        self._books = books
        self._states = states
        self._publisher = publisher
        self._clock = clock
        self._fresh = Fresh(clock.now, fresh)
        self._waits: dict[Due, datetime | None] = {}
        self._patients: OrderedDict[str, tuple[str, str]] = OrderedDict()

    def begun(self, cursor: Cursor) -> None:
        """What is remembered of a shard may not be stored."""
        self.cursors[cursor.shard] = cursor
        self._states.clear()
        self._waits.clear()
        self._patients.clear()

    async def fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        """Store what a batch changes, with the cursor behind it. Raises FencedError."""
        async with self.locks[cursor.shard]:
            tracks = await self._books.tracks()
            decided, patients = Decided(self._publisher, self._clock), _patients_of(batch)
            try:
                await self._decide(decided, tracks, batch)
                await decided.told()
                cursor = await self._folds.save(cursor, batch, decided.changes)
            except FencedError:
                metrics.fenced.inc()
                await self._overtaken(cursor, batch)
                raise
            except BaseException:
                await self._dropped(decided, patients)
                raise
            self._stored(decided.changes)
            self.cursors[cursor.shard] = cursor
            for track in tracks:
                self._states.offer(track, patients)
            metrics.folded.inc(len(batch))
        return cursor

    async def _overtaken(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> None:
        """Another replica has stored what was decided here, too: unless it has not come so far, the
        states are those of the log."""
        patients = _patients_of(batch)
        try:
            saved = await self._folds.positions.of(cursor.shard, cursor.incarnation)
        except BaseException:
            self._forget(patients)
            raise
        self.cursors[cursor.shard] = saved
        if saved.position < batch[-1].envelope.position:
            self._forget(patients)
        else:
            self._doubt(patients)

    async def _decide(
        self, decided: Decided, tracks: Sequence[Track], batch: Sequence[RecordedEvent]
    ) -> None:
        last: dict[tuple[str, int], Step] = {}
        for number, event in enumerate(batch, 1):
            envelope = event.envelope
            patient_id = envelope.subject_id
            if not patient_id or is_audit(patient_id):
                continue
            told = False
            for track in tracks:
                if track.shadow and not track.at(moment(envelope.recorded_at)):
                    continue
                known = self._states.at_hand(track, event) or await self._states.before(
                    track, event
                )
                step = stepped(track, known, event)
                if step is not None:
                    told |= bool(step.firings) and decided.add(step.firings, track, self._fresh)
                    last[patient_id, track.id] = step
                if track.id == LIVE:
                    self._note_patient(decided.changes, event, known)
            self._note_event(decided.changes, event)
            if told or number % EVENTS_BETWEEN == 0:
                await asyncio.sleep(0)
        for due, step in last.items():
            self._note_timers(decided.changes, Due(*due), step)

    def _note_patient(self, changes: Changes, event: RecordedEvent, known: Known) -> None:
        patient_id = event.envelope.subject_id
        told = event.envelope.clinic_id, known.state.care.therapist_id
        if self._patients.get(patient_id) != told:
            changes.patients[patient_id] = told
        else:
            changes.patients.pop(patient_id, None)

    def _note_event(self, changes: Changes, event: RecordedEvent) -> None:
        fact = fact_of(event)
        if fact is not None:
            changes.alerts.append(fact)
        if event.envelope.kind == "erasure" and _is_done(event):
            changes.erased.append(event.envelope.subject_id)

    def _note_timers(self, changes: Changes, due: Due, step: Step) -> None:
        """When the patient is looked at next. That may be too early, since then it is reckoned
        anew: a time that is stored stays while no timer is due before it."""
        known = self._waits.get(due, NEVER) or FAR
        if NEVER < known <= step.state.next_due:
            return
        first = _first(step)
        if due not in self._waits or self._waits[due] != first:
            changes.timers[due] = first

    # what timers do

    async def fire(self, shard: int, by: datetime, limit: int) -> int:
        """Fire what is due by a moment up to which the shard is folded: so many patients were
        asked. Raises FencedError when another replica folded on meanwhile."""
        async with self.locks[shard]:
            cursor = self.cursors[shard]
            tracks = {one.id: one for one in await self._books.tracks()}
            dues = await self._folds.due(shard, by, limit)
            async with self._deciding([one.patient_id for one in dues]) as decided:
                for due in dues:
                    await self._fire(decided, tracks.get(due.track), due, cursor, by)
                if dues:
                    await decided.told()
                    await self._folds.save_timers(cursor, decided.changes)
        return len(dues)

    async def _fire(
        self, decided: Decided, track: Track | None, due: Due, cursor: Cursor, by: datetime
    ) -> None:
        if track is None or (track.until is not None and by >= track.until):
            decided.changes.timers[due] = None
            return
        known = await self._states.at(track, due.patient_id, cursor.position)
        step = track.engine.until(known.state, by)
        known.state = step.state
        decided.add(step.firings, track)
        decided.changes.timers[due] = _first(step)

    async def set_anew(self, shard: int, track: Track, anew: Anew, limit: int) -> Anew:
        """Set the timers of the next patients as the track's newest rules want them. The shard is
        folded beyond the moment from which those count."""
        async with self.locks[shard]:
            cursor = self.cursors[shard]
            patients = await self._folds.next_patients(shard, anew.after, limit)
            last = patients[-1] if patients else anew.after
            reached = Anew(track.id, track.generation, last, done=len(patients) < limit)
            async with self._deciding(patients) as decided:
                for patient_id in patients:
                    known = await self._states.at(track, patient_id, cursor.position)
                    step = track.engine.until(known.state, track.changed_at)
                    decided.add(step.firings, track)
                    decided.changes.timers[Due(patient_id, track.id)] = _first(step)
                await decided.told()
                await self._folds.save_timers(cursor, decided.changes, reached)
        return reached

    @asynccontextmanager
    async def _deciding(self, patients: Iterable[str]) -> AsyncIterator[Decided]:
        """What is decided about patients by the clock, and stored before it is left."""
        decided = Decided(self._publisher, self._clock)
        try:
            yield decided
        except BaseException:
            await self._dropped(decided, patients)
            raise
        self._stored(decided.changes)

    async def _dropped(self, decided: Decided, patients: Iterable[str]) -> None:
        """States are moved on in place: what was not stored is folded again."""
        self._forget(patients)
        await decided.given_up()

    def _stored(self, changes: Changes) -> None:
        self._waits.update(changes.timers)
        for patient_id, told in changes.patients.items():
            self._patients[patient_id] = told
        while len(self._patients) > PATIENTS_KNOWN:
            self._patients.popitem(last=False)
        self._forget(changes.erased)

    def _forget(self, patient_ids: Iterable[str]) -> None:
        gone = frozenset(patient_ids)
        if gone:
            self._states.forget(gone)
            self._doubt(gone)

    def _doubt(self, gone: frozenset[str]) -> None:
        """What is stored of them is another replica's."""
        for patient_id in gone:
            self._patients.pop(patient_id, None)
        for due in [one for one in self._waits if one.patient_id in gone]:
            del self._waits[due]


def _is_done(event: RecordedEvent) -> bool:
    try:
        return bool(Body.FromString(event.body).erasure.stage == ERASURE_STAGE_DONE)
    except DecodeError:
        return False


def _patients_of(batch: Sequence[RecordedEvent]) -> frozenset[str]:
    return frozenset(event.envelope.subject_id for event in batch)


def _first(step: Step) -> datetime | None:
    """When the patient's next timer is due."""
    timers = step.timers  # reckoned whenever they are asked for
    return timers[0].due_at if timers else None
