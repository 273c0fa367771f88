"""Who treats the patient, what is prescribed and allowed: folded anew whenever it changes.

Such events are few. They are kept as they were told and folded by the time they occurred, so that
no order of arrival matters and a correction is only a fold without the corrected event.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from functools import cached_property
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start, first_zone
from rehab_clinical.facts import Fact, Stamp, moment
from rehab_clinical.plan import PlanBook, PlanVersion

from rehab.events.v1 import patient_pb2, plan_pb2

KINDS = frozenset({"plan", "consent", "care_team", "enrolment"})
MOST = 2_000
FOREVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Permission:
    """A consent: in force from `since` until before `until`."""

    consent_id: str
    purpose: str
    since: datetime
    until: datetime


@dataclass(frozen=True)
class Care:
    """What follows from the events told so far."""

    enrolled_at: datetime | None = None
    zone: str = ""
    language: str = ""
    therapists: tuple[str, ...] = ()
    """Who treats the patient, who leads first."""
    permissions: tuple[Permission, ...] = ()
    book: PlanBook = field(default_factory=PlanBook)
    limits: Mapping[tuple[str, int], plan_pb2.SafetyLimits] = field(default_factory=dict)

    @cached_property
    def plan_zone(self) -> str:
        """Of the newest prescription, empty without one."""
        newest = max(self.book.versions.values(), key=lambda v: v.stamp, default=None)
        return newest.zone if newest else ""

    @property
    def therapist_id(self) -> str:
        return self.therapists[0] if self.therapists else ""

    def allowed(self, at: datetime) -> tuple[str, ...]:
        """Purposes allowed at a time, in order."""
        return tuple(sorted({p.purpose for p in self.permissions if p.since <= at < p.until}))

    def consent_for(self, purpose: str, at: datetime) -> str:
        """The consent in force for a purpose, the newest of several; empty when none is."""
        found = [p for p in self.permissions if p.purpose == purpose and p.since <= at < p.until]
        return max(found, key=lambda p: (p.since, p.consent_id)).consent_id if found else ""

    def ruling(self, day: date) -> list[PlanVersion]:
        return self.book.in_force(day)

    def plan_limit(self, name: str, day: date) -> float | None:
        """A limit of the plans in force, the strictest where several tell one."""
        told = [
            getattr(limits, name)
            for version in self.ruling(day)
            if (limits := self.limits.get((version.plan_id, version.version))) is not None
            and limits.HasField(name)
        ]
        if not told:
            return None
        return float(max(told) if name == "hr_min_per_min" else min(told))

    def active_from(self, at: datetime, zone: ZoneInfo) -> datetime | None:
        """Since when something is prescribed and neither paused nor ended; when nothing is, the
        next time from which something will be, as far as it is known now. None when never."""
        since = [found for plan in self.book.plan_ids() if (found := self._since(plan, at, zone))]
        if since:
            return min(since)
        coming = sorted(moment for moment in self._turns(zone) if moment > at)
        return next((turn for turn in coming if self._is_active(turn, zone)), None)

    def _is_active(self, at: datetime, zone: ZoneInfo) -> bool:
        return any(self._since(plan, at, zone) for plan in self.book.plan_ids())

    def _since(self, plan_id: str, at: datetime, fallback: ZoneInfo) -> datetime | None:
        began: datetime | None = None
        covered_until: datetime | None = None
        for reign in self.book.reigns(plan_id):
            zone = first_zone(reign.version.zone, fallback.key)
            start = day_start(reign.first, zone)
            end = FOREVER if reign.last is None else day_end(reign.last, zone)
            if start > at:
                break
            if began is None or covered_until is None or start > covered_until:
                began = start
            covered_until = end
        if began is None or covered_until is None or covered_until <= at:
            return None
        for stop in self.book.stops(plan_id):
            if stop.since <= at and (stop.until is None or at < stop.until):
                return None
            if stop.until is not None and stop.until <= at:
                began = max(began, stop.until)
        return began

    def _turns(self, fallback: ZoneInfo) -> Iterable[datetime]:
        for plan_id in self.book.plan_ids():
            for reign in self.book.reigns(plan_id):
                zone = first_zone(reign.version.zone, fallback.key)
                yield day_start(reign.first, zone)
                if reign.last is not None:
                    yield day_end(reign.last, zone)
            for stop in self.book.stops(plan_id):
                if stop.until is not None:
                    yield stop.until

    def turns_after(self, at: datetime, zone: ZoneInfo) -> list[datetime]:
        """When a plan, a version or a pause begins or ends next, as far as it is known."""
        starts = [turn for turn in self._turns(zone) if turn > at]
        stops = [stop.since for plan in self.book.plan_ids() for stop in self.book.stops(plan)]
        return [*starts, *(since for since in stops if since > at)]

    def days_left(self, today: date) -> float | None:
        """Local days after today in which a plan is in force, None for no end."""
        last = [version.effective_until for version in self.ruling(today)]
        known = [day for day in last if day is not None]
        if not last or len(known) < len(last):
            return None
        return float((max(known) - today).days)


def care_of(facts: Iterable[Fact]) -> Care:
    """Fold what was told, in the order of its time. An event that cannot be is left out."""
    fold = _Fold()
    for fact in sorted(facts, key=lambda fact: fact.stamp):
        try:
            fold.add(fact)
        except (ValueError, OverflowError):
            continue  # a day or time that does not exist; projections park such a stream
    return fold.care()


class _Fold:
    def __init__(self) -> None:
        self._enrolled: tuple[datetime, patient_pb2.PatientEnrolled] | None = None
        self._team: dict[str, bool] = {}
        self._granted: dict[str, Permission] = {}
        self._revoked: dict[str, datetime] = {}
        self._book = PlanBook()
        self._limits: dict[tuple[str, int], plan_pb2.SafetyLimits] = {}

    def add(self, fact: Fact) -> None:
        body = fact.body
        match fact.kind:
            case "enrolment" if body.enrolment.HasField("enrolled"):
                since = self._enrolled[0] if self._enrolled else fact.stamp.at
                self._enrolled = (since, body.enrolment.enrolled)
            case "care_team":
                self._change_team(body.care_team)
            case "consent":
                self._consent(body.consent)
            case "plan":
                self._book = self._book.with_fact(fact)
                plan = body.plan
                if plan.HasField("prescribed") and plan.prescribed.HasField("limits"):
                    self._limits[plan.plan_id, plan.version] = plan.prescribed.limits

    def care(self) -> Care:
        leading = sorted(self._team, key=lambda who: (not self._team[who], who))
        told = self._enrolled[1] if self._enrolled else patient_pb2.PatientEnrolled()
        return Care(
            enrolled_at=self._enrolled[0] if self._enrolled else None,
            zone=told.zone,
            language=told.language,
            therapists=tuple(leading),
            permissions=tuple(
                Permission(p.consent_id, p.purpose, p.since, min(p.until, self._revoked_at(p)))
                for p in self._granted.values()
            ),
            book=self._book,
            limits=self._limits,
        )

    def _revoked_at(self, permission: Permission) -> datetime:
        return self._revoked.get(permission.consent_id, FOREVER)

    def _change_team(self, change: patient_pb2.CareTeam) -> None:
        if "\0" in change.therapist_id:
            return  # ingest lets no such name in; what a service wrote so, no column can hold
        if change.action == patient_pb2.CARE_TEAM_ACTION_ASSIGNED:
            if change.primary:
                self._team = dict.fromkeys(self._team, False)
            self._team[change.therapist_id] = change.primary
        else:
            self._team.pop(change.therapist_id, None)

    def _consent(self, consent: patient_pb2.Consent) -> None:
        if consent.HasField("granted"):
            granted = consent.granted
            until = moment(granted.valid_until) if granted.HasField("valid_until") else FOREVER
            self._granted[consent.consent_id] = Permission(
                consent.consent_id, granted.purpose, moment(granted.valid_from), until
            )
            self._revoked.pop(consent.consent_id, None)
        elif consent.HasField("revoked"):
            self._revoked[consent.consent_id] = moment(consent.revoked.effective_at)


@dataclass(frozen=True, slots=True)
class ToldCare:
    """One such event, closed."""

    stamp: Stamp
    zone: str
    kind: str
    body: bytes
