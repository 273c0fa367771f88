"""How replicas share the shards of the log: each alone comes to the same shares."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass

from rehab_projections.storage.leases import Lease


@dataclass(frozen=True)
class Share:
    """What a replica is to do: shards that it holds, those to give up, and how many to take.
    `asked` are shards whose fold is to try again what it holds back; `soon_s` is when a lease of
    another replica runs out unless that one prolongs it."""

    held: frozenset[int]
    surplus: tuple[int, ...]
    missing: int
    asked: frozenset[int]
    soon_s: float


def share_of(
    me: uuid.UUID, attending: Sequence[uuid.UUID], leases: Sequence[Lease], *, leaving: bool = False
) -> Share:
    """`attending` are all replicas that run, in an order that all of them know."""
    held = [one for one in leases if one.holder == me]
    quota = 0 if leaving else quota_of(me, attending, len(leases))
    others = [one.left_s for one in leases if one.holder not in (None, me)]
    return Share(
        held=frozenset(one.shard for one in held),
        surplus=tuple(one.shard for one in held[quota:]),
        missing=max(0, quota - len(held)),
        asked=frozenset(one.shard for one in held if one.asked),
        soon_s=min(others, default=float("inf")),
    )


def quota_of(me: uuid.UUID, attending: Sequence[uuid.UUID], shards: int) -> int:
    """How many shards a replica folds: as many as the others, but for one more that the eldest have
    when they cannot be shared evenly. So one that comes moves as few as can be."""
    if me not in attending:
        return 0
    each, more = divmod(shards, len(attending))
    return each + (attending.index(me) < more)
