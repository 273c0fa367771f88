"""`rehab emr register|endpoints|link|pause|resume`: which FHIR servers a clinic shares with."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.table import Table

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_cli.addresses import Addresses
from rehab_cli.alerts import Clinic
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.emr import EndpointId, Patient, ask
from rehab_cli.errors import SuiteError
from rehab_cli.subscriptions import notified, print_token


def register(
    clinic: Clinic,
    endpoint: EndpointId,
    url: Annotated[
        str,
        typer.Argument(
            help="Its FHIR base: https://hospital.example/fhir; with --notify, what is notified."
        ),
    ],
    bearer_file: Annotated[
        Path | None, typer.Option(help="File with a bearer token, for sandboxes.")
    ] = None,
    smart_client: Annotated[str, typer.Option(help="Client id for SMART Backend Services.")] = "",
    token_url: Annotated[str, typer.Option(help="Without, as the server says itself.")] = "",
    scope: Annotated[str, typer.Option(help="Scope asked for.")] = "",
    cert: Annotated[Path | None, typer.Option(help="Certificate for mutual TLS, PEM.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the certificate, PEM.")] = None,
    authority: Annotated[
        Path | None, typer.Option(help="Authority of its certificate, PEM; public ones without.")
    ] = None,
    patient_system: Annotated[
        str, typer.Option(help="Identifier system under which it knows our patient ids.")
    ] = "",
    batch: Annotated[bool, typer.Option("--batch", help="Batches, no transactions.")] = False,
    if_none_exist: Annotated[
        str, typer.Option(help="Search of a create: parameters, question_mark or typed.")
    ] = "",
    entries: Annotated[int, typer.Option(min=0, max=500, help="In a Bundle at most.")] = 0,
    per_second: Annotated[float, typer.Option(min=0, max=1000, help="Requests at most.")] = 0,
    rep_series: Annotated[
        bool, typer.Option("--rep-series", help="Repetitions of sets, too.")
    ] = False,
    readings: Annotated[
        bool, typer.Option("--readings", help="Each reading of a watch, too: thousands a day.")
    ] = False,
    no_backfill: Annotated[
        bool, typer.Option("--no-backfill", help="Only what is recorded from now on.")
    ] = False,
    notify: Annotated[
        str, typer.Option(help="It is told and pulls: empty, id-only or full-resource.")
    ] = "",
    heartbeat: Annotated[
        int, typer.Option(min=0, max=86_400, help="Seconds of silence between signs of life.")
    ] = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Add a FHIR R4 server, or change what is told of one. What it lacks is told. With --notify, a
    system that pulls."""
    wanted = pb.Endpoint(
        endpoint_id=endpoint,
        clinic_id=clinic,
        base_url=url,
        bundle_type=pb.BUNDLE_TYPE_BATCH if batch else pb.BUNDLE_TYPE_UNSPECIFIED,
        most_entries=entries,
        requests_per_second=per_second,
        patient_system=patient_system,
        rep_series=rep_series,
        readings=readings,
        if_none_exist=if_none_exist,
        no_backfill=no_backfill,
    )
    if notify or heartbeat:
        wanted.notify.CopyFrom(notified(notify, heartbeat))
    told = (bearer_file is not None) + bool(smart_client) + (cert is not None)
    if told > 1 or (cert is None) != (key is None):
        raise typer.BadParameter("one of --bearer-file, --smart-client, or --cert with --key")

    async def asked() -> int:
        request = pb.RegisterEndpointRequest(clinic_id=clinic, endpoint=wanted)
        request.endpoint.authority_pem = _text(authority)
        if bearer_file is not None:
            request.bearer = _text(bearer_file).strip()
        elif smart_client:
            request.smart.client_id, request.smart.token_url = smart_client, token_url
            request.smart.scope = scope
        elif cert is not None:
            request.certificate.certificate_pem = _text(cert)
            request.certificate.key_pem = _text(key)
        return await _register(find(data, port_base), request)

    run(asked)


