"""Nothing leaves without a consent in force at that moment."""

from __future__ import annotations

import json
from collections import Counter
from datetime import UTC, datetime

from rehab.emr.v1 import emr_service_pb2 as pb
from tests.emr.given import CLINIC, PATIENT, agreed, arrived, event, pain, withdrew
from tests.emr.house import House, stored
from tests.eventstore.erasing import Erasing

HELD, DELIVERED = pb.DELIVERY_STATE_HELD, pb.DELIVERY_STATE_DELIVERED


async def values(house: House) -> list[int]:
    there = await house.receiver.observations()
    return sorted(one["valueQuantity"]["value"] for one in there)


async def test_what_is_withdrawn_stops_what_waits_and_what_is_given_anew_lets_it_go(
    house: House,
) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system="urn:rehab:patients")
    await house.receiver.goes_wrong(broken=1.0)
    await house.log.append(*arrived(), pain(1), pain(2))
    await house.until(lambda found: [one.reason for one in found] == ["http_500"] * 2)
    await house.log.append(withdrew())
    await house.receiver.goes_wrong(broken=0.0)
    held = await house.until_all("held", 2)
    assert {one.reason for one in held} == {"no_consent"}
    await house.log.append(pain(3))
    await house.until_all("held", 3)
    assert await values(house) == []
    await house.log.append(agreed(consent_id="again", scope=["pain_report"]))
    await house.until_all("delivered", 3)
    assert await values(house) == [1, 2, 3]
    accounted = [one for one in await house.disclosures(PATIENT) if one.outcome == "accepted"]
    assert {one.consent_id for one in accounted} == {"again"}
    assert len(accounted) == 3


async def test_what_a_consent_does_not_cover_is_held_and_the_rest_goes(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system="urn:rehab:patients")
    enrolled, treatment, _ = arrived()
    samples = {"metric": "resting_heart_rate", "samples": [beat(62)]}
    await house.log.append(enrolled, treatment, agreed(scope=["pain_report"]), pain(5))
    await house.log.append(event(healthSamples=samples))
    found = await house.until(
        lambda all_: Counter(one.state for one in all_) == {DELIVERED: 1, HELD: len(all_) - 1}
    )
    assert {one.reason for one in found if one.state == HELD} <= {"out_of_scope"}
    assert await values(house) == [5]


def beat(value: float) -> dict[str, object]:
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    quantity = {"value": value, "unit": "count/min", "canonicalValue": value, "ucum": "/min"}
    return {"start": at, "quantity": quantity}


async def test_a_correction_changes_what_is_there_and_adds_nothing(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system="urn:rehab:patients")
    first = pain(3)
    await house.log.append(*arrived(), first)
    (delivery,) = await house.until_all("delivered")
    await house.log.append(pain(8, corrects=first.envelope.event_id))
    await house.until(lambda found: found[0].position > delivery.position)
    await house.until_all("delivered")
    (there,) = await house.receiver.observations()
    assert (there["valueQuantity"]["value"], there["status"]) == (8, "amended")
    before, after = await house.receiver.ask(f"/_all/Observation/{there['id']}")
    assert (before["valueQuantity"]["value"], before["status"]) == (3, "final")
    assert after == there


async def test_what_would_be_sent_is_shown_and_not_sent(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(if_none_exist="question_mark", most_entries=3)
    await house.log.append(*arrived(), pain(6))
    await house.until_all("unmatched")
    request = pb.TestEndpointRequest(patient_id=PATIENT, endpoint_id="hospital")
    shown = await house.asks("TestEndpoint", request)
    bundle = json.loads(shown.bundle_json)
    assert bundle["type"] == "transaction"
    assert bundle["entry"][0]["resource"]["valueQuantity"]["value"] == 6
    assert bundle["entry"][0]["request"]["ifNoneExist"].startswith("?identifier=")
    assert ["rehab emr link" in one for one in shown.problems] == [True]
    assert await values(house) == []
    assert await house.disclosures(PATIENT) == []


async def test_an_erasure_leaves_nothing_here_and_ends_what_waits(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register()
    await house.log.append(*arrived(), pain(6))
    await house.until_all("unmatched")
    await Erasing(house.log).erase(PATIENT)
    await house.until(lambda found: found == [])
    for table in ("patient", "lane", "delivery"):
        assert await stored(house.place, f"SELECT 1 FROM {table}") == []


async def test_whoever_watches_hears_how_deliveries_go(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system="urn:rehab:patients")
    request = pb.WatchDeliveriesRequest(clinic_id=CLINIC)
    call = house.asks.stub.WatchDeliveries(request, metadata=house.asks.metadata, timeout=20)
    states: list[int] = []
    await house.log.append(*arrived(), pain(2))
    async for told in call:
        states.append(told.delivery.state)
        if told.delivery.state == DELIVERED:
            break
    call.cancel()
    assert states[-1] == DELIVERED
