"""What is shared arrives once, and is accounted for."""

from __future__ import annotations

from tests.emr.given import PATIENT, arrived, pain
from tests.emr.house import House


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
