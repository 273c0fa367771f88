"""Several heads in one log: each orders its own patients."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator

import asyncpg
import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.main import running
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import InvalidArgument
from rehab_runtime.slices import SLICES, shard_of, slice_of
from rehab_runtime.startup import StartupError
from tests.eventstore.given import append, event, ids, positions, some_stream, versions
from tests.eventstore.store import Store, refused, rules, settings_for, store

SHARDS = 3

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def three(module_dsn: str, nats: Nats) -> AsyncIterator[Store]:
    async with store(settings_for(module_dsn, nats.url, shards=SHARDS)) as made:
        yield made


def of_each_shard() -> list[str]:
    """A new stream for each shard."""
    found: dict[int, str] = {}
    while len(found) < SHARDS:
        stream = some_stream()
        found.setdefault(shard_of(stream, SHARDS), stream)
    return [found[shard] for shard in range(SHARDS)]


@given(st.text(min_size=1, max_size=64), st.integers(1, 64))
async def test_a_stream_has_one_shard_which_its_slice_alone_decides(
    stream: str, shards: int
) -> None:
    shard = shard_of(stream, shards)
    assert 0 <= shard < shards
    assert shard == slice_of(stream) * shards // SLICES


async def test_slices_are_spread_evenly_over_shards() -> None:
    for shards in (2, 3, 7, 64):
        counts = Counter(slice_ * shards // SLICES for slice_ in range(SLICES))
        assert max(counts.values()) - min(counts.values()) <= 1


async def test_each_shard_has_gapless_positions_of_its_own(three: Store) -> None:
    before = [(await three.head(shard)).position for shard in range(SHARDS)]
    streams = of_each_shard()
    for round_ in range(3):
        for shard, stream in enumerate(streams):
            appended = await three.append(append(stream))
            assert (appended.shard, appended.first_position) == (shard, before[shard] + round_ + 1)
    for shard, stream in enumerate(streams):
        read = await three.all(shard=shard, after_position=before[shard])
        assert positions(read) == [before[shard] + n for n in (1, 2, 3)]
        assert {one.envelope.subject_id for one in read} == {stream}


async def test_a_batch_over_all_shards_is_answered_in_its_own_order(three: Store) -> None:
    streams = of_each_shard()
    wanted = [append(stream) for _ in range(4) for stream in reversed(streams)]
    wanted[5] = append(streams[0], expected=99)
    verdicts = await three.batch(*wanted)
    assert verdicts[5].HasField("failure")
    stored = [one.appended for one in verdicts if one.HasField("appended")]
    assert len(stored) == len(wanted) - 1
    for asked, verdict in zip(wanted, verdicts, strict=True):
        if verdict.HasField("appended"):
            assert verdict.appended.shard == shard_of(asked.stream, SHARDS)
    for stream in streams:
        sent = [
            asked.events[0].envelope.event_id
            for place, asked in enumerate(wanted)
            if asked.stream == stream and place != 5
        ]
        read = await three.stream(stream)
        assert ids(read) == sent
        assert versions(read) == list(range(1, len(sent) + 1))


async def test_what_is_atomic_stays_within_one_shard(three: Store) -> None:
    one, two, third = of_each_shard()
    error = await refused(
        three.atomic(append(one), append(two), guards=[pb.Guard(stream=third, expected=_none())])
    )
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [
        ("appends[1].stream", "streams.same_shard"),
        ("guards[0].stream", "streams.same_shard"),
    ]
    neighbour = next(
        stream
        for stream in iter(some_stream, "")
        if shard_of(stream, SHARDS) == shard_of(one, SHARDS)
    )
    appended = await three.atomic(append(one), append(neighbour))
    assert {place.shard for place in appended} == {shard_of(one, SHARDS)}


def _none() -> pb.ExpectedVersion:
    return pb.ExpectedVersion(none=pb.NoStream())


async def test_a_subscription_follows_one_shard(three: Store) -> None:
    streams = of_each_shard()
    wanted = [event(streams[2]) for _ in range(2)]
    head = (await three.head(2)).position
    subscription = three.subscribe(shard=2, after_position=head)
    assert (await anext(subscription)).HasField("caught_up")
    await three.append(append(streams[0]))
    await three.append(append(streams[2], *wanted))
    message = await anext(subscription)
    assert ids(message.page.events) == ids(wanted)
    await subscription.aclose()  # type: ignore[attr-defined]


async def test_every_shard_says_how_many_there_are(three: Store) -> None:
    heads = [await three.head(shard) for shard in range(SHARDS)]
    assert {head.shards for head in heads} == {SHARDS}
    error = await refused(three.head(SHARDS))
    assert rules(error) == [("shard", "shard.known")]


async def test_a_log_keeps_the_shards_it_began_with(three: Store, nats: Nats) -> None:
    await three.append(append(some_stream()))
    with pytest.raises(StartupError, match="EVENTSTORE_SHARDS=3"):
        async with running(settings_for(three.settings.postgres_dsn, nats.url, shards=2)):
            pass


async def test_an_empty_log_may_still_be_given_other_shards(database_dsn: str, nats: Nats) -> None:
    for shards in (4, 1, 2):
        async with store(settings_for(database_dsn, nats.url, shards=shards)) as made:
            assert (await made.head()).shards == shards
    connection = await asyncpg.connect(database_dsn)
    try:
        assert await connection.fetchval("SELECT count(*) FROM log_head") == 2
        assert await connection.fetchval("SELECT count(DISTINCT fingerprint_key) FROM log_key") == 2
    finally:
        await connection.close()
