"""`rehab-edge run`: one session in front of a camera, from a video or a recording."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from rehab_edge.commands import options
from rehab_edge.errors import EdgeError
from rehab_edge.exercises import exercise as named
from rehab_edge.outbox import Network
from rehab_edge.report import write
from rehab_edge.running import Running, summary
from rehab_edge.sources.opening import opened


def run(
    source: Annotated[
        str, typer.Option(help="camera, camera:1, sensor:NAME, a video, or a recording.")
    ],
    exercise: Annotated[str, typer.Option(help="Such as deep_squat or m01.")],
    pose: Annotated[
        Path | None, typer.Option(help="Your pose model (.tflite) for cameras and videos.")
    ] = None,
    subject: Annotated[
        int | None, typer.Option(min=1, help="Whose part of a recording of several people.")
    ] = None,
    report: Annotated[
        list[Path] | None, typer.Option(help="Write a report: .html, .png, or several.")
    ] = None,
    speed: Annotated[
        float, typer.Option(min=0, help="Of files: 1 as recorded; 0 as fast as it goes.")
    ] = 0.0,
    seconds: Annotated[float, typer.Option(min=0, help="End after so many; 0 goes on.")] = 0.0,
    calibrate: Annotated[
        bool,
        typer.Option("--calibrate", help="Somebody watches: the first three are done well."),
    ] = False,
    view: Annotated[bool, typer.Option(help="Draw the session while it goes on.")] = True,
    home: options.HomeDir = options.HOME,
    clinic: options.Clinic = "",
    patient: options.Patient = "",
    consent: options.Consent = "",
    zone: options.Zone = options.ZONE,
    ingest: options.Ingest = None,
    projections: options.Projections = None,
    identity: options.Identity = None,
    ca: options.Authority = "",
    network: options.NetworkIs = Network.UNMETERED,
    battery: options.Battery = None,
    charging: options.Charging = False,
) -> None:
    """Count, measure and score one session. With a patient it is kept, and sent when it can be;
    without one nothing leaves this command but the report."""
    out = Console(highlight=False)
    with options.told_in_one_line():
        of = named(exercise)
        link = None
        if patient or (home / "account").exists():
            link = options.link(
                home,
                clinic=clinic,
                patient=patient,
                consent=consent,
                zone=zone,
                ingest=ingest,
                projections=projections,
                identity=identity,
                ca=ca,
            )
        if calibrate and link is None:
            raise EdgeError("a baseline is somebody's: tell whose with --patient")
        device = options.conditions(network, battery, charging=charging)
        with opened(source, of.id, pose, subject) as frames:
            running = Running(of, frames, link, device, speed, seconds, calibrate)
            done = running.run(out, view=view)
        if trouble := frames.trouble():
            out.print(f"{frames.name} was switched off: {trouble}", markup=False)
        for path in report or ():
            write(summary(of, frames, done), path)
            out.print(f"report: {path}", markup=False)
