"""Each replica alone comes to a share, and the shares are whole, even and disturb little."""

from __future__ import annotations

import uuid

import pytest

from rehab_projections.sharing import quota_of, share_of
from rehab_projections.storage.leases import PAYLOAD_BYTES, Lease, Moved

REPLICAS = [uuid.UUID(int=n) for n in range(1, 9)]


@pytest.mark.parametrize("shards", [1, 2, 3, 7, 16])
@pytest.mark.parametrize("count", range(1, 9))
def test_shares_are_whole_and_even(shards: int, count: int) -> None:
    attending = REPLICAS[:count]
    quotas = [quota_of(one, attending, shards) for one in attending]
    assert sum(quotas) == shards
    assert max(quotas) - min(quotas) <= 1


@pytest.mark.parametrize("shards", [1, 3, 7, 16])
def test_a_replica_that_comes_takes_its_own_share_and_nobody_elses_grows(shards: int) -> None:
    for count in range(1, 8):
        before, after = REPLICAS[:count], REPLICAS[: count + 1]
        for one in before:
            assert quota_of(one, after, shards) <= quota_of(one, before, shards)


def test_who_does_not_attend_has_no_share() -> None:
    assert quota_of(REPLICAS[0], REPLICAS[1:3], 3) == 0


def held_by(*holders: uuid.UUID | None, left_s: float = 1.0) -> list[Lease]:
    return [Lease(shard, one, left_s, asked=False) for shard, one in enumerate(holders)]


def test_a_holder_of_too_much_gives_up_what_is_too_much() -> None:
    one, other = REPLICAS[:2]
    share = share_of(one, [one, other], held_by(one, one, one))
    assert (share.held, share.surplus, share.missing) == ({0, 1, 2}, (2,), 0)
    share = share_of(other, [one, other], held_by(one, one, one))
    assert (share.held, share.surplus, share.missing) == (set(), (), 1)


def test_the_end_of_anothers_lease_is_looked_forward_to() -> None:
    one, other = REPLICAS[:2]
    leases = [*held_by(one, left_s=9), Lease(1, other, 0.4, asked=False), *held_by(None)]
    assert share_of(one, [one, other], leases).soon_s == 0.4
    assert share_of(one, [one], held_by(one, None)).soon_s == float("inf")


def test_what_is_told_of_more_clinics_than_fit_names_none() -> None:
    few = Moved(1, 2, 3, ["a", "b"])
    assert Moved.told(few.payload(REPLICAS[0])) == (REPLICAS[0], few)
    many = Moved(1, 2, 3, [f"clinic-{n}" for n in range(2_000)])
    payload = many.payload(REPLICAS[0])
    assert len(payload) < PAYLOAD_BYTES
    assert Moved.told(payload) == (REPLICAS[0], Moved(1, 2, 3, None))
