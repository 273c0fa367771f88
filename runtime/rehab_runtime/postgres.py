"""PostgreSQL: a pool that never hangs, named queries, and migrations."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import re
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from importlib import resources
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg

from rehab_runtime.errors import Overloaded, Unavailable
from rehab_runtime.logging import get_logger
from rehab_runtime.startup import StartupError

log = get_logger("postgres")

CONNECT_TIMEOUT_S = 5.0
MIGRATION_LOCK = 7_241_001
_MIGRATION = re.compile(r"(\d{4})_(pre|post)_[a-z0-9_]+\.sql")
_QUERY = re.compile(r"^-- name: (\w+)(?::.*)?$", re.MULTILINE)

AWAY = (
    OSError,
    asyncpg.PostgresConnectionError,
    asyncpg.InterfaceError,
    # a connection that was lost in the middle of an answer may not know what to do next
    asyncpg.InternalClientError,
    asyncpg.CannotConnectNowError,
    asyncpg.AdminShutdownError,
    asyncpg.CrashShutdownError,
    TimeoutError,
)


class Queries(Mapping[str, str]):
    """The named queries of a package's .sql file: `-- name: why`, then the statement."""

    def __init__(self, queries: Mapping[str, str]) -> None:
        self._queries = dict(queries)

    @classmethod
    def load(cls, package: str, file: str) -> Queries:
        parts = _QUERY.split(resources.files(package).joinpath(file).read_text())
        return cls(
            {name: text.strip() for name, text in zip(parts[1::2], parts[2::2], strict=True)}
        )

    def __getitem__(self, name: str) -> str:
        return self._queries[name]

    def __iter__(self) -> Any:
        return iter(self._queries)

    def __len__(self) -> int:
        return len(self._queries)


class Database:
    """A pool of connections. Every wait is bounded; a broken server is Unavailable, a full disk
    Overloaded."""

    def __init__(
        self, pool: asyncpg.Pool, acquire_timeout_s: float, told: Mapping[str, Any]
    ) -> None:
        self._pool = pool
        self._acquire_timeout_s = acquire_timeout_s
        self._told = told

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        """A connection of one's own. When the work on it is cancelled or its time is up, the
        connection is cut: to give it back gently would wait for a server that does not answer."""
        try:
            connection = await self._pool.acquire(timeout=self._acquire_timeout_s)
        except AWAY as error:
            raise Unavailable(f"PostgreSQL: {type(error).__name__}") from None
        try:
            yield connection
        except (asyncio.CancelledError, TimeoutError):
            _cut(connection)
            raise
        except asyncpg.DiskFullError:
            raise Overloaded("PostgreSQL: the disk is full", retry_after_s=5) from None
        except AWAY as error:
            _cut(connection)
            raise Unavailable(f"PostgreSQL: {type(error).__name__}") from None
        except asyncpg.QueryCanceledError:
            raise Unavailable("PostgreSQL: the statement took too long") from None
        finally:
            # one that the server does not reset in time is cut; what was done on it stands
            with contextlib.suppress(*AWAY):
                await self._pool.release(connection)

    async def move(self, schema: str) -> None:
        """Work in another schema from now on. What is under way ends in the one before."""
        settings = {**self._told["server_settings"], "search_path": schema}
        self._pool.set_connect_args(**{**self._told, "server_settings": settings})
        await self._pool.expire_connections()

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[asyncpg.Connection]:
        async with self.acquire() as connection, connection.transaction():
            yield connection

    async def fetch(self, query: str, *arguments: object) -> list[asyncpg.Record]:
        async with self.acquire() as connection:
            return list(await connection.fetch(query, *arguments))

    async def fetchrow(self, query: str, *arguments: object) -> asyncpg.Record | None:
        async with self.acquire() as connection:
            return await connection.fetchrow(query, *arguments)

    async def execute(self, query: str, *arguments: object) -> str:
        async with self.acquire() as connection:
            return str(await connection.execute(query, *arguments))


def _cut(connection: asyncpg.Connection) -> None:
    # the pool takes a connection back by itself when the server closes it
    with contextlib.suppress(asyncpg.InterfaceError):
        connection.terminate()


