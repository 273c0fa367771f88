"""Knows when the log has grown: told by this replica's writer at once, by PostgreSQL's NOTIFY for
the other replicas, and by a look at the head now and then in case nobody told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

import asyncpg

from rehab_eventstore.domain.head import Head
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

CHANNEL = "rehab_log"
ERASURES = "rehab_erasure"
LEASES = "rehab_lease"
RELISTEN_S = 1.0

log = get_logger("watch")


class HeadWatch:
    """The newest position known of a shard's end, and the log's incarnation once it is known.

    Waiting is for a position, not for a signal: what grew before the wait began is seen at once, so
    no wake-up can be missed.
    """

    def __init__(self, shard: int, look: Callable[[], Awaitable[Head]], poll_s: float) -> None:
        self.shard = shard
        self._look = look
        self._poll_s = poll_s
        self._position = 0
        self.incarnation = ""
        self._grown = asyncio.Event()

    @property
    def position(self) -> int:
        return self._position

    def tell(self, position: int) -> None:
        """The log reaches to there; it never shrinks within an incarnation."""
        if position > self._position:
            self._position = position
            self.wake()

    def see(self, head: Head) -> None:
        """Where the log ends, and which log it is."""
        if head.incarnation != self.incarnation:
            self.incarnation, self._position = head.incarnation, 0
            self.wake()
        self.tell(head.position)

    def wake(self) -> None:
        """End every wait now."""
        self._grown.set()
        self._grown = asyncio.Event()

    async def beyond(self, position: int, timeout_s: float) -> None:
        """Wait until the log goes on after a position, at most that long, or until `wake`."""
        if self._position <= position:
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(timeout_s):
                    await self._grown.wait()

    async def poll(self) -> None:
        """Look at the head every `poll_s`, for ever."""
        while True:
            # whoever needs the log tells that it is away
            with contextlib.suppress(RehabError):
                self.see(await self._look())
            await asyncio.sleep(self._poll_s)


class Listener:
    """Told by PostgreSQL, over one connection, which shards others have written, whose erasure has
    begun, and which shard has lost its leader."""

    def __init__(
        self,
        dsn: str,
        watches: Sequence[HeadWatch],
        erased: Callable[[str], None],
        leaderless: Callable[[int], None],
        is_own: Callable[[int], bool],
    ) -> None:
        self._dsn = dsn
        self._erased = erased
        self._leaderless = leaderless
        self._is_own = is_own
        self._watches = {str(watch.shard): watch for watch in watches}

    async def run(self) -> None:
        """Listen for NOTIFY, for ever. A lost connection is made again, and polling goes on."""
        while True:
            try:
                await self._listen_once()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning(
                    "not listening for appends of other replicas: polling until it works",
                    error_type=type(error).__name__,
                )
            await asyncio.sleep(RELISTEN_S)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        connection = await asyncpg.connect(
            self._dsn, timeout=5, server_settings={"application_name": "eventstore-listener"}
        )
        try:
            connection.add_termination_listener(lambda _: gone.set())
            await connection.add_listener(CHANNEL, self._notified)
            await connection.add_listener(ERASURES, self._erasing)
            await connection.add_listener(LEASES, self._given_up)
            # what was told before nobody heard
            for shard in self._watches:
                self._leaderless(int(shard))
            await gone.wait()
        finally:
            connection.terminate()
        raise ConnectionResetError("the listener's connection was closed")

    def _notified(self, _connection: object, pid: int, _channel: str, payload: object) -> None:
        if self._is_own(pid):
            return  # our writer tells it with the events themselves, which then need not be read
        shard, _, position = str(payload).partition(":")
        if shard in self._watches and position.isdecimal():
            self._watches[shard].tell(int(position))

    def _erasing(self, _connection: object, _pid: int, _channel: str, stream: object) -> None:
        self._erased(str(stream))

    def _given_up(self, _connection: object, _pid: int, _channel: str, shard: object) -> None:
        if str(shard).isdecimal():
            self._leaderless(int(str(shard)))
