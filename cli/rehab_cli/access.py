"""`rehab access`: who may, who did, and who took what in an emergency."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from google.protobuf.json_format import MessageToDict
from rich.console import Console
from rich.table import Table

from rehab.events.v1.tellers import KIND_TABLE
from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.emergencies import follow
from rehab_runtime.access.messages import role_name
from rehab_runtime.access.rules import Rule
from rehab_runtime.access.table import TABLE

PAGE = 500
WIDTH = 200
"""Names are printed whole, however narrow the screen."""

Limit = Annotated[int, typer.Option(min=0, help="At most so many; 0 for all.")]
AsJson = Annotated[bool, typer.Option("--json", help="A JSON object a line.")]


def who(
    patient: Annotated[str, typer.Argument(help="The patient's id.")],
    limit: Limit = 50,
    as_json: AsJson = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Who saw, or was denied, a patient's data, newest first."""
    run(lambda: _who(find(data, port_base), patient, limit, as_json=as_json))


def emergencies(
    clinic: Annotated[str, typer.Argument(help="The clinic's id.")],
    unreviewed: Annotated[
        bool, typer.Option("--unreviewed", help="Only those that nobody has reviewed.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Tell of it as it is taken, until Ctrl-C.")
    ] = False,
    limit: Limit = 50,
    as_json: AsJson = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """A clinic's emergency access, newest first."""
    if watch:
        run(lambda: follow(find(data, port_base), clinic, as_json=as_json))
    run(
        lambda: _emergencies(
            find(data, port_base), clinic, limit, unreviewed=unreviewed, as_json=as_json
        )
    )


def table(
    rpc: Annotated[str, typer.Argument(help="Part of an RPC's name; all without.")] = "",
) -> None:
    """Which role may call which RPC, and on what grounds. What is not here nobody may."""
    shown = Table("rpc", "role", "on the grounds of", "purpose", "key", box=None)
    for method, rule in sorted(TABLE.items()):
        if rpc.lower() in method.lower():
            name = method.removeprefix("/rehab.")
            for role, grounds in _lines(rule):
                shown.add_row(name, role, grounds, rule.purpose, rule.scope)
                name = ""
    _print_whole(shown)


def kinds(
    kind: Annotated[str, typer.Argument(help="Part of a kind's name; all without.")] = "",
) -> None:
    """Which role may tell which kind of event, step by step. What is not here nobody may."""
    shown = Table("kind", "step", "roles", box=None)
    for name, row in sorted(KIND_TABLE.items()):
        if kind.lower() in name:
            steps = sorted(row.steps.items()) or [("", row.who)]
            for place, (step, who) in enumerate(steps):
                shown.add_row("" if place else name, step, ", ".join(sorted(who)))
    _print_whole(shown)


def _lines(rule: Rule) -> Iterator[tuple[str, str]]:
    if rule.open:
        yield "anybody", "the request itself"
    for role, relations in sorted(rule.who.items()):
        only = f" ({', '.join(sorted(rule.services))})" if role == "service" else ""
        yield role, " or ".join(sorted(relations)) + (only if rule.services else "")


async def _who(addresses: Addresses, patient: str, limit: int, *, as_json: bool) -> int:
    shown = Table("at", "who", "role", "rpc", "", "reason", "until", box=None)
    request = pb.ListAccessRequest(patient_id=patient, page_size=_page(limit))
    async with asking(addresses.identity) as connection:
        ask = IdentityServiceStub(connection).ListAccess
        return await _show(shown, _access, _each(ask, request, "entries"), limit, as_json=as_json)


def _access(one: Any) -> Sequence[str]:
    return (
        *(_time(one.at), one.actor_id, role_name(one.role)),
        *(one.rpc.removeprefix("rehab."), "saw" if one.allowed else "denied"),
        *(one.reason, _time(one.covered_until)),
    )


async def _emergencies(
    addresses: Addresses, clinic: str, limit: int, *, unreviewed: bool, as_json: bool
) -> int:
    shown = Table("taken", "until", "who", "patient", "reason", "reviewed", "grant", box=None)
    request = pb.ListEmergencyAccessRequest(
        clinic_id=clinic, unreviewed=unreviewed, page_size=_page(limit)
    )
    async with asking(addresses.identity) as connection:
        ask = IdentityServiceStub(connection).ListEmergencyAccess
        return await _show(shown, _taken, _each(ask, request, "grants"), limit, as_json=as_json)


def _taken(one: Any) -> Sequence[str]:
    review = f"{one.finding} by {one.reviewed_by}" if one.finding else "no"
    return (
        *(_time(one.taken_at), _time(one.expires_at), one.principal_id),
        *(one.patient_id, one.reason, review, one.grant_id),
    )


async def _show(
    shown: Table,
    row: Callable[[Any], Sequence[str]],
    items: AsyncIterator[Any],
    limit: int,
    *,
    as_json: bool,
) -> int:
    """At most `limit` items, 0 for all: as JSON while they come, or in a table at the end."""
    count = 0
    async for one in items:
        if as_json:
            _print_json(one)
        else:
            shown.add_row(*row(one))
        count += 1
        if count == limit:
            break
    if not as_json:
        _print_whole(shown)
    return 0


async def _each(ask: Any, request: Any, field: str) -> AsyncIterator[Any]:
    """All pages' items, a page at a time."""
    while True:
        answer = await ask(request, metadata=METADATA, timeout=TIMEOUT_S)
        for one in getattr(answer, field):
            yield one
        if not answer.next_page_token:
            return
        request.page_token = answer.next_page_token


def _print_whole(shown: Table) -> None:
    wide = Console(width=max(out.width, WIDTH), file=out.file, highlight=False)
    wide.print(shown, soft_wrap=False)


def _page(limit: int) -> int:
    return min(limit or PAGE, PAGE)


def _print_json(one: Any) -> None:
    told = MessageToDict(one, preserving_proto_field_name=True)
    out.print(json.dumps(told), markup=False, soft_wrap=True)


def _time(stamp: Any) -> str:
    at: datetime = stamp.ToDatetime(UTC)
    return at.isoformat(sep=" ", timespec="seconds") if stamp.seconds else ""
