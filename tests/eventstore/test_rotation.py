"""A data key that has sealed long enough, or enough, is replaced by itself."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Collection
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest
import pytest_asyncio

from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.crypto.keys import KeyUse
from rehab_eventstore.rotation import NONCES, PAUSE_S, Limits, Rotation
from rehab_eventstore.sealing import KeySealer
from rehab_eventstore.settings import Settings
from rehab_eventstore.storage.keys import KeyStore
from rehab_runtime import postgres
from rehab_runtime.clock import FixedClock
from rehab_runtime.embedded import Nats
from rehab_runtime.keepers.local import LocalKeys
from rehab_runtime.keyfile import KeyFileError
from rehab_runtime.postgres import Queries
from tests.eventstore.given import append, copy, event, some_stream
from tests.eventstore.store import Store, settings_for, store

CACHE_S = 0.001
"""So that a key is looked at anew with each append."""
YEAR_D = 365


async def with_limits(dsn: str, nats: Nats, path: Path, **limits: float) -> Settings:
    key_file = str(path / "keys.json")
    return settings_for(dsn, nats.url, key_file=key_file, key_cache_s=CACHE_S, **limits)


async def appended(made: Store, stream: str, body: bytes) -> str:
    """The key that sealed it."""
    await asyncio.sleep(2 * CACHE_S)
    await made.append(append(stream, event(stream, body, phi=True, consent_id="c-1")))
    return (await made.stream(stream))[-1].key_id


async def aged(dsn: str, days: float, streams: Collection[str]) -> None:
    """As if these keys had been made so long ago."""
    connection = await asyncpg.connect(dsn)
    await connection.execute(
        "UPDATE data_key SET created_at = created_at - make_interval(secs => $1)"
        " WHERE stream_id = ANY ($2)",
        days * 86_400,
        list(streams),
    )
    await connection.close()


async def test_a_key_older_than_a_year_is_replaced_when_it_would_seal(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    async with store(await with_limits(database_dsn, nats, tmp_path)) as made:
        stream, young = some_stream(), some_stream()
        first = append(stream, event(stream, b"one", phi=True, consent_id="c-1"))
        told = await made.append(copy(first))
        (old,) = [one.key_id for one in await made.stream(stream)]
        kept = await appended(made, young, b"young")
        await aged(database_dsn, YEAR_D - 1, [stream, young])
        assert await appended(made, stream, b"two") == old
        await aged(database_dsn, 1.01, [stream])
        new = await appended(made, stream, b"three")
        assert new != old
        assert await appended(made, stream, b"four") == new
        assert await appended(made, young, b"young") == kept
        read = await made.stream(stream)
        await made.open(read)
        assert [one.body for one in read] == [b"one", b"two", b"three", b"four"]
        # a repeat is known over the rotation
        again = await made.append(copy(first))
        assert (again.first_position, again.duplicate) == (told.first_position, True)


async def test_many_keys_that_are_due_at_once_are_replaced_in_one_go(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    streams = [some_stream() for _ in range(50)]
    told = await with_limits(database_dsn, nats, tmp_path)
    async with store(told) as one, store(told) as other:
        news = [
            append(stream, event(stream, phi=True, consent_id="c-1"))
            for stream in streams
            for _ in range(2)
        ]
        await one.batch(*map(copy, news))
        await aged(database_dsn, 400, streams)
        await asyncio.sleep(2 * CACHE_S)
        fresh = [append(stream, event(stream, phi=True, consent_id="c-1")) for stream in streams]
        # two replicas meet the same keys in different orders
        both = await asyncio.gather(one.batch(*fresh), other.batch(*map(copy, reversed(news))))
        assert all(verdict.HasField("appended") for verdicts in both for verdict in verdicts)
        connection = await asyncpg.connect(database_dsn)
        counts = await connection.fetch(
            "SELECT count(*) AS keys, count(*) FILTER (WHERE newest) AS newest"
            " FROM data_key GROUP BY stream_id"
        )
        await connection.close()
    assert [tuple(row) for row in counts] == [(2, 1)] * 50


async def test_without_a_limit_no_key_is_too_old(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    told = await with_limits(database_dsn, nats, tmp_path, data_key_max_age_d=0)
    async with store(told) as made:
        stream = some_stream()
        old = await appended(made, stream, b"one")
        await aged(database_dsn, 10_000, [stream])
        assert await appended(made, stream, b"two") == old


async def test_a_key_that_has_sealed_enough_is_replaced(
    database_dsn: str, nats: Nats, tmp_path: Path
) -> None:
    told = await with_limits(database_dsn, nats, tmp_path, data_key_max_events=3)
    async with store(told) as made:
        stream = some_stream()
        # what stood there before the key was made it cannot have sealed
        await made.append(append(stream, event(stream), event(stream), event(stream)))
        keys = [await appended(made, stream, b"%d" % number) for number in range(7)]
        assert len(set(keys)) == 3
        assert keys == sorted(keys)
        assert [keys.count(key) for key in sorted(set(keys))] == [3, 3, 1]


def test_the_limit_of_events_stays_below_what_random_nonces_allow() -> None:
    default = Settings.model_fields["data_key_max_events"].default
    assert default * 2 == NONCES
    assert Limits(0, default).passed(KeyUse(0, default))
    assert not Limits(0, default).passed(KeyUse(1e12, default - 1))


@pytest_asyncio.fixture
async def parts(database_dsn: str, tmp_path: Path) -> AsyncIterator[tuple[KeySealer, FixedClock]]:
    """A sealer whose every key is due, over a key file at `tmp_path`."""
    await postgres.migrate(database_dsn, "rehab_eventstore")
    clock = FixedClock(datetime(2026, 3, 1, tzinfo=UTC))
    async with postgres.connect(database_dsn, name="test") as database:
        wrapper = LocalKeys.open(tmp_path / "keys.json", clock)
        keys = KeyStore(database, Queries.load("rehab_eventstore", "queries.sql"), wrapper)
        cache = KeyCache(keys.load, clock)
        yield KeySealer(keys, cache, Rotation(keys, cache, clock, Limits(1e-9, 1)), b"k"), clock


async def test_while_no_key_can_be_had_the_old_one_goes_on_sealing(
    parts: tuple[KeySealer, FixedClock], tmp_path: Path
) -> None:
    sealer, clock = parts
    made = (await sealer.keyring("patient")).newest.key_id
    path = tmp_path / "keys.json"
    path.rename(tmp_path / "away")
    with pytest.raises(KeyFileError, match="key file"):
        LocalKeys(path)
    assert (await sealer.keyring("patient")).newest.key_id == made
    (tmp_path / "away").rename(path)
    # it is not asked for again with every event
    assert (await sealer.keyring("patient")).newest.key_id == made
    clock.advance(PAUSE_S)
    assert (await sealer.keyring("patient")).newest.key_id != made
