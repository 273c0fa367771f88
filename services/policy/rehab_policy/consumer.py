"""Folds the log: asks the rules about every event, appends what they decide, and only then saves
how far it came. Whoever falls in between decides the same again, with the same ids."""

from __future__ import annotations

import asyncio
from collections import OrderedDict, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from google.protobuf.message import DecodeError

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE
from rehab.events.v1.event_pb2 import Body, Event, RecordedEvent
from rehab_policy import metrics
from rehab_policy.books import LIVE, Books, Track
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.engine import Step
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.rules import ActionKind
from rehab_policy.publisher import Publisher
from rehab_policy.states import EVENTS_BETWEEN, Known, States, stepped
from rehab_policy.storage.folds import Anew, Changes, Due, Folds
from rehab_policy.telling import fact_of, fired_of, moment
from rehab_runtime.access.streams import is_audit
from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.positions import Cursor, FencedError

PATIENTS_KNOWN = 200_000

log = get_logger("consumer")


@dataclass
class Decided:
    """What a batch, or timers, made of it so far."""

    changes: Changes = field(default_factory=Changes)
    events: list[Event] = field(default_factory=list)

    def add(self, firings: Iterable[Firing], track: Track, fresh: _Fresh | None = None) -> None:
        for firing in firings:
            is_shadow = track.shadow or firing.shadow
            if firing.action is ActionKind.FEEDBACK:
                if not is_shadow and not (fresh is not None and fresh.is_fresh(firing)):
                    metrics.fired.labels("late").inc()
                    continue
            elif (fired := fired_of(firing, shadow=is_shadow)) is not None:
                self.changes.fired.append(fired)
            if not is_shadow:
                metrics.fired.labels(firing.action.value).inc()
                self.events += events_of(firing)

    def in_order(self) -> list[Event]:
        """Emergencies first: whoever waits for them waits for nothing else."""
        return sorted(self.events, key=lambda event: not event.body.alert.raised.emergency)


@dataclass(frozen=True)
class _Fresh:
    """Feedback that comes later than `within` after the movement is noise."""

    now: datetime
    within: timedelta

    def is_fresh(self, firing: Firing) -> bool:
        moved = firing.cause_occurred_at or firing.at
        return self.now - firing.at <= self.within and firing.at - moved <= self.within


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
        self._fresh = fresh
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
            try:
                decided = await self._decide(tracks, batch)
                cursor = await self._folds.save(cursor, batch, decided.changes)
            except FencedError:
                metrics.fenced.inc()
                await self._overtaken(cursor, batch)
                raise
            except BaseException:
                # a state is moved on in place: what was not stored is folded again
                self._forget(_patients_of(batch))
                raise
            self._stored(decided.changes)
            self.cursors[cursor.shard] = cursor
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

    async def _decide(self, tracks: Sequence[Track], batch: Sequence[RecordedEvent]) -> Decided:
        decided, last = Decided(), dict[Due, Step]()
        for number, event in enumerate(batch, 1):
            envelope = event.envelope
            if not envelope.subject_id or is_audit(envelope.subject_id):
                continue
            recorded = moment(envelope.recorded_at)
            for track in tracks:
                if not track.at(recorded):
                    continue
                known = await self._states.before(track, event)
                step = stepped(track, known, event)
                if step is not None:
                    fresh = _Fresh(self._clock.now(), self._fresh)
                    decided.add(step.firings, track, fresh)
                    last[Due(envelope.subject_id, track.id)] = step
                if track.id == LIVE:
                    self._note_patient(decided.changes, event, known)
            self._note_event(decided.changes, event)
            if number % EVENTS_BETWEEN == 0:
                await self._publish(decided)
                await asyncio.sleep(0)
        await self._publish(decided)
        for due, step in last.items():
            self._note_timers(decided.changes, due, _first(step))
        return decided

    async def _publish(self, decided: Decided) -> None:
        """What was decided so far. It waits for nothing behind it: a cue is soon too late."""
        events, decided.events = decided.in_order(), []
        if events:
            await self._publisher.append(events)
            self._measure(events)

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

    def _note_timers(self, changes: Changes, due: Due, first: datetime | None) -> None:
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
            decided = Decided()
            for due in dues:
                await self._fire(decided, tracks.get(due.track), due, cursor, by)
            if dues:
                await self._save(cursor, decided, [one.patient_id for one in dues])
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
            decided = Decided()
            for patient_id in patients:
                known = await self._states.at(track, patient_id, cursor.position)
                step = track.engine.until(known.state, track.changed_at)
                decided.add(step.firings, track)
                decided.changes.timers[Due(patient_id, track.id)] = _first(step)
            last = patients[-1] if patients else anew.after
            done = len(patients) < limit
            reached = Anew(track.id, track.generation, last, done)
            await self._save(cursor, decided, patients, reached)
        return reached

    async def _save(
        self, cursor: Cursor, decided: Decided, patients: Sequence[str], anew: Anew | None = None
    ) -> None:
        try:
            await self._publish(decided)
            await self._folds.save_timers(cursor, decided.changes, anew)
        except BaseException:
            self._forget(patients)
            raise
        self._stored(decided.changes)

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

    def _measure(self, events: Sequence[Event]) -> None:
        now = self._clock.now()
        for event in events:
            if event.envelope.kind == "feedback":
                since = now - moment(event.envelope.occurred_at)
                metrics.feedback_seconds.observe(max(0.0, since.total_seconds()))


def _is_done(event: RecordedEvent) -> bool:
    try:
        return bool(Body.FromString(event.body).erasure.stage == ERASURE_STAGE_DONE)
    except DecodeError:
        return False


def _patients_of(batch: Sequence[RecordedEvent]) -> frozenset[str]:
    return frozenset(event.envelope.subject_id for event in batch)


def _first(step: Step) -> datetime | None:
    """When the patient's next timer is due."""
    return step.timers[0].due_at if step.timers else None
