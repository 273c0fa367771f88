"""Knows when the log has grown: told by this replica's writer at once, by PostgreSQL's NOTIFY for
the other replicas, and by a look at the head now and then in case nobody told."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence

from rehab_eventstore.domain.head import Head
from rehab_runtime import listener
from rehab_runtime.errors import RehabError

CHANNEL = "rehab_log"
ERASURES = "rehab_erasure"
LEASES = "rehab_lease"


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
    """Told by PostgreSQL which shards others have written, whose erasure has begun, and which shard
    has lost its leader."""

    def __init__(
        self,
        dsn: str,
        watches: Sequence[HeadWatch],
        erased: Callable[[str], None],
        leaderless: Callable[[int], None],
        is_own: Callable[[int], bool],
    ) -> None:
        self._erased = erased
        self._leaderless = leaderless
        self._is_own = is_own
        self._watches = {str(watch.shard): watch for watch in watches}
        heard = {CHANNEL: self._notified, ERASURES: self._erasing, LEASES: self._given_up}
        self._ear = listener.Listener(dsn, "eventstore-listener", heard, self._begun)

    async def run(self) -> None:
        """Listen for NOTIFY, for ever. While the connection is lost, polling goes on."""
        await self._ear.run()

    def _begun(self) -> None:
        for shard in self._watches:
            self._leaderless(int(shard))

    def _notified(self, pid: int, payload: str) -> None:
        if self._is_own(pid):
            return  # our writer tells it with the events themselves, which then need not be read
        shard, _, position = payload.partition(":")
        if shard in self._watches and position.isdecimal():
            self._watches[shard].tell(int(position))

    def _erasing(self, _pid: int, stream: str) -> None:
        self._erased(stream)

    def _given_up(self, _pid: int, shard: str) -> None:
        if shard.isdecimal():
            self._leaderless(int(shard))
