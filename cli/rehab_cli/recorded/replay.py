"""Send recorded sessions to a suite that runs, and ask it what it then knows of them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from statistics import median

from rehab.events.v1.event_pb2 import Event
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab_cli.addresses import Addresses
from rehab_cli.console import out
from rehab_cli.lag import lag_of
from rehab_cli.recorded.sessions import (
    CLINIC,
    DAY_OF,
    DAYS,
    THERAPIST,
    Person,
    Scribe,
    Session,
    day_of,
)
from rehab_cli.recorded.sets import RecordedSet, sets
from rehab_edge.exercises import Exercise
from rehab_edge.sources.uiprmd import Take, chosen_movements, read
from rehab_sdk import AsyncRehab, Rejected, dev_token
from rehab_sdk.errors import NotFound
from rehab_sdk.places import Positions

WAIT_S = 30.0


@dataclass
class Told:
    """What was sent, and what the suite said of it: events stored now, and those it had."""

    stored: int = 0
    known: int = 0
    differing: list[str] = field(default_factory=list)


async def replay(
    addresses: Addresses,
    folder: Path,
    *,
    movements: Sequence[str] = (),
    subject: int | None = None,
    today: date | None = None,
) -> int:
    """Returns 1 when the suite counts other repetitions than those sent. `today` is the day after
    the sessions' last one. Raises EdgeError for a recording that cannot be read, RehabError when
    the suite does not take it."""
    chosen = chosen_movements(folder, movements)
    recorded = list(_recorded(folder, chosen, subject))
    if not recorded:
        out.print("nothing is recorded of this subject")
        return 1
    told = Told()
    token = dev_token("therapist", CLINIC, THERAPIST)
    async with AsyncRehab.connect(
        ingest=addresses.ingest, projections=addresses.projections, token=token
    ) as desk:
        days = await _send(desk, recorded, today or datetime.now(UTC).date(), told)
        _print_heading()
        for movement in chosen:
            for take in Take:
                of_take = [s for s in recorded if s.movement == movement and s.take == take]
                await _report(desk, of_take, days, told)
    out.print(f"{told.stored} events stored, {told.known} were there before", markup=False)
    for difference in told.differing:
        out.print(difference, style="red", markup=False)
    return 1 if told.differing else 0


def _recorded(
    folder: Path, movements: Iterable[Exercise], subject: int | None
) -> Iterator[RecordedSet]:
    for movement in movements:
        for take in Take:
            for one in sets(read(folder, movement, take)):
                if subject is None or one.subject == subject:
                    yield one


async def _send(
    desk: AsyncRehab, recorded: Sequence[RecordedSet], today: date, told: Told
) -> dict[int, date]:
    """Everything, person by person. Returns each one's first day."""
    by_subject: dict[int, list[RecordedSet]] = defaultdict(list)
    for one in recorded:
        by_subject[one.subject].append(one)
    heads = lag_of(await desk.lag()).heads
    days: dict[int, date] = {}
    for subject, own in sorted(by_subject.items()):
        person = Person(subject)
        first_day = days[subject] = await _first_day(desk, person, heads, today)
        scribe = Scribe(person, first_day)
        prescribed = {one.movement.id: one.movement for one in own}.values()
        await _log(desk, scribe.admission(), told)
        for movement in prescribed:
            await _log(desk, [scribe.prescription(movement)], told)
        patient = desk.acting(token=dev_token("patient", CLINIC, person.id))
        for one in sorted(own, key=lambda one: Session(one, first_day).starts_at):
            await _log(patient, list(scribe.session(Session(one, first_day))), told)
        desk.reflect(patient.last_positions)
    return days


async def _first_day(desk: AsyncRehab, person: Person, heads: Positions, today: date) -> date:
    """That of an earlier replay into this suite, or else the last days that are over."""
    known: list[date] = []
    try:
        async for session in desk.patients.sessions(
            person.id, min_position=heads, max_wait_s=WAIT_S
        ):
            take = next((take for take in Take if f"-{take}-" in session.session_id), None)
            if take is not None:
                started = session.started_at.ToDatetime(UTC).date()
                known.append(started - timedelta(days=DAY_OF[take]))
    except NotFound:
        pass
    return min(known, default=today - timedelta(days=DAYS))


async def _log(client: AsyncRehab, told_events: Sequence[Event], told: Told) -> None:
    for verdict in await client.log_many(told_events):
        if isinstance(verdict, Rejected):
            raise verdict.error
        told.known += verdict.duplicate
        told.stored += not verdict.duplicate


def _print_heading() -> None:
    out.print(
        f"{'movement':<32}{'take':<11}{'sent':>5}{'seen':>6}{'P90 range':>11}"
        f"{'duration':>10}   out / hold / back",
        markup=False,
    )


async def _report(
    desk: AsyncRehab, recorded: Sequence[RecordedSet], days: dict[int, date], told: Told
) -> None:
    """One line: medians over the subjects of what GetQuality says of their day, and the tempo that
    was measured, which GetQuality shows only against a prescribed one."""
    if not recorded:
        return
    movement, take = recorded[0].movement, recorded[0].take
    answers = []
    for one in recorded:
        day = day_of(take, days[one.subject])
        answer = await _quality(desk, one, day)
        seen = answer.reps if answer is not None else 0
        if seen != len(one.reps):
            who = f"{movement.id} {take}, {Person(one.subject).id}"
            told.differing.append(f"{who}: {len(one.reps)} repetitions sent, {seen} seen")
        if answer is not None:
            answers.append(answer)
    sent = sum(len(one.reps) for one in recorded)
    seen = sum(answer.reps for answer in answers)
    p90 = median(answer.p90_rom_deg for answer in answers) if answers else 0.0
    lasted = median(answer.median_duration_ms for answer in answers) / 1000 if answers else 0.0
    out.print(
        f"{movement.id + ' ' + movement.name:<32}{take:<11}{sent:>5}{seen:>6}{p90:>8.0f} deg"
        f"{lasted:>8.2f} s   {_tempo(recorded)}",
        markup=False,
    )


async def _quality(desk: AsyncRehab, one: RecordedSet, day: date) -> read_pb.ExerciseQuality | None:
    """The read model's own figures for one person, exercise and day; the side that was worked."""
    answer = await desk.patients.quality(
        Person(one.subject).id,
        days=(day, day),
        exercise=one.movement.exercise_id,
        max_wait_s=WAIT_S,
    )
    side = {"left": 1, "right": 2, "both": 3}[one.side]
    return next((exercise for exercise in answer.exercises if exercise.side == side), None)


def _tempo(recorded: Sequence[RecordedSet]) -> str:
    tempos = [rep.primary.tempo for one in recorded for rep in one.reps if rep.primary.tempo]
    if not tempos:
        return "nothing moved"
    phases = zip(*((tempo.out_s, tempo.hold_s, tempo.back_s) for tempo in tempos), strict=True)
    return " / ".join(f"{median(phase):.2f}" for phase in phases) + " s"
