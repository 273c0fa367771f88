"""What was said and felt in a session: cues, exertion, difficulty, what was left out and why."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from rehab_clinical.facts import Fact

NOTED = frozenset({"feedback", "exercise_session"})
"""The kinds of events that may hold a note."""


@dataclass(frozen=True, slots=True)
class CueTally:
    """A cue that was given: how often, how often it is known whether it was heeded, and was."""

    cue: str
    given: int
    known: int
    heeded: int


@dataclass(frozen=True, slots=True)
class Skip:
    exercise_id: str
    reason: str


@dataclass(frozen=True, slots=True)
class SessionNotes:
    """Of one session. Exertion is Borg CR10, difficulty 1 (too easy) to 5 (too hard), as last told
    for each exercise, the empty one for the whole session."""

    exertion: tuple[tuple[str, float], ...] = ()
    difficulty: tuple[tuple[str, int], ...] = ()
    skipped: tuple[Skip, ...] = ()
    cues: tuple[CueTally, ...] = ()
    abandoned_for: str = ""


def is_note(fact: Fact) -> bool:
    if fact.kind == "feedback":
        return True
    return fact.kind == "exercise_session" and fact.body.exercise_session.WhichOneof("action") in (
        "exercise_skipped",
        "abandoned",
    )


def session_of(fact: Fact) -> str:
    session_id: str = getattr(fact.body, fact.kind).session_id
    return session_id


def session_notes(facts: Iterable[Fact]) -> SessionNotes:
    """Fold the notes of one session, in whatever order and however often they are told."""
    told = {fact.stamp.event_id: fact for fact in facts}
    exertion: dict[str, float] = {}
    difficulty: dict[str, int] = {}
    skipped: dict[str, str] = {}
    cues: dict[str, list[bool | None]] = {}
    abandoned = ""
    for fact in sorted(told.values(), key=lambda fact: fact.stamp):
        session, said = fact.body.exercise_session, fact.body.feedback
        match said.WhichOneof("said") or session.WhichOneof("action"):
            case "exertion":
                exertion[said.exercise_id] = said.exertion.cr10
            case "difficulty":
                difficulty[said.exercise_id] = said.difficulty.rating
            case "form":
                heeded = said.form.heeded if said.form.HasField("heeded") else None
                cues.setdefault(said.form.cue, []).append(heeded)
            case "exercise_skipped":
                skipped[session.exercise_skipped.exercise_id] = session.exercise_skipped.reason
            case "abandoned":
                abandoned = session.abandoned.reason
    return SessionNotes(
        exertion=tuple(sorted(exertion.items())),
        difficulty=tuple(sorted(difficulty.items())),
        skipped=tuple(Skip(*one) for one in sorted(skipped.items())),
        cues=tuple(_tally(cue, given) for cue, given in sorted(cues.items())),
        abandoned_for=abandoned,
    )


def _tally(cue: str, given: list[bool | None]) -> CueTally:
    known = [heeded for heeded in given if heeded is not None]
    return CueTally(cue, len(given), len(known), sum(known))
