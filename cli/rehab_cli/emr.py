"""`rehab emr ...`: FHIR servers that clinics share with, and what became of each delivery."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToJson
from rich.table import Column, Table

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.emr.v1.emr_service_pb2_grpc import EmrServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.alerts import AsJson, Clinic, shown
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

EndpointId = Annotated[str, typer.Argument(metavar="ENDPOINT", help="The endpoint's id.")]
Patient = Annotated[str, typer.Argument(metavar="PATIENT", help="The patient's id.")]
Receiver = Annotated[str, typer.Option("--endpoint", help="One endpoint's; all without.")]
STATES = ("any", "pending", "held", "unmatched", "delivered", "dead")
PAGE = 500


@asynccontextmanager
async def emr(addresses: Addresses) -> AsyncIterator[Any]:
    if not addresses.emr:
        raise SuiteError("this suite runs without emr; start it again with: rehab up")
    async with asking(addresses.emr) as connection:
        yield EmrServiceStub(connection)


async def ask(addresses: Addresses, rpc: str, request: Any, metadata: Any = METADATA) -> Any:
    async with emr(addresses) as stub:
        return await getattr(stub, rpc)(request, metadata=metadata, timeout=TIMEOUT_S)


def deliveries(
    clinic: Clinic,
    endpoint: Receiver = "",
    patient: Annotated[str, typer.Option(help="One patient's.")] = "",
    state: Annotated[str, typer.Option(help=", ".join(STATES))] = "any",
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    as_json: AsJson = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Resources on their way, the one changed last first."""
    if state not in STATES:
        raise typer.BadParameter(f"must be one of {', '.join(STATES)}", param_hint="--state")
    request = pb.ListDeliveriesRequest(
        clinic_id=clinic,
        endpoint_id=endpoint,
        only_patient_id=patient,
        state=pb.DeliveryState.ValueType(STATES.index(state)),
        page_size=min(limit or PAGE, PAGE),
    )
    run(lambda: _deliveries(find(data, port_base), request, limit, as_json=as_json))


def watch(
    clinic: Clinic, endpoint: Receiver = "", data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """Deliveries as they change, until Ctrl-C."""
    request = pb.WatchDeliveriesRequest(clinic_id=clinic, endpoint_id=endpoint)
    run(lambda: _watch(find(data, port_base), request))


def status(clinic: Clinic, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """How many deliveries each endpoint has in each state."""
    run(lambda: _status(find(data, port_base), pb.GetStatusRequest(clinic_id=clinic)))


def replay(
    clinic: Clinic,
    endpoint: EndpointId,
    patient: Annotated[str, typer.Option(help="One patient's.")] = "",
    kind: Annotated[str, typer.Option(help="One kind of resource, such as pain.")] = "",
    first: Annotated[int, typer.Option("--from", min=0, help="Position in the log.")] = 0,
    last: Annotated[int, typer.Option("--until", min=0, help="Position; 0 for no end.")] = 0,
    delivered: Annotated[
        bool, typer.Option("--delivered", help="Delivered ones too, not only the dead.")
    ] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Send again; the receiver gets no duplicate."""
    request = pb.ReplayRequest(
        clinic_id=clinic,
        endpoint_id=endpoint,
        only_patient_id=patient,
        only_kind=kind,
        from_position=first,
        until_position=last,
        delivered=delivered,
    )
    run(lambda: _replay(find(data, port_base), request))


async def _deliveries(
    addresses: Addresses, request: pb.ListDeliveriesRequest, limit: int, *, as_json: bool
) -> int:
    found: list[pb.Delivery] = []
    async with emr(addresses) as stub:
        while True:
            answer = await stub.ListDeliveries(request, metadata=METADATA, timeout=TIMEOUT_S)
            found += answer.deliveries
            request.page_token = answer.next_page_token
            if not request.page_token or 0 < limit <= len(found):
                break
    found = found[: limit or None]
    if as_json:
        print_json(found)
        return 0
    table = Table(
        Column("changed", no_wrap=True), "endpoint", "patient", "kind", "resource", "state",
        "reason", "tries", "there", box=None,
    )  # fmt: skip
    for one in found:
        table.add_row(*row(one))
    out.print(table)
    return 0


def row(one: pb.Delivery) -> Iterable[str]:
    """A delivery as a line of a table."""
    return (
        shown(one.changed_at),
        one.endpoint_id,
        one.patient_id,
        one.kind,
        one.resource_id,
        pb.DeliveryState.Name(one.state).removeprefix("DELIVERY_STATE_").lower(),
        one.reason,
        str(one.attempts),
        one.remote,
    )


async def _watch(addresses: Addresses, request: pb.WatchDeliveriesRequest) -> int:
    async with emr(addresses) as stub:
        async for told in stub.WatchDeliveries(request, metadata=METADATA):
            out.print("  ".join(row(told.delivery)), markup=False)
    return 0


async def _status(addresses: Addresses, request: pb.GetStatusRequest) -> int:
    answer = await ask(addresses, "GetStatus", request)
    counted = ("pending", "held", "unmatched", "delivered", "dead")
    table = Table("endpoint", *counted, "oldest waits", "breaker", "paused", box=None)
    for one in answer.endpoints:
        counts = [str(getattr(one, name)) for name in counted]
        waits = f"{one.oldest_pending_s:.0f} s" if one.pending else ""
        table.add_row(one.endpoint_id, *counts, waits, one.breaker, one.paused)
    out.print(table)
    return 0


async def _replay(addresses: Addresses, request: pb.ReplayRequest) -> int:
    answer = await ask(addresses, "Replay", request)
    out.print(f"{answer.replayed} deliveries are sent again")
    return 0


def print_json(found: Iterable[Any]) -> None:
    """A JSON object a line."""
    for one in found:
        out.print(MessageToJson(one, indent=None), markup=False, soft_wrap=True)
