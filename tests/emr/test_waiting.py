"""What waits for a person costs nothing until the person has come: nothing of it is made, written
or asked for again."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.events.v1.event_pb2 import Event
from tests.emr.given import PATIENT, agreed, arrived, event, pain, withdrew
from tests.emr.house import House, stored

HELD, DELIVERED = pb.DELIVERY_STATE_HELD, pb.DELIVERY_STATE_DELIVERED
SYSTEM = "urn:rehab:patients"


def beat() -> Event:
    at = datetime.now(UTC).replace(microsecond=0).isoformat()
    quantity = {"value": 62, "unit": "count/min", "canonicalValue": 62, "ucum": "/min"}
    sample = {"start": at, "quantity": quantity}
    return event(healthSamples={"metric": "resting_heart_rate", "samples": [sample]})


async def uncovered(house: House) -> pb.Delivery:
    """A heart rate, of a patient who agreed to sharing pain."""
    await house.receiver.knows(PATIENT)
    await house.register(patient_system=SYSTEM)
    enrolled, treatment, _ = arrived()
    await house.log.append(enrolled, treatment, agreed(scope=["pain_report"]), beat())
    (waits,) = await house.until_all("held")
    assert waits.reason == "out_of_scope"
    return waits


async def until_delivered(house: House, count: int) -> list[pb.Delivery]:
    return await house.until(lambda found: Counter(one.state for one in found)[DELIVERED] == count)


async def changes(house: House) -> dict[str, int]:
    rows = await stored(house.place, "SELECT resource_id, change FROM delivery")
    return {row["resource_id"]: row["change"] for row in rows}


async def test_what_no_consent_covers_is_left_alone_until_another_one_is_given(
    house: House,
) -> None:
    waits = await uncovered(house)
    before = (await changes(house))[waits.resource_id]
    for count in (1, 2):
        await house.log.append(pain(count))
        await until_delivered(house, count)
    assert (await changes(house))[waits.resource_id] == before
    await house.log.append(agreed(consent_id="wider"))
    await until_delivered(house, 3)


async def test_a_consent_that_begins_by_itself_lets_go_what_it_covers(house: House) -> None:
    await uncovered(house)
    begins = datetime.now(UTC) + timedelta(seconds=1.5)
    given: dict[str, Any] = {"purpose": "emr_share", "validFrom": begins.isoformat()}
    await house.log.append(event(consent={"consentId": "later", "granted": given}))
    (delivered,) = await until_delivered(house, 1)
    assert delivered.changed_at.ToDatetime(UTC) >= begins


async def test_a_patient_without_consent_costs_a_line_for_each_event_and_no_more(
    house: House,
) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system=SYSTEM)
    enrolled, treatment, _ = arrived()
    await house.log.append(enrolled, treatment, pain(1))
    await house.until_all("held", 1)
    before = await changes(house)
    await house.log.append(pain(2))
    found = await house.until_all("held", 2)
    assert {one.reason for one in found} == {"no_consent"}
    after = await changes(house)
    assert {name: after[name] for name in before} == before
    # the new one is written once: it is planned as one that waits
    assert max(after.values()) == max(before.values()) + 1
    await house.log.append(agreed())
    await house.until_all("delivered", 2)


async def test_a_receiver_is_not_asked_for_the_same_patient_at_every_event(house: House) -> None:
    await house.register(patient_system=SYSTEM)
    await house.log.append(*arrived(), pain(1))
    await house.until_all("unmatched", 1)
    query = "SELECT sought_at FROM lane WHERE sought_at IS NOT NULL"
    while not (asked := await stored(house.place, query)):
        await house.deliveries()
    await house.receiver.knows(PATIENT)
    await house.log.append(pain(2))
    await house.until_all("unmatched", 2)
    assert await stored(house.place, query) == asked
    # whoever registers anew has said something else of it
    await house.register(patient_system=SYSTEM)
    await house.until_all("delivered", 2)


async def test_what_is_replayed_while_all_waits_waits_as_well(house: House) -> None:
    await house.receiver.knows(PATIENT)
    await house.register(patient_system=SYSTEM)
    await house.log.append(*arrived(), pain(1))
    await house.until_all("delivered", 1)
    await house.log.append(withdrew(), pain(2))
    await house.until(lambda found: Counter(one.state for one in found)[HELD] == 1)
    request = pb.ReplayRequest(clinic_id="clinic-1", endpoint_id="hospital", delivered=True)
    assert (await house.asks("Replay", request)).replayed == 1
    found = await house.until_all("held", 2)
    assert {one.reason for one in found} == {"no_consent"}
