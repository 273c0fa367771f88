"""What keeps a device's stream alive: one at a time for a device, shared by all who send."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Protocol

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import READMISSIONS, Calls
from rehab_sdk.clock import Clock
from rehab_sdk.errors import (
    Dropped,
    Internal,
    RateLimited,
    RehabError,
    Rejected,
    Superseded,
    TimedOut,
    Unavailable,
    from_failure,
)
from rehab_sdk.link import Link
from rehab_sdk.machine import Acked, Effect, HelloRefused, Lost, Machine, Phase, Settled, Verdict
from rehab_sdk.options import StreamOptions
from rehab_sdk.places import Placed
from rehab_sdk.receipt import Signal

log = logging.getLogger("rehab_sdk")
ASK_AT_ONCE = 100
# a new connection mends these; every other refusal of the stream would come again
MENDED_BY_NEW_LINK = frozenset({"SEQUENCE_GAP", "WINDOW_EXCEEDED", "RESUME_TOKEN_INVALID"})


class Sender(Protocol):
    """Who sent an event, and is told what became of it."""

    session_id: str

    def settled(self, key: object, verdict: Acked | Rejected | Dropped) -> None: ...

    def heard(self, feedback: pb.LiveFeedback) -> None: ...

    def over(self, error: RehabError) -> None: ...


@dataclass(frozen=True)
class Sent:
    sender: Sender
    key: object


class Engine:
    def __init__(
        self,
        *,
        stub: IngestServiceStub,
        calls: Calls,
        machine: Machine,
        clock: Clock,
        on_place: Callable[[Placed], None],
    ) -> None:
        self.ended_by: RehabError | None = None
        self.changed = Signal()
        """Fired when there may be room, a verdict, or an end."""
        self._options: StreamOptions = calls.options.stream
        self._stub = stub
        self._calls = calls
        self._machine = machine
        self._on_place = on_place
        self._senders: list[Sender] = []
        self._sent: dict[int, Sent] = {}
        self._turn = asyncio.Lock()
        self._progress = False
        self._epoch_renewed = False
        self._readmitted = 0
        self._link = Link(
            stub=stub,
            calls=calls,
            machine=machine,
            clock=clock,
            options=self._options,
            wake=self.changed,
            ask=self._ask,
            on_effect=self._apply,
        )
        self._task = asyncio.create_task(self._run(), name="rehab-stream")

    @property
    def max_event_bytes(self) -> int:
        return self._machine.max_event_bytes

    @property
    def clock_skew_ms(self) -> int:
        return self._link.clock_skew_ms

    # who sends

    def join(self, sender: Sender) -> None:
        self._senders.append(sender)
        self._name_session()

    def part(self, sender: Sender) -> bool:
        """Whether this was the last one."""
        self._senders.remove(sender)
        self._name_session()
        return not self._senders

    def _name_session(self) -> None:
        """Live feedback belongs to the session begun last."""
        sessions = [sender.session_id for sender in self._senders if sender.session_id]
        self._machine.session_id = sessions[-1] if sessions else ""
        self.changed.fire()

    async def send(self, event: bytes, sender: Sender, key: object) -> None:
        """Take the event when there is room. Raises TimedOut, or what ended the engine."""
        room = self.bounded(self._options.send_timeout_s, "no room in the window")
        async with room, self._turn:  # first come, first sent
            await self.until(lambda: self._machine.has_room)
            if self.ended_by is not None:
                raise self.ended_by
            self._sent[self._machine.append(event)] = Sent(sender, key)
            for effect in self._machine.lost():
                self._apply(effect)
        self.changed.fire()

    async def until(self, holds: Callable[[], bool]) -> None:
        """Raises what ended the engine, when that comes first."""
        while not holds():
            if self.ended_by is not None:
                raise self.ended_by
            await self.changed.wait()

    @asynccontextmanager
    async def bounded(self, timeout_s: float, why: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as late:
            raise TimedOut(f"{why} ({timeout_s:g} s)") from late

    # life

    async def close(self) -> None:
        """End the call, in good order when there is one."""
        self._link.closing = True
        self.changed.fire()
        if self._machine.phase in (Phase.STREAMING, Phase.LEAVING):
            await asyncio.wait((self._task,), timeout=self._options.close_timeout_s)
        self._task.cancel()
        await asyncio.gather(self._task, return_exceptions=True)
        self._end(Unavailable("the stream was closed"))

    async def _run(self) -> None:
        attempt = 0
        while not self._link.closing:
            failure: RehabError | None = None
            asked_s, began = 0.0, _now()
            self._progress = False
            try:
                asked_s = await self._link.converse()
            except RehabError as error:
                failure = await self._why_not_mended(error)
                if failure is not None and not self._mended_by_new_link(failure):
                    self._end(failure)
                    return
                failure = failure or error
            except Exception as error:
                log.exception("the stream ended by a fault of the SDK")
                self._end(Internal(f"a fault of the SDK: {type(error).__name__}"))
                raise
            self.changed.fire()  # a full spool makes room now that nobody can be waited for
            good = self._progress or _now() - began > self._calls.options.backoff.longest_s
            attempt = 1 if good or failure is None else attempt + 1
            if failure is not None or not self._machine.hello_is_outdated:
                await self._pause(asked_s + self._calls.pause_s(failure, attempt))

    async def _why_not_mended(self, error: RehabError) -> RehabError | None:
        """None when another token mends it, which is tried a few times between two welcomes."""
        if self._link.lasted_s > 0:
            self._readmitted = 0
        try:
            shown = self._link.shown
            tried = self._readmitted >= READMISSIONS or not shown
            if tried or not await self._calls.readmitted(error, shown):
                return error
        except RehabError as refused:
            return refused
        self._readmitted += 1
        return None

    def _mended_by_new_link(self, error: RehabError) -> bool:
        if isinstance(error, Superseded):
            return self._link.lasted_s < self._options.ghost_s
        if _is_of_old_epoch(error) and not self._epoch_renewed:
            self._epoch_renewed = True  # once: whoever is refused again is not alone
            self._machine.begin_epoch(error.number("newest_epoch") or 0)
            return True
        passing = isinstance(error, Unavailable | RateLimited | Internal)
        return passing or error.reason in MENDED_BY_NEW_LINK

    async def _pause(self, seconds: float) -> None:
        until = _now() + seconds
        while not self._link.closing:
            try:
                async with asyncio.timeout_at(until):
                    await self.changed.wait()
            except TimeoutError:
                return

    def _end(self, error: RehabError) -> None:
        if self.ended_by is None:
            self.ended_by = error
            for sender in self._senders:
                sender.over(error)
            self.changed.fire()

    # what the conversation brings

    async def _ask(self, events: Sequence[bytes]) -> Sequence[Verdict]:
        """What became of events whose verdict was lost: logged again, they get it again."""
        verdicts: list[Verdict] = []
        for start in range(0, len(events), ASK_AT_ONCE):
            request = pb.LogEventsRequest(
                events=[Event.FromString(data) for data in events[start : start + ASK_AT_ONCE]]
            )
            answer = await self._calls.unary(self._stub.LogEvents, request)
            for verdict in answer.verdicts:
                if verdict.HasField("failure") and verdict.failure.HasField("retry_after"):
                    raise from_failure(verdict.failure)
                stored = verdict.stored
                acked = Acked(stored.position, stored.shard)
                verdicts.append(acked if verdict.HasField("stored") else verdict.failure)
        return verdicts

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Settled():
                self._progress = True
                self._settle(effect)
            case Lost():
                dropped = Dropped(Event.FromString(effect.event), effect.why)
                log.warning("%s", dropped)
                self._tell(effect.ordinal, dropped)
            case HelloRefused(failure):
                log.warning("hello: %s", failure.message)
            case pb.LiveFeedback():
                for sender in self._senders:
                    if sender.session_id in ("", effect.session_id):
                        sender.heard(effect)

    def _settle(self, settled: Settled) -> None:
        if isinstance(settled.verdict, Acked):
            verdict: Acked | Rejected = settled.verdict
            self._on_place(settled.verdict)
        else:
            verdict = Rejected(Event.FromString(settled.event), from_failure(settled.verdict))
            log.warning("%s", verdict)
        self._tell(settled.ordinal, verdict)

    def _tell(self, ordinal: int, verdict: Acked | Rejected | Dropped) -> None:
        sent = self._sent.pop(ordinal, None)  # none for what waited in the outbox before
        if sent is not None:
            sent.sender.settled(sent.key, verdict)


def _now() -> float:
    return asyncio.get_running_loop().time()


def _is_of_old_epoch(error: RehabError) -> bool:
    """As after a device's clock was set back, or when another program used the device."""
    return any(violation.rule == "epoch.newest" for violation in error.violations)
