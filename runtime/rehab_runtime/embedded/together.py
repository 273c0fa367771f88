"""All that a suite stands on."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rehab_runtime.embedded.nats import Nats
from rehab_runtime.embedded.postgres import Postgres
from rehab_runtime.embedded.server import Server
from rehab_runtime.embedded.valkey import Valkey


class Embedded:
    """All three, started in parallel."""

    def __init__(
        self, data_dir: Path, *, postgres_port: int = 0, nats_port: int = 0, valkey_port: int = 0
    ) -> None:
        self.postgres = Postgres(data_dir / "postgres", postgres_port)
        self.nats = Nats(data_dir / "nats", nats_port)
        self.valkey = Valkey(data_dir / "valkey", valkey_port)
        self._stack = AsyncExitStack()

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.postgres, self.nats, self.valkey

    async def __aenter__(self) -> Self:
        for server in self.servers:
            self._stack.push_async_callback(server.stop)
        results = await asyncio.gather(
            *(server.start() for server in self.servers), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self._stack.aclose()
            raise failures[0]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
