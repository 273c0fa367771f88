"""What a sender gets for an event: the verdict, once there is one."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Generator

from rehab.ingest.v1.ingest_service_pb2 import LiveFeedback
from rehab_sdk.errors import RehabError
from rehab_sdk.machine import Acked

FEEDBACK_KEPT = 64


class Receipt:
    """Await it for Acked; it raises Rejected, or NotAcknowledged when the stream ended before.
    Nobody has to await it."""

    def __init__(self, event_id: str) -> None:
        self.event_id = event_id
        # a failure is a result here, so that an unawaited receipt is no error of the program
        self._verdict: asyncio.Future[Acked | RehabError] = (
            asyncio.get_running_loop().create_future()
        )

    def settle(self, verdict: Acked | RehabError) -> None:
        if not self._verdict.done():
            self._verdict.set_result(verdict)

    def done(self) -> bool:
        return self._verdict.done()

    @property
    def verdict(self) -> Acked | RehabError | None:
        """Acked, the error, or None as long as it is open."""
        return self._verdict.result() if self._verdict.done() else None

    async def wait(self) -> Acked:
        # whoever stops waiting must not take the verdict from others
        verdict = await asyncio.shield(self._verdict)
        if isinstance(verdict, RehabError):
            raise verdict
        return verdict

    def __await__(self) -> Generator[None, None, Acked]:
        return self.wait().__await__()


class Signal:
    """Wakes everybody who waits, each time it is fired."""

    def __init__(self) -> None:
        self._event = asyncio.Event()

    def fire(self) -> None:
        self._event.set()
        self._event = asyncio.Event()

    async def wait(self) -> None:
        await self._event.wait()


class FeedbackFeed(AsyncIterator[LiveFeedback]):
    """Live coaching as it comes, until the stream ends. What is not read in time makes room for
    newer: an old cue helps nobody."""

    def __init__(self) -> None:
        self._waiting: deque[LiveFeedback] = deque(maxlen=FEEDBACK_KEPT)
        self._signal = Signal()
        self._ended = False

    def offer(self, feedback: LiveFeedback) -> None:
        self._waiting.append(feedback)
        self._signal.fire()

    def end(self) -> None:
        self._ended = True
        self._signal.fire()

    async def __anext__(self) -> LiveFeedback:
        while not self._waiting:
            if self._ended:
                raise StopAsyncIteration
            await self._signal.wait()
        return self._waiting.popleft()
