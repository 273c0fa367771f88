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

from rehab_runtime.startup import StartupError

FIRST_WAIT_S = 1.0
"""How long a broker that is there may take, so that who starts finds it."""
RETRY_S = 0.5
PUBLISH_TIMEOUT_S = 5.0
DUPLICATE_WINDOW_S = 120.0
MAX_LOG_BYTES = 8 * 1024**3


@asynccontextmanager
async def connect(url: str, *, name: str) -> AsyncIterator[JetStreamContext]:
    """JetStream while the context is open. It does not wait for the broker, and tries an absent one
    again for ever: who needs it tells what its absence means. StartupError when the URL is none."""
    client = Client()
    connecting = asyncio.create_task(_connect(client, url, name), name="nats-connect")
    try:
        await asyncio.wait([connecting], timeout=FIRST_WAIT_S)
        if connecting.done():
            connecting.result()
        yield client.jetstream()
    finally:
        connecting.cancel()
        await asyncio.gather(connecting, return_exceptions=True)
        # A client that was never told where to connect asserts that it was. From Python 3.12 on,
        # what was lost and is written to raises TypeError (github.com/python/cpython/issues/136234)
        with contextlib.suppress(nats.errors.Error, OSError, AssertionError, TypeError):
            await client.close()


async def _connect(client: Client, url: str, name: str) -> None:
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
    except (nats.errors.Error, ValueError):
        # with so many attempts nothing but the URL ends them; it may hold a password
        raise StartupError(
            "the URL of NATS is not one", "correct NATS_URL: nats://host:port"
        ) from None


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
