"""Receivers that do nothing on a condition: they are asked first what they have, and each resource
is there once all the same."""

from __future__ import annotations

from collections import Counter
from typing import Any

import pytest

from rehab.emr.v1 import emr_service_pb2 as pb
from tests.emr.given import CLINIC, PATIENT, arrived, pain
from tests.emr.house import House, Place, housed

BUNDLES = ["search-type", "transaction", "batch"]
ALONE = ["search-type"]
DEAD = pb.DELIVERY_STATE_DEAD


async def ready(house: House, lists: list[str], **faults: Any) -> pb.Endpoint:
    await house.receiver.goes_wrong(
        lists=lists, **{"conditional": "refuses", "looks": False, **faults}
    )
    await house.receiver.knows(PATIENT)
    await house.log.append(*arrived())
    return await house.register(patient_system="urn:rehab:patients", most_entries=8)


async def require_once(house: House, count: int) -> dict[str, Any]:
    there = await house.receiver.observations()
    by_id = Counter(one["identifier"][0]["value"] for one in there)
    assert set(by_id.values()) == {1}
    assert len(by_id) == count
    tags = [one["meta"]["tag"][0]["code"] for one in await house.receiver.ask("/_all/Provenance")]
    assert len(set(tags)) == len(tags)
    return {one["identifier"][0]["value"]: one for one in there}


@pytest.mark.parametrize(
    ("lists", "conditional"),
    [(BUNDLES, "refuses"), (ALONE, "ignores")],
)
async def test_whatever_goes_wrong_for_a_while_each_report_is_there_once(
    house: House, lists: list[str], conditional: str
) -> None:
    endpoint = await ready(house, lists, conditional=conditional)
    assert ["looked for by its identifier" in one for one in endpoint.warnings].count(True) == 1
    first = pain(1)
    await house.log.append(first, pain(2))
    wrongs = (
        {"hang": 1.0, "hang_s": 2.5, "slow_s": 0.05},
        {"cut": 1.0},
        {"busy": 1.0, "retry_after": "0"},
        {"broken": 1.0},
        {"html": 1.0},
        {"as_batch": True, "busy_entries": 0.5},
    )
    well = {"hang": 0, "cut": 0, "busy": 0, "broken": 0, "html": 0, "slow_s": 0, "busy_entries": 0}
    for number, wrong in enumerate(wrongs, 1):
        await house.receiver.goes_wrong(**wrong)
        before = sum((await house.receiver.counts()).values())
        await house.log.append(pain(number + 2), pain(number + 2, corrects=first.envelope.event_id))
        while sum((await house.receiver.counts()).values()) == before:
            await house.deliveries()
        await house.receiver.goes_wrong(**well)
        await house.until_all("delivered", 2 + number)
    there = await require_once(house, 8)
    amended = there[first.envelope.event_id]
    assert (amended["valueQuantity"]["value"], amended["status"]) == (8, "amended")
    last = {one.resource_id: one.outcome for one in await house.disclosures(PATIENT)}
    assert Counter(last.values()) == {"accepted": 8}


async def test_where_two_are_found_neither_is_touched_and_a_person_is_told_which(
    house: House,
) -> None:
    await ready(house, ["search-type", "batch"])
    told = pain(4)
    await house.log.append(told)
    (delivery,) = await house.until_all("delivered")
    (there,) = await house.receiver.observations()
    await house.receiver.ask("/_put", {**there, "id": "copy"})
    await house.log.append(pain(5, corrects=told.envelope.event_id))
    found = await house.until(lambda all_: [one.state for one in all_] == [DEAD])
    assert found[0].reason == "duplicate_at_receiver"
    request = pb.GetOutcomeRequest(
        patient_id=PATIENT,
        endpoint_id="hospital",
        kind=delivery.kind,
        resource_id=delivery.resource_id,
    )
    outcome = (await house.asks("GetOutcome", request)).outcome_json
    assert b"Observation/copy" in outcome
    assert there["id"].encode() in outcome
    assert [one["valueQuantity"]["value"] for one in await house.receiver.observations()] == [4, 4]


async def test_what_a_search_does_not_find_yet_is_waited_for_or_read_where_it_is(
    place: Place,
) -> None:
    async with housed(place, search_lag_ms=1500) as house:
        await ready(house, BUNDLES, lag_s=1.2)
        first = pain(1)
        await house.log.append(first)
        await house.until_all("delivered")
        await house.log.append(pain(2, corrects=first.envelope.event_id))
        await house.until(lambda found: found[0].attempts == 1 and "/" in found[0].remote)
        await house.receiver.goes_wrong(cut=1.0)
        await house.log.append(pain(3))
        # another round would find nothing, and make a second one
        await house.until(lambda found: any(one.reason == "http_500" for one in found))
        await house.receiver.goes_wrong(cut=0)
        replay = pb.ReplayRequest(clinic_id=CLINIC, endpoint_id="hospital", delivered=True)
        await house.asks("Replay", replay)
        await house.until_all("delivered", 2)
        await require_once(house, 2)


async def test_a_search_that_is_none_stops_the_endpoint_before_anything_is_made_twice(
    house: House,
) -> None:
    await ready(house, BUNDLES, searches=False)
    await house.log.append(pain(1))
    await house.until_all("delivered")
    await house.log.append(pain(2))
    while (await house.status()).paused != "search_not_honoured":
        await house.deliveries()
    await require_once(house, 1)


async def test_with_one_of_two_conditions_nothing_is_looked_for_that_need_not_be(
    house: House,
) -> None:
    await ready(house, ["conditionalUpdate"], conditional="takes")
    first = pain(1)
    await house.log.append(first, pain(2))
    await house.until_all("delivered", 2)
    await house.log.append(pain(3, corrects=first.envelope.event_id))
    await house.until(lambda found: max(one.position for one in found) > 5)
    await house.until_all("delivered", 2)
    counts = await house.receiver.counts()
    assert {name.partition(" ")[0] for name in counts} == {"PUT"}
    await require_once(house, 2)
