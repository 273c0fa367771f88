"""How far the rules are behind, and what they could not evaluate, is told to whoever runs them."""

from __future__ import annotations

from rehab.policy.v1 import policy_service_pb2 as pb
from tests.policy.given import PAIN_FAILS, arrived, book, pain
from tests.policy.service import SUITE, House, Place, housed

ASKED = pb.GetLagRequest()


async def test_the_lag_of_every_shard_is_told(any_house: House) -> None:
    for patient in ("patient-1", "patient-2", "patient-3"):
        position = await any_house.log.append(*arrived(patient))
        await any_house.folded(position, any_house.log.shard_of(patient))
    async with any_house.as_(SUITE) as suite:
        told = await suite("GetLag", ASKED)
    assert [one.shard for one in told.shards] == list(range(any_house.place.shards))
    assert max(one.position for one in told.shards) >= position
    assert all(one.oldest_unprocessed_ms < 20_000 for one in told.shards)
    assert list(told.failures) == []


async def test_a_rule_that_fails_is_named_without_a_value(place: Place) -> None:
    async with housed(place, book(PAIN_FAILS)) as house, house.as_(SUITE) as suite:
        await house.folded(await house.log.append(*arrived(), pain(4), pain(5)))
        (failed,) = (await suite("GetLag", ASKED)).failures
    assert (failed.name, failed.times) == ("pain.fails", 2)
    assert "divide by zero" in failed.what
