"""What PostgreSQL must promise before the log does, and how schemas change under it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from rehab.eventstore.v1 import proof_service_pb2 as pb
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_eventstore.main import running
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.postgres import migrations
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, event, ids, positions, some_stream
from tests.eventstore.store import Store, settings_for, store

pytestmark = pytest.mark.timeout(180)


async def test_a_log_that_would_not_survive_a_crash_is_refused(tmp_path: Path, nats: Nats) -> None:
    async with Postgres(tmp_path / "pg", settings={"fsync": "off"}) as server:
        with pytest.raises(StartupError, match="fsync=off"):
            async with running(settings_for(server.dsn("eventstore"), nats.url)):
                pass


async def test_production_wants_to_notice_a_rotten_page(tmp_path: Path, nats: Nats) -> None:
    server = Postgres(tmp_path / "pg")
    async with server:
        told = settings_for(server.dsn("eventstore"), nats.url)
        async with running(told):
            pass
    program = str(Path(server.command()[0]).with_name("pg_checksums"))
    process = await asyncio.create_subprocess_exec(
        *(program, "--disable", "-D", str(server.data_dir)), stdout=asyncio.subprocess.DEVNULL
    )
    assert await process.wait() == 0
    async with server:
        async with running(told):
            pass
        production = told.model_copy(update={"environment": "production"})
        with pytest.raises(StartupError, match=r"without data checksums.*pg_checksums --enable"):
            async with running(production):
                pass
        connection = await asyncpg.connect(server.dsn())
        assert await connection.fetchval("SHOW data_checksums") == "off"
        await connection.close()


async def first_migration_only(connection: asyncpg.Connection) -> None:
    first = migrations("rehab_eventstore")[0]
    await connection.execute(first.sql)
    await connection.execute(
        "CREATE TABLE schema_migrations (name text PRIMARY KEY, checksum text NOT NULL,"
        " applied_at timestamptz NOT NULL DEFAULT now())"
    )
    await connection.execute(
        "INSERT INTO schema_migrations VALUES ($1, $2)", first.name, first.checksum
    )


OLD_ROW = """
    WITH head AS (
        UPDATE log_head SET position = position + 1, recorded_at = now() RETURNING position
    )
    INSERT INTO events (
        position, stream_version, occurred_at, recorded_at, event_id, schema_version, shard, slice,
        phi, stream_id, clinic_id, kind, consent_id, key_id, meta, body, content_hmac
    )
    SELECT position, $1, now(), now(), gen_random_uuid(), 1, 0, $2, false, 'patient-1', 'clinic-1',
        'note', '', '', $3, 'old', '\\x00'
    FROM head
"""
"""As the version before the chain wrote events."""


def verifying(made: Store) -> AsyncIterator[pb.VerifyLogResponse]:
    metadata = (bearer(service_principal("cli")),)
    stub = ProofServiceStub(made.connection)
    steps: AsyncIterator[pb.VerifyLogResponse] = stub.VerifyLog(
        pb.VerifyLogRequest(), metadata=metadata, timeout=30
    )
    return steps


async def test_a_log_of_the_version_before_goes_on_where_it_was(
    database_dsn: str, nats: Nats
) -> None:
    connection = await asyncpg.connect(database_dsn)
    meta = event("patient-1").envelope.SerializeToString()
    await first_migration_only(connection)
    for version in (1, 2, 3):
        await connection.execute(OLD_ROW, version, 572, meta)
    async with store(settings_for(database_dsn, nats.url)) as made:
        assert [one.body for one in await made.stream("patient-1")] == [b"old"] * 3
        new = event("patient-1", b"new", phi=True, consent_id="c-1")
        appended = await made.append(append("patient-1", new, expected=3))
        assert appended.first_position == 4
        read = await made.stream("patient-1")
        await made.open(read)
        assert read[-1].body == b"new"
        assert [bool(one.hash) for one in read] == [False, False, False, True]
        assert await connection.fetchval("SELECT chained_from FROM log_head") == 4
        walked = [step async for step in verifying(made)]
        assert not walked[-1].verdict.HasField("finding")
        # the new event, and the one that tells who was lent its key
        assert walked[-1].verdict.verified == 2
        # a replica of that version that still runs must not tear the chain
        with pytest.raises(asyncpg.CheckViolationError):
            await connection.execute(OLD_ROW, 5, 572, meta)
    await connection.close()


async def test_a_replica_serves_while_the_schema_grows_under_it(
    database_dsn: str, nats: Nats
) -> None:
    """What a `pre` migration of the next version may do: add columns, tables and indexes."""
    connection = await asyncpg.connect(database_dsn)
    async with store(settings_for(database_dsn, nats.url)) as made:
        stream = some_stream()
        sent = [event(stream, phi=True, consent_id="c-1") for _ in range(6)]
        for place, one in enumerate(sent):
            await made.append(append(stream, one, expected=place))
            await made.stream(stream)
            await made.all()
            for table in ("events", "log_head", "data_key", "erasure", "relay_lease"):
                await connection.execute(
                    f"ALTER TABLE {table} ADD COLUMN later_{place} integer NOT NULL DEFAULT 0"
                )
        assert ids(await made.stream(stream)) == ids(sent)
        assert positions(await made.all()) == list(range(1, 7))
    await connection.close()
