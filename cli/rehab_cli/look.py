"""Looking into a running suite: the log's events, and where the read models stand."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import grpc
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp
from rich.table import Table

from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, PRINCIPAL, TIMEOUT_S, asking
from rehab_cli.console import out, problem
from rehab_cli.errors import SuiteError
from rehab_runtime.bodies import Bodies

RETRY_S = 0.5


@dataclass(frozen=True)
class AsOf:
    """How much of a stream had been recorded: up to a version, or a moment in ISO 8601. Neither is
    all of it."""

    version: int = 0
    moment: str = ""

    def timestamp(self) -> Timestamp | None:
        if not self.moment:
            return None
        at = None
        with contextlib.suppress(ValueError):
            at = datetime.fromisoformat(self.moment)
        if at is None or at.tzinfo is None:
            raise SuiteError(
                f"{self.moment} is no moment: write it with its zone, 2026-03-02T10:00:00+01:00"
            )
        made = Timestamp()
        made.FromDatetime(at)
        return made


@dataclass(frozen=True)
class Wanted:
    """Which events, and how they are shown. Bodies hold patient data: only when asked for."""

    stream: str = ""
    after: int = 0
    limit: int = 0
    kinds: Sequence[str] = ()
    as_json: bool = False
    bodies: bool = False
    shard: int = 0
    as_of: AsOf = AsOf()

    def __post_init__(self) -> None:
        if self.as_of != AsOf() and not self.stream:
            raise SuiteError("one patient's stream is read as of a time or version: name it")
        unknown = sorted(set(self.kinds) - KINDS.keys())
        if unknown:
            known = ", ".join(sorted(KINDS))
            raise SuiteError(f"there is no kind {', '.join(unknown)}; there are {known}")

    def filter(self) -> store_pb.Filter:
        return store_pb.Filter(kinds=self.kinds, streams=[self.stream] if self.stream else [])

    async def show(self, events: Sequence[RecordedEvent], bodies: Bodies) -> None:
        """Print the events; their bodies are opened only if they were asked for."""
        sizes = [len(event.body) for event in events]
        if self.bodies:
            await bodies.open(events)
        for event, size in zip(events, sizes, strict=True):
            out.print(
                self._json(event, size) if self.as_json else self._line(event, size), markup=False
            )

    def _line(self, event: RecordedEvent, size: int) -> str:
        envelope = event.envelope
        shown = json.dumps(_body(event)) if self.bodies else f"{size} bytes"
        return (
            f"{envelope.position:>8}  {envelope.subject_id:<16} v{envelope.stream_version:<6} "
            f"{envelope.kind:<18} {envelope.occurred_at.ToJsonString()}  {shown}"
        )

    def _json(self, event: RecordedEvent, size: int) -> str:
        told = {"envelope": _dict(event.envelope), "body_bytes": size}
        if self.bodies:
            told["body"] = _body(event)
        return json.dumps(told)


def _body(event: RecordedEvent) -> object:
    if event.erased:
        return "erased"
    if event.key_id:
        return f"sealed with key {event.key_id}"
    return _dict(Body.FromString(event.body))


def _dict(message: Message) -> dict[str, Any]:
    """As JSON, with 64-bit numbers as numbers."""
    told: dict[str, Any] = MessageToDict(message, preserving_proto_field_name=True)
    for field, value in message.ListFields():
        if field.cpp_type in (field.CPPTYPE_INT64, field.CPPTYPE_UINT64):
            told[field.name] = value
    return told


async def read(addresses: Addresses, wanted: Wanted) -> int:
    async with asking(addresses.eventstore) as connection:
        stub = EventStoreServiceStub(connection)
        bodies = Bodies(connection, PRINCIPAL)
        if wanted.stream:
            one = store_pb.ReadStreamRequest(
                stream=wanted.stream,
                after_version=wanted.after,
                until_version=wanted.as_of.version,
                until_time=wanted.as_of.timestamp(),
                limit=wanted.limit,
                kinds=wanted.kinds,
            )
            pages = stub.ReadStream(one, metadata=METADATA, timeout=TIMEOUT_S)
        else:
            everything = store_pb.ReadAllRequest(
                after_position=wanted.after,
                limit=wanted.limit,
                filter=wanted.filter(),
                shard=wanted.shard,
            )
            pages = stub.ReadAll(everything, metadata=METADATA, timeout=TIMEOUT_S)
        async for page in pages:
            await wanted.show(page.events, bodies)
    return 0


async def tail(addresses: Addresses, wanted: Wanted) -> int:
    """Events as they are committed, also over a restart of the event store, until cancelled."""
    async with asking(addresses.eventstore) as connection:
        stub = EventStoreServiceStub(connection)
        bodies = Bodies(connection, PRINCIPAL)
        head = await stub.GetHead(
            store_pb.GetHeadRequest(shard=wanted.shard), metadata=METADATA, timeout=TIMEOUT_S
        )
        reached, told = wanted.after or head.position, False
        while True:
            asked = store_pb.SubscribeRequest(
                after_position=reached, filter=wanted.filter(), shard=wanted.shard
            )
            changes = stub.Subscribe(asked, metadata=METADATA)
            try:
                async for change in changes:
                    told = False
                    reached = await _show_change(wanted, change, reached, bodies)
            except grpc.aio.AioRpcError as error:
                if error.code() is not grpc.StatusCode.UNAVAILABLE:
                    raise
                if not told:
                    problem("the event store went away; going on when it is back")
                told = True
            finally:
                changes.cancel()
            await asyncio.sleep(RETRY_S)


async def _show_change(
    wanted: Wanted, change: store_pb.SubscribeResponse, reached: int, bodies: Bodies
) -> int:
    """Show what it brings; the position reached is returned."""
    match change.WhichOneof("content"):
        case "page" if change.page.events:
            await wanted.show(change.page.events, bodies)
            return int(change.page.events[-1].envelope.position)
        case "checkpoint":
            return max(reached, change.checkpoint.position)
    return reached


async def projections_of(addresses: Addresses) -> Sequence[read_pb.ProjectionLag]:
    async with asking(addresses.projections) as connection:
        answer = await ProjectionsServiceStub(connection).GetLag(
            read_pb.GetLagRequest(), metadata=METADATA, timeout=TIMEOUT_S
        )
    return list(answer.projections)


async def lag(addresses: Addresses) -> int:
    """How far behind."""
    table = Table("projection", "shard", "behind", "oldest", "p50", "p99", box=None)
    for one in await projections_of(addresses):
        behind, oldest = f"{one.events:,} events", f"{one.oldest_unprocessed_ms:,} ms"
        table.add_row(
            one.name,
            str(one.shard),
            behind,
            oldest,
            f"{one.lag_p50_ms:.1f} ms",
            f"{one.lag_p99_ms:.1f} ms",
        )
    out.print(table)
    return 0


async def status(addresses: Addresses) -> int:
    """Where each stands."""
    columns = ("shard", "status", "position", "head", "parked", "incarnation", "folded by", "for")
    table = Table("projection", *columns, box=None)
    for one in await projections_of(addresses):
        table.add_row(
            one.name,
            str(one.shard),
            one.status,
            f"{one.position:,}",
            f"{one.head:,}",
            str(one.parked),
            one.incarnation,
            one.holder or "nobody",
            f"{one.held_ms / 1000:,.0f} s" if one.holder else "",
        )
    out.print(table)
    return 0
