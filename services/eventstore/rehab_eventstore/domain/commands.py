"""What is asked of the log, and what it answers."""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum, auto
from typing import NamedTuple


class NewEvent(NamedTuple):
    """An event to be stored, taken apart into columns.

    `occurred_s` is in seconds since 1970, for queries; the exact time is in `meta`.
    `meta` is the rest of the envelope, serialised; `content` is all that its producer said of it
    beside the body, in one canonical form: the same event sent again has the same content.
    """

    event_id: str
    clinic_id: str
    kind: str
    schema_version: int
    occurred_s: float
    phi: bool
    consent_id: str
    meta: bytes
    body: bytes
    content: bytes


class Condition(Enum):
    ANY = auto()
    NONE = auto()
    EXISTS = auto()
    EXACTLY = auto()


class Expected(NamedTuple):
    """The version at which a stream must be. `version` has a meaning with EXACTLY only."""

    condition: Condition
    version: int = 0

    def holds(self, actual: int) -> bool:
        if self.condition is Condition.ANY:
            return True
        if self.condition is Condition.EXACTLY:
            return actual == self.version
        return (actual > 0) is (self.condition is Condition.EXISTS)

    def __str__(self) -> str:
        exactly = self.condition is Condition.EXACTLY
        return str(self.version) if exactly else self.condition.name.lower()


ANY = Expected(Condition.ANY)


class StreamAppend(NamedTuple):
    """Events for one stream, all or none."""

    stream: str
    expected: Expected
    events: Sequence[NewEvent]


class Guard(NamedTuple):
    """A condition on a stream that is not written."""

    stream: str
    expected: Expected


class Command(NamedTuple):
    """Appends to different streams of one shard, all or none, if every guard holds."""

    appends: Sequence[StreamAppend]
    guards: Sequence[Guard] = ()

    @property
    def events(self) -> Sequence[NewEvent]:
        """All events, in order."""
        if len(self.appends) == 1:
            return self.appends[0].events
        return [event for append in self.appends for event in append.events]


class Sealed(NamedTuple):
    """An event's body as it is stored, the key it is sealed with, and the keyed fingerprint by
    which the same event sent again is known."""

    body: bytes
    key_id: str
    fingerprint: bytes


class Asked(NamedTuple):
    """A command with its events sealed, in the order of `Command.events`."""

    command: Command
    sealed: Sequence[Sealed]


class Place(NamedTuple):
    """Where one event stands."""

    position: int
    stream_version: int
    duplicate: bool


class Appended(NamedTuple):
    """Where the events of one append stand. `stream_version` is that of the last one. `places`
    are told one by one unless they follow from the rest: a row of new events or of repeats."""

    first_position: int
    last_position: int
    stream_version: int
    duplicate: bool
    places: Sequence[Place] = ()
