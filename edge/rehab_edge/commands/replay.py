"""`rehab-edge replay`: recorded sessions through the device's whole path into a suite."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import groupby
from pathlib import Path
from time import monotonic
from typing import Annotated

import typer
from rich.console import Console

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.events.v1.event_pb2 import Event
from rehab_edge.baselines import kept_baseline
from rehab_edge.commands import options
from rehab_edge.drift import Watch
from rehab_edge.errors import EdgeError
from rehab_edge.eyes import eyes
from rehab_edge.journal import Entry, Journal
from rehab_edge.linking import Link, admitted_since
from rehab_edge.outbox import Conditions, Network, Outbox
from rehab_edge.performing import Performance, paced
from rehab_edge.recorded import NOT_IN_IDS, Recorded, of_files, of_uiprmd
from rehab_edge.scribe import Scribe, Told

BETWEEN = timedelta(minutes=1)
"""Between one session and the next, as if one person had done them in turn."""
WAIT_S = 60.0
Recordings = Annotated[
    list[Path] | None, typer.Argument(help="Recordings; without any, those of --data.")
]


def replay(
    recordings: Recordings = None,
    data: Annotated[
        Path | None, typer.Option(envvar="REHAB_RECORDINGS", help="A folder of UI-PRMD's format.")
    ] = None,
    movement: Annotated[list[str] | None, typer.Option(help="Such as m01; all without.")] = None,
    subject: Annotated[int | None, typer.Option(min=1, help="One subject; all without.")] = None,
    exercise: Annotated[str, typer.Option(help="Of recordings that do not tell.")] = "",
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
    speed: Annotated[float, typer.Option(min=0, help="1 as recorded; 0 as fast as it goes.")] = 0.0,
    wait: Annotated[float, typer.Option(min=0, help="Seconds for the clinic to take it.")] = WAIT_S,
) -> None:
    """Recorded sessions counted, scored, kept and sent as a device does. Begun again after it was
    killed, it doubles nothing and loses nothing."""
    device = options.conditions(network, battery, charging=charging)
    with options.told_in_one_line():
        found = _found(recordings or (), data, movement or (), subject, exercise)
        good = True
        for person, own in groupby(found, key=lambda one: one.person):
            link = options.link(
                home,
                clinic=clinic,
                patient=patient or (f"uiprmd-s{person:02}" if person else ""),
                consent=consent,
                zone=zone,
                ingest=ingest,
                projections=projections,
                identity=identity,
                ca=ca,
            )
            good &= replayed(link, list(own), device, speed=speed, wait_s=wait)
    raise typer.Exit(0 if good else 1)


def _found(
    recordings: Sequence[Path],
    data: Path | None,
    movements: Sequence[str],
    subject: int | None,
    exercise: str,
) -> list[Recorded]:
    """By person. Raises EdgeError."""
    if recordings:
        return list(of_files(recordings, exercise))
    if data is None:
        raise EdgeError("tell which recordings, or their folder with --data")
    found = sorted(of_uiprmd(data, movements, subject), key=lambda one: one.person)
    if not found:
        raise EdgeError("nothing is recorded of this subject")
    return found


@dataclass(frozen=True)
class Begun:
    """A recorded session and when it is taken to have been."""

    recorded: Recorded
    session_id: str
    started_at: datetime


def replayed(
    link: Link,
    recorded: Sequence[Recorded],
    conditions: Conditions,
    *,
    speed: float = 0.0,
    wait_s: float = WAIT_S,
    console: Console | None = None,
) -> bool:
    """One person's sessions; whether the clinic has them all. Raises EdgeError, RehabError."""
    out = console or Console(highlight=False)
    home = link.home
    journal = Journal(home.remembered("sessions"))
    begun = begin(journal, link.patient, recorded, _now())
    since = admitted_since(home, min(one.started_at for one in begun))
    with Outbox.open(
        home, clinic_id=link.clinic, connect=link.admitting(since), conditions=conditions
    ) as outbox:
        for one in begun:
            memory = home.remembered(f"drift-{one.recorded.exercise.exercise_id}")
            watch = None if journal.ended(one.session_id) else Watch(memory)
            done = perform(link, one, outbox.keep, watch, speed)
            journal.end(one.session_id)
            out.print(_line(one.recorded, done), markup=False, soft_wrap=True)
        sent = outbox.drained(wait_s)
        status, refused = outbox.status(), _refused(outbox)
    for why in refused:
        out.print(why, style="red", markup=False, soft_wrap=True)
    if status.dropped:
        out.print(f"{status.dropped} events dropped", style="red")
    if not sent:
        why = f": {status.trouble}" if status.trouble else ""
        out.print(
            f"{status.waiting} events wait for the next run{why}", style="yellow", soft_wrap=True
        )
    return sent and not refused


def _refused(outbox: Outbox) -> list[str]:
    """What the clinic would not take, but for what it has already: a device that is slower today
    may have left unscored what it scored then, and what was told first holds."""
    return [
        f"{one.event.envelope.kind} refused: {one.failure.message}"
        for one in outbox.refused()
        if one.failure.reason != reasons.ERROR_REASON_ALREADY_EXISTS
    ]


def begin(
    journal: Journal, patient: str, recorded: Sequence[Recorded], now: datetime
) -> list[Begun]:
    """When each began: as an earlier run wrote down, else one after the other until now."""
    named = [(_session_id(patient, one), one) for one in recorded]
    new = [one for session_id, one in named if session_id not in journal]
    starts_at = now - sum(
        (timedelta(seconds=one.duration_s) + BETWEEN for one in new), start=timedelta()
    )
    begun = []
    for session_id, one in named:
        entry = Entry(patient, one.exercise.exercise_id, starts_at, live=False)
        known = session_id in journal
        begun.append(Begun(one, session_id, journal.begin(session_id, entry).started_at))
        if not known:
            starts_at += timedelta(seconds=one.duration_s) + BETWEEN
    return begun


def _session_id(patient: str, one: Recorded) -> str:
    return NOT_IN_IDS.sub("-", f"{patient}-{one.name}")[:51] + f"-{one.fingerprint}"


def perform(
    link: Link, begun: Begun, keep: Callable[[Event], None], watch: Watch | None, speed: float
) -> Performance:
    """The session's frames through the device, as fast or as slowly as told."""
    recorded = begun.recorded
    told = Told(
        link.patient, begun.session_id, recorded.exercise.exercise_id, begun.started_at, "sensor"
    )
    baseline = kept_baseline(link.home, recorded.exercise)
    performance = Performance(
        eyes(recorded.exercise, baseline), Scribe(link.context("import"), told), keep, watch
    )
    began = monotonic()
    for number in range(len(recorded.frames)):
        pose = recorded.frames.pose(number)
        if speed > 0:
            paced(pose.t_ns, round(1e9 * recorded.frames.t_s[0]), began, speed)
        performance.frame(pose)
    performance.end()
    return performance


def _line(recorded: Recorded, done: Performance) -> str:
    scores = sorted(rep.score for rep in done.reps if rep.score is not None)
    middle = f"{scores[len(scores) // 2]:.0f}" if scores else "-"
    known = "" if recorded.count is None else f" of {recorded.count}"
    drifted = f"  drift: {', '.join(done.drifted)}" if done.drifted else ""
    return (
        f"{recorded.name:<24}{recorded.exercise.name:<30}{len(done.reps):>3}{known:<7} repetitions"
        f"  {len(scores)} scored, median {middle}{drifted}"
    )


def _now() -> datetime:
    return datetime.now(UTC)
