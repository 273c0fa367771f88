"""`rehab emr test|outcome|disclosures|export|import`: about one patient."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Column, Table

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_cli.addresses import Addresses
from rehab_cli.alerts import AsJson, Who, metadata_of, shown
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.emr import EndpointId, Patient, ask, emr, print_json, row
from rehab_cli.errors import SuiteError


def outcome(
    endpoint: EndpointId,
    patient: Patient,
    kind: Annotated[str, typer.Argument(help="Kind of the resource, such as pain.")],
    resource: Annotated[str, typer.Argument(help="Its id.")],
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """What the receiver said of one delivery: it may hold patient data."""
    request = pb.GetOutcomeRequest(
        endpoint_id=endpoint, patient_id=patient, kind=kind, resource_id=resource
    )
    run(lambda: _outcome(find(data, port_base), request, metadata_of(who)))


def dry_run(
    endpoint: EndpointId,
    patient: Patient,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """The exact Bundle that would be sent next, patient data; nothing is sent."""
    request = pb.TestEndpointRequest(endpoint_id=endpoint, patient_id=patient)
    run(lambda: _test(find(data, port_base), request, metadata_of(who)))


def disclosures(
    patient: Patient,
    as_json: AsJson = False,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """What was disclosed of a patient: to whom, why, and on which consent."""
    request = pb.ListDisclosuresRequest(patient_id=patient)
    run(lambda: _disclosures(find(data, port_base), request, metadata_of(who), as_json=as_json))


def export(
    patient: Patient,
    folder: Annotated[Path, typer.Argument(help="Where the files go.")],
    ndjson: Annotated[
        bool, typer.Option("--ndjson", help="A resource a line, by type; not a document.")
    ] = False,
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """A patient's record as FHIR."""
    wanted = pb.EXPORT_FORMAT_NDJSON if ndjson else pb.EXPORT_FORMAT_DOCUMENT
    request = pb.ExportPatientRequest(patient_id=patient, format=wanted)
    run(lambda: _export(find(data, port_base), request, metadata_of(who), folder))


def import_plan(
    patient: Patient,
    file: Annotated[Path, typer.Argument(help="A CarePlan, ServiceRequest, or Bundle of them.")],
    who: Who = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Take a prescription of another system in as the patient's plan."""
    run(lambda: _import(find(data, port_base), patient, file, metadata_of(who)))


async def _outcome(addresses: Addresses, request: pb.GetOutcomeRequest, metadata: Any) -> int:
    answer = await ask(addresses, "GetOutcome", request, metadata)
    out.print("  ".join(row(answer.delivery)), markup=False)
    out.print(answer.outcome_json.decode() or "it said nothing", markup=False)
    return 0


async def _test(addresses: Addresses, request: pb.TestEndpointRequest, metadata: Any) -> int:
    answer = await ask(addresses, "TestEndpoint", request, metadata)
    if answer.bundle_json:
        out.print_json(answer.bundle_json.decode())
    for problem in answer.problems:
        out.print(problem, style="red", markup=False)
    return 1 if answer.problems else 0


async def _disclosures(
    addresses: Addresses, request: pb.ListDisclosuresRequest, metadata: Any, *, as_json: bool
) -> int:
    answer = await ask(addresses, "ListDisclosures", request, metadata)
    if as_json:
        print_json(answer.disclosures)
        return 0
    table = Table(
        Column("left", no_wrap=True), "endpoint", "resource", "id", "purpose", "consent",
        "outcome", "there", "events", box=None,
    )  # fmt: skip
    for one in answer.disclosures:
        table.add_row(
            shown(one.disclosed_at),
            one.endpoint_id,
            one.resource_type,
            one.resource_id,
            one.purpose,
            one.consent_id,
            one.outcome,
            one.remote_id,
            str(len(one.event_ids)),
        )
    out.print(table)
    return 0


async def _export(
    addresses: Addresses, request: pb.ExportPatientRequest, metadata: Any, folder: Path
) -> int:
    files: dict[str, bytearray] = {}
    async with emr(addresses) as stub:
        async for piece in stub.ExportPatient(request, metadata=metadata):
            # the name comes from the service: only its last part is a file of ours
            files.setdefault(Path(piece.file).name, bytearray()).extend(piece.data)
    await asyncio.to_thread(_write, folder, files)
    for name, told in files.items():
        out.print(f"{folder / name}: {len(told)} bytes", markup=False)
    return 0


def _write(folder: Path, files: dict[str, bytearray]) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for name, told in files.items():
            (folder / name).touch(mode=0o600)
            (folder / name).write_bytes(told)
    except OSError as error:
        raise SuiteError(f"{folder} cannot be written: {error.strerror}") from None


async def _import(addresses: Addresses, patient: str, file: Path, metadata: Any) -> int:
    try:
        content = await asyncio.to_thread(file.read_bytes)
    except OSError as error:
        raise SuiteError(f"{file} cannot be read: {error.strerror}") from None
    request = pb.ImportCarePlanRequest(patient_id=patient, resource_json=content)
    answer = await ask(addresses, "ImportCarePlan", request, metadata)
    for event_id in answer.event_ids:
        out.print(f"plan told as event {event_id}")
    for assumption in answer.assumptions:
        out.print(f"assumed: {assumption}", markup=False)
    return 0
