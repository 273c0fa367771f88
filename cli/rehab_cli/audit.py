"""`rehab audit`: who saw or was denied what, and whether the trail of it is whole."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from google.protobuf.timestamp_pb2 import Timestamp
from rich.console import Console
from rich.table import Table

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError
from rehab_cli.identity import Asked, identity
from rehab_runtime.access.messages import role_name

PAGE = 500
WIDTH = 240
"""Names are printed whole, however narrow the screen."""


@dataclass(frozen=True)
class Wanted:
    """`limit` entries at most; 0 for all."""

    request: pb.SearchAccessRequest
    limit: int
    as_json: bool


def search(
    clinic: Annotated[str, typer.Option(help="Id of the clinic; all without.")] = "",
    patient: Annotated[str, typer.Option(help="Id of whose data it was.")] = "",
    who: Annotated[str, typer.Option(help="Id of the account, device or service.")] = "",
    rpc: Annotated[str, typer.Option(help="Part of the name of what was called.")] = "",
    since: Annotated[str, typer.Option("--from", help="2026-03-02, or with a time.")] = "",
    until: Annotated[str, typer.Option(help="The same, not included.")] = "",
    allowed: Annotated[
        bool | None, typer.Option("--allowed/--denied", help="Only what was; both without.")
    ] = None,
    emergency: Annotated[
        bool, typer.Option("--emergency", help="Only by emergency access, and its taking.")
    ] = False,
    oldest: Annotated[bool, typer.Option("--oldest", help="Oldest first.")] = False,
    limit: Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")] = 50,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Who saw or was denied what, newest first. The search leaves a trace of its own."""
    request = pb.SearchAccessRequest(
        clinic_id=clinic, oldest_first=oldest, page_size=min(limit or PAGE, PAGE)
    )
    asked = request.filter
    asked.patient_id, asked.actor_id, asked.rpc = patient, who, rpc
    asked.emergency = emergency
    if allowed is not None:
        asked.outcome = pb.ACCESS_OUTCOME_ALLOWED if allowed else pb.ACCESS_OUTCOME_DENIED
    run(lambda: _search(find(data, port_base), Wanted(request, limit, as_json), since, until))


async def _search(addresses: Addresses, wanted: Wanted, since: str, until: str) -> int:
    for told, stamp, option in (
        (since, wanted.request.filter.since, "--from"),
        (until, wanted.request.filter.until, "--until"),
    ):
        if told:
            stamp.CopyFrom(_moment(told, option))
    shown = Table("at", "who", "role", "clinic", "patient", "rpc", "", "reason", "until", box=None)
    async with identity(addresses, IdentityServiceStub) as ask:
        async for one in _found(ask, wanted):
            if wanted.as_json:
                told = MessageToDict(one, preserving_proto_field_name=True)
                out.print(json.dumps(told), markup=False, soft_wrap=True)
            else:
                shown.add_row(*_row(one))
    if not wanted.as_json:
        Console(width=max(out.width, WIDTH), file=out.file, highlight=False).print(shown)
    return 0


async def _found(ask: Asked, wanted: Wanted) -> AsyncIterator[pb.AccessEntry]:
    count, request = 0, wanted.request
    while True:
        answer = await ask("SearchAccess", request)
        for one in answer.entries:
            yield one
            count += 1
            if count == wanted.limit:
                return
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def _row(one: pb.AccessEntry) -> tuple[str, ...]:
    return (
        *(_shown(one.at), one.actor_id, role_name(one.role), one.clinic_id, one.patient_id),
        *(one.rpc.removeprefix("rehab."), "allowed" if one.allowed else "denied", one.reason),
        _shown(one.covered_until),
    )


def _moment(told: str, option: str) -> Timestamp:
    """A day begins at midnight UTC; a time without a zone is UTC."""
    try:
        at = datetime.fromisoformat(told)
    except ValueError:
        raise SuiteError(f"{option} wants a time like 2026-03-02T10:00:00+01:00") from None
    stamp = Timestamp()
    stamp.FromDatetime(at if at.tzinfo else at.replace(tzinfo=UTC))
    return stamp


def _shown(stamp: Any) -> str:
    at: datetime = stamp.ToDatetime(UTC)
    return at.isoformat(sep=" ", timespec="seconds") if stamp.seconds else ""
