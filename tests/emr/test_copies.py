"""Copies of a record as FHIR, and prescriptions that come as FHIR."""

from __future__ import annotations

import json
from typing import Any

import pytest

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_runtime.errors import ConsentNotInForce, InvalidArgument, NotFound
from tests.emr.given import PATIENT, agreed, arrived, pain, withdrew
from tests.emr.house import BASE, House

PLAN: dict[str, Any] = {
    "resourceType": "ServiceRequest",
    "identifier": [{"system": "urn:hospital:orders", "value": "77"}],
    "status": "active",
    "intent": "order",
    "subject": {"reference": "Patient/17"},
    "authoredOn": "2026-03-01T09:00:00Z",
    "code": {"coding": [{"system": f"{BASE}/fhir/CodeSystem/exercise", "code": "heel_slide"}]},
    "occurrenceTiming": {"repeat": {"frequency": 1, "period": 1, "periodUnit": "d"}},
    "quantityQuantity": {"value": 15, "code": "min", "unit": "min"},
}


async def copied(house: House, **asked: Any) -> dict[str, bytes]:
    request = pb.ExportPatientRequest(patient_id=PATIENT, **asked)
    files: dict[str, bytes] = {}
    call = house.asks.stub.ExportPatient(request, metadata=house.asks.metadata, timeout=20)
    async for piece in call:
        files[piece.file] = files.get(piece.file, b"") + piece.data
    return files


async def brought(house: House, content: Any, patient: str = PATIENT) -> pb.ImportCarePlanResponse:
    text = content if isinstance(content, bytes) else json.dumps(content).encode()
    request = pb.ImportCarePlanRequest(patient_id=patient, resource_json=text)
    answer: pb.ImportCarePlanResponse = await house.asks("ImportCarePlan", request)
    return answer


async def plans(house: House) -> list[Any]:
    told = await house.log.client.read_stream(PATIENT)
    return [Body.FromString(one.body).plan for one in told if one.envelope.kind == "plan"]


async def test_a_record_leaves_as_a_document_or_a_resource_a_line(house: House) -> None:
    await house.log.append(*arrived(), pain(4), pain(7))
    while not await house.known(PATIENT):
        await house.deliveries()
    document = json.loads((await copied(house))["document.json"])
    types = [one["resource"]["resourceType"] for one in document["entry"]]
    assert types[0] == "Composition"
    assert types.count("Observation") == 2
    files = await copied(house, format=pb.EXPORT_FORMAT_NDJSON)
    lines = files["Observation.ndjson"].splitlines()
    assert sorted(json.loads(line)["valueQuantity"]["value"] for line in lines) == [4, 7]


async def test_a_prescription_becomes_a_plan_once_and_a_changed_one_its_next_version(
    house: House,
) -> None:
    with pytest.raises(NotFound):
        await brought(house, PLAN)
    await house.log.append(*arrived())
    while not await house.known(PATIENT):
        await house.deliveries()
    first = await brought(house, PLAN)
    assert len(first.event_ids) == 1
    assert (await brought(house, PLAN)).event_ids == first.event_ids
    (plan,) = await plans(house)
    assert (plan.version, len(plan.prescribed.items)) == (1, 1)
    bundle = {"resourceType": "Bundle", "entry": [{"resource": PLAN | {"status": "revoked"}}]}
    await brought(house, bundle)
    told = await plans(house)
    assert [one.version for one in told] == [1, 2]
    assert told[1].HasField("ended")
    for wrong, field in (
        (b"{", "resource_json"),
        ([], "resource_json"),
        ({"resourceType": "Bundle"}, "resource_json"),
        (PLAN | {"status": "draft"}, "resource_json.status"),
    ):
        with pytest.raises(InvalidArgument) as refused:
            await brought(house, wrong)
        assert refused.value.violations[0].field == field
    await house.log.append(withdrew(consent_id="consent-1"))
    with pytest.raises(ConsentNotInForce):
        await brought(house, PLAN | {"status": "on-hold"})
    await house.log.append(agreed("treatment", consent_id="consent-2"))
    assert (await brought(house, PLAN | {"status": "on-hold"})).event_ids
