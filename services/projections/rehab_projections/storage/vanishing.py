"""What may vanish: values in Valkey."""

from __future__ import annotations

from typing import cast

from redis.asyncio import Redis

from rehab_runtime.valkey import Valkey


class Vanishing:
    """Fields of hashes that end together, `ttl_s` after the last one was put. All raise Away."""

    def __init__(self, valkey: Valkey, *, ttl_s: int) -> None:
        self._valkey = valkey
        self._ttl_s = ttl_s

    async def get(self, name: str, field: str) -> bytes | None:
        async def ask(client: Redis) -> bytes | None:
            return cast("bytes | None", await client.hget(name, field))

        return await self._valkey.ask(ask)

    async def put(self, name: str, field: str, value: bytes) -> None:
        async def ask(client: Redis) -> None:
            both = client.pipeline(transaction=False)
            both.hset(name, field, value)  # type: ignore[arg-type] # bytes are values, too
            both.expire(name, self._ttl_s)
            await both.execute()

        await self._valkey.ask(ask)

    async def drop(self, name: str) -> None:
        async def ask(client: Redis) -> None:
            await client.unlink(name)

        await self._valkey.ask(ask)