def endpoints(clinic: Clinic, data: DataDir = None, port_base: AskedPort = 0) -> None:
    """The FHIR servers that a clinic shares with."""
    run(lambda: _endpoints(find(data, port_base), pb.ListEndpointsRequest(clinic_id=clinic)))


def link(
    endpoint: EndpointId,
    patient: Patient,
    remote: Annotated[str, typer.Option(help="Id of the Patient there.")] = "",
    identifier: Annotated[str, typer.Option(help="system|value that one Patient has.")] = "",
    family: Annotated[str, typer.Option(help="For $match; it is not kept.")] = "",
    given: Annotated[list[str] | None, typer.Option(help="For $match.")] = None,
    born: Annotated[str, typer.Option(help="1980-12-31, for $match.")] = "",
    gender: Annotated[str, typer.Option(help="male, female, other, unknown; for $match.")] = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Say who a patient is at a receiver: by its id, an identifier, or a certain match."""
    request = pb.LinkPatientRequest(endpoint_id=endpoint, patient_id=patient)
    if bool(remote) + bool(identifier) + bool(family) != 1:
        raise typer.BadParameter("one of --remote, --identifier and --family")
    if remote:
        request.remote_id = remote
    elif identifier:
        system, bar, value = identifier.partition("|")
        if not bar:
            raise typer.BadParameter("must be system|value", param_hint="--identifier")
        request.identifier.system, request.identifier.value = system, value
    else:
        person = pb.Person(family=family, given=given or [], birth_date=born, gender=gender)
        request.person.CopyFrom(person)
    run(lambda: _link(find(data, port_base), request))


def pause(
    clinic: Clinic, endpoint: EndpointId, data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """Stop an endpoint; what waits keeps waiting."""
    request = pb.PauseRequest(clinic_id=clinic, endpoint_id=endpoint)
    run(lambda: _turn(find(data, port_base), "Pause", request, "is paused"))


def resume(
    clinic: Clinic, endpoint: EndpointId, data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """Let an endpoint go on."""
    request = pb.ResumeRequest(clinic_id=clinic, endpoint_id=endpoint)
    run(lambda: _turn(find(data, port_base), "Resume", request, "goes on"))


def _text(file: Path | None) -> str:
    try:
        return file.read_text() if file is not None else ""
    except (OSError, UnicodeDecodeError):
        raise SuiteError(f"{file} cannot be read as text") from None


async def _register(addresses: Addresses, request: pb.RegisterEndpointRequest) -> int:
    answer = await ask(addresses, "RegisterEndpoint", request)
    out.print(f"{answer.endpoint.endpoint_id} is registered, auth {answer.endpoint.auth}")
    if answer.fhir_base:
        out.print(f"it pulls at {answer.fhir_base}", markup=False, soft_wrap=True)
    if answer.pull_token:
        print_token(answer.pull_token)
    for warning in answer.endpoint.warnings:
        out.print(warning, style="yellow", markup=False)
    return 0


async def _endpoints(addresses: Addresses, request: pb.ListEndpointsRequest) -> int:
    answer = await ask(addresses, "ListEndpoints", request)
    table = Table("endpoint", "url", "way", "auth", "entries", "requests/s", "paused", box=None)
    for one in answer.endpoints:
        entries = f"{one.entries_now} of {one.most_entries}"
        rate = f"{one.requests_per_second:g}"
        way = "pulls" if one.HasField("notify") else "pushed"
        table.add_row(one.endpoint_id, one.base_url, way, one.auth, entries, rate, one.paused)
    out.print(table)
    for one in answer.endpoints:
        for warning in one.warnings:
            out.print(f"{one.endpoint_id}: {warning}", style="yellow", markup=False)
    return 0


async def _link(addresses: Addresses, request: pb.LinkPatientRequest) -> int:
    answer = await ask(addresses, "LinkPatient", request)
    out.print(f"{request.patient_id} is linked; {answer.waiting} deliveries go on")
    return 0


async def _turn(addresses: Addresses, rpc: str, request: Any, what: str) -> int:
    await ask(addresses, rpc, request)
    out.print(f"{request.endpoint_id} {what}")
    return 0
