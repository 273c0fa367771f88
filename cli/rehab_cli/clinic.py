"""A simulated clinic: patients who exercise, lapse, hurt and come back; seeded, so that the same
seed lives the same weeks.

Each repetition comes from a small kinematic model: the range of motion grows with the weeks of
recovery and shrinks with fatigue within a set, noise is added, and the score follows from both.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.exercise_pb2 import Rep
from rehab_sdk import events

CLINIC = "demo-clinic"
ZONES = ("Europe/Berlin", "America/New_York", "America/Los_Angeles", "Pacific/Honolulu")
EXERCISES = ("squat", "sit_to_stand", "heel_raise", "shoulder_abduction")
SLOT = time(8, 0)
WINDOW_H = 12
PLAN_ID = "plan-1"
GOOD_SCORE = 70


@dataclass(frozen=True)
class Patient:
    """Someone in treatment. `habit` is the chance of doing a due session in a good week."""

    id: str
    therapist: str
    zone: str
    habit: float
    lapse_week: int
    rom_start_deg: float
    rom_target_deg: float
    pain: float
    exercises: tuple[str, ...]
    sets: int
    reps: int

    @property
    def consent(self) -> str:
        return f"consent-{self.id}"


@dataclass(frozen=True)
class Told:
    """Something that happened: when, and what."""

    at: datetime
    body: Body


@dataclass
class Expectation:
    """What the read models must say of one patient; counted while it was made up."""

    events: int = 0
    sessions: int = 0
    reps: int = 0
    good: int = 0
    due: int = 0
    started: int = 0
    latest_pain: int | None = None
    scores: list[float] = field(default_factory=list)


def patients(seed: int, count: int, therapists: int) -> list[Patient]:
    return [_patient(random.Random(f"{seed}:{index}"), index, therapists) for index in range(count)]


def _patient(chance: random.Random, index: int, therapists: int) -> Patient:
    return Patient(
        id=f"patient-{index + 1:03d}",
        therapist=f"therapist-{index % therapists + 1}",
        zone=ZONES[index % len(ZONES)],
        habit=chance.betavariate(5, 2),
        lapse_week=chance.choice((0, 0, 0, 1, 2, 3, 4)),
        rom_start_deg=chance.uniform(55, 75),
        rom_target_deg=chance.uniform(90, 110),
        pain=chance.uniform(0.5, 5.5),
        exercises=tuple(chance.sample(EXERCISES, k=2)),
        sets=chance.choice((2, 3)),
        reps=chance.choice((8, 10, 12)),
    )


def live(
    patient: Patient, seed: int, end: datetime, days: int, told: Expectation
) -> Iterator[Told]:
    """What happens to a patient in the days before `end`, in order; counted in `told`."""
    chance = random.Random(f"{seed}:{patient.id}:life")
    zone = ZoneInfo(patient.zone)
    first = (end - timedelta(days=days)).astimezone(zone).date()
    began = datetime.combine(first, time(0, 30), zone).astimezone(UTC)
    for body in _enrolment(patient, first.isoformat(), began):
        told.events += 1
        yield Told(began, body)
    for day in range(days + 1):
        date = first + timedelta(days=day)
        opens = datetime.combine(date, SLOT, zone).astimezone(UTC)
        closes = opens + timedelta(hours=WINDOW_H)
        told.due += closes <= end
        starts = opens + timedelta(minutes=chance.randrange(5, 600))
        does = chance.random() < _will(patient, day)
        if not does or starts + timedelta(hours=1) > end:
            continue
        told.started += closes <= end
        for happened in _session(
            patient, chance, day, starts, f"{patient.id}-{date.isoformat()}", told
        ):
            told.events += 1
            yield happened


def _will(patient: Patient, day: int) -> float:
    lapsed = patient.lapse_week and day // 7 + 1 == patient.lapse_week
    return patient.habit * 0.05 if lapsed else patient.habit


def _enrolment(patient: Patient, first_day: str, began: datetime) -> list[Body]:
    items = [
        events.plan_item(
            exercise,
            events.schedule(SLOT.strftime("%H:%M"), window_h=WINDOW_H),
            sets=patient.sets,
            reps=patient.reps,
            rom_target_deg=round(patient.rom_target_deg, 1),
        )
        for exercise in patient.exercises
    ]
    return [
        events.consent_granted(patient.consent, valid_from=began),
        events.enrolled(patient.zone),
        events.care_team(patient.therapist, primary=True),
        events.plan(
            PLAN_ID, items, effective_from=first_day, zone=patient.zone, sessions_per_week=7
        ),
    ]


def _session(
    patient: Patient,
    chance: random.Random,
    day: int,
    starts: datetime,
    session: str,
    told: Expectation,
) -> Iterator[Told]:
    told.sessions += 1
    at = starts
    before = _pain(patient, chance, day)
    yield Told(at, events.session_started(session, mode="camera", environment_ok=True))
    yield Told(at, events.pain(before, phase="pre", site="knee", session_id=session))
    for exercise in patient.exercises:
        for number in range(1, patient.sets + 1):
            reps = [_rep(patient, chance, day, index) for index in range(1, patient.reps + 1)]
            at += timedelta(seconds=4 * len(reps))
            yield Told(at, events.reps_observed(session, exercise, reps, set_index=number))
            good = sum(rep.score >= GOOD_SCORE for rep in reps)
            done = events.set_done(exercise, reps=len(reps), set_index=number, good_reps=good)
            yield Told(at, events.set_completed(session, done))
            told.reps += len(reps)
            told.good += good
            told.scores += [rep.score for rep in reps]
            at += timedelta(seconds=60)
    after = min(10, max(0, before + chance.choice((-1, 0, 0, 1, 2))))
    told.latest_pain = after
    yield Told(at, events.pain(after, phase="post", site="knee", session_id=session))
    yield Told(at, events.session_completed(session, (at - starts).total_seconds()))


def _pain(patient: Patient, chance: random.Random, day: int) -> int:
    """Pain eases over the weeks, with better and worse days."""
    return min(10, max(0, round(patient.pain * (1 - day / 60) + chance.gauss(0, 1))))


def _rep(patient: Patient, chance: random.Random, day: int, index: int) -> Rep:
    recovery = 1 - 0.97**day
    fatigue = 1 - 0.008 * index
    reach = patient.rom_start_deg + (patient.rom_target_deg - patient.rom_start_deg) * recovery
    rom = max(5.0, reach * fatigue + chance.gauss(0, 2))
    lean = max(0.0, chance.gauss(2 + 0.4 * index, 2))
    score = min(
        100.0, max(0.0, 100 * rom / patient.rom_target_deg - 0.8 * lean + chance.gauss(0, 3))
    )
    duration = max(800, round(chance.gauss(2600 + 25 * index, 150)))
    leaning = [events.compensation("trunk_lean", round(lean, 1), 12)] if lean > 6 else []
    return events.rep(
        index,
        score=round(score, 1),
        start_ms=index * 4000,
        duration_ms=duration,
        rom_deg=round(rom, 1),
        confidence=round(chance.uniform(0.8, 0.99), 2),
        usable_frames_pct=round(chance.uniform(90, 100), 1),
        compensations=leaning,
    )
