"""Whoever changes the log under its feet is found out, at the position where it was done."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import asyncpg
import pytest
import pytest_asyncio
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from rehab.eventstore.v1 import proof_service_pb2 as pb
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_eventstore.proof import verify
from rehab_eventstore.proof.checkpoints import Checkpoints
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_eventstore.proof.signing import Signer, open_signer
from rehab_eventstore.storage.read import Reader
from rehab_runtime import postgres
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.clock import SystemClock
from rehab_runtime.embedded import Nats
from rehab_runtime.postgres import Queries
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, event
from tests.eventstore.store import Store, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
EVENTS = 60
STREAMS = 6


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def written(
    module_dsn: str, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[str]:
    """EVENTS events in STREAMS streams, a checkpoint at position 30; who wrote them is gone."""
    signing = tmp_path_factory.mktemp("signing") / "key.pem"
    told = settings_for(module_dsn, nats.url, signing_key_file=str(signing), checkpoint_s=3600)
    with pytest.MonkeyPatch.context() as patch:
        # the first look finds nothing to sign; a slow machine would come to a second
        patch.setattr("rehab_eventstore.proof.checkpoints.LOOK_S", 3600)
        await write(told)
    yield module_dsn


async def write(told: Any) -> None:
    async with store(told) as made:
        for number in range(EVENTS):
            stream = f"patient-{number % STREAMS}"
            sealed = {"phi": True, "consent_id": "c-1"} if number % 2 else {}
            await made.append(append(stream, event(stream, b"body %d" % number, **sealed)))
            if number == 29:
                await sign(made)


async def sign(made: Store) -> pb.SignedCheckpoint:
    answer = await ProofServiceStub(made.connection).SignCheckpoint(
        pb.SignCheckpointRequest(), metadata=(bearer(service_principal("cli")),), timeout=20
    )
    assert isinstance(answer.checkpoint, pb.SignedCheckpoint)
    return answer.checkpoint


@pytest_asyncio.fixture(loop_scope="module")
async def copy(written: str, postgres: Any) -> AsyncIterator[asyncpg.Connection]:
    """A copy of that database, to be changed."""
    name = f"copy_{uuid.uuid4().hex}"
    admin = await asyncpg.connect(postgres.dsn())
    source = written.rsplit("/", 1)[1]
    await admin.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = $1", source
    )
    await admin.execute(f"CREATE DATABASE {name} TEMPLATE {source}")
    connection = await asyncpg.connect(postgres.dsn(name))
    connection_dsn[connection] = postgres.dsn(name)
    yield connection
    await connection.close()
    await admin.execute(f"DROP DATABASE {name} WITH (FORCE)")
    await admin.close()


connection_dsn: dict[asyncpg.Connection, str] = {}


async def verdict_on(
    copy: asyncpg.Connection, first: int = 0, last: int = 0, trusted: Sequence[bytes] = ()
) -> verify.Verdict:
    dsn = connection_dsn[copy]
    async with postgres.connect(dsn, name="test") as database:
        queries = Queries.load("rehab_eventstore", "proof.sql")
        # threads: to start processes takes longer than so few events
        verifier = verify.Verifier(dsn, database, queries, 1, ThreadPoolExecutor)
        asked = verify.Asked(0, first, last, trusted)
        steps = [step async for step in verifier.verify(asked)]
    assert isinstance(steps[-1], verify.Verdict)
    return steps[-1]


def counted(verdict: verify.Verdict) -> tuple[int, int, int, int, Finding | None]:
    """Events verified, checkpoints that hold, the last position looked at, the last one signed."""
    return (
        verdict.verified,
        verdict.checkpoints,
        verdict.position,
        verdict.signed,
        verdict.finding,
    )


async def found(copy: asyncpg.Connection, trusted: Sequence[bytes] = ()) -> tuple[int, Damage]:
    finding = (await verdict_on(copy, trusted=trusted)).finding
    assert finding is not None
    return finding.position, finding.damage


async def test_a_log_that_nobody_touched_is_what_was_written(copy: asyncpg.Connection) -> None:
    verdict = await verdict_on(copy)
    assert counted(verdict) == (EVENTS, 1, EVENTS, 30, None)
    assert len(verdict.signers) == 1


async def test_a_part_may_be_verified_alone(copy: asyncpg.Connection) -> None:
    assert counted(await verdict_on(copy, 11, 20)) == (10, 0, 20, 0, None)
    assert counted(await verdict_on(copy, 30, 1000)) == (31, 1, EVENTS, 30, None)


EDITS = {
    "stream_id": "'patient-x'",
    "stream_version": "stream_version + 100",
    "event_id": "gen_random_uuid()",
    "clinic_id": "'clinic-x'",
    "kind": "'alert'",
    "schema_version": "schema_version + 1",
    "recorded_at": "recorded_at + interval '1 microsecond'",
    "phi": "NOT phi",
    "consent_id": "consent_id || 'x'",
    "key_id": "key_id || 'x'",
    "meta": "meta || '\\x00'",
    "body": "body || '\\x00'",
    "content_hmac": "content_hmac || '\\x00'",
    "hash": "sha256(hash)",
}


@pytest.mark.parametrize("column", EDITS)
async def test_an_edit_of_any_column_is_found_where_it_was_made(
    copy: asyncpg.Connection, column: str
) -> None:
    await copy.execute(f"UPDATE events SET {column} = {EDITS[column]} WHERE position = 17")
    assert await found(copy) == (17, Damage.CHANGED)


@pytest.mark.parametrize(
    "edit", ["slice = (slice + 1) % 1024", "occurred_at = occurred_at + interval '1 second'"]
)
async def test_a_column_that_only_serves_queries_must_follow_from_the_event(
    copy: asyncpg.Connection, edit: str
) -> None:
    await copy.execute(f"UPDATE events SET {edit} WHERE position = 17")
    assert await found(copy) == (17, Damage.COLUMN)


async def test_an_event_that_was_removed_leaves_a_hole(copy: asyncpg.Connection) -> None:
    await copy.execute("DELETE FROM events WHERE position BETWEEN 17 AND 19")
    finding = (await verdict_on(copy)).finding
    assert finding is not None
    assert (finding.position, finding.damage) == (17, Damage.MISSING)
    assert finding.message == "events 17 to 19 are not there"


async def test_two_events_that_changed_places_are_found(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE events SET position = 17 + 18 - position WHERE position IN (17, 18)")
    assert await found(copy) == (17, Damage.CHANGED)


async def test_a_second_event_at_a_position_is_found(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE events SET position = 17 WHERE position = 18")
    finding = (await verdict_on(copy)).finding
    assert finding is not None
    assert finding.position == 17


async def test_an_old_event_that_is_added_again_is_found(copy: asyncpg.Connection) -> None:
    await copy.execute(
        "INSERT INTO events SELECT 61, 90, occurred_at, recorded_at, gen_random_uuid(),"
        " schema_version, shard, slice, phi, stream_id, clinic_id, kind, consent_id, key_id, meta,"
        " body, content_hmac, hash FROM events WHERE position = 5"
    )
    assert await found(copy) == (61, Damage.HEAD)
    await copy.execute(
        "UPDATE log_head SET position = 61,"
        " recorded_at = (SELECT recorded_at FROM events WHERE position = 61)"
    )
    assert await found(copy) == (61, Damage.CHANGED)


async def test_a_log_that_was_cut_off_is_found_by_its_head(copy: asyncpg.Connection) -> None:
    await copy.execute("DELETE FROM events WHERE position > 50")
    assert await found(copy) == (51, Damage.TRUNCATED)


async def test_a_log_cut_off_with_its_head_is_found_by_a_checkpoint(
    copy: asyncpg.Connection,
) -> None:
    await copy.execute("DELETE FROM events WHERE position > 20")
    await copy.execute(
        "UPDATE log_head SET position = 20, (hash, recorded_at) ="
        " (SELECT hash, recorded_at FROM events WHERE position = 20)"
    )
    assert await found(copy) == (21, Damage.TRUNCATED)


async def test_a_log_written_anew_is_found_by_a_checkpoint(
    copy: asyncpg.Connection, nats: Nats, tmp_path: Path
) -> None:
    """The whole chain is computed again over other events: only the signature stands against it."""
    stated = await copy.fetchrow("SELECT * FROM log_checkpoint")
    await copy.execute("DELETE FROM log_checkpoint")
    await copy.execute("TRUNCATE events")
    await copy.execute("UPDATE log_head SET position = 0, hash = decode(repeat('00', 32), 'hex')")
    async with store(settings_for(connection_dsn[copy], nats.url)) as forger:
        for number in range(40):
            await forger.append(append(f"forged-{number}"))
    assert (await verdict_on(copy)).finding is None
    await copy.execute(
        "INSERT INTO log_checkpoint SELECT ($1::log_checkpoint).*",
        tuple(stated.values()),
    )
    assert await found(copy) == (30, Damage.CHECKPOINT)


async def test_a_checkpoint_that_was_changed_is_not_believed(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE log_checkpoint SET signed_at = signed_at - interval '1 day'")
    finding = (await verdict_on(copy)).finding
    assert finding is not None
    assert finding.damage is Damage.CHECKPOINT
    assert "not signed" in finding.message


async def test_a_head_with_another_hash_is_found(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE log_head SET hash = sha256(hash)")
    assert await found(copy) == (EVENTS, Damage.HEAD)


async def test_an_event_outside_the_log_is_found(copy: asyncpg.Connection) -> None:
    columns = (
        "stream_version, occurred_at, recorded_at, gen_random_uuid(), schema_version, {shard},"
        " slice, phi, stream_id || '-x', clinic_id, kind, consent_id, key_id, meta, body,"
        " content_hmac, hash FROM events WHERE position = 5"
    )
    await copy.execute(f"INSERT INTO events SELECT 7, {columns.format(shard=3)}")
    assert await found(copy) == (7, Damage.STRAY)
    await copy.execute("DELETE FROM events WHERE shard = 3")
    await copy.execute(f"INSERT INTO events SELECT -4, {columns.format(shard='shard')}")
    assert await found(copy) == (-4, Damage.STRAY)


async def test_a_head_that_disowns_the_beginning_of_its_chain_is_found(
    copy: asyncpg.Connection,
) -> None:
    await copy.execute("UPDATE log_head SET chained_from = 20")
    assert await found(copy) == (19, Damage.HEAD)
    await copy.execute("UPDATE log_head SET chained_from = 100")
    assert await found(copy) == (EVENTS, Damage.HEAD)


async def test_a_head_with_another_time_is_found(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE log_head SET recorded_at = recorded_at + interval '1 second'")
    assert await found(copy) == (EVENTS, Damage.HEAD)


@pytest.mark.parametrize("time", ["'infinity'", "'-infinity'", "'200000-01-01'"])
async def test_a_time_that_no_event_can_have_is_found(copy: asyncpg.Connection, time: str) -> None:
    await copy.execute(f"UPDATE events SET recorded_at = {time} WHERE position = 17")
    assert await found(copy) == (17, Damage.CHANGED)


async def test_a_number_that_no_event_can_have_is_found(copy: asyncpg.Connection) -> None:
    await copy.execute("UPDATE events SET stream_version = -5 WHERE position = 17")
    assert await found(copy) == (17, Damage.CHANGED)


async def test_a_checkpoint_of_a_key_that_is_not_trusted_is_found(
    copy: asyncpg.Connection,
) -> None:
    ours = await copy.fetchval("SELECT public_key FROM signing_key")
    other = Signer(Ed25519PrivateKey.generate()).public_key
    assert await found(copy, [other]) == (30, Damage.SIGNER)
    assert (await verdict_on(copy, trusted=[other, ours])).finding is None


async def test_a_checkpoint_of_a_log_before_a_restore_still_binds_it(
    copy: asyncpg.Connection,
) -> None:
    await copy.execute("UPDATE log_head SET incarnation = gen_random_uuid()")
    assert counted(await verdict_on(copy)) == (EVENTS, 1, EVENTS, 30, None)
    await copy.execute("DELETE FROM events WHERE position > 20")
    await copy.execute(
        "UPDATE log_head SET position = 20, (hash, recorded_at) ="
        " (SELECT hash, recorded_at FROM events WHERE position = 20)"
    )
    assert await found(copy) == (21, Damage.TRUNCATED)


async def test_a_shard_without_a_head_is_told(copy: asyncpg.Connection) -> None:
    await copy.execute("TRUNCATE log_head CASCADE")
    assert await found(copy) == (0, Damage.HEAD)


async def test_checkpoints_are_signed_as_the_log_grows_by_one_replica(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    told = settings_for(
        database_dsn,
        nats.url,
        signing_key_file=str(tmp_path / "key.pem"),
        checkpoint_events=5,
        checkpoint_s=0.02,
    )
    async with store(told) as made, store(told):
        for _ in range(3):
            await made.append(append("patient-1"))
            position = (await made.head()).position
            stub = ProofServiceStub(made.connection)
            async with asyncio.timeout(20):
                while True:
                    listed = await stub.ListCheckpoints(
                        pb.ListCheckpointsRequest(),
                        metadata=(bearer(service_principal("cli")),),
                        timeout=20,
                    )
                    if [one.position for one in listed.checkpoints][:1] == [position]:
                        break
                    await asyncio.sleep(0.02)
        keys = {one.public_key for one in listed.checkpoints}
        assert keys == {open_signer(tmp_path / "key.pem", make=False).public_key}


async def test_a_walk_goes_on_over_the_wire_while_others_append(
    database_dsn: str, nats: Nats
) -> None:
    async with store(settings_for(database_dsn, nats.url)) as made:
        await made.batch(*[append(f"patient-{n}") for n in range(200)])

        async def append_on() -> None:
            for number in range(50):
                await made.append(append(f"patient-{number}"))

        writing = asyncio.create_task(append_on())
        call = ProofServiceStub(made.connection).VerifyLog(
            pb.VerifyLogRequest(), metadata=(bearer(service_principal("cli")),), timeout=60
        )
        steps = [step async for step in call]
        await writing
    assert steps[0].progress.verified == 0
    verdict = steps[-1].verdict
    assert not verdict.HasField("finding")
    assert verdict.verified == verdict.position >= 200


async def test_a_rotated_signing_key_leaves_older_checkpoints_believed(
    copy: asyncpg.Connection,
) -> None:
    dsn = connection_dsn[copy]
    async with postgres.connect(dsn, name="test") as database:
        checkpoints = Checkpoints(database, Queries.load("rehab_eventstore", "proof.sql"))
        reader = Reader(
            database,
            Queries.load("rehab_eventstore", "queries.sql"),
            page_events=10,
            page_bytes=1000,
        )
        signer = Signer(Ed25519PrivateKey.generate())
        await checkpoints.sign(await reader.head(0), signer, SystemClock().now())
        assert len({one.key_id for one in await checkpoints.listed(0, 10)}) == 2
    verdict = await verdict_on(copy)
    assert counted(verdict) == (EVENTS, 2, EVENTS, EVENTS, None)
    assert len(verdict.signers) == 2


async def test_a_signing_key_is_made_once_and_kept_private(tmp_path: Path) -> None:
    path = tmp_path / "key.pem"
    with pytest.raises(StartupError, match="there is no signing key"):
        open_signer(path, make=False)
    made = open_signer(path, make=True)
    assert path.stat().st_mode & 0o777 == 0o600
    assert open_signer(path, make=True).public_key == made.public_key
    path.chmod(0o644)
    with pytest.raises(StartupError, match="open to others"):
        open_signer(path, make=True)
    path.chmod(0o600)
    path.write_text("no key")
    with pytest.raises(StartupError, match="damaged"):
        open_signer(path, make=True)
