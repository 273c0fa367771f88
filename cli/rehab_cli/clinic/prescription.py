"""What is prescribed: plans, their revisions, and the windows in which they are due."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rehab.events.v1 import plan_pb2
from rehab_cli.clinic.library import EXERCISES, Dose, Exercise, Side
from rehab_cli.clinic.people import Patient

Policy = plan_pb2.CompletionPolicy
DURING_WINDOW = plan_pb2.COMPLETION_POLICY_DURING_WINDOW
SAME_DAY = plan_pb2.COMPLETION_POLICY_SAME_DAY
WEEK = frozenset(range(1, 8))
MOST_SETS, MOST_REPS = 4, 15
UNITS = {Dose.REPS: 1, Dose.HOLD: 1000, Dose.DURATION: 60_000}


@dataclass(frozen=True)
class Item:
    """One prescribed exercise: `sets` of `amount` repetitions or seconds, or minutes in all."""

    exercise: Exercise
    side: Side
    sets: int
    amount: int
    weekdays: frozenset[int]
    slots: tuple[str, ...]
    rom_target_deg: float | None = None

    @property
    def unit(self) -> int:
        """Of `amount`: 1 for repetitions, or milliseconds."""
        return UNITS[self.exercise.dose]

    @property
    def prescribed(self) -> int:
        """The dose of one window in repetitions or milliseconds."""
        return self.sets * self.amount * self.unit

    def message(self, window_h: int, policy: Policy) -> plan_pb2.PlanItem:
        every_day = self.weekdays == WEEK
        item = plan_pb2.PlanItem(
            exercise_id=self.exercise.id,
            side=self.side,
            tempo_s=self.exercise.tempo_s,
            rest_s=60 if self.sets > 1 else 0,
            rom_target_deg=self.rom_target_deg,
            schedule=plan_pb2.Schedule(
                weekdays=() if every_day else sorted(self.weekdays),
                times=self.slots,
                window_h=window_h,
                policy=policy,
            ),
        )
        match self.exercise.dose:
            case Dose.REPS:
                item.reps.sets, item.reps.reps = self.sets, self.amount
            case Dose.HOLD:
                item.hold.sets, item.hold.hold_s = self.sets, self.amount
            case Dose.DURATION:
                item.duration.minutes = self.amount
        return item


@dataclass(frozen=True)
class Window:
    """A time in which something is due. `key` tells it from every other window of the patient."""

    version: int
    day: date
    slot: str
    starts_at: datetime
    ends_at: datetime
    items: tuple[Item, ...]

    @property
    def key(self) -> tuple[date, str]:
        return self.day, self.slot


@dataclass(frozen=True)
class Plan:
    """One version of a patient's prescription, in force from a local day on."""

    plan_id: str
    version: int
    effective_from: date
    zone: str
    window_h: int
    policy: Policy
    items: tuple[Item, ...]

    def windows(self, day: date) -> Iterator[Window]:
        """What this version makes due on a local day, earliest first."""
        zone = ZoneInfo(self.zone)
        for slot in sorted({slot for item in self.items for slot in item.slots}):
            due = tuple(
                item
                for item in self.items
                if slot in item.slots and day.isoweekday() in item.weekdays
            )
            if due:
                starts_at = datetime.combine(day, time.fromisoformat(slot), zone).astimezone(UTC)
                ends_at = starts_at + timedelta(hours=self.window_h)
                yield Window(self.version, day, slot, starts_at, ends_at, due)

    @property
    def sessions_per_week(self) -> int:
        return len({(day, slot) for i in self.items for day in i.weekdays for slot in i.slots})

    def message(self) -> plan_pb2.Plan:
        prescribed = plan_pb2.PlanPrescribed(
            effective_from=self.effective_from.isoformat(),
            zone=self.zone,
            items=[item.message(self.window_h, self.policy) for item in self.items],
            sessions_per_week=self.sessions_per_week,
            limits=plan_pb2.SafetyLimits(pain_stop=8),
        )
        return plan_pb2.Plan(plan_id=self.plan_id, version=self.version, prescribed=prescribed)


def first_plan(chance: random.Random, patient: Patient, effective_from: date) -> Plan:
    """Two to four exercises for the patient's condition, once or twice a day."""
    known = patient.condition.exercises
    chosen = chance.sample(known, k=min(len(known), chance.choice((2, 3, 4, 4))))
    twice = chance.random() < 0.5
    slots = ("07:00", "16:00") if twice else (chance.choice(("06:30", "08:00", "14:00")),)
    weekdays = _weekdays(chance)
    return Plan(
        plan_id=patient.plan_id,
        version=1,
        effective_from=effective_from,
        zone=patient.zone,
        window_h=chance.choice((4, 5)) if twice else chance.choice((4, 8)),
        policy=chance.choice((DURING_WINDOW, DURING_WINDOW, SAME_DAY)),
        items=tuple(
            _item(chance, EXERCISES[name], patient.affected, weekdays, slots)
            for name in sorted(chosen, key=known.index)
        ),
    )


def _weekdays(chance: random.Random) -> frozenset[int]:
    count = chance.choice((3, 4, 5, 6, 7, 7, 7, 7))
    return frozenset({3: (1, 3, 5), 4: (1, 2, 4, 6)}.get(count, tuple(range(1, count + 1))))


def _item(
    chance: random.Random,
    exercise: Exercise,
    affected: Side,
    weekdays: frozenset[int],
    slots: tuple[str, ...],
) -> Item:
    target = exercise.target_deg
    item = Item(
        exercise=exercise,
        side=exercise.side(affected),
        sets=chance.choice((2, 3, 3)),
        amount=chance.choice((8, 10, 12)),
        weekdays=weekdays,
        slots=slots,
        rom_target_deg=float(round(chance.uniform(*target))) if target else None,
    )
    match exercise.dose:
        case Dose.REPS:
            return item
        case Dose.HOLD:
            return replace(item, sets=chance.choice((2, 3)), amount=chance.choice((20, 30, 40)))
        case Dose.DURATION:
            minutes = chance.choice((10, 15, 20))
            return replace(item, sets=1, amount=minutes, slots=slots[:1], weekdays=WEEK)


def revised(chance: random.Random, plan: Plan, effective_from: date, *, harder: bool) -> Plan:
    """The next version: more of something, or less when it went badly."""
    index = chance.randrange(len(plan.items))
    items = list(plan.items)
    items[index] = _more(items[index]) if harder else _less(items[index])
    return replace(
        plan, version=plan.version + 1, effective_from=effective_from, items=tuple(items)
    )


def _more(item: Item) -> Item:
    match item.exercise.dose:
        case Dose.REPS if item.sets < MOST_SETS and item.amount >= 12:
            return replace(item, sets=item.sets + 1, amount=10)
        case Dose.REPS:
            farther = item.rom_target_deg and min(item.rom_target_deg + 5, 170.0)
            more = min(MOST_REPS, item.amount + 2)
            return replace(item, amount=more, rom_target_deg=farther)
        case Dose.HOLD:
            return replace(item, amount=min(60, item.amount + 5))
        case Dose.DURATION:
            return replace(item, amount=min(40, item.amount + 5))


def _less(item: Item) -> Item:
    if item.sets > 1:
        return replace(item, sets=item.sets - 1)
    return replace(item, amount=max(5, item.amount - 2))
