"""What is shared arrives once, and is accounted for."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta

from tests.emr.given import PATIENT, arrived, event, pain
from tests.emr.house import House, receiving, stored

SYSTEM = "urn:rehab:patients"


async def test_a_report_arrives_as_one_observation_and_the_log_tells_that_it_left(
    house: House,
) -> None:
    await house.receiver.knows(PATIENT)
    await house.register()
    told = pain(4)
    await house.log.append(*arrived(), told)
    await house.link(PATIENT)
    (delivery,) = await house.until_all("delivered")
    (there,) = await house.receiver.observations()
    assert there["valueQuantity"]["value"] == 4
    assert there["subject"]["reference"] == f"Patient/r-{PATIENT}"
    assert there["identifier"][0]["value"] == delivery.resource_id
    assert delivery.remote == f"Observation/{there['id']}"
    (disclosure,) = await house.disclosures(PATIENT)
    assert list(disclosure.event_ids) == [told.envelope.event_id]
    assert (disclosure.outcome, disclosure.purpose) == ("accepted", "emr_share")
    assert disclosure.consent_id == f"emr_share-{PATIENT}"
    assert disclosure.remote_id == delivery.remote


async def test_each_endpoint_gets_everything_whatever_another_one_does(house: House) -> None:
    async with receiving(house.place.folder / "second") as second:
        for receiver in (house.receiver, second):
            await receiver.knows(PATIENT)
        await second.goes_wrong(broken=1.0)
        await house.register(patient_system=SYSTEM)
        await house.register("second", base_url=second.url, patient_system=SYSTEM)
        await house.log.append(*arrived(), *(pain(value) for value in range(6)))
        while (await house.status()).delivered < 6:
            await house.deliveries()
        assert (await house.status("second")).delivered == 0
        await second.goes_wrong(broken=0.0)
        while (await house.status("second")).delivered < 6:
            await house.deliveries()
        for receiver in (house.receiver, second):
            there = await receiver.observations()
            assert sorted(one["valueQuantity"]["value"] for one in there) == list(range(6))
        told = await house.disclosures(PATIENT)
        assert Counter((one.endpoint_id, one.outcome) for one in told) == {
            ("hospital", "accepted"): 6,
            ("second", "accepted"): 6,
        }


async def test_who_wants_no_history_gets_what_is_new(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.log.append(*arrived(), pain(1))
    while not await stored(house.place, "SELECT 1 FROM patient WHERE version = 4"):
        await house.deliveries()
    await house.register(patient_system=SYSTEM, no_backfill=True)
    await house.log.append(pain(2))
    await house.until_all("delivered")
    (there,) = await house.receiver.observations()
    assert there["valueQuantity"]["value"] == 2


async def test_who_asks_for_readings_gets_each_beside_its_day_and_others_do_not(
    house: House,
) -> None:
    async with receiving(house.place.folder / "second") as second:
        for receiver in (house.receiver, second):
            await receiver.knows(PATIENT)
        start = datetime.now(UTC).replace(hour=12, minute=0, second=0, microsecond=0)
        beats = [beat(start - timedelta(days=2, minutes=number)) for number in range(3)]
        told = event(healthSamples={"metric": "heart_rate", "samples": beats})
        await house.log.append(*arrived(), told)
        await house.register(patient_system=SYSTEM)
        await house.until_all("delivered", 1)
        await house.register("second", base_url=second.url, patient_system=SYSTEM, readings=True)
        while (await house.status("second")).delivered < 4:
            await house.deliveries()
        plain = await house.receiver.observations()
        fine = await second.observations()
        assert len(plain) == 1
        assert len(fine) == 4
        assert plain[0]["identifier"] in [one["identifier"] for one in fine]


def beat(at: datetime) -> dict[str, object]:
    quantity = {"value": 70, "unit": "count/min", "canonicalValue": 70, "ucum": "/min"}
    return {"start": at.isoformat(), "quantity": quantity}
