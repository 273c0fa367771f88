"""What was done in a session: the amounts that doses are compared with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from rehab_clinical.sessions import SessionRecord, SetRecord

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


@dataclass(frozen=True, slots=True)
class Tally:
    """What was done in a session, and the scores of the repetitions among those seen that have
    one."""

    done: DoneByExercise
    seen: int
    scores: Sequence[float]


def tally_of(record: SessionRecord) -> Tally:
    """By one look at each repetition."""
    done: dict[tuple[str, int], Done] = {}
    seen, scores = 0, []
    for key, one in record.sets.items():
        exercise = (key.exercise_id, key.side)
        seen_ms, scored = _seen(one)
        amount = _done(one, seen_ms, scored)
        before = done.get(exercise)
        done[exercise] = amount if before is None else before + amount
        seen += len(one.reps)
        scores += scored
    return Tally({exercise: amount for exercise, amount in done.items() if amount}, seen, scores)


def done_in(record: SessionRecord) -> DoneByExercise:
    """What a session did, by exercise and side."""
    return tally_of(record).done


def done_in_set(one: SetRecord) -> Done:
    """The greater of what was seen and what the set's summary tells: never the sum of both.

    Where repetitions were seen, scores come from them alone; a summary that counts good ones says
    nothing of which were not scored.
    """
    return _done(one, *_seen(one))


def _seen(one: SetRecord) -> tuple[int, list[float]]:
    """How long the repetitions seen took, in milliseconds, and their scores."""
    seen_ms, scores = 0, []
    for rep in one.reps.values():
        seen_ms += rep.duration_ms
        if rep.HasField("score"):
            scores.append(rep.score)
    return seen_ms, scores


def _done(one: SetRecord, seen_ms: int, scores: Sequence[float]) -> Done:
    scored, good = len(scores), sum(score >= GOOD_SCORE for score in scores)
    told = one.told
    if told is None:
        return Done(len(one.reps), seen_ms, seen_ms, scored, good)
    if not one.reps and told.good_reps is not None:
        scored, good = told.reps, min(told.good_reps, told.reps)
    return Done(
        max(len(one.reps), told.reps),
        max(seen_ms, told.hold_ms),
        max(seen_ms, told.active_ms),
        scored,
        good,
    )
