"""`rehab-edge outbox`: what waits on the device, and what was let go or refused."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Annotated

import typer
from rich.console import Console

from rehab_edge.commands import options
from rehab_edge.linking import admitted_since
from rehab_edge.outbox import Conditions, Network, Outbox

OFFLINE = Conditions(network=Network.NONE)


def outbox(
    home: options.HomeDir = options.HOME,
    clinic: options.Clinic = "",
    patient: options.Patient = "",
    consent: options.Consent = "",
    ingest: options.Ingest = None,
    projections: options.Projections = None,
    identity: options.Identity = None,
    ca: options.Authority = "",
    send: Annotated[
        float, typer.Option(min=0, help="Send what waits, for so many seconds at most.")
    ] = 0.0,
    forget: Annotated[
        bool, typer.Option("--forget", help="What was dropped and refused has been looked at.")
    ] = False,
) -> None:
    """What waits on the device, and what was let go or refused."""
    out = Console(highlight=False)
    with options.told_in_one_line():
        link = options.link(
            home,
            clinic=clinic,
            patient=patient,
            consent=consent,
            ingest=ingest,
            projections=projections,
            identity=identity,
            ca=ca,
        )
        conditions = Conditions() if send else OFFLINE
        connect = link.admitting(admitted_since(link.home, datetime.now(UTC)))
        with Outbox.open(
            link.home, clinic_id=link.clinic, connect=connect, conditions=conditions
        ) as box:
            sent = box.drained(send) if send else True
            status = box.status()
            dropped, refused = box.dropped(), box.refused()
            if forget:
                box.forget()
    out.print(f"{status.waiting} events wait, the oldest for {status.oldest_s:.0f} s")
    for one in dropped:
        out.print(f"dropped ({one.why}): {one.envelope.kind}", markup=False)
    for told in refused:
        out.print(f"refused: {told.event.envelope.kind}: {told.failure.message}", markup=False)
    if status.trouble:
        out.print(status.trouble, style="yellow", markup=False)
    raise typer.Exit(0 if sent else 1)
