"""Folds events into sessions so that no order of arrival and no repetition changes them.

Every merge here is a join of a semilattice: the earliest start, the latest end, the union of the
repetitions by their index. A phone that was offline for days gives the same record as one that
was not.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace
from datetime import date, datetime

from rehab.events.v1 import exercise_pb2
from rehab_clinical.facts import Fact, Stamp
from rehab_clinical.sessions import (
    End,
    OccurrenceRef,
    SessionRecord,
    SetKey,
    SetRecord,
    Start,
    ToldSet,
    active_at,
    session_id_of,
)


class _Set:
    """A set that is being folded; what it was made from stays as it was."""

    __slots__ = ("reps", "seen", "seen_zone", "told")

    def __init__(self, before: SetRecord | None) -> None:
        if before is None:
            self.told: ToldSet | None = None
            self.seen: Stamp | None = None
            self.seen_zone = ""
            self.reps: dict[int, exercise_pb2.Rep] = {}
        else:
            self.told, self.seen, self.seen_zone = before.told, before.seen, before.seen_zone
            self.reps = dict(before.reps)

    def record(self) -> SetRecord:
        return SetRecord(self.told, self.seen, self.seen_zone, self.reps)


class SessionFold:
    """Folds events of kind exercise_session or rep_observation of one session, from nothing or from
    what was known before."""

    def __init__(self, before: SessionRecord | None = None) -> None:
        self.known_sets = None if before is None else before.sets.keys()
        """Those known before; None when nothing was."""
        self._record = before
        self._sets: dict[SetKey, _Set] = {}

    @property
    def touched(self) -> Collection[SetKey]:
        """The sets that events have changed."""
        return self._sets.keys()

    def add(self, fact: Fact) -> None:
        """Fold one event. Raises ValueError for one that cannot be, and is then as it was."""
        record = self._record
        if record is None:
            record = SessionRecord(session_id_of(fact), fact.stamp, fact.zone)
        elif fact.stamp < record.first:
            record = replace(record, first=fact.stamp, first_zone=fact.zone)
        if fact.kind == "rep_observation":
            self._record = record
            self._observed(fact)
        else:
            self._record = self._acted(record, fact)

    def record(self) -> SessionRecord:
        """The session with all that was added, which ends the fold."""
        assert self._record is not None
        sets = dict(self._record.sets)
        for key, one in self._sets.items():
            sets[key] = one.record()
        return replace(self._record, sets=sets)

    def _acted(self, record: SessionRecord, fact: Fact) -> SessionRecord:
        session = fact.body.exercise_session
        match session.WhichOneof("action"):
            case "started":
                begun = _start(fact, session.started, fact.stamp.at, session.started.mode)
                return replace(record, started=_earlier(record.started, begun))
            case "self_reported":
                report = session.self_reported
                begun = _start(fact, report, active_at(fact), exercise_pb2.CAPTURE_MODE_MANUAL)
                self._told(fact.stamp, report.sets)
                return replace(record, self_reported=_earlier(record.self_reported, begun))
            case "set_completed":
                self._told(fact.stamp, [session.set_completed])
            case "completed":
                return _ended(record, fact.stamp, "completed", session.completed.duration_s)
            case "abandoned":
                return _ended(record, fact.stamp, "abandoned", session.abandoned.duration_s)
        return record

    def _told(self, stamp: Stamp, summaries: Iterable[exercise_pb2.SetCompleted]) -> None:
        """Keep the last summary of each set."""
        told = [
            (SetKey(one.exercise_id, one.side, one.set_index), _told_set(stamp, one))
            for one in summaries
        ]
        for key, summary in told:
            known = self._set(key)
            if known.told is None or known.told.stamp <= stamp:
                known.told = summary

    def _observed(self, fact: Fact) -> None:
        seen = fact.body.rep_observation
        one = self._set(SetKey(seen.exercise_id, seen.side, seen.set_index))
        told = {rep.index: rep for rep in seen.reps}
        if one.reps or len(told) < len(seen.reps):
            _prefer(one.reps, seen.reps)
        else:
            one.reps = told
        if one.seen is None or fact.stamp < one.seen:
            one.seen, one.seen_zone = fact.stamp, fact.zone

    def _set(self, key: SetKey) -> _Set:
        one = self._sets.get(key)
        if one is None:
            before = self._record.sets.get(key) if self._record else None
            one = self._sets[key] = _Set(before)
        return one


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


def _ended(record: SessionRecord, stamp: Stamp, status: str, duration_s: float) -> SessionRecord:
    if record.ended and record.ended.stamp >= stamp:
        return record
    return replace(record, ended=End(stamp, status, duration_s))


def _told_set(stamp: Stamp, summary: exercise_pb2.SetCompleted) -> ToldSet:
    return ToldSet(
        stamp,
        summary.reps,
        summary.good_reps if summary.HasField("good_reps") else None,
        round(summary.hold_s * 1000),
        round(summary.duration_s * 1000),
    )


def _prefer(known: dict[int, exercise_pb2.Rep], told: Iterable[exercise_pb2.Rep]) -> None:
    for rep in told:
        before = known.get(rep.index)
        if before is None or _preference(rep) > _preference(before):
            known[rep.index] = rep


def _preference(rep: exercise_pb2.Rep) -> tuple[float, bytes]:
    """Of two accounts of one repetition the better scored one counts, a scored before an unscored.

    The bytes only make the choice the same for every order of arrival.
    """
    return (rep.score if rep.HasField("score") else -1.0, rep.SerializeToString())
