"""JetStream: a connection that keeps trying, the log's stream, bounded publishing."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import nats.errors
from nats.aio.client import Client
from nats.js import JetStreamContext
from nats.js.api import PubAck, StorageType, StreamConfig
from nats.js.errors import NotFoundError

from rehab_runtime.logging import get_logger

log = get_logger("jetstream")

RETRY_S = 0.5
PUBLISH_TIMEOUT_S = 5.0
DUPLICATE_WINDOW_S = 120.0
MAX_LOG_BYTES = 8 * 1024**3


@asynccontextmanager
async def connect(url: str, *, name: str) -> AsyncIterator[JetStreamContext]:
    """JetStream while the context is open. It does not wait for the broker: an absent one is told
    in one line and tried again for ever."""
    client = Client()
    connecting = asyncio.create_task(_connect(client, url, name), name="nats-connect")
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(asyncio.shield(connecting), 1.0)
    try:
        yield client.jetstream()
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        with contextlib.suppress(nats.errors.Error, OSError):
            await client.close()


async def _connect(client: Client, url: str, name: str) -> None:
    told = False
    while not client.is_connected:
        try:
            await client.connect(
                url,
                name=name,
                connect_timeout=2,
                allow_reconnect=True,
                max_reconnect_attempts=-1,
                reconnect_time_wait=RETRY_S,
                ping_interval=5,
                max_outstanding_pings=2,
                error_cb=_ignore,
            )
        except (nats.errors.Error, OSError, TimeoutError) as error:
            if not told:
                log.warning(
                    "NATS does not answer: nothing is lost, only slower",
                    url=url,
                    error_type=type(error).__name__,
                    remedy="start NATS, or check NATS_URL",
                )
                told = True
            await asyncio.sleep(RETRY_S)


async def _ignore(_: Exception) -> None:
    """Reconnecting is the client's own business; what matters fails at the call."""


async def ensure_stream(js: JetStreamContext, stream: str = "LOG", prefix: str = "log") -> None:
    """Make the log's stream unless it is there."""
    try:
        await js.stream_info(stream)
    except NotFoundError:
        await js.add_stream(
            StreamConfig(
                name=stream,
                subjects=[f"{prefix}.>"],
                storage=StorageType.FILE,
                max_bytes=MAX_LOG_BYTES,
                duplicate_window=DUPLICATE_WINDOW_S,
            )
        )


async def publish(js: JetStreamContext, subject: str, payload: bytes, msg_id: str) -> PubAck:
    """Publish and wait until the broker has it on disk. A duplicate is success."""
    return await js.publish(
        subject, payload, timeout=PUBLISH_TIMEOUT_S, headers={"Nats-Msg-Id": msg_id}
    )
