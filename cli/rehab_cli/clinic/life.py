"""One patient's life, a local day at a time: treatment, exercise, bad days, falls."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic import desk, reports
from rehab_cli.clinic.course import Course, Pause
from rehab_cli.clinic.deeds import PainFelt
from rehab_cli.clinic.habit import Habit, Intent, Undertaking
from rehab_cli.clinic.happening import Author, Happening, later
from rehab_cli.clinic.ids import opaque
from rehab_cli.clinic.library import EXERCISES, NO_SIDE
from rehab_cli.clinic.people import Patient
from rehab_cli.clinic.prescription import (
    DURING_WINDOW,
    WEEK,
    Item,
    Plan,
    Window,
    first_plan,
    revised,
)
from rehab_cli.clinic.scene import Scene
from rehab_cli.clinic.session import observed, occurrence, untold
from rehab_cli.clinic.wellbeing import Wellbeing

ONE_DAY = timedelta(days=1)
PAUSES_PER_DAY = 0.006
REPORTS_NEXT_DAY = 0.35
EXTRA_SESSIONS_PER_DAY = 0.01
AFTER_ALL_WINDOWS = time(22, 5)
WALK = EXERCISES["walk"]


class Life:
    """`start` is the simulation's beginning; nothing happens before it."""

    def __init__(self, patient: Patient, start: datetime, reps_per_event: int) -> None:
        self.patient = patient
        self.course = Course()
        self._zone = ZoneInfo(patient.zone)
        self._chance = random.Random(patient.chance_seed)
        self._habit = Habit(patient.traits, self._chance)
        self._feeling = Wellbeing(patient, self._chance)
        self._reps_per_event = reps_per_event
        self._first_day = start.astimezone(self._zone).date()
        after = timedelta(days=patient.enrolled_after_days, minutes=self._chance.randint(1, 240))
        self._enrolled_at = start + after
        self._pending: list[Happening] = []
        self._sessions = 0
        self._next_revision = date.min
        self._review_weekday = self._chance.randint(1, 5)

    def begins(self, number: int) -> datetime:
        """When the local day of that number begins, the first being 0."""
        return self._at(self._first_day + number * ONE_DAY, time.min)

    def day(self, number: int) -> list[Happening]:
        """What happens on a local day, in order. Days are asked for one after the other."""
        today = self._first_day + number * ONE_DAY
        return sorted(self._day(today), key=lambda told: told.at)

    def _day(self, today: date) -> Iterator[Happening]:
        enrolment = self._enrolled_at.astimezone(self._zone).date()
        if today == enrolment:
            yield from self._enrolled(today)
        if today <= enrolment:
            return
        self._habit.wake()
        self._feeling.wake()
        yield from self._treated(today)
        yield from (told for told in self._pending if self._is_on(told.at, today))
        self._pending = [told for told in self._pending if not self._is_on(told.at, today)]
        for window in self.course.windows(today):
            yield from self._for_window(window)
        yield from self._besides(today)

    # treatment

    def _enrolled(self, today: date) -> Iterator[Happening]:
        plan = first_plan(self._chance, self.patient, today + ONE_DAY)
        self.course.plans.append(plan)
        self._next_revision = today + timedelta(days=self._chance.randint(9, 18))
        yield from desk.admission(self.patient, self._enrolled_at, plan, today)

    def _treated(self, today: date) -> Iterator[Happening]:
        """The therapist looks once a week, revises the plan now and then, pauses it if need be."""
        pauses, chance = self.course.pauses, self._chance
        now = self._at(today, time(5, chance.randint(0, 29)))
        open_pause = pauses[-1] if pauses and pauses[-1].until is None else None
        if open_pause and chance.random() < 0.25:
            open_pause.until = now
            yield desk.resumption(self.course.plans[-1], now)
        elif not self._paused(now) and chance.random() < PAUSES_PER_DAY:
            days = chance.choice((None, 3, 5, 7))
            until = None if days is None else now + timedelta(days=days)
            yield self._pause(now, chance.choice(("illness", "travel")), until)
        if today >= self._next_revision:
            self._next_revision = today + timedelta(days=chance.randint(9, 18))
            yield self._revision(today)
        if today.isoweekday() == self._review_weekday:
            yield self._reviewed(today)

    def _reviewed(self, today: date) -> Happening:
        at = self._at(today, time(17, self._chance.randint(0, 59)))
        usual = self._chance.choice(("no_action", "contacted"))
        return desk.review(self.patient, at, "contacted" if self._habit.lapsed else usual)

    def _paused(self, now: datetime) -> bool:
        return any(
            p.since <= now and (p.until is None or now < p.until) for p in self.course.pauses
        )

    def _pause(self, now: datetime, reason: str, until: datetime | None) -> Happening:
        self.course.pauses.append(Pause(now, until))
        return desk.pause(self.course.plans[-1], now, reason, until)

    def _revision(self, today: date) -> Happening:
        harder = self._feeling.pain() < 5
        plan = revised(self._chance, self.course.plans[-1], today + ONE_DAY, harder=harder)
        self.course.plans.append(plan)
        return desk.prescription(plan, self._at(today, time(16, self._chance.randint(0, 59))))

    # exercise

    def _for_window(self, window: Window) -> Iterator[Happening]:
        intent = self._habit.intends(window)
        if intent is None:
            return
        chance = self._chance
        plan = self._plan(window)
        share = min(0.95, max(0.01, self.patient.traits.lateness + chance.gauss(0, 0.15)))
        started_at = later(window.starts_at, share * (window.ends_at - window.starts_at).seconds)
        scene = self._scene(started_at, window.version)
        if intent.untold:
            told_at = later(window.ends_at, chance.uniform(300, 3600))
            yield from untold(scene, intent, occurrence(plan, window), window, told_at)
            return
        named = plan.policy != DURING_WINDOW or chance.random() < 0.8
        ref = occurrence(plan, window) if named else None
        yield from observed(scene, intent, ref, window)
        if chance.random() < REPORTS_NEXT_DAY:
            self._pending.append(self._next_day(scene))

    def _plan(self, window: Window) -> Plan:
        return next(plan for plan in self.course.plans if plan.version == window.version)

    def _scene(self, at: datetime, version: int) -> Scene:
        self._sessions += 1
        return Scene(
            patient=self.patient,
            chance=self._chance,
            feeling=self._feeling,
            session_id=opaque("s", self.patient.chance_seed, self._sessions),
            plan_version=version,
            started_at=at,
            at=at,
            reps_per_event=self._reps_per_event,
        )

    def _next_day(self, scene: Scene) -> Happening:
        at = later(scene.at + ONE_DAY, self._chance.uniform(-7200, 0))
        nprs = self._feeling.pain(0.8)
        body = reports.pain(self.patient, nprs, reports.DAY_AFTER, scene.session_id)
        deeds = (PainFelt(at, nprs),)
        return Happening(at, Author.TOLD, body, deeds, scene.session_id, scene.plan_version)

    # the rest of life

    def _besides(self, today: date) -> Iterator[Happening]:
        chance = self._chance
        if chance.random() < reports.SYMPTOMS_PER_DAY:
            yield self._reported(self._some_time(today), reports.symptom(chance))
        if chance.random() < reports.NEAR_FALLS_PER_DAY:
            yield self._reported(self._some_time(today), reports.fall(chance, near=True))
        if chance.random() < reports.FALLS_PER_DAY:
            at = self._some_time(today)
            yield self._reported(at, reports.fall(chance, near=False))
            if not self._paused(at):
                yield self._pause(self._at(today, AFTER_ALL_WINDOWS), "clinician", None)
        plan = self.course.ruling(today)
        if plan and plan.policy == DURING_WINDOW and chance.random() < EXTRA_SESSIONS_PER_DAY:
            yield from self._of_own_accord(today, plan)

    def _of_own_accord(self, today: date, plan: Plan) -> Iterator[Happening]:
        """A short walk late in the evening, when every window has ended."""
        walk = Item(WALK, NO_SIDE, 1, 8, WEEK, ())
        scene = self._scene(self._at(today, time(22, 15)), plan.version)
        yield from observed(scene, Intent((Undertaking(walk, (8,)),)), None, None)

    def _reported(self, at: datetime, body: Body) -> Happening:
        return Happening(at, Author.TOLD, body)

    def _some_time(self, today: date) -> datetime:
        return self._at(today, time(9)) + timedelta(minutes=self._chance.randint(0, 700))

    def _at(self, today: date, at: time) -> datetime:
        return datetime.combine(today, at, self._zone).astimezone(UTC)

    def _is_on(self, at: datetime, today: date) -> bool:
        return at.astimezone(self._zone).date() == today
