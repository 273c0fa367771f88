"""A stream folded to a state, from the newest snapshot on: a long one costs what is new in it."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Generic, TypeVar

import grpc

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import snapshot_service_pb2 as pb
from rehab.eventstore.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.errors import RehabError, from_rpc_error
from rehab_runtime.eventlog import EventLog

EVERY = 1000
TIMEOUT_S = 5.0
S = TypeVar("S")


@dataclass(frozen=True)
class Fold(Generic[S]):
    """`apply` gives the state after an event; it must not look at anything else. Raise
    `code_version` when it does something else than before: older snapshots are then not used.
    `load` raises ValueError for what `dump` has not made."""

    name: str
    code_version: int
    start: Callable[[], S]
    apply: Callable[[S, RecordedEvent], S]
    dump: Callable[[S], bytes]
    load: Callable[[bytes], S]


@dataclass(frozen=True)
class Folded(Generic[S]):
    """A state and the version of the last event in it; `folded` events were not in a snapshot."""

    state: S
    version: int
    folded: int


class Snapshots:
    """Snapshots at the event store. They may be wrong or missing: whatever fails here only costs
    time, and is not told."""

    def __init__(self, channel: grpc.aio.Channel, principal: Principal) -> None:
        self._stub = SnapshotServiceStub(channel)
        self._metadata = (bearer(principal),)

    async def load(self, stream: str, fold: Fold[S]) -> tuple[S, int]:
        """The newest state and its version; the start when there is none."""
        request = pb.LoadSnapshotRequest(
            stream=stream, fold=fold.name, code_version=fold.code_version
        )
        try:
            answer = await self._stub.LoadSnapshot(
                request, metadata=self._metadata, timeout=TIMEOUT_S
            )
            if answer.HasField("snapshot"):
                return fold.load(answer.snapshot.state), answer.snapshot.stream_version
        except (grpc.aio.AioRpcError, ValueError):
            pass
        return fold.start(), 0

    async def save(self, stream: str, fold: Fold[S], state: S, version: int) -> None:
        """Raises what the event store answers."""
        snapshot = pb.Snapshot(
            stream=stream,
            fold=fold.name,
            code_version=fold.code_version,
            stream_version=version,
            state=fold.dump(state),
        )
        try:
            await self._stub.SaveSnapshot(
                pb.SaveSnapshotRequest(snapshot=snapshot),
                metadata=self._metadata,
                timeout=TIMEOUT_S,
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


async def fold_stream(
    log: EventLog, snapshots: Snapshots, stream: str, fold: Fold[S], *, every: int = EVERY
) -> Folded[S]:
    """The state of a whole stream. A snapshot is saved once `every` events were not in one, unless
    one of them could not be opened: what is missing for a while must not be missing for ever.

    Raises what reading the log raises. A snapshot from beyond the stream's end, as a restored log
    may have, is not used.
    """
    state, version = await snapshots.load(stream, fold)
    folding = _Folding(fold, state, version)
    if not await folding.go_on(log, stream):
        folding = _Folding(fold, fold.start(), 0)
        await folding.go_on(log, stream)
    if folding.folded >= every and not folding.closed:
        with contextlib.suppress(RehabError):
            await snapshots.save(stream, fold, folding.state, folding.version)
    return Folded(folding.state, folding.version, folding.folded)


class _Folding(Generic[S]):
    """A fold under way: a page of events at a time is in memory."""

    def __init__(self, fold: Fold[S], state: S, version: int) -> None:
        self.state = state
        self.version = version
        self.folded = 0
        self.closed = False
        self._fold = fold

    async def go_on(self, log: EventLog, stream: str) -> bool:
        """Fold what comes after the state's version; False when the stream does not reach it."""
        reached = self.version == 0
        async for events in log.pages_of(stream, after_version=max(0, self.version - 1)):
            for event in events:
                if event.envelope.stream_version <= self.version:
                    reached = True
                else:
                    self._apply(event)
        return reached

    def _apply(self, event: RecordedEvent) -> None:
        self.state = self._fold.apply(self.state, event)
        self.version = event.envelope.stream_version
        self.folded += 1
        self.closed |= bool(event.key_id) and not event.erased
