"""Which session counts for which due window."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehab_clinical.occurrences import Occurrence
from rehab_clinical.sessions import OccurrenceRef


@dataclass(frozen=True, slots=True)
class SessionStart:
    """What matching needs to know of a session."""

    session_id: str
    started_at: datetime
    ref: OccurrenceRef | None = None

    def order(self) -> tuple[datetime, str]:
        return self.started_at, self.session_id


def match(
    occurrences: Sequence[Occurrence], sessions: Iterable[SessionStart]
) -> dict[int, list[SessionStart]]:
    """The sessions of each occurrence, by its index. A session counts for one occurrence at most.

    Sessions are taken in the order of their starts. One that names its occurrence gets it when
    the policy of any of its items admits the session's start. Otherwise, of the occurrences that
    admit it, it gets the first to end that has no session yet, or else the last to have started.
    """
    admitting = _Sweep(occurrences)
    named = {OccurrenceRef(o.plan_id, o.local_date, o.slot): i for i, o in enumerate(occurrences)}
    matched: dict[int, list[SessionStart]] = {}
    for session in sorted(sessions, key=SessionStart.order):
        candidates = [
            i
            for i in admitting.at(session.started_at)
            if any(item.admits(session.started_at) for item in occurrences[i].items)
        ]
        meant = named.get(session.ref) if session.ref else None
        chosen: int | None
        if meant in candidates:
            chosen = meant
        else:
            chosen = _by_time(occurrences, candidates, matched, session.started_at)
        if chosen is not None:
            matched.setdefault(chosen, []).append(session)
    return matched


def _by_time(
    occurrences: Sequence[Occurrence],
    candidates: list[int],
    matched: dict[int, list[SessionStart]],
    started_at: datetime,
) -> int | None:
    free = [i for i in candidates if i not in matched]
    if free:
        return min(free, key=lambda i: (occurrences[i].ends_at, occurrences[i].order()))
    begun = [i for i in candidates if occurrences[i].starts_at <= started_at]
    return max(begun or candidates, key=lambda i: occurrences[i].order(), default=None)


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