@asynccontextmanager
async def connect(
    dsn: str,
    *,
    name: str,
    min_size: int = 1,
    max_size: int = 8,
    acquire_timeout_s: float = 2,
    statement_timeout_ms: int = 5000,
    schema: str = "public",
    durable: bool = True,
) -> AsyncIterator[Database]:
    """A pool while the context is open. `name` is what PostgreSQL shows of it; names of tables mean
    those of the `schema`. What is not `durable` may be lost when PostgreSQL crashes, the newest
    first, and does not wait for the disk."""
    server_settings = {
        "application_name": name,
        "statement_timeout": str(statement_timeout_ms),
        "lock_timeout": str(statement_timeout_ms),
        "idle_in_transaction_session_timeout": "10000",
        "search_path": schema,
        **({} if durable else {"synchronous_commit": "off"}),
    }
    told = {"dsn": dsn, "timeout": CONNECT_TIMEOUT_S, "server_settings": server_settings}
    try:
        pool = await asyncpg.create_pool(min_size=min_size, max_size=max_size, **told)
    except (*AWAY, asyncpg.PostgresError) as error:
        raise _not_there(dsn, error) from None
    try:
        yield Database(pool, acquire_timeout_s, told)
    finally:
        try:
            async with asyncio.timeout(2):
                await pool.close()
        except (TimeoutError, *AWAY):
            pool.terminate()


def _not_there(dsn: str, error: Exception) -> StartupError:
    hosts = urlsplit(dsn).netloc.rpartition("@")[2]
    where = f"PostgreSQL at {hosts}" + ("" if ":" in hosts else ":5432")
    if isinstance(error, asyncpg.DiskFullError):
        return StartupError(f"{where}: the disk is full", "free some space")
    if isinstance(error, asyncpg.InvalidAuthorizationSpecificationError):
        return StartupError(f"{where} refuses the user or password", "correct POSTGRES_DSN")
    return StartupError(
        f"{where} does not answer ({type(error).__name__})", "start it or correct POSTGRES_DSN"
    )


async def ensure_database(dsn: str) -> None:
    """Make the database of the DSN unless it is there."""
    place = urlsplit(dsn)
    name = place.path.lstrip("/")
    try:
        connection = await asyncpg.connect(
            urlunsplit(place._replace(path="/postgres")), timeout=CONNECT_TIMEOUT_S
        )
    except (*AWAY, asyncpg.PostgresError) as error:
        raise _not_there(dsn, error) from None
    try:
        if not await connection.fetchval("SELECT 1 FROM pg_database WHERE datname = $1", name):
            quoted = name.replace('"', '""')
            await connection.execute(f'CREATE DATABASE "{quoted}"')
    except (asyncpg.DuplicateDatabaseError, asyncpg.UniqueViolationError):
        pass  # another replica made it
    except asyncpg.DiskFullError as error:
        raise _not_there(dsn, error) from None
    finally:
        await connection.close()


@dataclass(frozen=True)
class Migration:
    """One step of a schema. `pre` runs before the code that needs it, `post` after the code that
    does not need the old form any more."""

    name: str
    phase: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations(package: str) -> Sequence[Migration]:
    folder = resources.files(package).joinpath("migrations")
    found = []
    for file in sorted(folder.iterdir(), key=lambda file: file.name):
        matched = _MIGRATION.fullmatch(file.name)
        if matched is not None:
            found.append(Migration(file.name, matched[2], file.read_text()))
    return found


async def migrate(dsn: str, package: str, schema: str = "public") -> list[str]:
    """Apply what is missing in a schema, which is made if need be, each in a transaction of its
    own; the names applied are returned. Replicas that start together wait for each other."""
    try:
        connection = await asyncpg.connect(dsn, timeout=CONNECT_TIMEOUT_S)
    except (*AWAY, asyncpg.PostgresError) as error:
        raise _not_there(dsn, error) from None
    applied = []
    try:
        async with connection.transaction():
            await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
            await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{schema}"')
            await connection.execute(f'SET search_path TO "{schema}"')
            await connection.execute(
                "CREATE TABLE IF NOT EXISTS schema_migrations ("
                "name text PRIMARY KEY, checksum text NOT NULL, "
                "applied_at timestamptz NOT NULL DEFAULT now())"
            )
        for migration in migrations(package):
            async with connection.transaction():
                await connection.execute("SELECT pg_advisory_xact_lock($1)", MIGRATION_LOCK)
                if await _missing(connection, migration):
                    await connection.execute(migration.sql)
                    await connection.execute(
                        "INSERT INTO schema_migrations (name, checksum) VALUES ($1, $2)",
                        migration.name,
                        migration.checksum,
                    )
                    applied.append(migration.name)
    except asyncpg.DiskFullError as error:
        raise _not_there(dsn, error) from None
    finally:
        await connection.close()
    return applied


async def _missing(connection: asyncpg.Connection, migration: Migration) -> bool:
    checksum = await connection.fetchval(
        "SELECT checksum FROM schema_migrations WHERE name = $1", migration.name
    )
    if checksum is not None and checksum != migration.checksum:
        raise StartupError(
            f"migration {migration.name} was changed after it was applied",
            "restore its text and write a new migration instead",
        )
    return checksum is None
