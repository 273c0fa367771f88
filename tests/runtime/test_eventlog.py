"""Following the log: what the broker loses, repeats or invents, the reader never sees."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, aclosing, asynccontextmanager
from dataclasses import dataclass
from typing import Any

import nats
import pytest
import pytest_asyncio
from nats import connect as connect_to_broker
from nats.aio.client import Client

from rehab.events.v1.event_pb2 import LogMessage, RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab_eventstore import main as eventstore_main
from rehab_runtime import eventlog
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import IncarnationChanged, InvalidArgument, Unavailable
from rehab_runtime.eventlog import EventLog, Follower, follow
from rehab_runtime.slices import shard_of
from tests.projections.given import at, event, pain
from tests.projections.service import Log, Place, eventstore

BEGIN = at("2026-03-02T08:00")
AN_AGE_S = 3600


@dataclass(frozen=True)
class Running:
    """An event store with its relay, and a connection to the broker."""

    log: Log
    broker: Client
    place: Place

    def follow(self, after: int = 0, max_batch: int = 500, **more: Any) -> Follower:
        return follow(
            self.log.client,
            self.broker.jetstream(),
            after,
            max_batch,
            stream=self.place.stream,
            prefix=self.place.subject_prefix,
            **more,
        )

    async def publish(self, events: list[RecordedEvent], incarnation: str = "") -> None:
        """Publish as the relay would, but what and when it would not."""
        message = LogMessage(
            incarnation=incarnation or (await self.log.client.head()).incarnation, events=events
        )
        subject = f"{self.place.subject_prefix}.0.mixed"
        await self.broker.publish(subject, message.SerializeToString())

    async def subscribed(self) -> None:
        """Wait until a reader's consumer is there."""
        stream = self.broker.jetstream()
        async with asyncio.timeout(10):
            while not await _consumers(stream, self.place.stream):
                await asyncio.sleep(0.01)


async def _consumers(stream: Any, name: str) -> int:
    try:
        return len(await stream.consumers_info(name))
    except nats.js.errors.NotFoundError:
        return 0


@pytest.fixture
def place(postgres: Any, nats_url: str) -> Place:
    return Place(postgres, nats_url)


@asynccontextmanager
async def started(place: Place) -> AsyncIterator[Running]:
    async with AsyncExitStack() as stack:
        broker = await nats.connect(place.nats_url)
        stack.push_async_callback(broker.close)
        log, _ = await stack.enter_async_context(eventstore(place))
        yield Running(log, broker, place)


@pytest_asyncio.fixture
async def running(place: Place) -> AsyncIterator[Running]:
    async with started(place) as made:
        yield made


def numbered(first: int, count: int) -> list[Any]:
    return [
        event(n, BEGIN, pain(n % 11), patient=f"patient-{n % 3}")
        for n in range(first, first + count)
    ]


async def positions(follower: Follower, last: int) -> list[list[int]]:
    """The positions of each batch, up to a position: behind it may stand who was lent keys."""
    seen: list[list[int]] = []
    async with asyncio.timeout(20), aclosing(aiter(follower)) as batches:
        async for batch in batches:
            found = [one.envelope.position for one in batch]
            seen.append([position for position in found if position <= last])
            if found[-1] >= last:
                break
    return seen


def flat(batches: list[list[int]]) -> list[int]:
    return [position for batch in batches for position in batch]


@pytest.fixture
def no_polling(monkeypatch: pytest.MonkeyPatch) -> None:
    """The log itself is asked only for what a message shows to be missing."""
    monkeypatch.setattr(eventlog, "POLL_S", AN_AGE_S)


async def test_the_past_is_read_in_order_in_batches_no_larger_than_asked(running: Running):
    await running.log.append(*numbered(1, 25))
    batches = await positions(running.follow(max_batch=10), 25)
    assert flat(batches) == list(range(1, 26))
    assert max(map(len, batches)) <= 10


async def test_reading_goes_on_after_the_position_given(running: Running):
    await running.log.append(*numbered(1, 25))
    assert flat(await positions(running.follow(after=20), 25)) == [21, 22, 23, 24, 25]


@pytest.mark.usefixtures("no_polling")
async def test_what_is_appended_later_comes_from_the_broker(running: Running):
    await running.log.append(*numbered(1, 5))
    reading = asyncio.create_task(positions(running.follow(), 15))
    await running.subscribed()
    await running.log.append(*numbered(6, 10))
    assert flat(await reading) == list(range(1, 16))


