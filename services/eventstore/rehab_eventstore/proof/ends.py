"""What holds a shard together besides its chain: where it begins and ends, and that nothing stands
anywhere else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from rehab_eventstore.domain.chain import GENESIS
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True)
class Extent:
    """What the head claims, and what is there, seen at one instant.

    `first` and `last` are the positions of the outermost events. `same_time` says whether the last
    event carries the head's time, None when there is none; `chained_before` whether the event
    before the chain's beginning has a hash.
    """

    position: int
    hash: bytes
    chained_from: int
    first: int | None
    last: int
    same_time: bool | None
    chained_before: bool

    def span(self, first: int, last: int) -> tuple[int, int]:
        """The first and last position to walk, of those asked for; 0 is no wish."""
        begin = max(first, self.chained_from, 1)
        return begin, min(last or self.position, self.position)

    def starts(self, position: int) -> bool:
        """Whether the chain begins there, after no hash."""
        return position == max(1, self.chained_from)


async def extent_of(database: Database, queries: Queries, shard: int) -> Extent | None:
    """None when the shard has no head."""
    row = await database.fetchrow(queries["extent"], shard)
    return Extent(**row) if row is not None else None


async def strays(database: Database, queries: Queries) -> list[Finding]:
    """Events in shards that the log does not have: reads by stream would answer them."""
    return [
        Finding(
            row["position"],
            Damage.STRAY,
            f"an event stands in shard {row['shard']}, which the log does not have",
        )
        for row in await database.fetch(queries["strays"])
    ]


def wrong_ends(extent: Extent) -> Iterator[Finding]:
    if extent.first is not None and extent.first < 1:
        message = f"an event stands at position {extent.first}, before the log"
        yield Finding(extent.first, Damage.STRAY, message)
    if not 1 <= extent.chained_from <= extent.position + 1:
        message = f"the head claims that the chain begins at {extent.chained_from}"
        yield Finding(min(extent.chained_from, extent.position), Damage.HEAD, message)
    elif extent.chained_before:
        message = "the head claims that the chain begins after this event, which belongs to it"
        yield Finding(extent.chained_from - 1, Damage.HEAD, message)
    if extent.last < extent.position:
        message = f"the head claims {extent.position} events, the last one is {extent.last}"
        yield Finding(extent.last + 1, Damage.TRUNCATED, message)
    elif extent.last > extent.position:
        message = "an event stands beyond the head"
        yield Finding(extent.position + 1, Damage.HEAD, message)
    elif extent.same_time is False:
        message = "the head does not carry the time of its event"
        yield Finding(extent.position, Damage.HEAD, message)
    if extent.position < extent.chained_from and extent.hash != GENESIS:
        message = "the head carries a hash, and no event is chained"
        yield Finding(extent.position, Damage.HEAD, message)
