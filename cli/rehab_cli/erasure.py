"""`rehab log erase` and what belongs to it: holds, and the proof that nothing is left."""

from __future__ import annotations

import json
from typing import Annotated

import typer
from google.protobuf.json_format import MessageToDict
from rich.table import Table

from rehab.eventstore.v1 import erasure_service_pb2 as pb
from rehab.eventstore.v1.erasure_service_pb2_grpc import ErasureServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out, problem

Subject = Annotated[str, typer.Argument(help="The patient's subject id.")]
Reason = Annotated[str, typer.Option(help="A code, such as request, retention or court.")]


def erase(
    subject: Subject,
    reason: Reason = "request",
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Destroy a patient's keys: what is sealed with them is noise for ever."""
    run(lambda: _erase(find(data, port_base), subject, reason, asks=not yes))


def report(
    subject: Annotated[str, typer.Argument(help="One patient; all who were erased without.")] = "",
    as_json: Annotated[bool, typer.Option("--json", help="A JSON object a line.")] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Prove what is left of erased patients; exits 1 unless nothing is."""
    run(lambda: _report(find(data, port_base), subject, as_json=as_json))


def hold(
    subject: Subject, reason: Reason = "court", data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """Forbid a patient's erasure until it is released."""
    run(lambda: _hold(find(data, port_base), subject, reason))


def release(subject: Subject, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Allow a held patient's erasure again."""
    run(lambda: _release(find(data, port_base), subject))


def holds(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """List who must not be erased."""
    run(lambda: _holds(find(data, port_base)))


async def _erase(addresses: Addresses, subject: str, reason: str, *, asks: bool) -> int:
    async with asking(addresses.eventstore) as connection:
        stub = ErasureServiceStub(connection)
        prepared = await stub.PrepareErasure(
            pb.PrepareErasureRequest(subject_id=subject, reason=reason),
            metadata=METADATA,
            timeout=TIMEOUT_S,
        )
        out.print(
            f"{prepared.events:,} events of {subject} become unreadable for ever: "
            f"{prepared.keys} keys are destroyed"
        )
        if asks and typer.prompt("Type the subject id to go on", default="") != subject:
            problem("nothing was erased")
            return 1
        done = await stub.EraseSubject(
            pb.EraseSubjectRequest(subject_id=subject, token=prepared.token),
            metadata=METADATA,
            timeout=TIMEOUT_S,
        )
    out.print(f"erased: {done.keys} keys destroyed, told at position {done.position}")
    out.print(f"the proof: rehab log erasure-report {subject}")
    return 0


async def _report(addresses: Addresses, subject: str, *, as_json: bool) -> int:
    async with asking(addresses.eventstore) as connection:
        answer = await ErasureServiceStub(connection).GetErasureReport(
            pb.GetErasureReportRequest(subject_id=subject), metadata=METADATA, timeout=TIMEOUT_S
        )
    if subject and not answer.reports:
        problem(f"{subject} was not erased")
        return 1
    for one in answer.reports:
        if as_json:
            told = MessageToDict(
                one, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
            out.print(json.dumps(told), markup=False)
        else:
            _print(one)
    return 0 if all(one.complete for one in answer.reports) else 1


def _print(one: pb.ErasureReport) -> None:
    verdict = "nothing is left" if one.complete else "NOT COMPLETE"
    out.print(f"{one.subject_id}: {verdict}", style="green" if one.complete else "bold red")
    out.print(f"  reason      {one.reason}, asked for by {one.begun_by}")
    out.print(f"  begun       {one.begun_at.ToJsonString()}")
    if one.HasField("ended_at"):
        out.print(f"  ended       {one.ended_at.ToJsonString()}")
    out.print(f"  told        shard {one.shard}, position {one.position}, {one.event_hash.hex()}")
    out.print(f"  noise       {one.sealed_events:,} sealed events")
    out.print(f"  snapshots   {one.snapshots}")
    out.print(f"  keys        {len(one.keys)}, of which {one.living_keys} live")
    for key in one.keys:
        gone = key.destroyed_at.ToJsonString() if key.HasField("destroyed_at") else "lives"
        out.print(f"    {key.key_id}  made {key.created_at.ToJsonString()}  destroyed {gone}")


async def _hold(addresses: Addresses, subject: str, reason: str) -> int:
    async with asking(addresses.eventstore) as connection:
        await ErasureServiceStub(connection).PlaceLegalHold(
            pb.PlaceLegalHoldRequest(subject_id=subject, reason=reason),
            metadata=METADATA,
            timeout=TIMEOUT_S,
        )
    out.print(f"{subject} cannot be erased until: rehab log release {subject}")
    return 0


async def _release(addresses: Addresses, subject: str) -> int:
    async with asking(addresses.eventstore) as connection:
        await ErasureServiceStub(connection).ReleaseLegalHold(
            pb.ReleaseLegalHoldRequest(subject_id=subject), metadata=METADATA, timeout=TIMEOUT_S
        )
    out.print(f"{subject} may be erased again")
    return 0


async def _holds(addresses: Addresses) -> int:
    async with asking(addresses.eventstore) as connection:
        answer = await ErasureServiceStub(connection).ListLegalHolds(
            pb.ListLegalHoldsRequest(), metadata=METADATA, timeout=TIMEOUT_S
        )
    table = Table("subject", "reason", "placed by", "placed at", box=None)
    for one in answer.holds:
        table.add_row(one.subject_id, one.reason, one.placed_by, one.placed_at.ToJsonString())
    out.print(table)
    return 0