@pytest.mark.usefixtures("no_polling")
async def test_a_hole_in_what_the_broker_shows_is_filled_from_the_log(running: Running):
    await running.log.append(*numbered(1, 5))
    reading = asyncio.create_task(positions(running.follow(), 20))
    await running.subscribed()
    await running.broker.jetstream().purge_stream(running.place.stream)
    await running.log.append(*numbered(6, 15))
    events, _ = await running.log.client.read_all(18, 10)
    await running.publish(events)
    assert flat(await reading) == list(range(1, 21))


@pytest.mark.usefixtures("no_polling")
async def test_what_the_broker_repeats_or_garbles_is_dropped(running: Running):
    await running.log.append(*numbered(1, 10))
    reading = asyncio.create_task(positions(running.follow(), 20))
    await running.subscribed()
    events, _ = await running.log.client.read_all(0, 100)
    for part in (events[2:7], events[:3], events[8:]):
        await running.publish(part)
    await running.broker.publish(f"{running.place.subject_prefix}.0.mixed", b"\xff\xff")
    await running.log.append(*numbered(11, 10))
    assert flat(await reading) == list(range(1, 21))


async def test_a_stray_message_of_another_log_is_passed_over(running: Running):
    await running.log.append(*numbered(1, 3))
    reading = asyncio.create_task(positions(running.follow(), 6))
    await running.subscribed()
    stray = RecordedEvent()
    stray.envelope.position = 4
    await running.publish([stray], incarnation="another")
    await running.log.append(*numbered(4, 3))
    assert flat(await reading) == [1, 2, 3, 4, 5, 6]


async def test_with_a_silent_broker_the_log_itself_is_asked(running: Running):
    reader = follow(running.log.client, None, 0)
    reading = asyncio.create_task(positions(reader, 8))
    await running.log.append(*numbered(1, 4))
    await running.log.append(*numbered(5, 4))
    assert flat(await reading) == list(range(1, 9))


async def test_a_log_of_another_incarnation_is_refused(running: Running):
    await running.log.append(*numbered(1, 3))
    with pytest.raises(IncarnationChanged) as refused:
        await positions(running.follow(incarnation="another"), 3)
    head = await running.log.client.head()
    assert refused.value.metadata == {"cursor": "another", "log": head.incarnation}


async def test_a_cursor_beyond_the_logs_end_is_refused(running: Running):
    position = await running.log.append(*numbered(1, 3))
    with pytest.raises(IncarnationChanged):
        await positions(running.follow(after=position + 1), 9)


async def test_a_reader_without_its_event_store_waits_and_says_so(running: Running):
    async with channel("127.0.0.1:1") as nowhere:
        log = EventLog(nowhere, running.log.client.principal)
        follower = follow(log, None, 0)
        with pytest.raises(Unavailable):
            await log.head()
        reading = asyncio.create_task(positions(follower, 1))
        async with asyncio.timeout(10):
            while not follower.waiting:
                await asyncio.sleep(0.01)
        reading.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_errors_of_the_event_store_are_raised_as_what_they_are(running: Running):
    with pytest.raises(InvalidArgument):
        await running.log.client.append(store_pb.AppendRequest(stream="no spaces"))


async def test_appended_events_are_read_back_by_stream_and_by_position(running: Running):
    await running.log.append(*numbered(1, 6))
    events, head = await running.log.client.read_all(2, 3)
    assert [one.envelope.position for one in events] == [3, 4, 5]
    assert head.position == 6
    stream = await running.log.client.read_stream("patient-1")
    assert [one.envelope.position for one in stream] == [1, 4]


async def test_each_shard_is_followed_on_its_own(postgres: Any, nats: Any) -> None:
    place = Place(postgres, nats.url)
    told = place.eventstore().model_copy(update={"shards": 3})
    async with eventstore_main.running(told) as service, channel(service.address) as connection:
        client = EventLog(connection, service_principal("projections"))
        assert (await client.head()).shards == 3
        sent: dict[int, list[str]] = {0: [], 1: [], 2: []}
        for number in range(12):
            one = event(number, BEGIN, pain(3), patient=f"patient-{number}")
            request = store_pb.AppendRequest(stream=one.envelope.subject_id)
            request.events.add(envelope=one.envelope, body=one.body.SerializeToString())
            appended = await client.append(request)
            assert appended.shard == shard_of(request.stream, 3)
            sent[appended.shard].append(one.envelope.event_id)
        broker = await connect_to_broker(nats.url)
        for shard, ids in sent.items():
            follower = follow(
                client,
                broker.jetstream(),
                0,
                stream=place.stream,
                prefix=place.subject_prefix,
                shard=shard,
            )
            seen: list[str] = []
            async with aclosing(aiter(follower)) as batches, asyncio.timeout(10):  # type: ignore[type-var]
                while len(seen) < len(ids):
                    seen += [one.envelope.event_id for one in await anext(batches)]
            assert seen == ids
            assert follower.position == len(ids)
        await broker.close()
