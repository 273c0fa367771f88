"""Valkey holds only what may vanish. When it is slow or gone, a call to it costs a quarter of a
second, and those that follow nothing, until it answers again."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import TypeVar

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rehab_runtime.clock import Clock
from rehab_runtime.logging import get_logger
from rehab_runtime.metrics import declare_gauge

TIMEOUT_S = 0.25
PAUSE_S = 1.0
"""For so long nobody asks again after it did not answer; then one does."""
CONNECTIONS = 64

T = TypeVar("T")
log = get_logger("valkey")

away = declare_gauge(
    "valkey_away",
    "1 while Valkey does not answer.",
    "see whether Valkey runs and can be reached; until then limits hold for each process alone",
)


class Away(Exception):
    """Valkey does not answer: do without it."""


class Valkey:
    def __init__(self, client: Redis, clock: Clock) -> None:
        self._client = client
        self._clock = clock
        self._closed_until = 0.0
        self._away = False

    async def ask(self, question: Callable[[Redis], Awaitable[T]]) -> T:
        """What it answers. Raises Away, at once while it is known to be."""
        now = self._clock.monotonic()
        if now < self._closed_until:
            raise Away
        if self._away:
            # one asks whether it is back, the others need not wait for that
            self._closed_until = now + PAUSE_S
        try:
            answer = await question(self._client)
        except (RedisError, OSError) as error:
            self._closed_until = self._clock.monotonic() + PAUSE_S
            if not self._away:
                log.warning("Valkey does not answer", error_type=type(error).__name__)
            self._away = True
            away.set(1)
            raise Away from None
        if self._away:
            log.info("Valkey answers again")
        self._away, self._closed_until = False, 0.0
        away.set(0)
        return answer


@asynccontextmanager
async def connect(url: str, clock: Clock) -> AsyncIterator[Valkey]:
    """It need not run. The library's own defaults would wait a minute in a black hole."""
    pool = BlockingConnectionPool.from_url(
        url,
        max_connections=CONNECTIONS,
        timeout=TIMEOUT_S,
        socket_timeout=TIMEOUT_S,
        socket_connect_timeout=TIMEOUT_S,
        retry=Retry(NoBackoff(), 0),
    )
    client = Redis(connection_pool=pool)
    try:
        yield Valkey(client, clock)
    finally:
        await client.aclose()
        await pool.disconnect()
