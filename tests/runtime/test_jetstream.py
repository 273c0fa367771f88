"""The message broker: it may come late, go and come back; what it has on disk it tells."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Callable
from pathlib import Path

import nats.errors
import pytest
from nats.js import JetStreamContext
from nats.js.api import StorageType

from rehab_runtime import jetstream
from rehab_runtime.embedded import Nats
from rehab_runtime.jetstream import connect, ensure_stream, publish
from rehab_runtime.startup import StartupError
from tests.support.ports import low_ports

pytestmark = pytest.mark.timeout(180)


async def until(told: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not told():
            await asyncio.sleep(0.01)


async def messages(js: JetStreamContext, stream: str) -> int:
    return int((await js.stream_info(stream)).state.messages)


@pytest.fixture
def named() -> str:
    """A stream, and the prefix of its subjects, that no other test uses."""
    return f"own_{uuid.uuid4().hex}"


async def test_the_logs_stream_is_made_once_by_however_many(nats_url: str, named: str) -> None:
    async with connect(nats_url, name="test") as js:
        await asyncio.gather(*(ensure_stream(js, named, named) for _ in range(5)))
        config = (await js.stream_info(named)).config
        assert config.subjects == [f"{named}.>"]
        assert config.storage == StorageType.FILE
        assert config.max_bytes == jetstream.MAX_LOG_BYTES
        assert config.duplicate_window == jetstream.DUPLICATE_WINDOW_S
        await publish(js, f"{named}.0.pain_report", b"one", "id-1")
        await ensure_stream(js, named, named)
        assert await messages(js, named) == 1


async def test_what_is_published_twice_is_kept_once(nats_url: str, named: str) -> None:
    async with connect(nats_url, name="test") as js:
        await ensure_stream(js, named, named)
        first = await publish(js, f"{named}.0.pain_report", b"one", "id-1")
        again = await publish(js, f"{named}.0.pain_report", b"one", "id-1")
        assert (first.duplicate, again.duplicate) == (None, True)
        assert first.seq == again.seq
        assert await messages(js, named) == 1


async def test_a_broker_that_comes_late_is_found(tmp_path: Path, named: str) -> None:
    port = low_ports()
    async with connect(f"nats://127.0.0.1:{port}", name="test") as js:
        assert not js._nc.is_connected
        async with Nats(tmp_path / "nats", port):
            await until(lambda: js._nc.is_connected)
            await ensure_stream(js, named, named)
            await publish(js, f"{named}.0.pain_report", b"one", "id-1")
            assert await messages(js, named) == 1


async def test_a_broker_that_was_killed_is_found_again_with_all_it_had(
    tmp_path: Path, named: str
) -> None:
    async with (
        Nats(tmp_path / "nats", low_ports()) as server,
        connect(server.url, name="test") as js,
    ):
        await ensure_stream(js, named, named)
        await publish(js, f"{named}.0.pain_report", b"one", "id-1")
        await server.kill()
        await until(lambda: not js._nc.is_connected)
        await server.start()
        await until(lambda: js._nc.is_connected)
        assert (await publish(js, f"{named}.0.pain_report", b"one", "id-1")).duplicate
        await publish(js, f"{named}.0.pain_report", b"two", "id-2")
        assert await messages(js, named) == 2


async def test_publishing_is_not_waited_for_without_end(
    tmp_path: Path, named: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(jetstream, "PUBLISH_TIMEOUT_S", 0.05)
    async with (
        Nats(tmp_path / "nats", low_ports()) as server,
        connect(server.url, name="test") as js,
    ):
        await ensure_stream(js, named, named)
        await server.kill()
        with pytest.raises((nats.errors.Error, TimeoutError)):
            await publish(js, f"{named}.0.pain_report", b"one", "id-1")


async def test_who_leaves_an_absent_broker_leaves_nothing_behind() -> None:
    async with connect(f"nats://127.0.0.1:{low_ports()}", name="test"):
        assert "nats-connect" in {task.get_name() for task in asyncio.all_tasks()}
    assert asyncio.all_tasks() == {asyncio.current_task()}


@pytest.mark.parametrize("wrong", ["", "nats://rehab:hunter2@127.0.0.1:port"])
async def test_a_url_that_is_none_is_told_and_not_repeated(wrong: str) -> None:
    with pytest.raises(StartupError, match="correct NATS_URL") as refused:
        async with connect(wrong, name="test"):
            pass
    assert "hunter2" not in str(refused.value)
