"""What one event tells of: subjects by kind, without regard to the events before it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping
from datetime import date, datetime, timedelta
from types import MappingProxyType
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start, first_zone, local_date
from rehab_clinical.facts import Fact, moment
from rehab_clinical.plan import PlanBook
from rehab_clinical.sessions import active_at, session_id_of
from rehab_clinical.vitals import SLEEP as SLEEP_METRIC
from rehab_clinical.vitals import WORKOUT as WORKOUT_METRIC
from rehab_clinical.vitals import Reading, metric_named, readings_of
from rehab_clinical.windows import monday_of

from rehab.events.v1 import exercise_pb2, health_pb2, plan_pb2
from rehab_emr.domain import keys
from rehab_emr.domain.metrics import BY_DAY, SINGLE
from rehab_emr.domain.subjects import (
    DaySubject,
    DeviceSubject,
    ExerciseSubject,
    PainSubject,
    ReadingSubject,
    SessionSubject,
    Subject,
    WeekSubject,
)

WEEK = timedelta(days=7)
FORESEEN = 26 * WEEK
"""How far ahead a prescription without an end names its weeks, and how far back one that begins
before it was told."""
SESSION_KINDS = frozenset({"exercise_session", "rep_observation"})
READING_KINDS = frozenset({"health_samples", "sleep", "workout"})
PLAN_KINDS = frozenset({"plan", "enrolment"})
MAPPED = SESSION_KINDS | READING_KINDS | {"pain_report", "plan"}
"""The kinds of events that resources come of."""

Told = tuple[str, Subject]
_WIDE = frozenset({plan_pb2.COMPLETION_POLICY_AFTER_START, plan_pb2.COMPLETION_POLICY_ANYTIME})
_FIRST_YEAR, _LAST_YEAR = 1900, 9000
_SIDES: Mapping[int, str] = MappingProxyType({1: "left", 2: "right", 3: "both"})


def side_name(side: int) -> str:
    """ "left", "right" or "both", empty when sides are not told apart."""
    return _SIDES.get(side, "")


def is_plausible(instant: datetime) -> bool:
    """Whether a local day can be reckoned from it, and a receiver would believe it."""
    return _FIRST_YEAR <= instant.year <= _LAST_YEAR


def device_of(fact: Fact) -> DeviceSubject | None:
    """None when the event names neither device nor program."""
    envelope = fact.envelope
    source = envelope.source
    if not envelope.device_id and not source.app:
        return None
    return DeviceSubject(
        envelope.device_id, source.app, source.app_version, source.device_model, source.os
    )


def of_session(fact: Fact, zone: ZoneInfo) -> Iterator[Told]:
    """Of an event of SESSION_KINDS. `zone` is the patient's, for an event that names none."""
    session_id = session_id_of(fact)
    yield keys.SESSION, SessionSubject(session_id)
    yield keys.SESSION_DURATION, SessionSubject(session_id)
    if fact.kind == "rep_observation":
        yield from _observed(session_id, fact.body.rep_observation)
    else:
        for one in _told_sets(fact.body.exercise_session):
            yield (
                keys.SESSION_EXERCISE,
                ExerciseSubject(session_id, one.exercise_id, one.side),
            )
    held_at = active_at(fact)
    if not is_plausible(held_at):
        return
    monday = monday_of(local_date(held_at, first_zone(fact.zone, zone.key)))
    yield keys.WEEK, WeekSubject(monday)
    # a session may still count for a window that began in the week before
    yield keys.WEEK, WeekSubject(monday - WEEK)
    meant = _meant_for(fact)
    if meant is not None:
        yield keys.WEEK, WeekSubject(monday_of(meant))


def _meant_for(fact: Fact) -> date | None:
    """The local day of the window that the session names, wherever that is."""
    session = fact.body.exercise_session
    for told in (session.started, session.self_reported):
        if told.HasField("occurrence"):
            return date.fromisoformat(told.occurrence.local_date)
    return None


def reaches_far(plan: plan_pb2.Plan) -> bool:
    """Whether windows are so wide that sessions of other weeks count for them."""
    return any(
        item.schedule.policy in _WIDE or item.schedule.window_h > 24
        for item in plan.prescribed.items
    )


