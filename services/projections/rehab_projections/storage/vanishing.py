"""What may vanish: values in Valkey. When it is away nobody waits for it more than once."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import RedisError

from rehab_runtime.logging import get_logger

TIMEOUT_S = 0.1
"""Of connecting, of an answer, of a free connection."""
AWAY_S = 5.0
"""After a failure nobody asks for so long; then one does, and the others wait for that."""
CONNECTIONS = 16

log = get_logger("valkey")


class AwayError(Exception):
    """Valkey does not answer, or did not a moment ago. `asked` says that this call has waited."""

    def __init__(self, *, asked: bool) -> None:
        super().__init__("Valkey does not answer")
        self.asked = asked


class Vanishing:
    """Fields of hashes that end together, `ttl_s` after the last one was put."""

    def __init__(self, url: str, *, ttl_s: int, away_s: float = AWAY_S) -> None:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=CONNECTIONS,
            timeout=TIMEOUT_S,
            socket_timeout=TIMEOUT_S,
            socket_connect_timeout=TIMEOUT_S,
            retry=Retry(NoBackoff(), 0),
        )
        self._client: Redis = Redis(connection_pool=pool)
        self._pool = pool
        self._ttl_s = ttl_s
        self._away_s = away_s
        self._away_until = 0.0

    async def get(self, name: str, field: str) -> bytes | None:
        """Raises AwayError."""
        value: bytes | None = await self._ask(lambda: self._client.hget(name, field))
        return value

    async def put(self, name: str, field: str, value: bytes) -> None:
        """Raises AwayError."""
        both = self._client.pipeline(transaction=False)
        both.hset(name, field, value)  # type: ignore[arg-type] # bytes are values, too
        both.expire(name, self._ttl_s)
        await self._ask(both.execute)

    async def drop(self, name: str) -> None:
        """Raises AwayError."""
        await self._ask(lambda: self._client.unlink(name))

    async def close(self) -> None:
        await self._client.aclose()
        await self._pool.disconnect()

    async def _ask(self, ask: Callable[[], Any]) -> Any:
        now = asyncio.get_running_loop().time()
        if now < self._away_until:
            raise AwayError(asked=False)
        was_away = self._away_until > 0
        if was_away:
            self._away_until = now + self._away_s  # the others go on without, until this one knows
        try:
            # a connection that is being made has a timeout of its own, then the answer
            async with asyncio.timeout(2 * TIMEOUT_S):
                answer = await ask()
        except (RedisError, OSError, TimeoutError) as error:
            if not was_away:
                log.warning("Valkey is away: reads go on without it", error=type(error).__name__)
            self._away_until = asyncio.get_running_loop().time() + self._away_s
            raise AwayError(asked=True) from None
        if was_away:
            log.info("Valkey answers again")
        self._away_until = 0.0
        return answer
