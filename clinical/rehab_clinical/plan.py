"""The prescription: its versions, its pauses, and which version rules a local day."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum
from functools import cached_property

from rehab.events.v1 import plan_pb2
from rehab_clinical.days import day_start, first_zone
from rehab_clinical.facts import Fact, Stamp, moment


class Unit(StrEnum):
    """What a dose is counted in (UCUM)."""

    REPS = "{rep}"
    SECONDS = "s"
    MINUTES = "min"


@dataclass(frozen=True, slots=True)
class Item:
    """One prescribed exercise. `amount` is the dose of one occurrence, in `unit`."""

    exercise_id: str
    side: int
    unit: Unit
    amount: int
    weekdays: frozenset[int]
    times: tuple[time, ...]
    window: timedelta
    policy: int
    tempo_s: tuple[float, ...]
    rom_target_deg: float | None

    def due_on(self, day: date) -> bool:
        return not self.weekdays or day.isoweekday() in self.weekdays


@dataclass(frozen=True, slots=True)
class PlanVersion:
    plan_id: str
    version: int
    stamp: Stamp
    effective_from: date
    effective_until: date | None
    zone: str
    sessions_per_week: int
    items: tuple[Item, ...]

    def begins(self) -> datetime:
        return day_start(self.effective_from, first_zone(self.zone))


@dataclass(frozen=True, slots=True)
class PlanStep:
    """A pause, a resumption or an end. `until` bounds a pause, as far as it is bounded."""

    plan_id: str
    stamp: Stamp
    action: str
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Stop:
    """A time in which nothing is due; `until` None is an open end."""

    since: datetime
    until: datetime | None

    def touches(self, start: datetime, end: datetime) -> bool:
        return end > self.since and (self.until is None or start < self.until)


@dataclass(frozen=True)
class PlanBook:
    """All plans of one patient. The same version told twice counts as last told."""

    versions: Mapping[tuple[str, int], PlanVersion] = field(default_factory=dict)
    steps: frozenset[PlanStep] = frozenset()

    def with_fact(self, fact: Fact) -> PlanBook:
        """Fold one event of kind plan. Raises ValueError for a day or time that does not exist."""
        plan = fact.body.plan
        action = plan.WhichOneof("action")
        if action == "prescribed":
            told = _version(plan, fact.stamp)
            key = (plan.plan_id, plan.version)
            known = self.versions.get(key)
            if known is not None and known.stamp >= told.stamp:
                return self
            return replace(self, versions={**self.versions, key: told})
        until = None
        if action == "paused" and plan.paused.HasField("until"):
            until = moment(plan.paused.until)
        step = PlanStep(plan.plan_id, fact.stamp, action or "", until)
        return replace(self, steps=self.steps | {step})

    def as_of(self, instant: datetime) -> PlanBook:
        """What was prescribed by then."""
        return PlanBook(
            {key: v for key, v in self.versions.items() if v.stamp.at <= instant},
            frozenset(step for step in self.steps if step.stamp.at <= instant),
        )

    @cached_property
    def _of_plans(self) -> Mapping[str, tuple[list[Reign], list[Stop]]]:
        """A book never changes, and is asked every day."""
        plan_ids = sorted({plan_id for plan_id, _ in self.versions})
        return {one: (self._reigns(one), self._stops(one)) for one in plan_ids}

    def plan_ids(self) -> Collection[str]:
        """In order."""
        return self._of_plans.keys()

    def reigns(self, plan_id: str) -> Sequence[Reign]:
        """Who rules when, oldest version first: the highest version that is in effect."""
        return self._of_plans[plan_id][0] if plan_id in self._of_plans else ()

    def stops(self, plan_id: str) -> Sequence[Stop]:
        """When nothing of the plan is due: pauses, and the time after its end.

        A later pause moves the end of a pause that still runs; a prescription made after the end
        begins the plan anew.
        """
        known = self._of_plans.get(plan_id)
        return self._stops(plan_id) if known is None else known[1]

    def _reigns(self, plan_id: str) -> list[Reign]:
        versions = sorted(
            (v for (owner, _), v in self.versions.items() if owner == plan_id),
            key=lambda v: v.version,
        )
        reigns: list[Reign] = []
        succeeded: date | None = None
        for version in reversed(versions):
            last = version.effective_until
            if succeeded is not None:
                before = succeeded - timedelta(days=1)
                last = before if last is None else min(last, before)
            if last is None or last >= version.effective_from:
                reigns.append(Reign(version, version.effective_from, last))
            if succeeded is None or version.effective_from < succeeded:
                succeeded = version.effective_from
        return list(reversed(reigns))

    def in_force(self, day: date) -> list[PlanVersion]:
        """The ruling version of every plan on a local day."""
        return [
            reign.version
            for plan_id in self.plan_ids()
            for reign in self.reigns(plan_id)
            if reign.covers(day)
        ]

    def _stops(self, plan_id: str) -> list[Stop]:
        told = [step for step in self.steps if step.plan_id == plan_id]
        told += [
            PlanStep(plan_id, v.stamp, "prescribed", v.begins())
            for (owner, _), v in self.versions.items()
            if owner == plan_id
        ]
        return _stops(sorted(told, key=lambda step: step.stamp))

    def first_day(self) -> date | None:
        """The first local day of the first prescription, None without one."""
        return min((v.effective_from for v in self.versions.values()), default=None)

    def first_day_of(self, plan_id: str) -> date:
        """The first local day of one plan. Raises ValueError when it has no version."""
        return min(v.effective_from for (owner, _), v in self.versions.items() if owner == plan_id)


@dataclass(frozen=True, slots=True)
class Reign:
    """The local days on which a version rules, both included; `last` None is an open end."""

    version: PlanVersion
    first: date
    last: date | None

    def covers(self, day: date) -> bool:
        return self.first <= day and (self.last is None or day <= self.last)


def _stops(steps: Iterable[PlanStep]) -> list[Stop]:
    stops: list[Stop] = []
    since: datetime | None = None
    until: datetime | None = None
    ended = False

    def close(at: datetime) -> None:
        if since is not None:
            stops.append(Stop(since, at if until is None else min(at, until)))

    for step in steps:
        at = step.stamp.at
        if ended:
            if step.action == "prescribed":
                close(at if step.until is None else max(at, step.until))
                since, until, ended = None, None, False
        elif step.action == "paused":
            if since is None or (until is not None and until <= at):
                close(at)
                since = at
            until = step.until
        elif step.action in ("resumed", "ended"):
            close(at)
            ended = step.action == "ended"
            since, until = (at if ended else None), None
    if since is not None:
        stops.append(Stop(since, until))
    return [stop for stop in stops if stop.until is None or stop.until > stop.since]


def _version(plan: plan_pb2.Plan, stamp: Stamp) -> PlanVersion:
    told = plan.prescribed
    return PlanVersion(
        plan_id=plan.plan_id,
        version=plan.version,
        stamp=stamp,
        effective_from=date.fromisoformat(told.effective_from),
        effective_until=(
            date.fromisoformat(told.effective_until) if told.effective_until else None
        ),
        zone=told.zone,
        sessions_per_week=told.sessions_per_week,
        items=tuple(_item(item) for item in told.items),
    )


def _item(item: plan_pb2.PlanItem) -> Item:
    unit, amount = _dose(item)
    return Item(
        exercise_id=item.exercise_id,
        side=item.side,
        unit=unit,
        amount=amount,
        weekdays=frozenset(item.schedule.weekdays),
        times=tuple(sorted(time.fromisoformat(at) for at in item.schedule.times)),
        window=timedelta(hours=item.schedule.window_h),
        policy=item.schedule.policy or plan_pb2.COMPLETION_POLICY_DURING_WINDOW,
        tempo_s=tuple(item.tempo_s),
        rom_target_deg=item.rom_target_deg if item.HasField("rom_target_deg") else None,
    )


def _dose(item: plan_pb2.PlanItem) -> tuple[Unit, int]:
    match item.WhichOneof("dose"):
        case "reps":
            return Unit.REPS, item.reps.sets * item.reps.reps
        case "hold":
            return Unit.SECONDS, item.hold.sets * item.hold.hold_s
        case "duration":
            return Unit.MINUTES, item.duration.minutes
        case _:
            raise ValueError("plan item without a dose")