def _told_sets(session: exercise_pb2.ExerciseSession) -> Iterable[exercise_pb2.SetCompleted]:
    match session.WhichOneof("action"):
        case "set_completed":
            return [session.set_completed]
        case "self_reported":
            return session.self_reported.sets
        case _:
            return ()


def _observed(session_id: str, seen: exercise_pb2.RepObservation) -> Iterator[Told]:
    exercise = ExerciseSubject(session_id, seen.exercise_id, seen.side)
    yield keys.SESSION_EXERCISE, exercise
    joints = {joint.joint for rep in seen.reps for joint in rep.joints}
    if not joints and any(rep.HasField("rom_deg") for rep in seen.reps):
        joints = {""}
    for joint in sorted(joints):
        yield keys.ROM, exercise._replace(joint=joint)
    if any(rep.HasField("rom_deg") for rep in seen.reps):
        yield keys.REP_SERIES, exercise._replace(set_index=seen.set_index)


def of_reading(reading: Reading, zone: ZoneInfo) -> Iterator[Told]:
    """Of one reading; nothing when no code is known for its metric, or its time cannot be."""
    metric = reading.key.metric
    if not (is_plausible(reading.key.start) and is_plausible(reading.key.end)):
        return
    where = first_zone(reading.zone, zone.key)
    if metric == SLEEP_METRIC:
        yield keys.SLEEP, DaySubject(metric, local_date(reading.key.end, where))
    elif metric == WORKOUT_METRIC:
        yield keys.WORKOUT, ReadingSubject(reading.key)
    elif metric in SINGLE:
        yield keys.VITAL, ReadingSubject(reading.key)
    elif metric in BY_DAY:
        yield keys.DAY, DaySubject(metric, local_date(reading.key.start, where))
        yield keys.READING, ReadingSubject(reading.key)


def of_readings(fact: Fact, zone: ZoneInfo, *, fine: bool) -> Iterator[Told]:
    """Of an event of READING_KINDS, some perhaps twice. Raises ValueError for a sample without a
    value. `fine` tells of each reading of metrics that are told by the minute as well."""
    if fact.kind == "health_samples" and not fine:
        told = fact.body.health_samples
        metric = metric_named(told.metric)
        if metric in BY_DAY:
            days = _days_of(told.samples, first_zone(fact.zone, zone.key))
            yield from ((keys.DAY, DaySubject(metric, day)) for day in days)
            return
        if metric not in SINGLE:
            return
    for reading in readings_of(fact):
        for one in of_reading(reading, zone):
            if fine or one[0] != keys.READING:
                yield one


def _days_of(samples: Iterable[health_pb2.HealthSample], zone: ZoneInfo) -> Iterator[date]:
    """The local days on which plausible samples start. Neighbours are mostly of one day: of those
    two comparisons of seconds are all."""
    since = until = 0
    for one in samples:
        if one.WhichOneof("value") is None:
            raise ValueError("a sample without a value")
        if since <= one.start.seconds < until and one.end.seconds < until:
            continue
        start = moment(one.start)
        end = max(start, moment(one.end)) if one.HasField("end") else start
        if is_plausible(start) and is_plausible(end):
            day = local_date(start, zone)
            since = math.ceil(day_start(day, zone).timestamp())
            until = int(day_end(day, zone).timestamp())
            yield day


def of_pain(root: str) -> Iterator[Told]:
    yield keys.PAIN, PainSubject(root)


def weeks_of(fact: Fact, book: PlanBook, known: Iterable[date], zone: ZoneInfo) -> Iterator[date]:
    """The Mondays of the weeks that an event of kind plan has a say in: those its prescription is
    for, or those known that a pause, a resumption or an end may change."""
    told = fact.body.plan
    day = local_date(fact.stamp.at, zone)
    version = book.versions.get((told.plan_id, told.version))
    if told.WhichOneof("action") != "prescribed" or version is None:
        yield from (monday for monday in known if monday + WEEK > day)
        return
    begin = max(version.effective_from, day - FORESEEN)
    if begin.year > _LAST_YEAR:
        return
    last = max(begin, day) + FORESEEN
    end = min(version.effective_until or last, last)
    monday = monday_of(begin)
    while monday <= end:
        yield monday
        monday += WEEK
