"""What the writer remembers of the log: streams' last versions and the newest events' ids. It is
true as of one head; the compare-and-swap on the head proves that it still is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Set
from typing import Generic, TypeVar

from rehab_eventstore.domain.decide import EventKey, Stored

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
        self._age()

    def put_all(self, values: Mapping[K, V]) -> None:
        self._young.update(values)
        self._age()

    def _age(self) -> None:
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
        self.erased: set[str] = set()
        """Streams to which nothing is added any more: never forgotten, and few."""
        self._doubted: set[str] = set()

    def versions(self, streams: Iterable[str]) -> tuple[dict[str, int], list[str]]:
        """The versions that are known, and the streams whose is not."""
        known: dict[str, int] = {}
        unknown: list[str] = []
        for stream in streams:
            version = self._versions.get(stream)
            if version is None or stream in self._doubted:
                unknown.append(stream)
            else:
                known[stream] = version
        return known, unknown

    def find(self, key: EventKey) -> Stored | None:
        return self._events.get(key)

    def learn_versions(self, versions: Mapping[str, int], erased: Set[str]) -> None:
        self._versions.put_all(versions)
        self.erased |= erased
        self._doubted -= erased

    def doubt(self, stream: str) -> None:
        """The stream's erasure has begun: look it up before each append until that is found. What
        is learnt from a batch or a look-up under way may be of the time before."""
        if stream not in self.erased:
            self._doubted.add(stream)

    def learn_events(self, events: Mapping[EventKey, Stored]) -> None:
        self._events.put_all(events)

    def wrote(self, written: Mapping[EventKey, Stored]) -> None:
        """Events were written, in this order: a stream's last one counts."""
        self._events.put_all(written)
        versions = {stream: stored.stream_version for (stream, _), stored in written.items()}
        self._versions.put_all(versions)

    def clear(self) -> None:
        self._versions.clear()
        self._events.clear()
