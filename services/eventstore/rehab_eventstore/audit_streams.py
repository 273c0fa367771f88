"""Where the trail is kept: a stream of the log's own in each shard, which nobody else writes."""

from __future__ import annotations

import itertools
import re
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager
from functools import lru_cache

from rehab.events.v1 import event_pb2
from rehab.events.v1.admin_pb2 import Access
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.audit import Told, Trail
from rehab_eventstore.forwarding import Forwarding
from rehab_eventstore.messages import append_command
from rehab_eventstore.queue import Priority
from rehab_eventstore.settings import Settings
from rehab_eventstore.shard import Shard, Shards
from rehab_runtime.auth import ON_BEHALF, bearer, service_principal
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import PermissionDenied
from rehab_runtime.lifecycle import Background
from rehab_runtime.slices import shard_of

PREFIX = "audit-keys-"
SERVICE = "eventstore"
CLINIC = "rehab"
"""Readings of all clinics are told together: the events are of none, but the log's own."""
KIND = "access"
EVENTS_AT_ONCE = 1000
"""As rehab.eventstore.v1.AppendRequest says."""
FORWARD_S = 4.0
ALLOWED, DENIED = "key_reader", "not_a_key_reader"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


def is_audit(stream: str) -> bool:
    return stream.startswith(PREFIX)


def require_writer(stream: str, service: str) -> None:
    """Raise PermissionDenied unless the service may write the stream."""
    if is_audit(stream) and service != SERVICE:
        raise PermissionDenied(f"the service {service} may not write the log's own streams")


@lru_cache
def stream_of(shard: int, shards: int) -> str:
    """The trail's stream that lives in a shard: where a stream lives, its name decides."""
    name = f"{PREFIX}{shard}"
    others = (f"{name}-{number}" for number in itertools.count(1))
    names = itertools.chain([name], others)
    return next(one for one in names if shard_of(one, shards) == shard)


@asynccontextmanager
async def trailing(
    settings: Settings,
    shards: Shards,
    forwarding: Forwarding,
    clock: Clock,
    background: Background,
) -> AsyncIterator[Trail]:
    """The trail, kept there; all that was read is told when the context is left."""
    trail = Trail(
        AuditStreams(shards, forwarding).tell,
        clock,
        covered_s=settings.key_reader_ttl_s,
        pace_s=settings.audit_ms / 1000,
    )
    background.start(trail.run(), "tells who reads keys")
    try:
        yield trail
    finally:
        await trail.close()


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
        stream = stream_of(shard.number, len(self._shards))
        events = [_event(stream, one) for one in told]
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


def _event(stream: str, told: Told) -> pb.NewEvent:
    reading = told.reading
    access = Access(
        rpc=reading.rpc,
        allowed=reading.allowed,
        reason=ALLOWED if reading.allowed else DENIED,
        subject_ids=told.subjects,
    )
    access.covered_until.FromDatetime(told.covered_until)
    body = event_pb2.Body(access=access)
    event = pb.NewEvent(body=body.SerializeToString(deterministic=True))
    envelope = event.envelope
    envelope.event_id = str(uuid7())
    envelope.clinic_id = CLINIC
    envelope.subject_id = stream
    envelope.kind = KIND
    envelope.schema_version = KINDS[KIND].schema_version
    envelope.occurred_at.FromDatetime(told.at)
    envelope.actor.id = reading.actor if _ID.fullmatch(reading.actor) else "unnamed"
    envelope.actor.role = event_pb2.Role.Value(f"ROLE_{reading.role.upper()}")
    envelope.provenance = event_pb2.PROVENANCE_SYSTEM
    return event
