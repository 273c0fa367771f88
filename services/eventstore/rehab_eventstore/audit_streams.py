"""Where the log's own trail is kept, and who may write audit streams."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.audit import KeyTrail
from rehab_eventstore.forwarding import Forwarding
from rehab_eventstore.messages import append_command
from rehab_eventstore.queue import Priority
from rehab_eventstore.settings import Settings
from rehab_eventstore.shard import Shard, Shards
from rehab_runtime.access import trail as trails
from rehab_runtime.access.streams import is_audit, owner_of, stream_of
from rehab_runtime.access.telling import EVENTS_AT_ONCE, access_event
from rehab_runtime.access.trail import Told
from rehab_runtime.auth import ON_BEHALF, bearer, service_principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import PermissionDenied
from rehab_runtime.lifecycle import Background

NAME = "keys"
SERVICE = "eventstore"
FORWARD_S = 4.0


def require_writer(stream: str, service: str) -> None:
    """Raise PermissionDenied unless the service may write the stream: audit streams are written by
    the service that they are named for alone."""
    if is_audit(stream) and service != owner_of(stream):
        raise PermissionDenied(f"the service {service} may not write this audit stream")


@asynccontextmanager
async def trailing(
    settings: Settings,
    shards: Shards,
    forwarding: Forwarding,
    clock: Clock,
    background: Background,
) -> AsyncIterator[KeyTrail]:
    """The trail, kept there; all that was read is told when the context is left."""
    trail = KeyTrail(
        AuditStreams(shards, forwarding).tell,
        clock,
        covered_s=settings.key_reader_ttl_s,
        pace_s=settings.audit_ms / 1000,
    )
    async with trails.running(trail, background, "tells who reads keys"):
        yield trail


class AuditStreams:
    """Appends like anybody else: handed to the shard's leader, and written here when it does not
    answer."""

    def __init__(self, shards: Shards, forwarding: Forwarding) -> None:
        self._shards = shards
        self._forwarding = forwarding

    async def tell(self, told: Sequence[Told]) -> None:
        """Raises what the log answers."""
        # a shard that this replica leads, if any: no hop, and no rounds lost to its leader
        shard = next(
            (one for one in self._shards if one.leadership.leads), self._shards.numbered(0)
        )
        stream = stream_of(NAME, shard.number, len(self._shards))
        events = [access_event(stream, one) for one in told]
        for first in range(0, len(events), EVENTS_AT_ONCE):
            await self._append(shard, stream, events[first : first + EVENTS_AT_ONCE])

    async def _append(self, shard: Shard, stream: str, events: Sequence[pb.NewEvent]) -> None:
        request = pb.AppendRequest(stream=stream, events=events)
        if await self._forwarding.ask(shard.leadership, "Append", request, _OwnCall()) is None:
            await shard.writer.append(append_command(request), Priority.LIVE)


class _OwnCall:
    """What is known of a caller, where this service is its own."""

    def invocation_metadata(self) -> Iterator[tuple[str, str]]:
        yield bearer(service_principal(SERVICE))
        yield ON_BEHALF, SERVICE

    def time_remaining(self) -> float:
        return FORWARD_S
