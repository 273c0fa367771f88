"""`rehab consent` and `rehab patient`: what patients agreed to, and a copy of all that is held."""

from __future__ import annotations

import os
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any, TextIO

import typer
from rich.table import Table

from rehab.identity.v1 import consent_service_pb2 as pb
from rehab.identity.v1 import identity_service_pb2 as identity_pb
from rehab.identity.v1.consent_service_pb2_grpc import ConsentServiceStub
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

EXPORT_TIMEOUT_S = 3600.0

Patient = Annotated[str, typer.Argument(help="The patient's id.")]
Moment = Annotated[str, typer.Option(help="A time: 2026-03-02T10:00:00+01:00.")]


def list_(
    patient: Patient, as_of: Moment = "", data: DataDir = None, port_base: AskedPort = 0
) -> None:
    """A patient's consents with their history; as they were known then with --as-of."""
    run(lambda: _list(find(data, port_base), patient, as_of))


def grant(
    patient: Patient,
    purpose: Annotated[str, typer.Option(help="Such as treatment or emr_share.")] = "treatment",
    consent_id: Annotated[str, typer.Option("--id", help="Its id; made without.")] = "",
    mode: Annotated[str, typer.Option(help="written, electronic or verbal.")] = "",
    until: Moment = "",
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Tell that a patient agrees, from now on."""
    request = pb.GrantConsentRequest(
        patient_id=patient, consent_id=consent_id, purpose=purpose, mode=mode
    )
    run(lambda: _grant(find(data, port_base), request, until))


def revoke(
    patient: Patient,
    consent_id: Annotated[str, typer.Argument(help="The consent's id.")],
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Tell that a patient withdraws a consent, from now on."""
    request = pb.RevokeConsentRequest(patient_id=patient, consent_id=consent_id)
    run(lambda: _revoke(find(data, port_base), request))


def export(
    patient: Patient,
    to: Annotated[Path | None, typer.Option(help="A new file; the screen without.")] = None,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Everything that is held of a patient, a line of JSON each. It is patient data."""
    run(lambda: _export(find(data, port_base), patient, to))


async def _list(addresses: Addresses, patient: str, as_of: str) -> int:
    request = pb.ListConsentsRequest(patient_id=patient)
    if as_of:
        request.as_of.FromDatetime(_moment(as_of, "--as-of"))
    async with asking(addresses.identity) as connection:
        answer = await ConsentServiceStub(connection).ListConsents(
            request, metadata=METADATA, timeout=TIMEOUT_S
        )
    shown = Table("consent", "purpose", "", "from", "until", "withdrawn", "kinds", box=None)
    for one in answer.consents:
        shown.add_row(
            *(one.consent_id, one.purpose, "in force" if one.in_force else "not in force"),
            *(_time(one.valid_from), _time(one.valid_until), _time(one.revoked_at)),
            ", ".join(one.scope) or "all",
        )
    out.print(shown)
    return 0


async def _grant(addresses: Addresses, request: pb.GrantConsentRequest, until: str) -> int:
    if until:
        request.valid_until.FromDatetime(_moment(until, "--until"))
    async with asking(addresses.identity) as connection:
        answer = await ConsentServiceStub(connection).GrantConsent(
            request, metadata=METADATA, timeout=TIMEOUT_S
        )
    one = answer.consent
    out.print(f"consent {one.consent_id} to {one.purpose}, from {_time(one.valid_from)}")
    return 0


async def _revoke(addresses: Addresses, request: pb.RevokeConsentRequest) -> int:
    async with asking(addresses.identity) as connection:
        answer = await ConsentServiceStub(connection).RevokeConsent(
            request, metadata=METADATA, timeout=TIMEOUT_S
        )
    one = answer.consent
    out.print(f"consent {one.consent_id} is withdrawn, from {_time(one.revoked_at)}")
    return 0


async def _export(addresses: Addresses, patient: str, to: Path | None) -> int:
    if to is None:
        await _copy(addresses, patient, sys.stdout)
        return 0
    with _own_file(to) as file:
        await _copy(addresses, patient, file)
    out.print(f"all that is held of {patient} is in {to}")
    return 0


def _own_file(path: Path) -> TextIO:
    """A new one that nobody else may read."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise SuiteError(f"cannot make {path}: {error.strerror}; name a new file") from None
    return os.fdopen(made, "w", encoding="utf-8")


async def _copy(addresses: Addresses, patient: str, file: TextIO) -> None:
    request = identity_pb.ExportPatientRequest(patient_id=patient)
    async with asking(addresses.identity) as connection:
        call = IdentityServiceStub(connection).ExportPatient(
            request, metadata=METADATA, timeout=EXPORT_TIMEOUT_S
        )
        async for answer in call:
            file.write(answer.lines)


def _moment(text: str, option: str) -> datetime:
    at: datetime | None
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise SuiteError(f"{option} must be a time with its zone, like 2026-03-02T10:00:00+01:00")
    return at


def _time(stamp: Any) -> str:
    at: datetime = stamp.ToDatetime(UTC)
    return at.isoformat(sep=" ", timespec="seconds") if stamp.seconds else ""
