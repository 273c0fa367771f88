"""What ReadStream, ReadAll and GetHead promise."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest
import pytest_asyncio

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import IncarnationChanged, InvalidArgument
from rehab_runtime.slices import SLICES, slice_of
from tests.eventstore.given import append, event, events, ids, positions, some_stream, versions
from tests.eventstore.store import Store, refused, rules, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
FAR = 2**64 - 1


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def small(module_dsn: str, nats: Nats) -> AsyncIterator[Store]:
    """A store with pages of four events or a thousand bytes."""
    settings = settings_for(module_dsn, nats.url, page_events=4, page_bytes=1000)
    async with store(settings) as made:
        yield made


async def ten(log: Store) -> str:
    """A stream of ten events, alternately of two kinds."""
    stream = some_stream()
    kinds = ["pain_report", "note"]
    await log.append(append(stream, *[event(stream, kind=kinds[n % 2]) for n in range(10)]))
    return stream


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, range(1, 11)),
        ({"after_version": 7}, [8, 9, 10]),
        ({"until_version": 3}, [1, 2, 3]),
        ({"after_version": 2, "until_version": 5}, [3, 4, 5]),
        ({"limit": 2}, [1, 2]),
        ({"limit": 9}, range(1, 10)),
        ({"kinds": ["note"]}, [2, 4, 6, 8, 10]),
        ({"kinds": ["note"], "limit": 3}, [2, 4, 6]),
        ({"kinds": ["note", "pain_report"], "after_version": 8}, [9, 10]),
        ({"kinds": ["plan"]}, []),
        ({"after_version": 10}, []),
        ({"after_version": FAR}, []),
        ({"until_version": FAR}, range(1, 11)),
        ({"backwards": True}, range(10, 0, -1)),
        ({"backwards": True, "limit": 1}, [10]),
        ({"backwards": True, "after_version": 4}, [3, 2, 1]),
        ({"backwards": True, "after_version": 1}, []),
        ({"backwards": True, "until_version": 8}, [10, 9, 8]),
        ({"backwards": True, "after_version": 9, "until_version": 6}, [8, 7, 6]),
        ({"backwards": True, "kinds": ["note"], "limit": 4}, [10, 8, 6, 4]),
        ({"backwards": True, "after_version": FAR}, range(10, 0, -1)),
    ],
)
async def test_a_stream_is_read_as_asked(
    small: Store, asked: dict[str, Any], expected: list[int]
) -> None:
    assert versions(await small.stream(await ten(small), **asked)) == list(expected)


async def test_a_stream_is_read_as_of_a_time(small: Store) -> None:
    stream = some_stream()
    await small.append(append(stream, *events(stream, 3)))
    (until, *_) = [one.envelope.recorded_at for one in await small.stream(stream)]
    await asyncio.sleep(0.002)
    await small.append(append(stream))
    assert versions(await small.stream(stream, until_time=until)) == [1, 2, 3]
    assert versions(await small.stream(stream, until_time=until, backwards=True)) == [3, 2, 1]
    until.nanos -= 1000
    assert await small.stream(stream, until_time=until) == []


async def test_a_stream_without_events_is_empty_and_not_an_error(small: Store) -> None:
    assert await small.stream(some_stream()) == []


async def test_a_page_ends_after_its_events_or_its_bytes(small: Store) -> None:
    stream = some_stream()
    head = (await small.head()).position
    bodies = [*[b"x"] * 5, b"y" * 900, b"z" * 5000, b"x", b"x"]
    await small.append(append(stream, *[event(stream, body) for body in bodies]))
    pages = await small.stream_pages(stream)
    assert [[len(one.body) for one in page] for page in pages] == [
        *([1, 1, 1, 1], [1, 900, 5000], [1, 1])
    ]
    sizes = [
        [len(one.body) for one in page.events] for page in await small.pages(after_position=head)
    ]
    assert sizes == [[1, 1, 1, 1], [1, 900, 5000], [1, 1]]
    backwards = await small.stream_pages(stream, backwards=True)
    assert [[len(one.body) for one in page] for page in backwards] == [
        *([1, 1, 5000], [900, 1, 1, 1], [1, 1])
    ]


async def test_a_shard_is_read_in_the_order_of_its_positions(small: Store) -> None:
    head = (await small.head()).position
    streams = [some_stream() for _ in range(30)]
    await small.batch(*[append(stream) for stream in streams])
    read = await small.all(after_position=head)
    assert positions(read) == list(range(head + 1, head + 31))
    assert [one.envelope.subject_id for one in read] == streams
    assert positions(await small.all(after_position=head + 5, limit=7)) == list(
        range(head + 6, head + 13)
    )
    assert positions(await small.all(after_position=head + 5, until_position=head + 8)) == [
        *(head + 6, head + 7, head + 8)
    ]


async def test_a_page_tells_the_head_and_the_incarnation_even_when_it_is_empty(
    small: Store,
) -> None:
    await small.append(append(some_stream()))
    head = await small.head()
    for after in (head.position, head.position + 5, FAR):
        (page,) = await small.pages(after_position=after)
        assert (page.head, page.incarnation) == (head.position, head.incarnation)
        assert not page.events


async def test_a_filter_chooses_by_kind_stream_and_slice(small: Store) -> None:
    head = (await small.head()).position
    one, two = await ten(small), await ten(small)

    async def chosen(**asked: Any) -> list[int]:
        read = await small.all(after_position=head, filter=pb.Filter(**asked))
        return [position - head for position in positions(read)]

    assert await chosen(kinds=["note"]) == list(range(2, 21, 2))
    assert await chosen(streams=[two]) == list(range(11, 21))
    assert await chosen(streams=[two], kinds=["note"]) == list(range(12, 21, 2))
    assert await chosen(slices=[slice_of(one)]) == list(range(1, 11))
    assert await chosen(slices=[slice_of(one), slice_of(two)]) == list(range(1, 21))
    assert await chosen(kinds=["plan"]) == []
    limited = await small.all(after_position=head, filter=pb.Filter(kinds=["note"]), limit=5)
    assert [position - head for position in positions(limited)] == [2, 4, 6, 8, 10]


async def test_slices_are_the_same_for_ever() -> None:
    # stored in the table: another hash would be another log
    known = {"patient-1": 572, "patient-2": 847, "a": 559}
    assert {stream: slice_of(stream) for stream in known} == known
    assert len({slice_of(f"s{n}") for n in range(20_000)}) == SLICES


@pytest.mark.parametrize("call", ["head", "pages", "subscribe"])
async def test_a_shard_that_is_not_there_is_refused(small: Store, call: str) -> None:
    if call == "subscribe":
        asked: Any = anext(aiter(small.subscribe(shard=1)))
    else:
        asked = getattr(small, call)(shard=1)
    error = await refused(asked)
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [("shard", "shard.known")]


async def test_a_cursor_of_another_incarnation_is_refused(small: Store) -> None:
    head = await small.head()
    assert (await small.pages(incarnation=head.incarnation))[0].incarnation == head.incarnation
    other = "00000000-0000-4000-8000-000000000000"
    for asked in (
        small.pages(incarnation=other),
        anext(aiter(small.subscribe(incarnation=other))),
    ):
        error = await refused(asked)
        assert isinstance(error, IncarnationChanged)
        assert error.metadata == {"cursor": other, "log": head.incarnation}


@pytest.mark.parametrize(
    ("filter_", "field"),
    [
        (pb.Filter(slices=[1024]), "filter.slices[0]"),
        (pb.Filter(kinds=["k"] * 65), "filter.kinds"),
        (pb.Filter(streams=["s"] * 1001), "filter.streams"),
    ],
)
async def test_a_filter_that_breaks_the_contract_is_refused(
    small: Store, filter_: pb.Filter, field: str
) -> None:
    error = await refused(small.all(filter=filter_))
    assert [name for name, _ in rules(error)] == [field]


async def test_the_head_tells_what_the_broker_has(small: Store) -> None:
    appended = await small.append(append(some_stream()))
    async with asyncio.timeout(10):
        while (head := await small.head()).published < appended.last_position:
            await asyncio.sleep(0.01)
    assert head.published == head.position == appended.last_position
    assert head.shards == 1


async def test_what_one_replica_acknowledged_another_reads_at_once(
    small: Store, shared: Store
) -> None:
    for _ in range(20):
        stream = some_stream()
        sent = event(stream)
        appended = await small.append(append(stream, sent))
        assert ids(await shared.stream(stream)) == ids([sent])
        assert (await shared.head()).position >= appended.last_position
        read = await shared.all(after_position=appended.last_position - 1)
        assert ids(read) == ids([sent])
