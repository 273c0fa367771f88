"""How joints moved: range of motion of a session, and by repetition."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from statistics import median

from rehab_clinical.joints import P90
from rehab_clinical.measures import percentile

from rehab.events.v1 import exercise_pb2
from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.codes import Code
from rehab_emr.domain.observing import Asked, Observed, during
from rehab_emr.domain.resource import Json
from rehab_emr.domain.session_observations import period_of, record_of, sets_of
from rehab_emr.domain.subjects import ExerciseSubject, SessionSubject
from rehab_emr.domain.telling import side_name

_SIDES = ("left", "right")


def range_of_motion(asked: Asked, subject: ExerciseSubject, *, void: bool) -> Observed | None:
    """Of one joint in one exercise: the 90th percentile of the repetitions, as read models show."""
    record = record_of(asked, subject.session_id, void=void)
    if record is None:
        return None
    reps = [rep for one in sets_of(record, subject) for rep in one.reps.values()]
    motions = [one for rep in reps for one in rep.joints if one.joint == subject.joint]
    ranges = [one.rom_deg for one in motions] if subject.joint else _ranges(reps)
    widest = percentile(ranges, P90)
    if widest is None:
        return None
    joint, side = _joint(subject)
    return Observed(
        categories=(codes.EXAM,),
        code=asked.concept(*_codes(subject, joint, side), text=_text(subject, joint, side)),
        effective=during(period_of(asked, record)),
        value={"valueQuantity": elements.quantity(widest, "deg")},
        body_site=_site(asked, joint, side),
        components=_spread(asked, ranges, motions),
        derived_from=(asked.history.key(keys.SESSION, SessionSubject(subject.session_id)),),
    )


def series(asked: Asked, subject: ExerciseSubject, *, void: bool) -> Observed | None:
    """One sample a repetition of the set, by its index: "E" where it was not measured.

    Sampled data wants a time between samples: it is the median time between the repetitions.
    """
    record = record_of(asked, subject.session_id, void=void)
    if record is None:
        return None
    reps = {rep.index: rep for one in sets_of(record, subject) for rep in one.reps.values()}
    if not _ranges(list(reps.values())):
        return None
    exercise = subject._replace(set_index=0)
    return Observed(
        categories=(codes.ACTIVITY,),
        code=asked.concept(codes.REP_SERIES),
        effective=during(period_of(asked, record)),
        value={"valueSampledData": _sampled(reps)},
        derived_from=(asked.history.key(keys.SESSION_EXERCISE, exercise),),
    )


def _sampled(reps: dict[int, exercise_pb2.Rep]) -> Json:
    starts = [reps[index].start_ms for index in sorted(reps)]
    gaps = [after - before for before, after in pairwise(starts)]
    between = [gap for gap in gaps if gap > 0] or [max(1, reps[min(reps)].duration_ms)]
    return {
        "origin": elements.quantity(0, "deg"),
        "period": elements.number(median(between)),
        "dimensions": 1,
        "data": " ".join(_sample(reps.get(index)) for index in range(1, max(reps) + 1)),
    }


def _sample(rep: exercise_pb2.Rep | None) -> str:
    if rep is None or not rep.HasField("rom_deg"):
        return "E"
    return f"{rep.rom_deg:.2f}".rstrip("0").rstrip(".")


def _ranges(reps: Sequence[exercise_pb2.Rep]) -> list[float]:
    return [rep.rom_deg for rep in reps if rep.HasField("rom_deg")]


def _joint(subject: ExerciseSubject) -> tuple[str, str]:
    """The joint without its side, and the side. Without a joint the exercise's own side."""
    for side in _SIDES:
        if subject.joint.endswith(f"_{side}"):
            return subject.joint.removesuffix(f"_{side}"), side
    if subject.joint:
        return subject.joint, ""
    joint, _ = codes.MOVEMENTS.get(subject.exercise_id, ("", ""))
    side = side_name(subject.side)
    return joint, side if side in _SIDES else ""


def _codes(subject: ExerciseSubject, joint: str, side: str) -> list[Code]:
    measured, movement = codes.MOVEMENTS.get(subject.exercise_id, ("", ""))
    found = None
    if measured == joint and side:
        found = codes.RANGES.get((joint, movement, side)) or codes.RANGES.get((joint, movement, ""))
    return [found, codes.RANGE_OF_MOTION] if found else [codes.RANGE_OF_MOTION]


def _text(subject: ExerciseSubject, joint: str, side: str) -> str:
    where = " ".join(part for part in (side, joint.replace("_", " ")) if part)
    what = subject.exercise_id.replace("_", " ")
    return f"Range of motion, {where}, during {what}" if where else f"Range of motion, {what}"


def _site(asked: Asked, joint: str, side: str) -> Json | None:
    text = " ".join(part for part in (side, joint.replace("_", " ")) if part)
    if not text:
        return None
    found = codes.SITES.get((joint, side))
    return asked.concept(found, text=text) if found else {"text": text}


def _spread(
    asked: Asked, ranges: Sequence[float], motions: Sequence[exercise_pb2.JointMotion]
) -> tuple[Json, ...]:
    told = [
        (codes.MEDIAN_RANGE, elements.quantity(median(ranges), "deg")),
        (codes.REPETITIONS, elements.quantity(len(ranges), "{repetitions}")),
    ]
    if motions:
        lowest, highest = min(m.min_deg for m in motions), max(m.max_deg for m in motions)
        told.append((codes.LOWEST_ANGLE, elements.quantity(lowest, "deg")))
        told.append((codes.HIGHEST_ANGLE, elements.quantity(highest, "deg")))
    return tuple(elements.component(asked.concept(code), value) for code, value in told)
