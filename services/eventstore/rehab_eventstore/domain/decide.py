"""What becomes of a batch of commands, given what the log holds: positions and versions, repeats,
conflicts. The storage's compare-and-swap proves afterwards that it still held only that."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Set
from dataclasses import dataclass, field
from typing import NamedTuple

from rehab_eventstore.domain.commands import (
    Appended,
    Asked,
    Command,
    Expected,
    Guard,
    NewEvent,
    Place,
    Sealed,
    StreamAppend,
)
from rehab_runtime.errors import Erased, EventIdReused, RehabError, VersionConflict

ERASURE = "erasure"
"""The kind that alone is added to the stream of a subject who is being erased."""
EventKey = tuple[str, str]
"""Stream and event id: an id is unique within its stream."""


class Stored(NamedTuple):
    """Where an event of the log stands, and its fingerprint."""

    position: int
    stream_version: int
    fingerprint: bytes


class Row(NamedTuple):
    """An event to be written. Its position is its place in the batch after the head."""

    stream: str
    stream_version: int
    event: NewEvent
    sealed: Sealed


Verdict = Sequence[Appended] | RehabError


@dataclass
class Decision:
    """Rows to be written in one go, where they will stand, and a verdict per command, valid once
    they do.

    `doubts` are events whose being there decides over a command and is not known: its verdict
    stands only if none of them is stored.
    """

    rows: list[Row] = field(default_factory=list)
    written: dict[EventKey, Stored] = field(default_factory=dict)
    verdicts: list[Verdict] = field(default_factory=list)
    doubts: set[EventKey] = field(default_factory=set)

    @property
    def refuses(self) -> bool:
        """Whether a verdict rests on versions alone, which no written row proves."""
        return any(isinstance(verdict, RehabError) for verdict in self.verdicts)


def decide(
    asked: Sequence[Asked],
    *,
    head: int,
    versions: Mapping[str, int],
    find: Callable[[EventKey], Stored | None],
    absent: Callable[[EventKey], bool],
    erased: Set[str] = frozenset(),
) -> Decision:
    """Decide in order, each command upon what the ones before it will have written.

    `versions` knows every stream that a command names. `find` may not know an event that is
    stored; `absent` says of which events it is certain that they are not. `erased` are streams that
    take in nothing but the kind ERASURE.
    """
    batch = _Batch(head, dict(versions), find, absent, erased)
    for one in asked:
        batch.add(one)
    return batch.decision


class _Batch:
    def __init__(
        self,
        head: int,
        versions: dict[str, int],
        find: Callable[[EventKey], Stored | None],
        absent: Callable[[EventKey], bool],
        erased: Set[str],
    ) -> None:
        self.decision = Decision()
        self._erased = erased
        self._head = head
        self._versions = versions
        self._find = find
        self._absent = absent

    def add(self, asked: Asked) -> None:
        try:
            verdict = self._verdict(asked)
        except RehabError as error:
            self.decision.verdicts.append(error)
        else:
            self.decision.verdicts.append(verdict)

    def _verdict(self, asked: Asked) -> Sequence[Appended]:
        command, sealed = asked
        if self._erased:
            self._check_living(command)
        places = self._places(command, sealed)
        if None in places:
            self._check_conditions(command)
        appended, first = [], 0
        for append in command.appends:
            last = first + len(append.events)
            appended.append(self._write(append, sealed[first:last], places[first:last]))
            first = last
        return appended

    def _places(self, command: Command, sealed: Sequence[Sealed]) -> list[Stored | None]:
        """Where each event stands, None where it does not. Raises EventIdReused."""
        places: list[Stored | None] = []
        for append in command.appends:
            seen: dict[str, bytes] = {}
            for event in append.events:
                fingerprint = sealed[len(places)].fingerprint
                stored = self._stored((append.stream, event.event_id))
                known = stored.fingerprint if stored else seen.get(event.event_id, fingerprint)
                if known != fingerprint:
                    raise _reused(append.stream, event.event_id)
                seen[event.event_id] = fingerprint
                places.append(stored)
        return places

    def _check_living(self, command: Command) -> None:
        for append in command.appends:
            if append.stream in self._erased and any(e.kind != ERASURE for e in append.events):
                raise Erased

    def _check_conditions(self, command: Command) -> None:
        parts: list[StreamAppend | Guard] = [*command.appends, *command.guards]
        for part in parts:
            actual = self._versions[part.stream]
            if not part.expected.holds(actual):
                self._doubt(command)
                raise conflict(part.expected, actual)

    def _doubt(self, command: Command) -> None:
        """The command may be a repeat all the same: its events are to be looked for."""
        for append in command.appends:
            if self._versions[append.stream] == 0:
                continue
            for event in append.events:
                key = append.stream, event.event_id
                if self._stored(key) is None and not self._absent(key):
                    self.decision.doubts.add(key)

    def _write(
        self, append: StreamAppend, sealed: Sequence[Sealed], places: Sequence[Stored | None]
    ) -> Appended:
        """What is stored stays where it is, the rest follows."""
        before = len(self.decision.rows)
        stands = [
            place or self._add_row(append.stream, event, seal)
            for event, seal, place in zip(append.events, sealed, places, strict=True)
        ]
        duplicate = len(self.decision.rows) == before
        # by position: it comes first in Stored
        first, last = min(stands), max(stands)
        return Appended(
            first.position,
            last.position,
            stands[-1].stream_version,
            duplicate,
            () if _in_a_row(stands, places) else _one_by_one(stands, places),
        )

    def _add_row(self, stream: str, event: NewEvent, sealed: Sealed) -> Stored:
        key, rows, written = (stream, event.event_id), self.decision.rows, self.decision.written
        if key in written:  # it was in the command twice
            return written[key]
        version = self._versions[stream] = self._versions[stream] + 1
        rows.append(Row(stream, version, event, sealed))
        stored = written[key] = Stored(self._head + len(rows), version, sealed.fingerprint)
        return stored

    def _stored(self, key: EventKey) -> Stored | None:
        return self.decision.written.get(key) or self._find(key)


def _in_a_row(stands: Sequence[Stored], places: Sequence[Stored | None]) -> bool:
    """Whether the last place tells all the others."""
    if len(stands) == 1:
        return True
    if any(place is None for place in places) and any(place is not None for place in places):
        return False
    last, count = stands[-1], len(stands)
    return all(
        stand.position == last.position - count + place
        and stand.stream_version == last.stream_version - count + place
        for place, stand in enumerate(stands, 1)
    )


def _one_by_one(stands: Sequence[Stored], places: Sequence[Stored | None]) -> Sequence[Place]:
    """An event that is there twice is a repeat of itself."""
    told: list[Place] = []
    seen: set[int] = set()
    for stand, place in zip(stands, places, strict=True):
        duplicate = place is not None or stand.position in seen
        seen.add(stand.position)
        told.append(Place(stand.position, stand.stream_version, duplicate))
    return told


def conflict(expected: Expected, actual: int) -> VersionConflict:
    return VersionConflict(
        metadata={"expected_version": str(expected), "actual_version": str(actual)}
    )


def _reused(stream: str, event_id: str) -> EventIdReused:
    return EventIdReused(metadata={"stream": stream, "event_id": event_id})
