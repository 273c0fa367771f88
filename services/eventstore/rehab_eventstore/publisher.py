"""JetStream out: the log's messages as the broker keeps them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import nats.errors
from google.protobuf.message import DecodeError
from nats.js import JetStreamContext
from nats.js.errors import NotFoundError

from rehab.events.v1.event_pb2 import LogMessage
from rehab_eventstore.storage.codec import Encoded
from rehab_eventstore.storage.wire import varint
from rehab_runtime import jetstream

BROKER_TROUBLE = (nats.errors.Error, OSError, TimeoutError)
MIXED = "mixed"
OVERHEAD_BYTES = 256
"""Room for a message's own fields and headers."""
_EVENT = b"\x1a"
"""The tag of LogMessage.events."""


class BrokerReset(Exception):
    """The broker lost messages that it had acknowledged."""


@dataclass(frozen=True)
class Place:
    """The last position that the broker holds, and the log that it belongs to."""

    incarnation: str
    position: int


@dataclass(frozen=True)
class Chunk:
    """Consecutive events for one message; none of them when one is too large for any message."""

    events: Sequence[Encoded]
    last_position: int


class Publisher:
    """Publishes one shard's events, in order, one message at a time.

    Every method raises an error of BROKER_TROUBLE when the broker is away or refuses.
    """

    def __init__(
        self,
        js: JetStreamContext,
        stream: str,
        prefix: str,
        shard: int,
        *,
        max_events: int,
        max_bytes: int,
    ) -> None:
        self._js = js
        self._stream = stream
        self._subject = f"{prefix}.{shard}"
        self._prefix = prefix
        self._shard = shard
        self._max_events = max_events
        self._max_bytes = max_bytes
        self._sequence = 0

    async def last(self) -> Place | None:
        """Where the broker stands, as its own last message says; None when it has none."""
        self._require_connection()
        await jetstream.ensure_stream(self._js, self._stream, self._prefix)
        try:
            found = await self._js.get_last_msg(self._stream, f"{self._subject}.>")
        except NotFoundError:
            self._sequence = 0
            return None
        self._sequence = found.seq or 0
        try:
            message = LogMessage.FromString(found.data or b"")
        except DecodeError:
            return None
        if not message.events:
            return None
        return Place(message.incarnation, message.events[-1].envelope.position)

    def chunks(self, events: Sequence[Encoded]) -> Iterator[Chunk]:
        """Events, as many to a message as the bounds allow."""
        limit = min(self._max_bytes, self._js._nc.max_payload or self._max_bytes) - OVERHEAD_BYTES
        chunk: list[Encoded] = []
        size = 0
        for event in events:
            # the length of an event and its tag come before it
            more = len(event.wire) + 8
            if chunk and (size + more > limit or len(chunk) >= self._max_events):
                yield Chunk(chunk, chunk[-1].position)
                chunk, size = [], 0
            if more > limit:
                yield Chunk((), event.position)
            else:
                chunk.append(event)
                size += more
        if chunk:
            yield Chunk(chunk, chunk[-1].position)

    async def publish(self, incarnation: str, events: Sequence[Encoded]) -> None:
        """Returns when the broker has them on disk. Raises BrokerReset too."""
        self._require_connection()
        kinds = {event.kind for event in events}
        kind = kinds.pop() if len(kinds) == 1 else MIXED
        first = events[0].position
        ack = await jetstream.publish(
            self._js,
            f"{self._subject}.{kind}",
            message_of(incarnation, self._shard, events),
            f"{incarnation}:{self._shard}:{first}",
        )
        if ack.duplicate:
            return
        if ack.seq <= self._sequence:
            raise BrokerReset
        self._sequence = ack.seq

    def _require_connection(self) -> None:
        # without one the client would keep the message and send it some time later
        if not self._js._nc.is_connected:
            raise nats.errors.ConnectionClosedError


def message_of(incarnation: str, shard: int, events: Sequence[Encoded]) -> bytes:
    """A rehab.events.v1.LogMessage."""
    parts = [LogMessage(incarnation=incarnation, shard=shard).SerializeToString()]
    for event in events:
        parts += (_EVENT, varint(len(event.wire)), event.wire)
    return b"".join(parts)
