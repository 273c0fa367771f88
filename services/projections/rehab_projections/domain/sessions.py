"""Sessions and their sets, merged so that no order of arrival and no repetition changes them.

Every merge here is a join of a semilattice: the earliest start, the latest end, the union of the
repetitions by their index. A phone that was offline for days gives the same record as one that
was not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from typing import NamedTuple

from rehab.events.v1 import exercise_pb2
from rehab_projections.domain.facts import Fact, Stamp, moment


class OccurrenceRef(NamedTuple):
    """The due window a session was meant for."""

    plan_id: str
    local_date: date
    slot: str


class SetKey(NamedTuple):
    exercise_id: str
    side: int
    set_index: int


@dataclass(frozen=True, slots=True)
class Start:
    """A start as observed or as told afterwards; `at` is when the session began."""

    stamp: Stamp
    at: datetime
    zone: str
    mode: int
    ref: OccurrenceRef | None


@dataclass(frozen=True, slots=True)
class End:
    stamp: Stamp
    status: str
    duration_s: float


@dataclass(frozen=True, slots=True)
class ToldSet:
    """A set's own summary. Times in milliseconds."""

    stamp: Stamp
    reps: int
    good_reps: int | None
    hold_ms: int
    active_ms: int


@dataclass(frozen=True)
class SetRecord:
    """What is known of one set: its summary, and its repetitions by index.

    `seen` is the earliest observation of it, with the zone it was made in.
    """

    told: ToldSet | None = None
    seen: Stamp | None = None
    seen_zone: str = ""
    reps: Mapping[int, exercise_pb2.Rep] = field(default_factory=dict)


@dataclass(frozen=True)
class SessionRecord:
    """What is known of one session. `first` is its earliest event, with that event's zone."""

    session_id: str
    first: Stamp
    first_zone: str = ""
    started: Start | None = None
    self_reported: Start | None = None
    ended: End | None = None
    sets: Mapping[SetKey, SetRecord] = field(default_factory=dict)

    @property
    def start(self) -> Start | None:
        return self.started or self.self_reported

    @property
    def started_at(self) -> datetime:
        return self.start.at if self.start else self.first.at

    @property
    def zone(self) -> str:
        return self.start.zone if self.start else self.first_zone

    @property
    def status(self) -> str:
        if self.ended:
            return self.ended.status
        return "self_reported" if self.self_reported else "open"

    @property
    def duration_s(self) -> float | None:
        """From the session's end, or summed over the sets of a self-report; None while open."""
        if self.ended:
            return self.ended.duration_s
        if self.self_reported:
            told = sum(one.told.active_ms for one in self.sets.values() if one.told)
            return told / 1000 if told else None
        return None


def session_id_of(fact: Fact) -> str:
    """The session that an event of kind exercise_session or rep_observation belongs to."""
    session_id: str = getattr(fact.body, fact.kind).session_id
    return session_id


def active_at(fact: Fact) -> datetime:
    """When an event of kind exercise_session or rep_observation says that the patient exercised."""
    session = fact.body.exercise_session
    if fact.kind == "exercise_session" and session.HasField("self_reported"):
        return moment(session.self_reported.started_at)
    return fact.stamp.at


def with_fact(record: SessionRecord | None, fact: Fact) -> SessionRecord:
    """Fold one event of kind exercise_session or rep_observation."""
    if record is None:
        record = SessionRecord(session_id_of(fact), fact.stamp, fact.zone)
    elif fact.stamp < record.first:
        record = replace(record, first=fact.stamp, first_zone=fact.zone)
    if fact.kind == "rep_observation":
        return _observed(record, fact)
    session = fact.body.exercise_session
    match session.WhichOneof("action"):
        case "started":
            begun = _start(fact, session.started, fact.stamp.at, session.started.mode)
            record = replace(record, started=_earlier(record.started, begun))
        case "self_reported":
            record = _self_reported(record, fact, session.self_reported)
        case "set_completed":
            record = _told(record, fact.stamp, [session.set_completed])
        case "completed":
            record = _ended(record, fact.stamp, "completed", session.completed.duration_s)
        case "abandoned":
            record = _ended(record, fact.stamp, "abandoned", session.abandoned.duration_s)
    return record


def _start(
    fact: Fact,
    message: exercise_pb2.SessionStarted | exercise_pb2.SessionSelfReported,
    at: datetime,
    mode: int,
) -> Start:
    ref = None
    if message.HasField("occurrence"):
        told = message.occurrence
        ref = OccurrenceRef(told.plan_id, date.fromisoformat(told.local_date), told.slot)
    return Start(fact.stamp, at, fact.zone, mode, ref)


def _earlier(known: Start | None, told: Start) -> Start:
    return told if known is None or told.stamp < known.stamp else known


def _self_reported(
    record: SessionRecord, fact: Fact, report: exercise_pb2.SessionSelfReported
) -> SessionRecord:
    begun = _start(fact, report, moment(report.started_at), exercise_pb2.CAPTURE_MODE_MANUAL)
    record = replace(record, self_reported=_earlier(record.self_reported, begun))
    return _told(record, fact.stamp, report.sets)


def _ended(record: SessionRecord, stamp: Stamp, status: str, duration_s: float) -> SessionRecord:
    if record.ended and record.ended.stamp >= stamp:
        return record
    return replace(record, ended=End(stamp, status, duration_s))


def _told(
    record: SessionRecord, stamp: Stamp, summaries: Iterable[exercise_pb2.SetCompleted]
) -> SessionRecord:
    """Keep the last summary of each set."""
    sets = dict(record.sets)
    for summary in summaries:
        key = SetKey(summary.exercise_id, summary.side, summary.set_index)
        one = sets.get(key, SetRecord())
        if one.told is None or one.told.stamp <= stamp:
            sets[key] = SetRecord(_told_set(stamp, summary), one.seen, one.seen_zone, one.reps)
    return _with_sets(record, sets)


def _with_sets(record: SessionRecord, sets: Mapping[SetKey, SetRecord]) -> SessionRecord:
    """What most events change; `replace` takes five times as long."""
    return SessionRecord(
        record.session_id,
        record.first,
        record.first_zone,
        record.started,
        record.self_reported,
        record.ended,
        sets,
    )


def _told_set(stamp: Stamp, summary: exercise_pb2.SetCompleted) -> ToldSet:
    return ToldSet(
        stamp=stamp,
        reps=summary.reps,
        good_reps=summary.good_reps if summary.HasField("good_reps") else None,
        hold_ms=round(summary.hold_s * 1000),
        active_ms=round(summary.duration_s * 1000),
    )


def _observed(record: SessionRecord, fact: Fact) -> SessionRecord:
    seen = fact.body.rep_observation
    key = SetKey(seen.exercise_id, seen.side, seen.set_index)
    one = record.sets.get(key, SetRecord())
    reps = dict(one.reps)
    for rep in seen.reps:
        known = reps.get(rep.index)
        if known is None or _preference(rep) > _preference(known):
            reps[rep.index] = rep
    if one.seen is None or fact.stamp < one.seen:
        one = SetRecord(one.told, fact.stamp, fact.zone, reps)
    else:
        one = SetRecord(one.told, one.seen, one.seen_zone, reps)
    return _with_sets(record, {**record.sets, key: one})


def _preference(rep: exercise_pb2.Rep) -> tuple[float, bytes]:
    """Of two accounts of one repetition the better scored one counts, a scored before an unscored.

    The bytes only make the choice the same for every order of arrival.
    """
    return (rep.score if rep.HasField("score") else -1.0, rep.SerializeToString())
