"""What clients were told, and whether the log keeps it."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import Enum, auto


class Outcome(Enum):
    OK = auto()
    UNKNOWN = auto()
    """The link broke or the server was away: it may have been stored or not."""
    FAILED = auto()
    """It was refused for what it was."""


@dataclass(frozen=True)
class Told:
    """One event that a client sent, and what it was told of it in the end. `position` is what an
    OK named."""

    client: str
    event_id: str
    stream: str
    outcome: Outcome
    position: int = 0


@dataclass(frozen=True)
class Row:
    """One event that the log holds, opened by a consumer; `body` is None where it cannot be."""

    position: int
    stream: str
    version: int
    event_id: str
    body: bytes | None
    recorded_at: datetime = datetime(1970, 1, 1, tzinfo=UTC)


def violations(
    told: Sequence[Told], rows: Sequence[Row], sent: Mapping[str, bytes], head: int
) -> Iterator[str]:
    """What the log breaks of its promise. `rows` are a shard's, in the order of positions, `sent`
    are the bodies by event id, `told` in the order in which each client was told."""
    yield from _of_rows(rows, sent, head)
    yield from _of_times(rows)
    yield from _of_clients(told, rows)


def _of_rows(rows: Sequence[Row], sent: Mapping[str, bytes], head: int) -> Iterator[str]:
    positions = [row.position for row in rows]
    if positions != list(range(1, head + 1)):
        yield f"positions are not 1 to {head} without a gap"
    versions: dict[str, int] = {}
    for row in rows:
        if row.version != versions.get(row.stream, 0) + 1:
            yield f"position {row.position}: version {row.version} out of turn"
        versions[row.stream] = row.version
        if row.event_id not in sent:
            yield f"position {row.position}: an event that nobody sent"
        elif row.body is None:
            yield f"position {row.position}: a body that cannot be opened"
        elif row.body != sent[row.event_id]:
            yield f"position {row.position}: another body than was sent"
    for event_id, count in Counter(row.event_id for row in rows).items():
        if count > 1:
            yield f"event {event_id} is stored {count} times"


def _of_times(rows: Sequence[Row]) -> Iterator[str]:
    for before, row in itertools.pairwise(rows):
        if row.recorded_at < before.recorded_at:
            yield f"position {row.position}: recorded before the one before it"


def _of_clients(told: Sequence[Told], rows: Sequence[Row]) -> Iterator[str]:
    places = {row.event_id: row for row in rows}
    last: dict[tuple[str, str], int] = {}
    for one in told:
        row = places.get(one.event_id)
        if one.outcome is Outcome.FAILED and row is not None:
            yield f"event {one.event_id} was refused and is stored"
        if one.outcome is not Outcome.OK:
            continue
        if row is None:
            yield f"event {one.event_id} was acknowledged and is lost"
            continue
        if row.position != one.position or row.stream != one.stream:
            yield f"event {one.event_id} is not where its acknowledgement says"
        # a client sends its next event to a stream once it was told of the one before
        key = one.client, one.stream
        if row.position < last.get(key, 0):
            yield f"event {one.event_id} stands before one that was acknowledged earlier"
        last[key] = row.position
