"""Which replica leads a shard: it publishes the shard's events, and the others send it their
appends. Nothing is wrong with two leaders or none; it is only slower."""

from __future__ import annotations

import asyncio
import contextlib

from rehab_eventstore.storage.lease import Lease
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

RETRY_S = 0.2

log = get_logger("leadership")


class Leadership:
    """`address` is where the others reach this replica, once it can be; `published` how far the
    broker is, for whoever leads next."""

    def __init__(self, shard: int, lease: Lease, clock: Clock) -> None:
        self.address = ""
        self.published = 0
        self._shard = shard
        self._lease = lease
        self._clock = clock
        self._leads = asyncio.Event()
        self._ended = asyncio.Event()
        self._stop = asyncio.Event()
        self._news = asyncio.Event()
        self._leader = ""
        self._distrusted_until = 0.0

    @property
    def leads(self) -> bool:
        return self._leads.is_set()

    def is_leading(self) -> bool:
        return self.leads

    @property
    def leader(self) -> str:
        """Where another replica takes this one's appends; empty when it is to write itself."""
        if self.leads or self._clock.monotonic() < self._distrusted_until:
            return ""
        return "" if self._leader == self.address else self._leader

    def distrust(self) -> None:
        """The leader does not answer: write here until the lease has shown who leads."""
        self._distrusted_until = self._clock.monotonic() + self._lease.ttl_s

    def wake(self) -> None:
        """The lease was given up: look at once."""
        self._news.set()

    async def until_leading(self, timeout_s: float) -> bool:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(timeout_s):
                await self._leads.wait()
        return self.leads

    async def published_by_leader(self) -> int:
        return self.published if self.leads else await self._lease.published()

    async def run(self) -> None:
        """Lead whenever nobody else does, until `resign`. Trouble is tried again for ever."""
        try:
            while not self._stop.is_set():
                delay = self._lease.ttl_s / 3
                # before looking: what is told meanwhile is looked at again
                self._news.clear()
                try:
                    await self._look()
                except RehabError:
                    # whoever needs PostgreSQL tells that it is away
                    self._leads.clear()
                    delay = min(delay, RETRY_S)
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(delay):
                        await self._news.wait()
        finally:
            self._leads.clear()
            with contextlib.suppress(RehabError):
                await self._lease.give_up(self.published)
            self._ended.set()

    async def resign(self) -> None:
        """Let another replica lead at once."""
        self._stop.set()
        self._news.set()
        await self._ended.wait()

    async def _look(self) -> None:
        if self.leads and await self._lease.keep(self.published, self.address):
            return
        led = self.leads
        if await self._lease.take(self.address):
            self._leads.set()
            self._leader = ""
            return
        self._leads.clear()
        self._leader = await self._lease.leader()
        if led:
            log.info("another replica leads the shard now", shard=self._shard)
