"""`rehab quarantine`: events that ingest refused, and what becomes of them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import grpc
import typer
from google.protobuf.message import DecodeError

from rehab.events.v1 import admin_pb2, event_pb2
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, PRINCIPAL, TIMEOUT_S, asking, shards_of
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out, problem
from rehab_cli.errors import SuiteError
from rehab_runtime.bodies import Bodies
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import from_rpc_error

KIND = "quarantine"
Entries = Annotated[list[str] | None, typer.Argument(help="Entries; all that are held without.")]


def list_(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """What is held, and by which rule. Contents hold patient data and stay closed."""
    run(lambda: _list(find(data, port_base)))


def replay(entries: Entries = None, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Send refused events again, as they were: after a fix. Those refused again stay held."""
    run(lambda: _replay(find(data, port_base), entries or ()))


def discard(
    entries: Annotated[list[str], typer.Argument(help="Entries that are not wanted any more.")],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Let refused events go. They stay in the log, and are listed no more."""
    run(lambda: _discard(find(data, port_base), entries))


@dataclass(frozen=True)
class Held:
    """An entry that nobody has looked at."""

    entry: str
    envelope: event_pb2.Envelope
    content: admin_pb2.QuarantineHeld


@asynccontextmanager
async def _held(addresses: Addresses) -> AsyncIterator[tuple[Any, Sequence[Held]]]:
    """A channel to the log, and what is held, oldest first."""
    async with asking(addresses.eventstore) as connection:
        held: dict[str, Held] = {}
        for shard in range(await shards_of(connection)):
            async for event in _told(connection, shard):
                told = event_pb2.Body.FromString(event.body).quarantine
                if told.HasField("held"):
                    held[told.entry_id] = Held(told.entry_id, event.envelope, told.held)
                else:
                    held.pop(told.entry_id, None)
        yield connection, list(held.values())


async def _told(connection: grpc.aio.Channel, shard: int) -> AsyncIterator[event_pb2.RecordedEvent]:
    bodies = Bodies(connection, PRINCIPAL)
    wanted = store_pb.ReadAllRequest(shard=shard, filter=store_pb.Filter(kinds=[KIND]))
    async for page in EventStoreServiceStub(connection).ReadAll(wanted, metadata=METADATA):
        await bodies.open(page.events)
        for event in page.events:
            if not event.erased and not event.key_id:
                yield event


async def _list(addresses: Addresses) -> int:
    async with _held(addresses) as (_, held):
        pass
    if not held:
        out.print("nothing is held")
        return 0
    for one in held:
        reason = one.content.reason.removeprefix("ERROR_REASON_").lower()
        out.print(
            f"{one.entry}  {one.envelope.occurred_at.ToJsonString()}  {one.envelope.subject_id}  "
            f"{len(one.content.event):,} bytes  {reason}  {', '.join(one.content.rules)}",
            markup=False,
        )
    return 0


async def _replay(addresses: Addresses, entries: Sequence[str]) -> int:
    refused = 0
    async with _held(addresses) as (log, held), asking(addresses.ingest) as door:
        for one in _chosen(held, entries):
            trouble = await _again(IngestServiceStub(door), one)
            if trouble:
                problem(f"{one.entry}: {trouble}")
                refused += 1
                continue
            await _release(log, one, "replayed")
            out.print(f"{one.entry}: stored")
    return 1 if refused else 0


async def _again(door: Any, one: Held) -> str:
    """Why it is refused again; nothing when it is stored."""
    if not one.content.event:
        return "its content was not kept: it has to come from the device again"
    try:
        event = event_pb2.Event.FromString(one.content.event)
    except DecodeError:
        return "its content is no event"
    request = pb.LogEventRequest(event=event)
    try:
        await door.LogEvent(request, metadata=METADATA, timeout=TIMEOUT_S)
    except grpc.aio.AioRpcError as error:
        if error.code() is grpc.StatusCode.UNAVAILABLE:
            raise
        return from_rpc_error(error).message
    return ""


async def _discard(addresses: Addresses, entries: Sequence[str]) -> int:
    async with _held(addresses) as (log, held):
        for one in _chosen(held, entries):
            await _release(log, one, "discarded")
            out.print(f"{one.entry}: discarded")
    return 0


def _chosen(held: Sequence[Held], entries: Sequence[str]) -> Sequence[Held]:
    unknown = sorted(set(entries) - {one.entry for one in held})
    if unknown:
        raise SuiteError(f"not held: {', '.join(unknown)}; see: rehab quarantine list")
    return [one for one in held if not entries or one.entry in entries]


async def _release(connection: grpc.aio.Channel, one: Held, outcome: str) -> None:
    """Told by an event, in the same stream."""
    event = store_pb.NewEvent()
    envelope = event.envelope
    envelope.event_id, envelope.kind = str(uuid7()), KIND
    envelope.clinic_id, envelope.subject_id = one.envelope.clinic_id, one.envelope.subject_id
    envelope.schema_version, envelope.phi = KINDS[KIND].schema_version, KINDS[KIND].phi
    envelope.occurred_at.FromDatetime(datetime.now(UTC))
    envelope.actor.id, envelope.actor.role = PRINCIPAL.id, event_pb2.ROLE_SERVICE
    envelope.provenance = event_pb2.PROVENANCE_SYSTEM
    body = event_pb2.Body()
    body.quarantine.entry_id, body.quarantine.released.outcome = one.entry, outcome
    event.body = body.SerializeToString(deterministic=True)
    request = store_pb.AppendRequest(stream=envelope.subject_id, events=[event])
    request.expected.any.SetInParent()
    await EventStoreServiceStub(connection).Append(request, metadata=METADATA, timeout=TIMEOUT_S)
