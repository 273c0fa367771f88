"""Options that commands share, and how an error ends a command."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rehab_edge.errors import EdgeError
from rehab_edge.linking import Link, enrolled
from rehab_edge.outbox import Conditions, Network
from rehab_sdk import RehabError
from rehab_sdk.connection import IDENTITY, INGEST, PROJECTIONS

HomeDir = Annotated[
    Path,
    typer.Option("--home", envvar="REHAB_EDGE_HOME", help="Where the device keeps its things."),
]
Clinic = Annotated[str, typer.Option(help="The clinic; an enrolled device knows its own.")]
Patient = Annotated[str, typer.Option(help="Whose movement it is; an enrolled device knows.")]
Consent = Annotated[str, typer.Option(help="The consent that covers it.")]
Zone = Annotated[str, typer.Option(help="IANA time zone of the patient.")]
Ingest = Annotated[list[str] | None, typer.Option(help="host:port of ingest, or several.")]
Projections = Annotated[list[str] | None, typer.Option(help="host:port of projections.")]
Identity = Annotated[list[str] | None, typer.Option(help="host:port of identity.")]
Authority = Annotated[
    str, typer.Option("--ca", help="Authority of the clinic's certificate: a file, or system.")
]
NetworkIs = Annotated[Network, typer.Option("--network", help="What the device is connected by.")]
Battery = Annotated[
    float | None, typer.Option(min=0, max=100, help="Percent of battery; none where there is none.")
]
Charging = Annotated[bool, typer.Option("--charging", help="The device is charging.")]
HOME = Path(".rehab-edge")
CLINIC, ZONE = "clinic-1", "UTC"


def link(
    home: Path,
    *,
    clinic: str = "",
    patient: str = "",
    consent: str = "",
    zone: str = ZONE,
    ingest: Sequence[str] | None = None,
    projections: Sequence[str] | None = None,
    identity: Sequence[str] | None = None,
    ca: str = "",
) -> Link:
    """Raises EdgeError."""
    key = enrolled(home)
    if key is not None and patient not in ("", key.patient_id):
        raise EdgeError(f"the device in {home} was enrolled for another patient")
    whose = patient or (key.patient_id if key else "")
    if not whose:
        raise EdgeError("tell whose movement it is with --patient, or enrol the device")
    return Link(
        folder=home,
        clinic=clinic or (key.clinic_id if key else "") or CLINIC,
        patient=whose,
        consent=consent or f"consent-{whose}"[:64],
        zone=zone,
        device_id=key.device_id if key else f"edge-{whose}"[:64],
        ingest=tuple(ingest or (INGEST,)),
        projections=tuple(projections or (PROJECTIONS,)),
        identity=tuple(identity or (IDENTITY,)),
        key=key,
        ca=ca,
    )


def conditions(network: Network, battery: float | None, *, charging: bool) -> Conditions:
    return Conditions(network, charging, battery)


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """What a user can do something about ends the command with a line and 1."""
    try:
        yield
    except (EdgeError, RehabError) as error:
        Console(stderr=True).print(
            str(error), style="red", markup=False, highlight=False, soft_wrap=True
        )
        raise typer.Exit(1) from None
