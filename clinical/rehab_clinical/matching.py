"""Which session counts for which due window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Protocol, TypeVar

from rehab_clinical.occurrences import Occurrence
from rehab_clinical.sessions import OccurrenceRef


class Startable(Protocol):
    """What matching needs to know of a session."""

    @property
    def session_id(self) -> str: ...

    @property
    def started_at(self) -> datetime: ...

    @property
    def ref(self) -> OccurrenceRef | None: ...


S = TypeVar("S", bound=Startable)


def match(occurrences: Sequence[Occurrence], sessions: Iterable[S]) -> dict[int, list[S]]:
    """The sessions of each occurrence, by its index. A session counts for one occurrence at most.

    Sessions are taken in the order of their starts. One that names its occurrence gets it when
    the policy of any of its items admits the session's start. Otherwise, of the occurrences that
    admit it, it gets the first to end that has no session yet, or else the last to have started.
    """
    admitting = _Sweep(occurrences)
    matched: dict[int, list[S]] = {}
    for session in sorted(sessions, key=lambda one: (one.started_at, one.session_id)):
        at = session.started_at
        candidates = [i for i in admitting.at(at) if occurrences[i].admits(at)]
        if not candidates:
            continue
        chosen = _named(occurrences, candidates, session.ref) if session.ref else None
        if chosen is None:
            chosen = _by_time(occurrences, candidates, matched, at)
        matched.setdefault(chosen, []).append(session)
    return matched


def _named(
    occurrences: Sequence[Occurrence], candidates: list[int], ref: OccurrenceRef
) -> int | None:
    """Of one plan, day and slot there is one occurrence at most: reigns do not overlap."""
    for i in candidates:
        one = occurrences[i]
        if (one.plan_id, one.local_date, one.slot) == ref:
            return i
    return None


def _by_time(
    occurrences: Sequence[Occurrence],
    candidates: list[int],
    matched: dict[int, list[S]],
    started_at: datetime,
) -> int:
    free = [i for i in candidates if i not in matched]
    if len(free) == 1:
        return free[0]
    if free:
        return min(free, key=lambda i: (occurrences[i].ends_at, occurrences[i].order()))
    begun = [i for i in candidates if occurrences[i].starts_at <= started_at]
    return max(begun or candidates, key=lambda i: occurrences[i].order())


class _Sweep:
    """Hands out the occurrences that may admit a time; asked for times in ascending order."""

    def __init__(self, occurrences: Sequence[Occurrence]) -> None:
        self._spans = sorted(
            (occurrence.counts_from, i, occurrence.counts_until)
            for i, occurrence in enumerate(occurrences)
        )
        self._next = 0
        self._open: list[tuple[datetime, int, datetime]] = []

    def at(self, instant: datetime) -> list[int]:
        while self._next < len(self._spans) and self._spans[self._next][0] <= instant:
            self._open.append(self._spans[self._next])
            self._next += 1
        self._open = [span for span in self._open if span[2] > instant]
        return [i for _, i, _ in self._open]
