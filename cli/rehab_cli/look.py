"""Looking into a running suite: the log's envelopes and the read models' lag."""

from __future__ import annotations

import grpc
from rich.console import Console
from rich.table import Table

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.suite import Addresses, SuiteError
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.errors import from_rpc_error
from rehab_runtime.server import channel

TIMEOUT_S = 10.0
METADATA = (bearer(service_principal("cli")),)
console = Console(highlight=False)


def line(event: RecordedEvent) -> str:
    envelope = event.envelope
    at = envelope.occurred_at.ToJsonString()
    return (
        f"{envelope.position:>8}  {envelope.subject_id:<16} v{envelope.stream_version:<6} "
        f"{envelope.kind:<18} {at}  {len(event.body)} bytes"
    )


def told(error: grpc.aio.AioRpcError, address: str) -> SuiteError:
    """One line with what to do."""
    if error.code() is grpc.StatusCode.UNAVAILABLE:
        return SuiteError(f"nothing answers at {address}; start it with: rehab up")
    return SuiteError(from_rpc_error(error).message)


async def read(addresses: Addresses, stream: str, after: int, limit: int, kinds: list[str]) -> int:
    async with channel(addresses.eventstore) as connection:
        stub = EventStoreServiceStub(connection)
        if stream:
            asked = store_pb.ReadStreamRequest(
                stream=stream, after_version=after, limit=limit, kinds=kinds
            )
            pages = stub.ReadStream(asked, metadata=METADATA, timeout=TIMEOUT_S)
        else:
            chosen = store_pb.Filter(kinds=kinds)
            everything = store_pb.ReadAllRequest(after_position=after, limit=limit, filter=chosen)
            pages = stub.ReadAll(everything, metadata=METADATA, timeout=TIMEOUT_S)
        try:
            async for page in pages:
                for event in page.events:
                    console.print(line(event), soft_wrap=True)
        except grpc.aio.AioRpcError as error:
            raise told(error, addresses.eventstore) from None
    return 0


async def tail(addresses: Addresses) -> int:
    async with channel(addresses.eventstore) as connection:
        asked = store_pb.SubscribeRequest(from_head=True)
        changes = EventStoreServiceStub(connection).Subscribe(asked, metadata=METADATA)
        try:
            async for change in changes:
                for event in change.page.events:
                    console.print(line(event), soft_wrap=True)
        except grpc.aio.AioRpcError as error:
            raise told(error, addresses.eventstore) from None
        finally:
            changes.cancel()
    return 0


async def lag(addresses: Addresses) -> int:
    async with channel(addresses.projections) as connection:
        stub = ProjectionsServiceStub(connection)
        try:
            answer = await stub.GetLag(
                read_pb.GetLagRequest(), metadata=METADATA, timeout=TIMEOUT_S
            )
        except grpc.aio.AioRpcError as error:
            raise told(error, addresses.projections) from None
    table = Table(
        "projection", "status", "position", "head", "behind", "p50 ms", "p99 ms", "parked", box=None
    )
    for one in answer.projections:
        behind = f"{one.events:,} events, {one.oldest_unprocessed_ms:,} ms"
        times = (f"{one.lag_p50_ms:.1f}", f"{one.lag_p99_ms:.1f}")
        table.add_row(
            one.name, one.status, str(one.position), str(one.head), behind, *times, str(one.parked)
        )
    console.print(table)
    return 0
