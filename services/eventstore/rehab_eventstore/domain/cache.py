"""What the writer remembers of the log: streams' last versions and the newest events' ids. It is
true as of one head; the compare-and-swap on the head proves that it still is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Generic, TypeVar

from rehab_eventstore.domain.decide import EventKey, Row, Stored

K = TypeVar("K")
V = TypeVar("V")


class Recent(Generic[K, V]):
    """A map that forgets what was not used of late: at least the newest half of `limit` stay.

    Two generations: when the young one is full the old one is dropped. That costs nothing per use,
    unlike a list of uses.
    """

    def __init__(self, limit: int) -> None:
        self._half = max(1, limit // 2)
        self._young: dict[K, V] = {}
        self._old: dict[K, V] = {}

    def get(self, key: K) -> V | None:
        found = self._young.get(key)
        if found is None:
            found = self._old.get(key)
            if found is not None:
                self.put(key, found)
        return found

    def put(self, key: K, value: V) -> None:
        self._young[key] = value
        if len(self._young) > self._half:
            self._old, self._young = self._young, {}

    def clear(self) -> None:
        self._young, self._old = {}, {}

    def __len__(self) -> int:
        return len(self._young.keys() | self._old.keys())


class LogCache:
    def __init__(self, max_streams: int, max_events: int) -> None:
        self._versions: Recent[str, int] = Recent(max_streams)
        self._events: Recent[EventKey, Stored] = Recent(max_events)

    def versions(self, streams: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """The versions that are known, and the streams whose is not."""
        known: dict[str, int] = {}
        unknown: list[str] = []
        for stream in streams:
            version = self._versions.get(stream)
            if version is None:
                unknown.append(stream)
            else:
                known[stream] = version
        return known, unknown

    def find(self, key: EventKey) -> Stored | None:
        return self._events.get(key)

    def learn_versions(self, versions: Mapping[str, int]) -> None:
        for stream, version in versions.items():
            self._versions.put(stream, version)

    def learn_events(self, events: Mapping[EventKey, Stored]) -> None:
        for key, stored in events.items():
            self._events.put(key, stored)

    def wrote(self, head: int, rows: Sequence[Row]) -> None:
        """Rows were written after a head. They are in order: a stream's last one counts."""
        for position, row in enumerate(rows, head + 1):
            stored = Stored(position, row.stream_version, row.sealed.fingerprint)
            self._events.put((row.stream, row.event.event_id), stored)
            self._versions.put(row.stream, row.stream_version)

    def clear(self) -> None:
        self._versions.clear()
        self._events.clear()
