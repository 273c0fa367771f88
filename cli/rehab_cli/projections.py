"""`rehab projections`: versions of the read models, and streams that are held back."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Annotated, Any

import typer
from rich.table import Table

from rehab.projections.v1 import projections_admin_service_pb2 as pb
from rehab.projections.v1.projections_admin_service_pb2_grpc import ProjectionsAdminServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out, problem

NAME = "read_models"
Version = Annotated[int, typer.Argument(min=1, help="One of: rehab projections versions.")]
Patient = Annotated[str, typer.Argument(help="The patient whose stream is held back.")]


def rebuild(
    name: Annotated[str, typer.Argument(help="What to build; there is one: read_models.")] = NAME,
    workers: Annotated[
        int, typer.Option(min=0, max=64, help="Processes that fold; 0 for one a processor.")
    ] = 0,
    keep_old: Annotated[
        bool, typer.Option("--keep-old", help="Build, and let the old version go on answering.")
    ] = False,
    expect_same: Annotated[
        bool, typer.Option("--expect-same", help="Keep the old version if the new one differs.")
    ] = False,
    afresh: Annotated[
        bool, typer.Option("--afresh", help="Throw away what an interrupted rebuild left.")
    ] = False,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Fold the whole log into a new version, and let it answer. Interrupted, run it again."""
    if name != NAME:
        problem(f"there is no projection {name}; there is: {NAME}")
        raise typer.Exit(2)
    wish = pb.RebuildRequest(
        workers=workers, keep_old=keep_old, expect_same=expect_same, afresh=afresh
    )
    run(lambda: _build(find(data, port_base), "Rebuild", wish, strict=expect_same))


def versions(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Which versions there are: the one that answers, and those beside it."""
    run(lambda: _versions(find(data, port_base)))


def switch(version: Version, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Let a version answer that was built or has answered before: the way back."""
    wish = pb.SwitchVersionRequest(version=version)
    run(lambda: _build(find(data, port_base), "SwitchVersion", wish))


def drop(version: Version, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Throw away a version that does not answer."""
    run(lambda: _drop(find(data, port_base), version))


def parked(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """Streams that are held back, each by an event that could not be folded."""
    run(lambda: _parked(find(data, port_base)))


def retry(
    patient: Annotated[str, typer.Argument(help="One patient's; all without.")] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Fold streams anew that are held back."""
    run(lambda: _retry(find(data, port_base), patient))


def skip(
    patient: Patient,
    reason: Annotated[str, typer.Option(help="Why; kept for those who ask. No patient data.")],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Pass over the event that holds a stream back, now and in every later version."""
    run(lambda: _skip(find(data, port_base), patient, reason))


async def _build(addresses: Addresses, rpc: str, wish: Any, *, strict: bool = False) -> int:
    async with asking(addresses.projections) as connection:
        steps = getattr(ProjectionsAdminServiceStub(connection), rpc)(wish, metadata=METADATA)
        built = await _shown(steps)
    for one in built.differences:
        out.print(f"{one.table}: {one.rows_before:,} rows before, {one.rows_after:,} now")
    same = "differs from the one before" if built.differences else "is the same as the one before"
    if built.answers:
        out.print(f"version {built.version} answers; it {same}")
        return 0
    out.print(f"version {built.version} is built and does not answer; it {same}")
    return 1 if strict and built.differences else 0


async def _shown(steps: AsyncIterator[pb.RebuildResponse]) -> pb.Rebuilt:
    built = pb.Rebuilt()
    with bar("events") as moved:
        async for step in steps:
            if step.HasField("built"):
                built = step.built
                continue
            moved(step.progress.folded, step.progress.total)
    return built


async def _versions(addresses: Addresses) -> int:
    async with asking(addresses.projections) as connection:
        told = await ProjectionsAdminServiceStub(connection).ListVersions(
            pb.ListVersionsRequest(), metadata=METADATA, timeout=TIMEOUT_S
        )
    table = Table("version", "status", "events", "begun", "since", box=None)
    for one in told.versions:
        status = pb.VersionStatus.Name(one.status).removeprefix("VERSION_STATUS_").lower()
        table.add_row(
            str(one.version),
            status,
            f"{one.events:,}",
            f"{one.begun_at.ToDatetime():%Y-%m-%d %H:%M:%S}",
            f"{one.changed_at.ToDatetime():%Y-%m-%d %H:%M:%S}",
        )
    out.print(table)
    return 0


async def _drop(addresses: Addresses, version: int) -> int:
    async with asking(addresses.projections) as connection:
        await ProjectionsAdminServiceStub(connection).DropVersion(
            pb.DropVersionRequest(version=version), metadata=METADATA, timeout=TIMEOUT_S
        )
    out.print(f"version {version} is gone")
    return 0


async def _parked(addresses: Addresses) -> int:
    async with asking(addresses.projections) as connection:
        told = await ProjectionsAdminServiceStub(connection).ListParked(
            pb.ListParkedRequest(), metadata=METADATA, timeout=TIMEOUT_S
        )
    if not told.parked:
        out.print("nothing is held back")
        return 0
    table = Table("patient", "shard", "position", "event", "reason", "since", box=None)
    for one in told.parked:
        table.add_row(
            one.patient_id,
            str(one.shard),
            f"{one.position:,}",
            one.event_id,
            one.reason,
            f"{one.parked_at.ToDatetime():%Y-%m-%d %H:%M:%S}",
        )
    out.print(table)
    return 0


async def _retry(addresses: Addresses, patient: str) -> int:
    async with asking(addresses.projections) as connection:
        told = await ProjectionsAdminServiceStub(connection).RetryParked(
            pb.RetryParkedRequest(patient_id=patient), metadata=METADATA, timeout=TIMEOUT_S
        )
    out.print(f"{told.released:,} streams go on, {told.parked:,} are held back still")
    return 1 if told.parked else 0


async def _skip(addresses: Addresses, patient: str, reason: str) -> int:
    async with asking(addresses.projections) as connection:
        told = await ProjectionsAdminServiceStub(connection).SkipParked(
            pb.SkipParkedRequest(patient_id=patient, reason=reason),
            metadata=METADATA,
            timeout=TIMEOUT_S,
        )
    if told.released:
        out.print(f"event {told.event_id} is passed over; the stream goes on")
        return 0
    out.print(f"event {told.event_id} is passed over; another one holds the stream back now")
    return 1
