"""States kept at the event store, sealed like events, so that a patient who comes again after a
restart is not folded from the first event. One that is missing or wrong only costs time."""

from __future__ import annotations

import asyncio
import contextlib
import json
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from rehab_policy import metrics
from rehab_policy.books import Track
from rehab_policy.domain.snapshot import VERSION, dump, load
from rehab_policy.domain.state import PatientState
from rehab_runtime.errors import RehabError
from rehab_runtime.folding import Fold, Snapshots

EVERY = 1000
"""Events of a patient after which the state is kept anew."""
WAITING = 16
LARGEST = 1_000_000
"""The event store keeps no larger ones."""


@dataclass
class Known:
    """The fold of a patient by a track, up to a version of the stream. `event_id` and `position`
    are those of the last event, `fresh` is how many came after the state that is kept. `closed`:
    some could not be opened for now, so it is not to be kept."""

    state: PatientState
    version: int = 0
    event_id: str = ""
    position: int = 0
    fresh: int = 0
    closed: bool = False
    asked: int = 0
    """In which round of those who keep it in memory it was last asked for."""


@dataclass(frozen=True)
class _State:
    """As it is to be kept."""

    patient_id: str
    version: int
    head: Mapping[str, object]
    dumped: bytes

    def data(self) -> bytes:
        return json.dumps(self.head).encode() + b"\n" + zlib.compress(self.dumped, 1)


class Keeping:
    """`run` is its task. Only the fold that is carried out is kept: one in the shadow is short."""

    def __init__(self, snapshots: Snapshots) -> None:
        self._snapshots = snapshots
        self._waiting: asyncio.Queue[_State] = asyncio.Queue(WAITING)

    async def load(self, track: Track, patient_id: str) -> Known | None:
        """The newest one that these rules made."""
        if track.shadow:
            return None
        data, version = await self._snapshots.load(patient_id, _FOLD)
        try:
            head, _, state = data.partition(b"\n")
            told = json.loads(head)
            if not version or told["rules"] != track.fingerprint:
                return None
            found = Known(load(zlib.decompress(state)), version, told["event"], told["position"])
        except (ValueError, KeyError, TypeError, zlib.error):
            return None
        metrics.restored.inc()
        return found

    def offer(self, track: Track, states: Iterable[Known]) -> None:
        """They are stored up to their last events. One of those in which much is new is kept soon:
        to write one down takes milliseconds, in which others wait for their cues."""
        for known in states:
            if known.fresh < EVERY or known.closed or known.state.erased or self._waiting.full():
                continue
            known.fresh = 0
            head = {
                "rules": track.fingerprint,
                "event": known.event_id,
                "position": known.position,
            }
            state = _State(known.state.patient_id, known.version, head, dump(known.state))
            self._waiting.put_nowait(state)
            return

    async def run(self) -> None:
        while True:
            state = await self._waiting.get()
            data = await asyncio.to_thread(state.data)
            if len(data) > LARGEST:
                continue
            with contextlib.suppress(RehabError):
                await self._snapshots.save(state.patient_id, _FOLD, data, state.version)
                metrics.kept.inc()


_FOLD: Fold[bytes] = Fold("policy_live", VERSION, bytes, lambda state, _: state, bytes, bytes)
