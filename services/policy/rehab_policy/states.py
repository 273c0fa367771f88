"""What is known of patients: folds of their streams, kept in memory, made again from the log when
they are not, from the state on that is kept there."""

from __future__ import annotations

import asyncio
import pickle
from collections import OrderedDict
from collections.abc import Iterable
from contextlib import aclosing

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_policy import metrics
from rehab_policy.books import Track
from rehab_policy.domain.engine import Engine, Step
from rehab_policy.domain.state import PatientState
from rehab_policy.keeping import EVERY, Keeping, Known
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger

LAST = 2**63 - 1
REST_S = 120.0
"""Who did nothing for one to two times as long rests."""
BETWEEN_S = 0.05
"""Between two that are closed: each takes milliseconds in which others wait for their cues."""
EVENTS_BETWEEN = 50
"""So many are folded before others get their turn."""

log = get_logger("states")
Key = tuple[str, int, int]


class States:
    """At most `most` are kept, those used last. Who does nothing for a while rests: the state is
    closed into bytes, of which the garbage collector need not walk through thousands of objects and
    which take half the room. `run` is the task that closes them."""

    def __init__(self, event_log: EventLog, most: int, keeping: Keeping, by: str) -> None:
        self._log = event_log
        self._by = by
        self._keeping = keeping
        self._most = most
        self._known: OrderedDict[Key, Known] = OrderedDict()
        self._resting: OrderedDict[Key, bytes] = OrderedDict()
        self._round = 0

    async def run(self) -> None:
        while True:
            await asyncio.sleep(REST_S)
            self._next_round()
            while self._rest():
                await asyncio.sleep(BETWEEN_S)

    def _next_round(self) -> None:
        self._round += 1
        metrics.in_memory.labels("open").set(len(self._known))
        metrics.in_memory.labels("closed").set(len(self._resting))

    def _rest(self) -> bool:
        """Close the state that was asked for the longest ago. False when that was in this round or
        the one before."""
        key = next(iter(self._known), None)
        if key is None or self._known[key].asked >= self._round - 1:
            return False
        self._resting[key] = pickle.dumps(self._known.pop(key), pickle.HIGHEST_PROTOCOL)
        return True

    def at_hand(self, track: Track, event: RecordedEvent) -> Known | None:
        """What `before` gives, if that is in memory as it is wanted: mostly it is."""
        envelope = event.envelope
        key = _key(track, envelope.subject_id)
        known = self._known.get(key)
        if known is None or known.version != envelope.stream_version - 1:
            return None
        self._known.move_to_end(key)
        known.asked = self._round
        return known

    async def before(self, track: Track, event: RecordedEvent) -> Known:
        """The fold of everything before an event of the patient's stream."""
        wanted = event.envelope.stream_version - 1
        patient_id = event.envelope.subject_id
        key = _key(track, patient_id)
        known = self._in_memory(key)
        if known is None or known.version > wanted:
            known = Known(track.engine.start(patient_id))
            if wanted >= EVERY:  # sooner none is kept
                known = await self._kept(track, patient_id, up_to=wanted) or known
        if known.version < wanted:
            # another replica folded what is missing, or it was forgotten
            await self._fold_on(track, known, patient_id, up_to=wanted)
        self._remember(key, known)
        return known

    async def at(self, track: Track, patient_id: str, position: int) -> Known:
        """The fold of everything up to a position of the patient's shard."""
        key = _key(track, patient_id)
        known = (
            self._in_memory(key)
            or await self._kept(track, patient_id, position=position)
            or Known(track.engine.start(patient_id))
        )
        await self._fold_on(track, known, patient_id, position=position)
        self._remember(key, known)
        return known

    async def _kept(
        self, track: Track, patient_id: str, *, up_to: int | None = None, position: int = LAST
    ) -> Known | None:
        """The state that is kept, if it is of this stream and not beyond what is wanted. A log that
        was restored may have another event at its version."""
        known = await self._keeping.load(track, patient_id)
        if known is None or known.position > position:
            return None
        if up_to is not None and known.version > up_to:
            return None
        pages = self._log.pages_of(patient_id, after_version=known.version - 1)
        async with aclosing(pages):
            async for page in pages:
                if page:
                    same = page[0].envelope.event_id == known.event_id
                    return known if same else None
        return None

    def offer(self, track: Track, patient_ids: Iterable[str]) -> None:
        """What is known of them is stored: it may be kept."""
        if not track.shadow:
            known = (self._known.get(_key(track, one)) for one in patient_ids)
            self._keeping.offer(track, [one for one in known if one is not None])

    async def _fold_on(
        self,
        track: Track,
        known: Known,
        patient_id: str,
        *,
        up_to: int | None = None,
        position: int | None = None,
    ) -> None:
        count = 0
        pages = self._log.pages_of(patient_id, after_version=known.version)
        async with aclosing(pages):
            async for page in pages:
                for event in page:
                    if _beyond(event, up_to, position):
                        return
                    stepped(track, known, event)
                    metrics.refolded.labels(self._by).inc()
                    count += 1
                    if count % EVENTS_BETWEEN == 0:
                        await asyncio.sleep(0)

    def forget(self, patient_ids: Iterable[str]) -> None:
        """What is in memory of them may not be what is stored."""
        gone = frozenset(patient_ids)
        for states in (self._known, self._resting):
            for key in [one for one in states if one[0] in gone]:
                del states[key]

    def clear(self) -> None:
        self._known.clear()
        self._resting.clear()

    def _in_memory(self, key: Key) -> Known | None:
        known = self._known.get(key)
        if known is None and key in self._resting:
            # bytes that never left this process
            known = self._known[key] = pickle.loads(self._resting.pop(key))  # noqa: S301
        if known is not None:
            self._known.move_to_end(key)
            known.asked = self._round
        return known

    def _remember(self, key: Key, known: Known) -> None:
        self._resting.pop(key, None)
        self._known[key] = known
        self._known.move_to_end(key)
        known.asked = self._round
        while len(self._known) + len(self._resting) > self._most:
            (self._resting or self._known).popitem(last=False)


def stepped(track: Track, known: Known, event: RecordedEvent) -> Step | None:
    """Fold the next event of the patient's stream."""
    envelope = event.envelope
    known.version, known.event_id = envelope.stream_version, envelope.event_id
    known.position = envelope.position
    known.fresh += 1
    known.closed |= bool(event.key_id) and not event.erased
    step = step_or_tell(track.engine, known.state, event)
    if step is not None:
        known.state = step.state
    return step


def step_or_tell(engine: Engine, state: PatientState, event: RecordedEvent) -> Step | None:
    """None when the engine fails: the same happens wherever the event is folded, and the patient's
    other events are not held up."""
    try:
        return engine.step(state, event)
    except Exception as error:
        metrics.failures.labels("event").inc()
        log.exception(
            "an event could not be evaluated",
            error_type=type(error).__name__,
            event_id=event.envelope.event_id,
            kind=event.envelope.kind,
        )
        return None


def _beyond(event: RecordedEvent, version: int | None, position: int | None) -> bool:
    envelope = event.envelope
    if version is not None and envelope.stream_version > version:
        return True
    return position is not None and envelope.position > position


def _key(track: Track, patient_id: str) -> Key:
    return patient_id, track.id, track.generation
