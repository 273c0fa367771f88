"""A device's stream: events in, receipts out, whatever happens to the connection."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from types import TracebackType
from typing import Self

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.clock import Clock
from rehab_sdk.errors import (
    Internal,
    NotAcknowledged,
    RateLimited,
    RehabError,
    Rejected,
    TimedOut,
    Unavailable,
    from_failure,
    too_large,
)
from rehab_sdk.link import Link
from rehab_sdk.machine import Acked, Effect, HelloRefused, Machine, Phase, Settled, Verdict
from rehab_sdk.options import StreamOptions
from rehab_sdk.receipt import FeedbackFeed, Receipt, Signal

log = logging.getLogger("rehab_sdk")
ASK_AT_ONCE = 100
# a new connection mends these; every other refusal of the stream would come again
_MENDED_BY_NEW_LINK = frozenset({"SEQUENCE_GAP", "WINDOW_EXCEEDED", "RESUME_TOKEN_INVALID"})


class Stream:
    """Use as `async with`. Leaving waits until everything is settled, at most flush_timeout_s."""

    def __init__(
        self,
        *,
        stub: IngestServiceStub,
        calls: Calls,
        machine: Machine,
        clock: Clock,
        on_position: Callable[[int], None],
    ) -> None:
        self.feedback = FeedbackFeed()
        self.rejected_count = 0
        self.hello_refusals: deque[RehabError] = deque(maxlen=100)
        """Fields of hello that the server did not take, such as an old resume token."""
        self._options: StreamOptions = calls.options.stream
        self._rejected: deque[Rejected] = deque(maxlen=self._options.rejected_kept)
        self._stub = stub
        self._calls = calls
        self._machine = machine
        self._on_position = on_position
        self._receipts: dict[int, Receipt] = {}
        self._changed = Signal()
        self._turn = asyncio.Lock()
        self._over: RehabError | None = None
        self._progress = False
        self._task: asyncio.Task[None] | None = None
        self._link = Link(
            stub=stub,
            calls=calls,
            machine=machine,
            clock=clock,
            options=self._options,
            wake=self._changed,
            ask=self._ask,
            on_effect=self._apply,
        )

    # sending

    async def send(self, event: Event) -> Receipt:
        """Take the event, waiting while the window is full (at most send_timeout_s). What the
        server refuses, and what is larger than it takes, shows in the receipt and in `rejected`.
        Raises TimedOut, or the error that ended the stream."""
        receipt = Receipt(event.envelope.event_id)
        data = event.SerializeToString()
        limit = self._machine.max_event_bytes
        if len(data) > limit:
            self._reject(receipt, Rejected(event, too_large(limit)))
            return receipt
        async with self._bounded(self._options.send_timeout_s, "no room in the window"):
            async with self._turn:  # first come, first sent
                await self._until(lambda: self._machine.has_room)
                self._raise_if_over()
                self._receipts[self._machine.append(data)] = receipt
        self._changed.fire()
        return receipt

    async def flush(self, timeout_s: float | None = None) -> None:
        """Wait until no event is without a verdict. Raises NotAcknowledged."""
        within_s = self._options.flush_timeout_s if timeout_s is None else timeout_s
        try:
            async with self._bounded(within_s, "no verdict in time"):
                await self._until(lambda: self._machine.outstanding == 0)
        except RehabError as error:
            raise NotAcknowledged(self.unacknowledged(), error.message) from error

    @property
    def rejected(self) -> Sequence[Rejected]:
        """The newest rejected events, oldest first."""
        return tuple(self._rejected)

    def unacknowledged(self) -> list[Event]:
        """Events without a verdict, in order. Logged again with their ids, none is doubled."""
        return [Event.FromString(data) for data in self._machine.unsettled()]

    @property
    def position(self) -> int:
        """The newest acknowledged position of the log."""
        return self._machine.position

    @property
    def clock_skew_ms(self) -> int:
        """How far this device's clock was ahead of the server's, 0 before it is known."""
        return self._link.clock_skew_ms

    # life

    async def __aenter__(self) -> Self:
        self._task = asyncio.create_task(self._run(), name="rehab-stream")
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        try:
            if error is None:
                await self.flush()
        finally:
            await self.close()

    async def close(self) -> None:
        """End the stream now. Receipts still open raise NotAcknowledged."""
        self._link.closing = True
        self._changed.fire()
        if self._task is not None:
            if self._machine.phase in (Phase.STREAMING, Phase.LEAVING):
                await asyncio.wait((self._task,), timeout=self._options.close_timeout_s)
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        self._end(Unavailable("the stream was closed"))

    async def _run(self) -> None:
        attempt = 0
        while not self._link.closing:
            failure: RehabError | None = None
            asked_s, began = 0.0, asyncio.get_running_loop().time()
            self._progress = False
            try:
                asked_s = await self._link.converse()
            except RehabError as error:
                failure = error
                if not _is_mended_by_new_link(error):
                    self._end(error)
                    return
            except Exception as error:
                log.exception("the stream ended by a fault of the SDK")
                self._end(Internal(f"a fault of the SDK: {type(error).__name__}"))
                raise
            lasted_s = asyncio.get_running_loop().time() - began
            good = self._progress or lasted_s > self._calls.options.backoff.longest_s
            attempt = 1 if good or failure is None else attempt + 1
            if not self._link.closing:
                await self._pause(asked_s + self._calls.pause_s(failure, attempt))

    async def _pause(self, seconds: float) -> None:
        until = asyncio.get_running_loop().time() + seconds
        while not self._link.closing:
            try:
                async with asyncio.timeout_at(until):
                    await self._changed.wait()
            except TimeoutError:
                return

    async def _until(self, holds: Callable[[], bool]) -> None:
        while not holds():
            self._raise_if_over()
            await self._changed.wait()

    def _raise_if_over(self) -> None:
        if self._over is not None:
            raise self._over

    @staticmethod
    @asynccontextmanager
    async def _bounded(timeout_s: float, why: str) -> AsyncIterator[None]:
        try:
            async with asyncio.timeout(timeout_s):
                yield
        except TimeoutError as late:
            raise TimedOut(f"{why} ({timeout_s:g} s)") from late

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
                stored = verdict.WhichOneof("verdict") == "stored"
                verdicts.append(Acked(verdict.stored.position) if stored else verdict.failure)
        return verdicts

    def _apply(self, effect: Effect) -> None:
        match effect:
            case Settled():
                self._progress = True
                self._settle(effect)
            case HelloRefused(failure):
                self.hello_refusals.append(from_failure(failure))
                log.warning("hello: %s", failure.message)
            case pb.LiveFeedback():
                self.feedback.offer(effect)

    def _settle(self, settled: Settled) -> None:
        receipt = self._receipts.pop(settled.ordinal, None)  # none for what an outbox kept
        if isinstance(settled.verdict, Acked):
            self._on_position(settled.verdict.position)
            if receipt is not None:
                receipt.settle(settled.verdict)
        else:
            event = Event.FromString(settled.event)
            self._reject(receipt, Rejected(event, from_failure(settled.verdict)))

    def _reject(self, receipt: Receipt | None, rejected: Rejected) -> None:
        self.rejected_count += 1
        self._rejected.append(rejected)
        log.warning("%s", rejected)
        if receipt is not None:
            receipt.settle(rejected)

    def _end(self, error: RehabError) -> None:
        if self._over is not None:
            return
        self._over = error
        self.feedback.end()
        if self._receipts:
            open_error = NotAcknowledged(self.unacknowledged(), error.message)
            for receipt in self._receipts.values():
                receipt.settle(open_error)
        self._changed.fire()


def _is_mended_by_new_link(error: RehabError) -> bool:
    passing = isinstance(error, Unavailable | RateLimited | Internal)
    return passing or error.reason in _MENDED_BY_NEW_LINK
