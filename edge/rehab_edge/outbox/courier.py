"""Keeps events in the spool, and a link to the clinic as long as conditions allow one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from typing import Protocol

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1.ingest_service_pb2 import LiveFeedback
from rehab_edge.outbox.conditions import ALWAYS, Conditions, Network, Sending, Waiting, sending
from rehab_sdk import AsyncRehab, Backoff, RehabError
from rehab_sdk.errors import Internal, TimedOut, Unavailable
from rehab_sdk.outbox import Outbox as SdkOutbox
from rehab_sdk.spool import Rank, Spool, SpoolError, rank_of
from rehab_sdk.stream import Stream

log = logging.getLogger("rehab_edge")
AHEAD = 64
"""Events in front of one that concerns safety, from which on it does not wait its turn."""
TICK_S = 60.0
"""Between looks at how long the oldest has waited, when nothing happens."""
LINGER_S = 0.5
"""Between looks whether all is sent where a link that stands costs money."""
RETRY = Backoff(first_s=1.0, longest_s=300.0)
"""After the clinic refused the device, or an urgent call failed. A link that is merely lost is the
SDK's own to bring back."""
STREAMING_S = 5.0
"""For a stream to take the backlog over on leaving."""


class Connect(Protocol):
    """AsyncRehab.connect with everything told but where events wait."""

    def __call__(
        self, *, outbox: SdkOutbox | None = None
    ) -> AbstractAsyncContextManager[AsyncRehab]: ...


