"""PostgreSQL that never hangs, and migrations that several replicas may run at once."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from rehab_runtime.embedded import Postgres, free_port
from rehab_runtime.errors import Unavailable
from rehab_runtime.postgres import Queries, connect, ensure_database, migrate
from rehab_runtime.startup import StartupError
from tests.support.ports import low_ports


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The migrations' folder of a package that a test may write."""
    folder = tmp_path / "sample_package" / "migrations"
    folder.mkdir(parents=True)
    (tmp_path / "sample_package" / "__init__.py").touch()
    monkeypatch.syspath_prepend(str(tmp_path))
    yield folder
    sys.modules.pop("sample_package", None)


async def test_migrations_run_in_order_and_once(database_dsn: str, package: Path) -> None:
    (package / "0002_post_drop.sql").write_text("ALTER TABLE one DROP COLUMN old")
    (package / "0001_pre_one.sql").write_text("CREATE TABLE one (old int, new int)")
    (package / "notes.txt").write_text("no migration")
    assert await migrate(database_dsn, "sample_package") == [
        *("0001_pre_one.sql", "0002_post_drop.sql"),
    ]
    assert await migrate(database_dsn, "sample_package") == []


async def test_replicas_that_start_together_migrate_once(database_dsn: str, package: Path) -> None:
    for number in range(1, 6):
        (package / f"000{number}_pre_step.sql").write_text(
            f"CREATE TABLE step_{number} (); SELECT pg_sleep(0.01)"
        )
    done = await asyncio.gather(*(migrate(database_dsn, "sample_package") for _ in range(4)))
    assert sorted(name for names in done for name in names) == [
        f"000{number}_pre_step.sql" for number in range(1, 6)
    ]


async def test_a_migration_that_was_changed_is_refused(database_dsn: str, package: Path) -> None:
    step = package / "0001_pre_one.sql"
    step.write_text("CREATE TABLE one ()")
    await migrate(database_dsn, "sample_package")
    step.write_text("CREATE TABLE two ()")
    with pytest.raises(StartupError, match=r"0001_pre_one\.sql was changed after it was applied"):
        await migrate(database_dsn, "sample_package")


async def test_a_migration_that_fails_leaves_nothing_of_itself(
    database_dsn: str, package: Path
) -> None:
    (package / "0001_pre_one.sql").write_text("CREATE TABLE one (); SELECT 1 / 0")
    with pytest.raises(asyncpg.DivisionByZeroError):
        await migrate(database_dsn, "sample_package")
    async with connect(database_dsn, name="test") as database:
        row = await database.fetchrow("SELECT to_regclass('one') AS there")
    assert row is not None
    assert row["there"] is None


async def test_a_database_is_made_once_by_however_many(postgres: Postgres) -> None:
    dsn = postgres.dsn("made_by_many")
    await asyncio.gather(*(ensure_database(dsn) for _ in range(5)))
    connection = await asyncpg.connect(dsn)
    await connection.close()


async def test_an_absent_server_is_told_with_its_place_and_without_its_password() -> None:
    dsn = f"postgresql://rehab:hunter2@127.0.0.1:{free_port()}/x"
    for asked in (ensure_database(dsn), migrate(dsn, "rehab_eventstore")):
        with pytest.raises(StartupError, match=r"PostgreSQL at 127\.0\.0\.1:") as refused:
            await asked
        assert "hunter2" not in str(refused.value)


async def test_a_wrong_password_is_told_as_one(postgres: Postgres) -> None:
    dsn = postgres.dsn().replace("rehab:", "rehab:wrong")
    with pytest.raises(StartupError, match="refuses the user or password"):
        async with connect(dsn, name="test"):
            pass


async def test_a_pool_that_is_used_up_is_unavailable_soon(database_dsn: str) -> None:
    async with connect(database_dsn, name="test", max_size=1, acquire_timeout_s=0.05) as database:
        async with database.acquire():
            with pytest.raises(Unavailable):
                await database.fetch("SELECT 1")
        assert await database.fetch("SELECT 1")


async def test_a_statement_that_takes_too_long_is_unavailable(database_dsn: str) -> None:
    async with connect(database_dsn, name="test", statement_timeout_ms=50) as database:
        with pytest.raises(Unavailable):
            await database.fetch("SELECT pg_sleep(5)")
        assert await database.fetch("SELECT 1")


async def test_a_caller_who_gives_up_does_not_wait_for_the_server(database_dsn: str) -> None:
    async with connect(database_dsn, name="test", max_size=1) as database:
        loop = asyncio.get_running_loop()
        began = loop.time()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await database.fetch("SELECT pg_sleep(4)")
        assert loop.time() - began < 3
        assert await database.fetch("SELECT 1")


async def test_what_was_done_stands_when_the_server_stalls_while_its_connection_is_given_back(
    database_dsn: str,
) -> None:
    async with connect(database_dsn, name="test", max_size=1, acquire_timeout_s=0.5) as database:
        stalled = 0
        try:
            async with database.transaction() as connection:
                await connection.execute("CREATE TABLE done ()")
                stalled = await connection.fetchval("SELECT pg_backend_pid()")
            async with database.acquire():
                os.kill(stalled, signal.SIGSTOP)
            # it was cut, and another one is made
            found = await database.fetchrow("SELECT to_regclass('done') AS there")
        finally:
            os.kill(stalled, signal.SIGCONT)
        assert found is not None
        assert found["there"] == "done"


@pytest.mark.timeout(180)
async def test_a_pool_works_again_when_its_server_does(tmp_path: Path) -> None:
    async with (
        Postgres(tmp_path / "pg", low_ports()) as server,
        connect(server.dsn(), name="test", acquire_timeout_s=1) as database,
    ):
        assert await database.fetch("SELECT 1")
        await server.kill()
        with pytest.raises(Unavailable):
            await database.fetch("SELECT 1")
        await server.start()
        assert await database.fetch("SELECT 1")


def test_queries_are_found_by_name() -> None:
    queries = Queries({"one": "SELECT 1"})
    assert dict(queries) == {"one": "SELECT 1"}
    loaded = Queries.load("rehab_eventstore", "queries.sql")
    assert "append" in loaded
    assert not any("-- name:" in text for text in loaded.values())
