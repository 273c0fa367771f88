"""Snapshots save time and never change a result."""

from __future__ import annotations

import asyncio

import asyncpg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_runtime.auth import service_principal
from rehab_runtime.errors import Erased, PermissionDenied
from rehab_runtime.eventlog import EventLog
from rehab_runtime.folding import Fold, Folded, Snapshots, fold_stream
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, event, some_stream
from tests.eventstore.store import Store, refused

pytestmark = pytest.mark.asyncio(loop_scope="module")
PRINCIPAL = service_principal("projections")


def told(version: int = 1) -> Fold[list[str]]:
    """What the events said, in order."""

    def apply(state: list[str], one: RecordedEvent) -> list[str]:
        return [*state, "?" if one.key_id else one.body.decode()]

    def load(dumped: bytes) -> list[str]:
        if not dumped.startswith(b"told:"):
            raise ValueError
        return dumped.decode().removeprefix("told:").split(",")

    return Fold(
        "told", version, list, apply, lambda state: f"told:{','.join(state)}".encode(), load
    )


async def folded(
    shared: Store, stream: str, every: int, fold: Fold[list[str]] | None = None
) -> Folded[list[str]]:
    return await fold_stream(
        EventLog(shared.connection, PRINCIPAL),
        Snapshots(shared.connection, PRINCIPAL),
        stream,
        fold or told(),
        every=every,
    )


async def say(shared: Store, stream: str, *words: str) -> None:
    said = [event(stream, word.encode(), phi=True, consent_id="c-1") for word in words]
    await shared.append(append(stream, *said))


async def rows(shared: Store, stream: str) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(shared.settings.postgres_dsn)
    try:
        return list(
            await connection.fetch(
                "SELECT * FROM snapshot WHERE stream_id = $1 ORDER BY stream_version", stream
            )
        )
    finally:
        await connection.close()


async def run(shared: Store, statement: str) -> None:
    connection = await asyncpg.connect(shared.settings.postgres_dsn)
    try:
        await connection.execute(statement)
    finally:
        await connection.close()


async def test_only_what_is_new_is_folded(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a", "b", "c")
    assert await folded(shared, stream, 3) == Folded(["a", "b", "c"], 3, 3)
    await say(shared, stream, "d")
    assert await folded(shared, stream, 3) == Folded(["a", "b", "c", "d"], 4, 1)
    assert await folded(shared, "nobody", 3) == Folded([], 0, 0)


async def test_a_snapshot_is_sealed_and_only_the_newest_are_kept(shared: Store) -> None:
    stream = some_stream()
    for word in ("secret-a", "secret-b", "secret-c", "secret-d"):
        await say(shared, stream, word)
        await folded(shared, stream, 1)
    kept = await rows(shared, stream)
    assert [row["stream_version"] for row in kept] == [3, 4]
    assert not any(b"secret" in row["state"] for row in kept)


async def test_another_version_of_the_code_starts_anew(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a", "b")
    await folded(shared, stream, 1)
    assert (await folded(shared, stream, 1, told(2))).folded == 2


@pytest.mark.parametrize(
    "damage",
    [
        "state = state || '\\x00'",
        "stream_version = stream_version + 5",
        "stream_version = stream_version - 1",
        "key_id = 'another'",
        "fold = 'told', code_version = code_version, state = '\\x01'",
    ],
)
async def test_a_snapshot_that_was_changed_or_moved_only_costs_time(
    shared: Store, damage: str
) -> None:
    stream = some_stream()
    await say(shared, stream, "a", "b", "c")
    await folded(shared, stream, 1)
    await run(shared, f"UPDATE snapshot SET {damage} WHERE stream_id = '{stream}'")
    assert await folded(shared, stream, 100) == Folded(["a", "b", "c"], 3, 3)


async def test_a_damaged_snapshot_gives_way_to_an_older_one(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a", "b")
    await folded(shared, stream, 1)
    await say(shared, stream, "c")
    await folded(shared, stream, 1)
    await run(shared, "UPDATE snapshot SET state = '\\x01' WHERE stream_version = 3")
    assert await folded(shared, stream, 100) == Folded(["a", "b", "c"], 3, 1)


async def test_what_could_not_be_opened_for_a_while_is_not_missing_for_ever(
    shared: Store,
) -> None:
    stream = some_stream()
    await say(shared, stream, "a", "b", "c")
    spoil = "UPDATE events SET body = set_byte(body, 20, get_byte(body, 20) # 1)"
    where = f"WHERE stream_id = '{stream}' AND stream_version = 2"
    await run(shared, f"{spoil} {where}")
    assert (await folded(shared, stream, 1)).state == ["a", "?", "c"]
    await run(shared, f"{spoil} {where}")
    assert await folded(shared, stream, 1) == Folded(["a", "b", "c"], 3, 3)


async def test_a_key_that_goes_meanwhile_takes_the_snapshot_along(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a")
    connection = await asyncpg.connect(shared.settings.postgres_dsn)
    try:
        async with connection.transaction():
            # as the end of an erasure that this replica has not heard of
            await connection.execute(
                "UPDATE data_key SET wrapped = NULL, newest = false, destroyed_at = now()"
                " WHERE stream_id = $1",
                stream,
            )
            saving = Snapshots(shared.connection, PRINCIPAL).save(stream, told(), ["a"], 1)
            waiting = asyncio.ensure_future(refused(saving))
            await until_blocked(connection)
        assert isinstance(await waiting, Erased)
    finally:
        await connection.close()
    assert await rows(shared, stream) == []


async def until_blocked(connection: asyncpg.Connection) -> None:
    """Until somebody waits for what the connection's transaction has locked."""
    mine = await connection.fetchval("SELECT pg_backend_pid()")
    asked = "SELECT EXISTS (SELECT FROM pg_stat_activity WHERE $1 = ANY (pg_blocking_pids(pid)))"
    async with asyncio.timeout(10):
        while not await connection.fetchval(asked, mine):
            await asyncio.sleep(0.01)


async def test_a_state_beyond_the_end_of_the_stream_is_not_used(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a")
    await Snapshots(shared.connection, PRINCIPAL).save(stream, told(), ["x", "y", "z"], 9)
    assert await folded(shared, stream, 100) == Folded(["a"], 1, 1)


async def test_an_erased_subject_has_no_snapshot_and_gets_none(shared: Store) -> None:
    stream = some_stream()
    await say(shared, stream, "a")
    await folded(shared, stream, 1)
    await Erasing(shared).erase(stream)
    assert await rows(shared, stream) == []
    saving = Snapshots(shared.connection, PRINCIPAL).save(stream, told(), ["a"], 1)
    assert isinstance(await refused(saving), Erased)


async def test_only_who_may_open_bodies_may_keep_and_have_snapshots(shared: Store) -> None:
    stranger = Snapshots(shared.connection, service_principal("stranger"))
    saving = stranger.save(some_stream(), told(), ["a"], 1)
    assert isinstance(await refused(saving), PermissionDenied)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.lists(st.tuples(st.integers(1, 4), st.integers(1, 6), st.integers(1, 2)), max_size=6))
async def test_whatever_snapshots_there_are_the_state_is_the_same(
    shared: Store, steps: list[tuple[int, int, int]]
) -> None:
    stream, said = some_stream(), []
    for count, every, version in steps:
        words = [f"w{len(said) + n}" for n in range(count)]
        said += words
        await say(shared, stream, *words)
        state = await folded(shared, stream, every, told(version))
        assert (state.state, state.version) == (said, len(said))
