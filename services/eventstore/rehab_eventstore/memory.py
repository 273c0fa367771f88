"""What a writer knows of its shard: where it ends, streams' versions, recent events. It is learnt
from the log and kept up by the writer itself; whether it still holds, only the log can tell."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

from rehab_eventstore.domain.cache import LogCache
from rehab_eventstore.domain.commands import Asked
from rehab_eventstore.domain.decide import ERASURE, Decision, EventKey, Stored, decide
from rehab_eventstore.domain.head import Head
from rehab_eventstore.storage.link import Link, Written
from rehab_runtime.logging import get_logger

CATCH_UP_EVENTS = 4096

log = get_logger("writer")


class Memory:
    """`moved` is told every new head, also one that another replica moved."""

    def __init__(self, link: Link, cache: LogCache, moved: Callable[[Head], None]) -> None:
        self._link = link
        self._cache = cache
        self._moved = moved
        self._head: Head | None = None
        self.current = False

    @property
    def head(self) -> Head:
        assert self._head is not None, "refresh comes first"
        return self._head

    async def refresh(self, at_least: int = 0) -> Sequence[Written]:
        """Connect if need be and learn what the log holds after the head that was known.

        What was written there is returned, its first events if it is much, but never less than
        `at_least` of them. Raises LinkLost, StatementRefused.
        """
        if not self._link.is_open:
            await self._link.open()
        known = self._head
        if known is None:
            self._learn_head(await self._link.head())
            return ()
        limit = max(CATCH_UP_EVENTS, at_least)
        head, written = await self._link.since(known.position, limit)
        if (head.epoch, head.incarnation) != (known.epoch, known.incarnation):
            self._cache.clear()
        elif head.position < known.position:
            self._cache.clear()
            log.error(
                "the log ends before events that were acknowledged: it was restored or failed over",
                head=head.position,
                expected=known.position,
                remedy="see whether a former primary still has them; consumers must be rebuilt",
            )
            await self._link.renew_incarnation(head)
            head = await self._link.head()
        elif head.position - known.position > len(written):
            self._cache.clear()
        else:
            self._learn_written(written)
        self._learn_head(head)
        return written

    async def still_holds(self) -> bool:
        """Whether the log still ends where it is believed to."""
        return await self._link.head() == self.head

    async def decide(self, asked: Sequence[Asked], *, hunt: bool) -> Decision:
        """Decide a batch upon what is known, looking up what is not.

        An event is looked for where its stream was not known, where its being there would save a
        command from being refused, and everywhere with `hunt`. One that is stored and was not
        looked for makes the write fail.
        """
        known, unknown = self._cache.versions(_streams(asked))
        if unknown:
            found_versions, erased = await self._link.versions(unknown)
            known |= found_versions
            self._cache.learn_versions(known, erased)
        sought = _keys(asked, known if hunt else [name for name in unknown if known[name]])
        found: dict[EventKey, Stored] = {}
        looked: set[EventKey] = set()

        def find(key: EventKey) -> Stored | None:
            return found.get(key) or self._cache.find(key)

        while True:
            if sought:
                found.update(await self._link.stored(sought))
                looked |= sought
            decision = decide(
                asked,
                head=self.head.position,
                versions=known,
                find=find,
                absent=looked.__contains__,
                erased=self._cache.erased,
            )
            sought = decision.doubts
            if not sought:
                self._cache.learn_events(found)
                return decision

    def wrote(self, head: Head, written: Mapping[EventKey, Stored]) -> None:
        """This writer moved the head there, with these events."""
        self._cache.wrote(written)
        self._learn_head(head)

    def _learn_head(self, head: Head) -> None:
        moved = self._head is None or head.position != self._head.position
        self._head = head
        self.current = True
        if moved:
            self._moved(head)

    def doubt(self, stream: str) -> None:
        """An erasure begins: what is known of the stream is looked up again."""
        self._cache.doubt(stream)

    def _learn_written(self, written: Sequence[Written]) -> None:
        self._cache.wrote({one.key: one.stored for one in written})
        for one in written:
            if one.kind == ERASURE:
                self._cache.doubt(one.stream)


def _streams(asked: Iterable[Asked]) -> set[str]:
    streams = {append.stream for one in asked for append in one.command.appends}
    streams.update(guard.stream for one in asked for guard in one.command.guards)
    return streams


def _keys(asked: Iterable[Asked], streams: Collection[str]) -> set[EventKey]:
    if not streams:
        return set()
    return {
        (append.stream, event.event_id)
        for one in asked
        for append in one.command.appends
        if append.stream in streams
        for event in append.events
    }
