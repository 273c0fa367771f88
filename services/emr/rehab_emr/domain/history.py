"""A patient's events, by the resources they tell of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from datetime import date, datetime, timedelta
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, first_zone
from rehab_clinical.facts import Fact
from rehab_clinical.plan import PlanBook
from rehab_clinical.session_fold import SessionFold
from rehab_clinical.sessions import SessionRecord, session_id_of
from rehab_clinical.vitals import Reading

from rehab.events.v1 import admin_pb2
from rehab_emr.domain import keys, telling
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.shelf import Shelf
from rehab_emr.domain.subjects import (
    DaySubject,
    ExerciseSubject,
    ReadingSubject,
    SessionSubject,
    Subject,
    WeekSubject,
    key_of,
)
from rehab_emr.domain.telling import Told
from rehab_emr.domain.weeks import WeekBook

ABANDONED_AFTER = timedelta(hours=24)
"""A session that nobody ended is told of when nothing came for that long."""
NOTHING: frozenset[ResourceKey] = frozenset()


class Part(NamedTuple):
    """An event that told of a resource. The body of one of READING_KINDS is put away: `readings`
    has what it told."""

    fact: Fact


class History:
    """One patient's stream, folded in the log's order. It has no clock and no randomness."""

    @classmethod
    def empty(cls, *, fine: bool = False) -> History:
        """`fine` tells of each reading of metrics that are told by the minute (`keys.READING`):
        thousands a day, so only where an endpoint asked for them."""
        return cls(fine=fine)

    def __init__(self, *, fine: bool = False) -> None:
        self.fine = fine
        self.erased = False
        """The patient's keys are destroyed: nothing is told any more."""
        self._clear()

    def _clear(self) -> None:
        self._whose = ("", "")
        self._subjects: dict[ResourceKey, Subject] = {}
        self._parts: dict[ResourceKey, list[Part]] = {}
        self._told_by: dict[str, frozenset[ResourceKey]] = {}
        self._corrects: dict[str, str] = {}
        self._corrected: set[str] = set()
        self._shelf = Shelf()
        self._planning: list[Fact] = []
        self._zone: ZoneInfo | None = None
        self._far: bool | None = None
        self._mondays: dict[date, ResourceKey] = {}
        self._sessions: dict[str, SessionRecord | None] = {}
        self._of_session: dict[str, set[ResourceKey]] = {}
        self._weeks: WeekBook | None = None

    def step(self, fact: Fact) -> frozenset[ResourceKey]:
        """Fold the next event: the keys of what it made or changed, of every kind there is.

        A week that a prescription foresees is among them, before it begins. Raises ValueError for
        an event that cannot be, and is then as it was.
        """
        if self.erased:
            return NOTHING
        if fact.kind == "erasure" and fact.body.erasure.stage == admin_pb2.ERASURE_STAGE_DONE:
            self._clear()
            self.erased = True
            return NOTHING
        try:
            parts = self._parts_of(fact)
        except OverflowError as error:
            raise ValueError("a time outside years 1 to 9999") from error
        self._whose = (fact.clinic_id, fact.patient_id)
        touched = self._void(fact)
        self._weeks = None
        if fact.kind in telling.PLAN_KINDS:
            touched |= self._planned(fact)
        if fact.kind in telling.READING_KINDS and parts:
            fact = self._shelf.put(fact, self.zone)
        told = frozenset(self._keep(fact, kind, subject) for kind, subject in parts)
        if fact.kind == "plan":
            told |= self._foresee(fact)
        if fact.kind == "plan" or self._is_of_plan(fact.corrects):
            touched = touched.union(self._mondays.values())
        self._told_by[fact.stamp.event_id] = told
        return self._with_others(told | touched)

    def keys(self) -> frozenset[ResourceKey]:
        """Of everything told so far: for a replay, or a copy of the record."""
        return frozenset(self._subjects)

    def ready_at(self, key: ResourceKey) -> datetime | None:
        """From when on the resource may be sent; None for one that does not exist.

        A reading or report is ready when it happened, a finished session when it ended, one that
        nobody finished a day after its last event, a day at its end, a week when the last due
        window that begins in it has ended.
        """
        subject = self._subjects.get(key)
        match subject:
            case None:
                return None
            case WeekSubject():
                return self.weeks().ends_at(subject.monday)
            case DaySubject():
                zone = first_zone(self._parts[key][0].fact.zone, self.zone.key)
                return day_end(subject.day, zone)
            case SessionSubject() | ExerciseSubject():
                return self._session_ready(subject.session_id)
            case ReadingSubject():
                return subject.key.end
            case _:
                return max(part.fact.stamp.at for part in self._parts[key])

    @property
    def zone(self) -> ZoneInfo:
        """The patient's: as enrolled, else the newest prescription's, else UTC."""
        if self._zone is None:
            self._zone = self._told_zone()
        return self._zone

    def _told_zone(self) -> ZoneInfo:
        enrolled = [f for f in self._planning if f.body.enrolment.HasField("enrolled")]
        zones = [f.body.enrolment.enrolled.zone for f in sorted(enrolled, key=_stamp)]
        plans = [f.body.plan.prescribed.zone for f in sorted(self._planning, key=_stamp)]
        return first_zone(*reversed(zones), *reversed(plans))

    def subject(self, key: ResourceKey) -> Subject | None:
        return self._subjects.get(key)

    def key(self, kind: str, subject: Subject) -> ResourceKey:
        """Whether or not it is known."""
        return key_of(*self._whose, kind, subject)

    def parts(self, key: ResourceKey) -> tuple[Part, ...]:
        """What was told of it and stands, in the log's order: empty when all was corrected away."""
        return tuple(p for p in self._parts.get(key, ()) if self._stands(p.fact))

    def every_part(self, key: ResourceKey) -> tuple[Part, ...]:
        """What was told of it, what was corrected since included."""
        return tuple(self._parts.get(key, ()))

    def readings(self, key: ResourceKey, *, void: bool = False) -> Iterator[Reading]:
        """Those told of a reading, a day or a night that stand; with `void` those that were
        corrected since as well."""
        subject = self._subjects[key]
        for part in self.every_part(key) if void else self.parts(key):
            yield from self._shelf.readings(part.fact, key.kind, subject)

    def session(self, session_id: str) -> SessionRecord | None:
        """As what stands tells it; None when nothing does."""
        if session_id not in self._sessions:
            self._sessions[session_id] = folded(
                part.fact for part in self.parts(self._session_key(session_id))
            )
        return self._sessions[session_id]

    def session_ids(self) -> list[str]:
        return [one.session_id for one in self._subjects.values() if type(one) is SessionSubject]

    def weeks(self) -> WeekBook:
        """Adherence by week, of what stands."""
        if self._weeks is None:
            seen = (self.session(session_id) for session_id in dict.fromkeys(self.session_ids()))
            self._weeks = WeekBook(
                self.book(), [one for one in seen if one], self._mondays, self.zone
            )
        return self._weeks

    def book(self) -> PlanBook:
        """The prescriptions that stand."""
        book = PlanBook()
        for fact in self._planning:
            if fact.kind == "plan" and self._stands(fact):
                book = book.with_fact(fact)
        return book

    def _stands(self, fact: Fact) -> bool:
        return fact.stamp.event_id not in self._corrected

    def _session_key(self, session_id: str) -> ResourceKey:
        return self.key(keys.SESSION, SessionSubject(session_id))

    def _session_ready(self, session_id: str) -> datetime:
        record = self.session(session_id)
        facts = [part.fact for part in self._parts[self._session_key(session_id)]]
        last = max(fact.stamp.at for fact in facts)
        done = record is None or record.ended is not None or record.self_reported is not None
        return last if done else last + ABANDONED_AFTER

    def _parts_of(self, fact: Fact) -> Collection[Told]:
        """Everything that may fail is done here, before anything is changed."""
        told: dict[Told, None] = {}
        if fact.kind in telling.SESSION_KINDS:
            SessionFold().add(fact)
            told = dict.fromkeys(telling.of_session(fact, self.zone))
        elif fact.kind in telling.READING_KINDS:
            told = dict.fromkeys(telling.of_readings(fact, self.zone, fine=self.fine))
        elif fact.kind == "pain_report":
            told = dict.fromkeys(telling.of_pain(self._root(fact)))
        elif fact.kind == "plan":
            PlanBook().with_fact(fact)
        device = telling.device_of(fact) if told else None
        if device is not None:
            told[keys.DEVICE, device] = None
        return told

    def _keep(self, fact: Fact, kind: str, subject: Subject) -> ResourceKey:
        key = key_of(fact.clinic_id, fact.patient_id, kind, subject)
        self._subjects[key] = subject
        self._parts.setdefault(key, []).append(Part(fact))
        if isinstance(subject, WeekSubject):
            self._mondays[subject.monday] = key
        elif isinstance(subject, SessionSubject):
            self._sessions.pop(subject.session_id, None)
        if fact.kind in telling.SESSION_KINDS and kind != keys.DEVICE:
            self._of_session.setdefault(session_id_of(fact), set()).add(key)
        return key

    def _with_others(self, touched: frozenset[ResourceKey]) -> frozenset[ResourceKey]:
        """With all that tells of the sessions that are touched, as their time may have moved, and
        every week that they may count for."""
        subjects = [self._subjects[key] for key in touched if key.kind == keys.SESSION]
        sessions = [one for one in subjects if isinstance(one, SessionSubject)]
        if sessions and self._reaches_far():
            touched = touched.union(self._mondays.values())
        return touched.union(*(self._of_session[one.session_id] for one in sessions))

    def _reaches_far(self) -> bool:
        """Whether a session may count for a window of another week than its own or the one before,
        or push another one there: by what was ever prescribed, so that none is missed."""
        if self._far is None:
            self._far = any(
                telling.reaches_far(fact.body.plan)
                for fact in self._planning
                if fact.kind == "plan"
            )
        return self._far

    def _planned(self, fact: Fact) -> frozenset[ResourceKey]:
        """Where the patient's zone changes, so may every time that was told without one."""
        before = self.zone
        self._planning.append(fact)
        self._zone = self._far = None
        return NOTHING if self.zone == before else self.keys()

    def _is_of_plan(self, event_id: str) -> bool:
        return any(fact.stamp.event_id == event_id for fact in self._planning)

    def _foresee(self, fact: Fact) -> frozenset[ResourceKey]:
        """The weeks that a plan has a say in. Those of one that it corrects, `_void` has."""
        mondays = list(telling.weeks_of(fact, self.book(), self._mondays, self.zone))
        return frozenset(self._keep(fact, keys.WEEK, WeekSubject(one)) for one in mondays)

    def _void(self, fact: Fact) -> frozenset[ResourceKey]:
        """Take back what the event corrects, known or not yet: the keys of what that told."""
        if not fact.corrects:
            return NOTHING
        self._corrects[fact.stamp.event_id] = fact.corrects
        self._corrected.add(fact.corrects)
        touched = self._told_by.get(fact.corrects, NOTHING)
        for key in touched:
            subject = self._subjects[key]
            if isinstance(subject, SessionSubject):
                self._sessions.pop(subject.session_id, None)
        return touched

    def _root(self, fact: Fact) -> str:
        """The id of the report that the event corrects, directly or by way of others; its own when
        it corrects none."""
        root, seen = fact.corrects or fact.stamp.event_id, {fact.stamp.event_id}
        while root in self._corrects and root not in seen:
            seen.add(root)
            root = self._corrects[root]
        return root


def folded(facts: Iterable[Fact]) -> SessionRecord | None:
    fold: SessionFold | None = None
    for fact in facts:
        fold = fold or SessionFold()
        fold.add(fact)
    return fold.record() if fold else None


def _stamp(fact: Fact) -> tuple[datetime, str]:
    return fact.stamp
