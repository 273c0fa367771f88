"""Hears what PostgreSQL's NOTIFY tells. What is told while nobody listens is lost: whoever hears
must look for itself when listening begins, and now and then."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

import asyncpg

from rehab_runtime.logging import get_logger

RELISTEN_S = 1.0
CONNECT_TIMEOUT_S = 5.0

Heard = Callable[[int, str], None]
"""Told of a notification: the process of PostgreSQL that sent it, and its payload."""

log = get_logger("listener")


class Listener:
    """Listens to channels over one connection of its own, and makes that again when it is lost.

    `begun` is called whenever listening begins: what was told before, nobody heard.
    """

    def __init__(
        self, dsn: str, name: str, heard: Mapping[str, Heard], begun: Callable[[], None]
    ) -> None:
        self._dsn = dsn
        self._name = name
        self._heard = heard
        self._begun = begun

    async def run(self) -> None:
        """Listen for ever."""
        while True:
            try:
                await self._listen_once()
            except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
                log.warning(
                    "not listening for what other replicas tell: polling until it works",
                    error_type=type(error).__name__,
                )
            await asyncio.sleep(RELISTEN_S)

    async def _listen_once(self) -> None:
        gone = asyncio.Event()
        connection = await asyncpg.connect(
            self._dsn,
            timeout=CONNECT_TIMEOUT_S,
            server_settings={"application_name": self._name},
        )
        try:
            connection.add_termination_listener(lambda _: gone.set())
            for channel in self._heard:
                await connection.add_listener(channel, self._notified)
            self._begun()
            await gone.wait()
        finally:
            connection.terminate()
        raise ConnectionResetError("the listener's connection was closed")

    def _notified(self, _connection: object, pid: int, channel: str, payload: object) -> None:
        self._heard[channel](pid, str(payload))
