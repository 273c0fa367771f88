"""What the read models must say, counted from what the simulation did.

Written from the published formulae (docs/domain/adherence.md) on the simulation's own record. It
shares no code with the projections: where both agree, two programs came to the same figures.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from fractions import Fraction
from statistics import median

import numpy as np

from rehab_cli.clinic.course import Course, Pause
from rehab_cli.clinic.deeds import (
    Deed,
    PainFelt,
    Paused,
    Prescribed,
    RepsSeen,
    Resumed,
    SessionBegun,
    SetDone,
)
from rehab_cli.clinic.prescription import Window
from rehab_cli.clinic.simulate import TimedEvent

GOOD_SCORE = 70
FULL_DOSE = Fraction(4, 5)

ExerciseSide = tuple[str, int]


@dataclass(frozen=True)
class ExerciseExpectation:
    """Of one exercise and side. None where nothing was scored or measured."""

    reps: int
    scored: int
    good: int
    median_score: float | None
    p90_rom_deg: float | None


@dataclass(frozen=True)
class PatientExpectation:
    """Of one patient, since the first prescription. Ratios are None while nothing was due."""

    events: int
    sessions: int
    exercises: Mapping[ExerciseSide, ExerciseExpectation]
    pain_reports: int
    latest_pain: int | None
    due: int
    started: int
    full: int
    dose_ratio: float | None

    @property
    def reps(self) -> int:
        return sum(exercise.reps for exercise in self.exercises.values())

    @property
    def scored(self) -> int:
        return sum(exercise.scored for exercise in self.exercises.values())

    @property
    def good(self) -> int:
        return sum(exercise.good for exercise in self.exercises.values())


@dataclass(frozen=True)
class Expectation:
    """Of all patients, by their id, as of a time."""

    as_of: datetime
    patients: Mapping[str, PatientExpectation]

    @property
    def events(self) -> int:
        return sum(patient.events for patient in self.patients.values())


@dataclass
class _Record:
    """One patient's deeds, as far as they were sent."""

    events: int = 0
    deeds: list[Deed] = field(default_factory=list)


class Oracle:
    """Show it every event that is sent; ask it what the read models must say."""

    def __init__(self) -> None:
        self._records: dict[str, _Record] = {}

    def saw(self, timed: TimedEvent) -> None:
        record = self._records.setdefault(timed.event.envelope.subject_id, _Record())
        record.events += 1
        record.deeds += timed.deeds

    def expectation(self, as_of: datetime) -> Expectation:
        """What holds as of a time, of what was sent up to now."""
        return Expectation(
            as_of, {patient: _of(record, as_of) for patient, record in self._records.items()}
        )


def expected(events: Iterable[TimedEvent], as_of: datetime) -> Expectation:
    """What the read models must say once all these events are in, as of a time."""
    oracle = Oracle()
    for timed in events:
        oracle.saw(timed)
    return oracle.expectation(as_of)


def _of(record: _Record, as_of: datetime) -> PatientExpectation:
    begun = [d for d in record.deeds if isinstance(d, SessionBegun) and d.at <= as_of]
    pains = [d for d in record.deeds if isinstance(d, PainFelt) and d.at <= as_of]
    doses = _doses(record, begun, as_of)
    return PatientExpectation(
        events=record.events,
        sessions=len(begun),
        exercises=_exercises(record, as_of),
        pain_reports=len(pains),
        latest_pain=max(pains, key=lambda felt: felt.at).nprs if pains else None,
        due=len(doses),
        started=sum(dose > 0 for dose in doses),
        full=sum(dose >= FULL_DOSE for dose in doses),
        dose_ratio=float(sum(doses, Fraction(0)) / len(doses)) if doses else None,
    )


def _exercises(record: _Record, as_of: datetime) -> dict[ExerciseSide, ExerciseExpectation]:
    seen: dict[ExerciseSide, list[RepsSeen]] = {}
    for deed in record.deeds:
        if isinstance(deed, RepsSeen) and deed.at <= as_of:
            seen.setdefault((deed.exercise_id, deed.side), []).append(deed)
    return {exercise: _exercise(deeds) for exercise, deeds in sorted(seen.items())}


def _exercise(seen: list[RepsSeen]) -> ExerciseExpectation:
    scores = [score for deed in seen for score in deed.scores if score is not None]
    roms = [rom for deed in seen for rom in deed.roms_deg if rom is not None]
    return ExerciseExpectation(
        reps=sum(len(deed.scores) for deed in seen),
        scored=len(scores),
        good=sum(score >= GOOD_SCORE for score in scores),
        median_score=median(scores) if scores else None,
        p90_rom_deg=float(np.percentile(roms, 90)) if roms else None,
    )


def _doses(record: _Record, begun: list[SessionBegun], as_of: datetime) -> list[Fraction]:
    """The dose ratio of every window that was due, by what its own sessions did for it."""
    window_of = {session.session_id: session.window for session in begun}
    done: dict[tuple[object, str, int], int] = {}
    for deed in record.deeds:
        if isinstance(deed, SetDone) and deed.session_id in window_of:
            key = (window_of[deed.session_id], deed.exercise_id, deed.side)
            done[key] = done.get(key, 0) + deed.amount
    return [_dose(window, done) for window in _course(record, as_of).ended_windows(as_of)]


def _dose(window: Window, done: Mapping[tuple[object, str, int], int]) -> Fraction:
    ratios = [
        min(
            Fraction(1),
            Fraction(done.get((window.key, item.exercise.id, item.side), 0), item.prescribed),
        )
        for item in window.items
    ]
    return sum(ratios, Fraction(0)) / len(ratios)


def _course(record: _Record, as_of: datetime) -> Course:
    """The prescription as it was told up to a time."""
    course = Course()
    for deed in record.deeds:
        match deed:
            case Prescribed(plan):
                course.plans.append(plan)
            case Paused(since, until) if since <= as_of:
                course.pauses.append(Pause(since, until))
            case Resumed(at) if at <= as_of:
                course.pauses[-1].until = at
    return course
