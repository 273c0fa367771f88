"""What was done in a session: the amounts that doses are compared with."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from statistics import median

from rehab_projections.domain.sessions import SessionRecord, SetRecord

GOOD_SCORE = 70
"""A repetition is good from this score on, as `SetCompleted.good_reps` says, 0 to 100."""


@dataclass(frozen=True, slots=True)
class Done:
    """What was done of one exercise and side. Times in milliseconds."""

    reps: int = 0
    hold_ms: int = 0
    active_ms: int = 0
    scored: int = 0
    good: int = 0

    def __add__(self, other: Done) -> Done:
        return Done(
            self.reps + other.reps,
            self.hold_ms + other.hold_ms,
            self.active_ms + other.active_ms,
            self.scored + other.scored,
            self.good + other.good,
        )

    def __bool__(self) -> bool:
        return bool(self.reps or self.hold_ms or self.active_ms)


DoneByExercise = Mapping[tuple[str, int], Done]


def done_in(record: SessionRecord) -> dict[tuple[str, int], Done]:
    """What a session did, by exercise and side."""
    done: dict[tuple[str, int], Done] = {}
    for key, one in record.sets.items():
        exercise = (key.exercise_id, key.side)
        done[exercise] = done.get(exercise, Done()) + done_in_set(one)
    return {exercise: amount for exercise, amount in done.items() if amount}


def done_in_set(one: SetRecord) -> Done:
    """The greater of what was seen and what the set's summary tells: never the sum of both.

    Where repetitions were seen, scores come from them alone; a summary that counts good ones says
    nothing of which were not scored.
    """
    seen_ms = sum(rep.duration_ms for rep in one.reps.values())
    scores = [rep.score for rep in one.reps.values() if rep.HasField("score")]
    good = sum(score >= GOOD_SCORE for score in scores)
    told = one.told
    if told is None:
        return Done(len(one.reps), seen_ms, seen_ms, len(scores), good)
    scored = len(scores)
    if not one.reps and told.good_reps is not None:
        scored, good = told.reps, min(told.good_reps, told.reps)
    return Done(
        reps=max(len(one.reps), told.reps),
        hold_ms=max(seen_ms, told.hold_ms),
        active_ms=max(seen_ms, told.active_ms),
        scored=scored,
        good=good,
    )


def median_score(record: SessionRecord) -> float | None:
    scores = [
        rep.score
        for one in record.sets.values()
        for rep in one.reps.values()
        if rep.HasField("score")
    ]
    return median(scores) if scores else None
