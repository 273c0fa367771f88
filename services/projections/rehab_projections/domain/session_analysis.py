"""One session, set by set and repetition by repetition, and pain against quality over many."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import erfc, sqrt
from statistics import median

from rehab_clinical.done import GOOD_SCORE, Done, done_in_set
from rehab_clinical.measures import median_of, pair_slopes
from rehab_clinical.plan import PlanBook
from rehab_clinical.quality import prescribed_item, tempo_errors
from rehab_clinical.sessions import SetKey, SetRecord
from rehab_clinical.trend import variance_of_s

from rehab.events.v1 import exercise_pb2

MIN_SESSIONS = 8
"""With fewer, a rank correlation says nothing."""
MOST_SESSIONS = 365
"""Of more the newest are taken: all pairs are compared."""
SIGNIFICANT = 0.05


@dataclass(frozen=True, slots=True)
class SetAnalysis:
    """One set. None means that nothing was measured: it is not 0."""

    key: SetKey
    reps_seen: int
    reps_told: int | None
    done: Done
    median_score: float | None
    fatigue_slope: float | None
    velocity_loss_pct: float | None


@dataclass(frozen=True, slots=True)
class RepAnalysis:
    """One repetition beside its set and beside the plan of that day."""

    key: SetKey
    rep: exercise_pb2.Rep
    good: bool | None
    score_from_median: float | None
    tempo_error: float | None
    rom_target_pct: float | None


def set_analyses(sets: Mapping[SetKey, SetRecord]) -> list[SetAnalysis]:
    """By exercise, side and index."""
    return [_set(key, sets[key]) for key in sorted(sets)]


def _ordered(one: SetRecord) -> list[exercise_pb2.Rep]:
    return [one.reps[index] for index in sorted(one.reps)]


def _scored(reps: Iterable[exercise_pb2.Rep]) -> list[exercise_pb2.Rep]:
    return [rep for rep in reps if rep.HasField("score")]


def _set(key: SetKey, one: SetRecord) -> SetAnalysis:
    reps = _ordered(one)
    scored = _scored(reps)
    return SetAnalysis(
        key=key,
        reps_seen=len(reps),
        reps_told=one.told.reps if one.told else None,
        done=done_in_set(one),
        median_score=median_of(rep.score for rep in scored),
        fatigue_slope=median_of(pair_slopes([(rep.index, rep.score) for rep in scored])),
        velocity_loss_pct=_velocity_loss(reps),
    )


def _velocity_loss(reps: Iterable[exercise_pb2.Rep]) -> float | None:
    """From the fastest repetition to the last, in percent of the fastest."""
    told = [rep.peak_velocity_deg_s for rep in reps if rep.HasField("peak_velocity_deg_s")]
    fastest = max(told, default=0.0)
    return 100 * (fastest - told[-1]) / fastest if len(told) > 1 and fastest else None


def rep_analyses(book: PlanBook, sets: Mapping[SetKey, SetRecord], day: date) -> list[RepAnalysis]:
    """By exercise, side, set and index; `day` is the local day that the session belongs to."""
    found: list[RepAnalysis] = []
    for key in sorted(sets):
        reps = _ordered(sets[key])
        middle = median_of(rep.score for rep in _scored(reps))
        item = prescribed_item(book, key.exercise_id, key.side, day)
        target = item.rom_target_deg if item else None
        tempo = item.tempo_s if item else ()
        for rep in reps:
            score = rep.score if rep.HasField("score") else None
            rom = rep.rom_deg if rep.HasField("rom_deg") else None
            found.append(
                RepAnalysis(
                    key=key,
                    rep=rep,
                    good=None if score is None else score >= GOOD_SCORE,
                    score_from_median=None if score is None or middle is None else score - middle,
                    tempo_error=median_of(tempo_errors(rep, tempo)),
                    rom_target_pct=100 * rom / target if rom is not None and target else None,
                )
            )
    return found


@dataclass(frozen=True, slots=True)
class PainAndQuality:
    """One session with scored repetitions and an answer about pain."""

    session_id: str
    day: date
    median_score: float
    worst_pain: int
    pain_delta: int | None


@dataclass(frozen=True, slots=True)
class Association:
    """Kendall's tau-b between worst pain and median score; None where it cannot be told."""

    tau: float | None
    p_value: float | None
    words: str


def association(points: Sequence[PainAndQuality]) -> Association:
    """Whether pain goes with quality (Kendall 1945, with ties; normal approximation, two-sided)."""
    pairs = [(float(one.worst_pain), one.median_score) for one in points]
    if len(pairs) < MIN_SESSIONS:
        return Association(None, None, "unknown")
    s = 0
    pain_ties = score_ties = 0
    for i, (pain, score) in enumerate(pairs):
        for other_pain, other_score in pairs[i + 1 :]:
            s += _sign(other_pain - pain) * _sign(other_score - score)
            pain_ties += other_pain == pain
            score_ties += other_score == score
    count = len(pairs) * (len(pairs) - 1) // 2
    if count in (pain_ties, score_ties):
        return Association(None, None, "unknown")
    tau = s / sqrt((count - pain_ties) * (count - score_ties))
    p_value = _p_value(s, [pain for pain, _ in pairs], [score for _, score in pairs])
    if p_value >= SIGNIFICANT:
        return Association(tau, p_value, "none")
    words = "more_pain_lower_quality" if tau < 0 else "more_pain_higher_quality"
    return Association(tau, p_value, words)


def _p_value(s: int, one: Sequence[float], other: Sequence[float]) -> float:
    return erfc(abs(s) / sqrt(variance_of_s(one, other)) / sqrt(2))


def _sign(value: float) -> int:
    return (value > 0) - (value < 0)


def worst_and_delta(
    answers: Sequence[int], around: tuple[int | None, int | None]
) -> tuple[int, int | None]:
    """The worst of a session's answers, and after minus before."""
    pre, post = around
    return max(answers), post - pre if pre is not None and post is not None else None


def score_of(sets: Iterable[SetRecord]) -> float | None:
    """The median score of a session's scored repetitions."""
    scores = [rep.score for one in sets for rep in one.reps.values() if rep.HasField("score")]
    return median(scores) if scores else None
