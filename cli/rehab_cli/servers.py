"""The servers under a suite: our own ones, kept running, or those that somebody else runs."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from rehab_cli.errors import SuiteError
from rehab_cli.supervisor import FIRST_PAUSE_S, LONGEST_PAUSE_S, Say
from rehab_runtime.embedded import Embedded, EmbeddedError, Server

TIMEOUT_S = 5.0
LOOK_S = 0.25


@dataclass(frozen=True)
class Servers:
    """Where they answer. Each service gets a database of its own on the PostgreSQL."""

    postgres_dsn: str
    nats_url: str
    valkey_url: str = ""

    def dsn(self, database: str) -> str:
        return urlunsplit(urlsplit(self.postgres_dsn)._replace(path=f"/{database}"))


def external(postgres_dsn: str, nats_url: str, valkey_url: str) -> Servers:
    """Servers that somebody else runs. Raises SuiteError that names everything missing."""
    told = {"REHAB_POSTGRES_DSN (--postgres)": postgres_dsn, "REHAB_NATS_URL (--nats)": nats_url}
    missing = [name for name, value in told.items() if not value]
    if missing:
        raise SuiteError(f"--external needs {' and '.join(missing)}; set what is missing")
    return Servers(postgres_dsn, nats_url, valkey_url)


@asynccontextmanager
async def embedded(folder: Path, say: Say) -> AsyncIterator[Embedded]:
    """Our own servers; one that falls is started again. Raises SuiteError."""
    try:
        servers = await Embedded(folder).__aenter__()
    except EmbeddedError as error:
        raise SuiteError(str(error)) from None
    keepers = [
        asyncio.create_task(_keep(server, say), name=f"keep-{server.name}")
        for server in servers.servers
    ]
    try:
        yield servers
    finally:
        for keeper in keepers:
            keeper.cancel()
        await asyncio.gather(*keepers, return_exceptions=True)
        await servers.__aexit__(None, None, None)


async def _keep(server: Server, say: Say) -> None:
    while True:
        await asyncio.sleep(LOOK_S)
        if server.fell:
            await _bring_back(server, say)


async def _bring_back(server: Server, say: Say) -> None:
    pause_s = FIRST_PAUSE_S
    say(server.name, f"fell; starting it again in {pause_s:g} s")
    while True:
        await asyncio.sleep(pause_s)
        try:
            await server.start()
        except EmbeddedError as error:
            pause_s = min(LONGEST_PAUSE_S, pause_s * 2)
            say(server.name, f"{error}; trying again in {pause_s:g} s")
        else:
            say(server.name, "is back")
            return


async def postgres_trouble(dsn: str) -> str:
    """What keeps PostgreSQL from being used, with what to do; empty when nothing does."""
    where = f"PostgreSQL at {place_of(dsn, 5432)}"
    try:
        connection = await asyncpg.connect(dsn, timeout=TIMEOUT_S)
    except asyncpg.InvalidAuthorizationSpecificationError:
        return f"{where} refuses the user or password; correct its DSN"
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        why = type(error).__name__
        return f"{where} does not answer ({why}); start it or correct its DSN"
    await connection.close()
    return ""


async def nats_trouble(url: str) -> str:
    """As `postgres_trouble`; the server must have JetStream on."""
    where = f"NATS at {place_of(url, 4222)}"
    greeting = await _greeting(url, 4222, b"")
    if not greeting.startswith(b"INFO"):
        return f"{where} does not answer; start it with JetStream on or correct its URL"
    if b'"jetstream":true' not in greeting:
        return f"{where} has JetStream off; start it with the option --jetstream"
    return ""


async def valkey_trouble(url: str) -> str:
    """As `postgres_trouble`. A server that wants a password answers, too."""
    if await _greeting(url, 6379, b"PING\r\n"):
        return ""
    return f"Valkey at {place_of(url, 6379)} does not answer; start it or correct its URL"


def place_of(url: str, default_port: int) -> str:
    place = urlsplit(url)
    return f"{place.hostname or 'localhost'}:{place.port or default_port}"


async def _greeting(url: str, default_port: int, said: bytes) -> bytes:
    """The first line a server answers; empty when it does not answer in time."""
    host, port = place_of(url, default_port).rsplit(":", 1)
    try:
        async with asyncio.timeout(TIMEOUT_S):
            reader, writer = await asyncio.open_connection(host, int(port))
            try:
                writer.write(said)
                return await reader.readline()
            finally:
                writer.close()
    except (OSError, TimeoutError):
        return b""


async def require(servers: Servers) -> None:
    """Raises SuiteError for the first server that does not answer."""
    asked = [postgres_trouble(servers.dsn("postgres")), nats_trouble(servers.nats_url)]
    if servers.valkey_url:
        asked.append(valkey_trouble(servers.valkey_url))
    for trouble in await asyncio.gather(*asked):
        if trouble:
            raise SuiteError(trouble)