class Courier:
    """Use it in one event loop. `heard` is told of live coaching as it comes."""

    def __init__(
        self,
        spool: Spool,
        connect: Connect,
        *,
        conditions: Conditions = ALWAYS,
        heard: Callable[[LiveFeedback], None] = lambda _: None,
        retry: Backoff = RETRY,
    ) -> None:
        self._spool = spool
        self._connect = connect
        self._conditions = conditions
        self._heard = heard
        self._retry = retry
        self._in_session = False
        self._told: set[str] = set()  # event ids of safety events that the clinic has already
        self._urgent = self._urgent_events()
        self._client: AsyncRehab | None = None
        self._stream: Stream | None = None
        self._turn = asyncio.Lock()  # the spool is the stream's while there is one
        self._changed = asyncio.Event()
        self._attempt = 0
        self._wait_until = 0.0
        self._trouble: RehabError | None = None
        self._trouble_at = 0, 0

    @property
    def trouble(self) -> RehabError | None:
        """Why nothing is sent although it might be; None while all is well."""
        moved = (self._spool.epoch, self._spool.settled_seq) > self._trouble_at
        return None if moved or not self.waiting.events else self._trouble

    async def keep(self, event: Event) -> None:
        """On the disk when this returns. Raises SpoolError."""
        async with self._turn:
            if self._stream is None or not await self._streamed(self._stream, event):
                self._spool.append(event.SerializeToString())
            if rank_of(event) is Rank.SAFETY:
                self._urgent.append(event)
        self._changed.set()

    async def _streamed(self, stream: Stream, event: Event) -> bool:
        """Whether the stream took it; it ends with a stream that cannot."""
        try:
            await stream.send(event)
        except SpoolError:
            raise
        except RehabError as error:
            self._failed(error)
            await stream.close()
            self._stream = None
            return False
        return True

    def told(self, *, conditions: Conditions | None = None, in_session: bool | None = None) -> None:
        """What is new on the device. A network that came back is tried at once."""
        if conditions is not None and conditions != self._conditions:
            self._conditions, self._attempt, self._wait_until = conditions, 0, 0.0
        if in_session is not None:
            self._in_session = in_session
        self._changed.set()

    @property
    def waiting(self) -> Waiting:
        return Waiting(
            events=self._spool.last_seq - self._spool.settled_seq,
            oldest_s=self._spool.oldest_s,
            urgent=bool(self._urgent),
            in_session=self._in_session,
        )

    async def run(self) -> None:
        """Until it is cancelled. What waits then waits for the next run."""
        while True:
            self._changed.clear()
            try:
                await self._turn_to()
            except RehabError as error:
                self._failed(error)
            except Exception as error:  # whatever it is, events are kept and tried again
                log.exception("sending failed by a fault of its own")
                self._failed(Internal(f"a fault of the device: {type(error).__name__}"))

    async def _turn_to(self) -> None:
        """What conditions ask for, until they change."""
        if self._urgent:  # some may have been settled in their turn meanwhile
            self._urgent = self._urgent_events()
        want = sending(self._conditions, self.waiting)
        paused_s = self._wait_until - _now()
        if paused_s > 0 or want is Sending.NOTHING:
            await self._wait(min(TICK_S, paused_s) if paused_s > 0 else TICK_S)
        elif want is Sending.URGENT:
            await self._tell_urgent()
        else:
            await self._stream_while_allowed()

    async def drained(self, timeout_s: float) -> None:
        """Wait until nothing waits any more, as long as it may be sent. Raises TimedOut."""
        try:
            async with asyncio.timeout(timeout_s):
                while (waiting := self.waiting).events:
                    if sending(self._conditions, waiting) is not Sending.EVERYTHING:
                        raise TimedOut(f"{waiting.events} events wait for better conditions")
                    await self._settled_some()
        except TimeoutError:
            raise TimedOut(f"{self.waiting.events} events wait after {timeout_s:g} s") from None

    async def _settled_some(self) -> None:
        """Until the stream has had a chance; a link's own changes are not ours to await."""
        if self._client is not None:
            with suppress(TimedOut, Unavailable):
                await self._client.drained(1.0)
        await asyncio.sleep(0.01)

    # the link

    async def _stream_while_allowed(self) -> None:
        costly = self._conditions.network is Network.METERED
        async with self._linked() as client:
            while sending(self._conditions, self.waiting) is Sending.EVERYTHING:
                self._changed.clear()
                if self._stream is None or self._listening.done():
                    await self._find_out(client)
                    return
                await self._tell_ahead(client)
                await self._wait(LINGER_S if costly else TICK_S)

    @asynccontextmanager
    async def _linked(self) -> AsyncIterator[AsyncRehab]:
        async with self._connect(outbox=self._spool) as client:
            stream = client.stream()
            async with self._turn:
                await stream.__aenter__()
                self._client, self._stream = client, stream
            self._listening = asyncio.create_task(self._listen(stream))
            try:
                yield client
            finally:
                async with self._turn:
                    self._client = self._stream = None
                    await stream.close()
                    await self._listening

    async def _listen(self, stream: Stream) -> None:
        """It ends when the stream does."""
        async for coaching in stream.feedback:
            self._heard(coaching)
        self._changed.set()

    async def _find_out(self, client: AsyncRehab) -> None:
        """Why the stream ended."""
        if self._wait_until > _now():
            return  # who sent last was told
        try:
            await client.drained(STREAMING_S)
        except RehabError as error:
            self._failed(error)
        else:
            self._failed(Unavailable("the stream ended"))

    def _failed(self, error: RehabError) -> None:
        self._attempt = 1 if self.trouble is None else self._attempt + 1
        self._wait_until = _now() + self._retry.delay_s(self._attempt)
        self._trouble = error
        self._trouble_at = self._spool.epoch, self._spool.settled_seq
        log.warning("nothing is sent for a while: %s", error)

    # what does not wait its turn

    def _urgent_events(self) -> list[Event]:
        held = [Event.FromString(one) for one in self._spool.of_rank(Rank.SAFETY)]
        self._told &= {one.envelope.event_id for one in held}
        return [one for one in held if one.envelope.event_id not in self._told]

    async def _tell_ahead(self, client: AsyncRehab) -> None:
        if self._urgent and self.waiting.events > AHEAD:
            await self._tell(client)

    async def _tell_urgent(self) -> None:
        async with self._connect() as client:
            await self._tell(client)
        self._attempt, self._trouble = 0, None

    async def _tell(self, client: AsyncRehab) -> None:
        """In a call of its own. It stays in the spool: when its turn comes, the log knows it by its
        id. A refusal is no reason to tell it again either; the stream will hear it once more."""
        telling = list(self._urgent)
        await client.log_many(telling)
        self._told |= {one.envelope.event_id for one in telling}
        async with self._turn:
            self._urgent = self._urgent_events()

    async def _wait(self, longest_s: float) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(longest_s):
                await self._changed.wait()


def _now() -> float:
    return asyncio.get_running_loop().time()
