"""Who a patient is at a receiver: found for certain, or told by a person, and never made there."""

from __future__ import annotations

from typing import Any

import pytest

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_runtime.errors import InvalidArgument, NotFound
from tests.emr.given import PATIENT, arrived, pain
from tests.emr.house import House, stored

SYSTEM = "urn:hospital:mrn"


async def link(house: House, patient: str = PATIENT, **by: Any) -> int:
    request = pb.LinkPatientRequest(patient_id=patient, endpoint_id="hospital", **by)
    return int((await house.asks("LinkPatient", request)).waiting)


async def refused(asked: Any) -> InvalidArgument:
    with pytest.raises(InvalidArgument) as told:
        await asked
    return told.value


async def test_nobody_is_guessed_at_and_what_waits_goes_once_somebody_is_found(
    house: House,
) -> None:
    mrn = [{"system": SYSTEM, "value": "17"}]
    twice = [{"system": SYSTEM, "value": "18"}]
    name = [{"family": "Doe", "given": ["Jo"]}]
    await house.receiver.knows("a", identifier=mrn, name=name, birthDate="1980-01-02")
    await house.receiver.knows("b", identifier=twice, name=name, birthDate="1981-01-02")
    await house.receiver.knows("c", identifier=twice)
    await house.register()
    await house.log.append(*arrived(), pain(4), *arrived("other"), pain(5, "other"))
    waiting = await house.until_all("unmatched", 2)
    assert {one.reason for one in waiting} == {"patient_not_matched"}
    for value in ("18", "19"):
        by = pb.Identifier(system=SYSTEM, value=value)
        error = await refused(link(house, identifier=by))
        assert error.violations[0].field == "identifier"
        assert value not in error.message
    possible = pb.Person(family="Doe", birth_date="1999-01-01")
    error = await refused(link(house, person=possible))
    assert error.violations[0].field == "person"
    assert await house.receiver.observations() == []
    assert await link(house, identifier=pb.Identifier(system=SYSTEM, value="17")) == 1
    certain = pb.Person(family="Doe", birth_date="1981-01-02")
    assert await link(house, "other", person=certain) == 1
    await house.until_all("delivered", 2)
    there = await house.receiver.observations()
    assert {one["subject"]["reference"] for one in there} == {"Patient/r-a", "Patient/r-b"}
    kept = await stored(house.place, "SELECT link FROM lane")
    assert all(b"Patient" not in row["link"] for row in kept)


async def test_a_patient_of_another_clinic_has_no_way_to_this_clinics_receiver(
    house: House,
) -> None:
    await house.register()
    await house.log.append(*arrived("stranger", "clinic-2"), pain(4, "stranger", clinic="clinic-2"))
    while not await house.known("stranger"):
        await house.deliveries()
    with pytest.raises(NotFound):
        await link(house, "stranger", remote_id="r-stranger")
    assert await house.deliveries() == []
