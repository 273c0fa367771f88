"""The live end of the log: what it holds, and how it comes back to a broker that was away."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from nats.aio.client import Client
from nats.aio.msg import Msg
from nats.js import JetStreamContext
from structlog.testing import capture_logs

from rehab.events.v1.event_pb2 import LogMessage
from rehab_runtime import livetail
from rehab_runtime.embedded import Nats
from rehab_runtime.jetstream import connect, ensure_stream
from rehab_runtime.livetail import LiveTail
from tests.support.ports import low_ports

pytestmark = pytest.mark.timeout(180)

spans = st.lists(st.tuples(st.integers(1, 12), st.integers(1, 5)), max_size=12)


def message(first: int, count: int = 1) -> LogMessage:
    made = LogMessage(incarnation="one")
    for position in range(first, first + count):
        made.events.add().envelope.position = position
    return made


class Place:
    """A stream of its own, and what is published there."""

    def __init__(self, js: JetStreamContext) -> None:
        self.js = js
        self.name = f"tail_{uuid.uuid4().hex}"

    async def publish(self, content: bytes) -> None:
        """Returns when the stream has it: a consumer made later does not see it as new."""
        await self.js.publish(f"{self.name}.0.mixed", content)

    async def consumers(self) -> list[str]:
        return [one.name for one in await self.js.consumers_info(self.name)]

    async def subscribed(self, *but: str) -> str:
        """The name of the tail's consumer, when it is there and is another than these."""
        found: list[str] = []

        async def there() -> bool:
            found[:] = [name for name in await self.consumers() if name not in but]
            return bool(found)

        await until(there)
        return found[0]


async def until(told: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await told():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def place(url: str) -> AsyncIterator[Place]:
    async with connect(url, name="test") as js:
        made = Place(js)
        await ensure_stream(js, made.name, made.name)
        yield made


def tail_of(where: Place) -> LiveTail:
    return LiveTail(where.js, where.name, f"{where.name}.0.>")


async def next_position(tail: LiveTail) -> int:
    async def there() -> bool:
        return await tail.wait(0.1)

    await until(there)
    found = tail.peek()
    assert found is not None
    tail.drop()
    return found.events[0].envelope.position


@given(shown=spans, after=st.integers(0, 10), limit=st.integers(1, 6))
async def test_only_what_follows_without_a_hole_is_handed_out(
    shown: list[tuple[int, int]], after: int, limit: int
) -> None:
    tail = LiveTail(None, "LOG", "log.>")
    tail._queue.extend(message(first, count) for first, count in shown)
    while taken := tail.take(after, limit):
        found = [one.envelope.position for one in taken]
        assert found == list(range(after + 1, after + 1 + len(found)))
        assert len(found) <= limit
        after = found[-1]
    waiting = tail.peek()
    assert waiting is None or waiting.events[0].envelope.position > after + 1


async def test_no_more_messages_are_kept_than_the_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(livetail, "QUEUED_MESSAGES", 5)
    tail = LiveTail(None, "LOG", "log.>")

    async def receive(position: int) -> None:
        await tail._received(Msg(Client(), data=message(position).SerializeToString()))

    for position in range(1, 9):
        await receive(position)
    assert [await next_position(tail) for _ in range(5)] == [1, 2, 3, 4, 5]
    await receive(9)
    assert await next_position(tail) == 9


async def test_what_is_no_message_of_the_log_is_passed_over(nats_url: str) -> None:
    async with place(nats_url) as where, tail_of(where) as tail:
        await where.subscribed()
        for content in (b"\xff\xff", b"", message(1, 0).SerializeToString()):
            await where.publish(content)
        await where.publish(message(7).SerializeToString())
        assert await next_position(tail) == 7


async def test_what_was_published_before_is_not_shown(nats_url: str) -> None:
    async with place(nats_url) as where:
        await where.publish(message(1).SerializeToString())
        async with tail_of(where) as tail:
            await where.subscribed()
            await where.publish(message(2).SerializeToString())
            assert await next_position(tail) == 2


async def test_a_tail_that_missed_twice_subscribes_anew(
    nats_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livetail, "RETRY_S", 0.01)
    async with place(nats_url) as where, tail_of(where) as tail:
        first = await where.subscribed()
        await where.js.delete_consumer(where.name, first)
        tail.missed()
        tail.missed()
        await where.subscribed(first)
        await where.publish(message(3).SerializeToString())
        assert await next_position(tail) == 3


async def test_a_broker_that_is_away_is_told_once_and_so_is_its_return(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(livetail, "RETRY_S", 0.01)
    port = low_ports()
    with capture_logs() as said:
        async with connect(f"nats://127.0.0.1:{port}", name="test") as js:
            where = Place(js)
            async with tail_of(where) as tail:
                # many attempts pass
                assert not await tail.wait(0.2)
                async with Nats(tmp_path / "nats", port):
                    await until(lambda: _made(where))
                    await where.subscribed()
                    await where.publish(message(1).SerializeToString())
                    assert await next_position(tail) == 1
    told = [(line["log_level"], line["event"]) for line in said]
    assert told == [
        ("warning", "the message broker is away: reading the log by polling"),
        ("info", "the message broker is back: reading the log live"),
    ]
    assert "NATS_URL" in said[0]["remedy"]


async def _made(where: Place) -> bool:
    if not where.js._nc.is_connected:
        return False
    await ensure_stream(where.js, where.name, where.name)
    return True


async def test_nothing_is_sent_any_more_to_who_left(nats_url: str) -> None:
    """The consumer itself ends when nobody has listened to it for INACTIVE_THRESHOLD_S."""
    async with place(nats_url) as where:

        async def bound() -> bool:
            (consumer,) = await where.js.consumers_info(where.name)
            return bool(consumer.push_bound)

        async def free() -> bool:
            return not await bound()

        async with tail_of(where):
            await where.subscribed()
            await until(bound)
        await until(free)
        assert "live-tail" not in {task.get_name() for task in asyncio.all_tasks()}


async def test_a_tail_without_a_broker_is_silent_and_leaves_at_once() -> None:
    async with LiveTail(None, "LOG", "log.>") as tail:
        assert not await tail.wait(0.01)
        assert tail.peek() is None
