"""Sessions of exercise: the panel, how long it took, and what was done of each exercise."""

from __future__ import annotations

from datetime import datetime, timedelta
from statistics import median

from rehab_clinical.done import Done, tally_of
from rehab_clinical.sessions import SessionRecord, SetRecord

from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.history import folded
from rehab_emr.domain.observing import ACTIVITY, Asked, Observed, during, zone_of
from rehab_emr.domain.resource import Json
from rehab_emr.domain.subjects import ExerciseSubject, SessionSubject
from rehab_emr.domain.telling import is_plausible, side_name


def record_of(asked: Asked, session_id: str, *, void: bool) -> SessionRecord | None:
    """As it stands, or with `void` as it was told before corrections."""
    if not void:
        return asked.history.session(session_id)
    session = asked.history.key(keys.SESSION, SessionSubject(session_id))
    return folded(part.fact for part in asked.history.every_part(session))


def session(asked: Asked, subject: SessionSubject, *, void: bool) -> Observed | None:
    record = record_of(asked, subject.session_id, void=void)
    if record is None:
        return None
    key = asked.history.key
    members = [
        key(
            keys.SESSION_EXERCISE,
            ExerciseSubject(subject.session_id, exercise_id, side),
        )
        for exercise_id, side in sorted(tally_of(record).done)
    ]
    if record.duration_s:
        members.insert(0, key(keys.SESSION_DURATION, subject))
    status = asked.concept(codes.SESSION_STATUS)
    return Observed(
        categories=ACTIVITY,
        code=asked.concept(
            codes.ACTIVITY_PANEL, codes.EXERCISE_SESSION, text=codes.EXERCISE_SESSION.display
        ),
        effective=during(period_of(asked, record)),
        members=members,
        components=(elements.component(status, elements.own_value(record.status, asked.links)),),
    )


def duration(asked: Asked, subject: SessionSubject, *, void: bool) -> Observed | None:
    record = record_of(asked, subject.session_id, void=void)
    if record is None or not record.duration_s:
        return None
    return Observed(
        categories=ACTIVITY,
        code=asked.concept(codes.EXERCISE_DURATION),
        effective=during(period_of(asked, record)),
        value={"valueQuantity": elements.quantity(record.duration_s / 60, "min")},
    )


def exercise(asked: Asked, subject: ExerciseSubject, *, void: bool) -> Observed | None:
    record = record_of(asked, subject.session_id, void=void)
    if record is None:
        return None
    sets = sets_of(record, subject)
    done = tally_of(record).done.get((subject.exercise_id, subject.side))
    if done is None:
        return None
    told = {
        "coding": [
            {
                "system": f"{asked.links.base}/fhir/CodeSystem/exercise",
                "code": subject.exercise_id,
            }
        ],
        "text": subject.exercise_id.replace("_", " "),
    }
    return Observed(
        categories=ACTIVITY,
        code=asked.concept(codes.EXERCISE_ACTIVITY),
        effective=during(period_of(asked, record)),
        value={"valueCodeableConcept": told},
        components=_amounts(asked, subject, done, sets),
    )


def sets_of(record: SessionRecord, subject: ExerciseSubject) -> list[SetRecord]:
    """The sets of the exercise and side, by index; of one set alone where the subject names one."""
    return [
        one
        for key, one in sorted(record.sets.items())
        if key.exercise_id == subject.exercise_id
        and key.side == subject.side
        and subject.set_index in (0, key.set_index)
    ]


def period_of(asked: Asked, record: SessionRecord) -> Json:
    """From the session's start to its end; of one that nobody ended, to its last event. A start
    that cannot be, as somebody remembered it, gives way to when it was told."""
    zone = zone_of(asked, record.zone)
    start = record.started_at if is_plausible(record.started_at) else record.first.at
    return elements.period(start, _end(asked, record, start), zone)


def _end(asked: Asked, record: SessionRecord, start: datetime) -> datetime:
    if record.ended:
        return record.ended.stamp.at
    if record.self_reported and not record.started:
        return start + timedelta(seconds=record.duration_s or 0)
    session = asked.history.key(keys.SESSION, SessionSubject(record.session_id))
    return max(part.fact.stamp.at for part in asked.history.every_part(session))


def _amounts(
    asked: Asked, subject: ExerciseSubject, done: Done, sets: list[SetRecord]
) -> tuple[Json, ...]:
    told: list[tuple[codes.Code, Json]] = [
        (codes.SETS, elements.quantity(len(sets), "{sets}")),
    ]
    side = side_name(subject.side)
    if side:
        told.append((codes.SIDE, elements.own_value(side, asked.links)))
    if done.reps:
        told.append((codes.REPETITIONS, elements.quantity(done.reps, "{repetitions}")))
    if done.scored:
        told.append((codes.SCORED_REPETITIONS, elements.quantity(done.scored, "{repetitions}")))
        told.append((codes.GOOD_REPETITIONS, elements.quantity(done.good, "{repetitions}")))
    scores = [rep.score for one in sets for rep in one.reps.values() if rep.HasField("score")]
    if scores:
        told.append((codes.FORM_SCORE, elements.quantity(median(scores), "{score}")))
    if done.hold_ms and not done.reps:
        told.append((codes.HOLD_TIME, elements.quantity(done.hold_ms / 1000, "s")))
    return tuple(elements.component(asked.concept(code), value) for code, value in told)
