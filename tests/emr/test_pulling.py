"""Systems that pull: what they may read, and what the log hears before they do."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import urlencode

import httpx
import pytest
import pytest_asyncio
from fhir.resources.R4B.capabilitystatement import CapabilityStatement
from fhir.resources.R4B.subscription import Subscription

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.events.v1.event_pb2 import Event as LogEvent
from rehab_emr.domain.validation import problems
from rehab_emr.pull.facade import ANSWER_S, AT_ONCE
from rehab_runtime.errors import InvalidArgument
from tests.emr.given import CLINIC, PATIENT, agreed, arrived, pain, withdrew
from tests.emr.house import House, Place, stored
from tests.emr.pulls import FULL, Puller, PullHouse, all_events, pull_housed
from tests.eventstore.erasing import Erasing

NOT_THERE = (404, "not-found")


@pytest_asyncio.fixture
async def house(place: Place) -> AsyncIterator[PullHouse]:
    async with pull_housed(place) as made:
        yield made


async def told_of(house: PullHouse, *reports: LogEvent) -> list[Any]:
    """Events of a patient who arrives and reports, once they were taken."""
    await house.house.log.append(*arrived(), *reports)
    return list(all_events(await house.hook.until_told(len(reports))))


async def outcomes(house: House, patient: str = PATIENT) -> list[tuple[str, str, str]]:
    found = await house.disclosures(patient)
    return [(one.endpoint_id, one.resource_type, one.outcome) for one in found]


async def test_what_was_told_of_is_pulled_and_accounted_for_before_it_leaves(
    house: PullHouse,
) -> None:
    report = pain(4)
    puller = await house.register()
    (happened,) = await told_of(house, report)
    answer = await puller.get(happened.focus)
    there = answer.json()
    assert problems(there) == ()
    assert there["valueQuantity"]["value"] == 4
    assert happened.focus.endswith(f"/Observation/{there['id']}")
    assert answer.headers["etag"] == f'W/"{there["meta"]["versionId"]}"'
    assert answer.headers["cache-control"] == "no-store"
    assert there["subject"] == {
        "type": "Patient",
        "identifier": {"system": "https://rehab.test/fhir/identifier/patient", "value": PATIENT},
    }
    (disclosed,) = await house.house.disclosures(PATIENT)
    assert (disclosed.outcome, disclosed.purpose) == ("pulled", "emr_share")
    assert disclosed.consent_id == f"emr_share-{PATIENT}"
    assert list(disclosed.event_ids) == [report.envelope.event_id]
    # the same again on the same day is the same disclosure; its provenance is another one
    assert (await puller.get(happened.focus)).json() == there
    provenance = await puller.read(happened.beside)
    assert provenance["target"][0]["reference"] == f"Observation/{there['id']}"
    assert await outcomes(house.house) == [
        ("hospital", "Observation", "pulled"),
        ("hospital", "Provenance", "pulled"),
    ]


async def test_a_correction_shows_at_once_and_moves_the_version(house: PullHouse) -> None:
    report = pain(4)
    puller = await house.register()
    (first,) = await told_of(house, report)
    before = await puller.read(first.focus)
    await house.house.log.append(pain(7, corrects=report.envelope.event_id))
    after = await puller.read(first.focus)
    assert (after["status"], after["valueQuantity"]["value"]) == ("amended", 7)
    assert after["meta"]["versionId"] != before["meta"]["versionId"]
    *_, second = all_events(await house.hook.until_told(2))
    assert second.focus == first.focus
    # its provenance was of what it is no more
    assert await puller.refused(first.beside) == NOT_THERE
    assert (await puller.read(second.beside))["activity"]["coding"][0]["code"] == "UPDATE"
    assert len(await outcomes(house.house)) == 3


async def test_references_lead_to_what_can_be_pulled(house: PullHouse) -> None:
    report = pain(4)
    report.envelope.device_id = "phone-1"
    report.envelope.source.app = "Rehab"
    report.envelope.source.device_model = "Phone 7"
    puller = await house.register(patient_system="urn:hospital:patients")
    await house.house.log.append(*arrived(), report)
    happened = list(all_events(await house.hook.until_told(2)))
    (focus,) = [one.focus for one in happened if "/Observation/" in one.focus]
    there = await puller.read(focus)
    assert there["subject"]["identifier"]["system"] == "urn:hospital:patients"
    device = await puller.read(there["device"]["reference"])
    assert device["deviceName"][0]["name"] == "Rehab"
    assert await puller.refused(f"Device/{there['id']}") == NOT_THERE


async def test_a_token_opens_what_its_endpoint_was_told_and_nothing_else(
    house: PullHouse,
) -> None:
    puller = await house.register()
    other = await house.register("elsewhere", clinic_id="clinic-2")
    (happened,) = await told_of(house, pain(4))
    assert await Puller(puller.base, "").refused(happened.focus) == (401, "login")
    for wrong in ("x", "hospital", "hospital.", ".", "\u00e9.x", puller.token.upper()):
        assert await Puller(puller.base, wrong).refused(happened.focus) == (401, "login")
    forged = Puller(puller.base, puller.token[:-1] + "~")
    assert await forged.refused(happened.focus) == (401, "login")
    assert await other.refused(happened.focus) == NOT_THERE
    assert await other.refused("Subscription/hospital") == NOT_THERE
    assert await other.refused("Subscription/hospital/$events") == NOT_THERE
    request = pb.RotatePullTokenRequest(clinic_id=CLINIC, endpoint_id="hospital")
    rotated = (await house.house.asks("RotatePullToken", request)).pull_token
    assert await puller.refused(happened.focus) == (401, "login")
    puller = Puller(puller.base, rotated)
    await puller.read(happened.focus)
    assert await outcomes(house.house) == [("hospital", "Observation", "pulled")]
    kept = await stored(house.house.place, "SELECT token FROM subscription")
    assert not any(rotated.encode() in row["token"] for row in kept)
    while (refused := await forged.get("Subscription/hospital")).status_code == 401:
        assert refused.headers["www-authenticate"].startswith("Bearer")
    assert refused.status_code == 429
    assert int(refused.headers["retry-after"]) > 0
    await puller.read(happened.focus)


async def test_what_is_withdrawn_is_not_there_until_it_is_given_anew(house: PullHouse) -> None:
    puller = await house.register()
    (happened,) = await told_of(house, pain(4))
    await house.house.log.append(withdrew())
    assert await puller.refused(happened.focus) == NOT_THERE
    events = await puller.read("Subscription/hospital/$events", content="full-resource")
    assert [one for one in events["entry"] if "resource" in one][1:] == []
    assert await outcomes(house.house) == []
    await house.house.log.append(agreed(consent_id="again", scope=["exercise_session"]))
    assert await puller.refused(happened.focus) == NOT_THERE
    await house.house.log.append(agreed(consent_id="wider", scope=["pain_report"]))
    assert (await puller.read(happened.focus))["valueQuantity"]["value"] == 4
    (disclosed,) = await house.house.disclosures(PATIENT)
    assert disclosed.consent_id == "wider"


async def test_what_is_erased_is_not_there_and_leaves_its_number(house: PullHouse) -> None:
    puller = await house.register()
    (happened,) = await told_of(house, pain(4))
    await puller.read(happened.focus)
    await Erasing(house.house.log).erase(PATIENT)
    assert await puller.refused(happened.focus) == NOT_THERE
    await house.house.until(lambda found: found == [])
    assert await puller.refused(happened.focus) == NOT_THERE
    events = await puller.read("Subscription/hospital/$events")
    (number, _) = events["entry"][0]["resource"]["parameter"][-1]["part"]
    assert (number["name"], number["valueString"]) == ("event-number", "1")
    assert len(events["entry"]) == 1
    (row,) = await stored(house.house.place, "SELECT * FROM subscription_event")
    assert {row["patient_id"], row["kind"], row["resource_id"], row["digest"]} == {None}


async def test_what_was_missed_is_asked_for_by_number(house: PullHouse) -> None:
    puller = await house.register()
    happened = await told_of(house, *(pain(n) for n in range(5)))
    where = "Subscription/hospital/$events"
    some = await puller.read(where, eventsSinceNumber="2", eventsUntilNumber="4")
    assert problems(some) == ()
    assert [one["fullUrl"] for one in some["entry"][1:]] == [one.focus for one in happened[1:4]]
    full = await puller.read(where, eventsSinceNumber="4", content="full-resource")
    assert [one["resource"]["valueQuantity"]["value"] for one in full["entry"][1:]] == [3, 4]
    empty = await puller.read(where, content="empty")
    assert len(empty["entry"]) == 1
    assert len(await outcomes(house.house)) == 2
    assert await puller.refused(where, eventsSinceNumber="-1") == (400, "invalid")
    assert await puller.refused(where, content="everything") == (400, "invalid")
    status = await puller.read("Subscription/hospital/$status")
    told = {one["name"]: one for one in status["entry"][0]["resource"]["parameter"]}
    assert told["events-since-subscription-start"]["valueString"] == "5"
    assert told["type"]["valueCode"] == "query-status"


async def test_the_facade_says_what_it_is_and_answers_as_fhir_has_it(house: PullHouse) -> None:
    puller = await house.register(content=FULL, heartbeat_s=60, most_entries=7, bearer="hidden")
    told = await Puller(puller.base, "").read("metadata")
    served = {one["type"]: one["interaction"] for one in told["rest"][0]["resource"]}
    assert sorted(served) == ["Device", "Observation", "Provenance", "Subscription"]
    assert all(one[0] == {"code": "read"} for one in served.values())
    assert served["Observation"][1:] == [{"code": "search-type"}]
    subscription = await puller.get("Subscription/hospital")
    CapabilityStatement.model_validate(told)
    Subscription.model_validate(subscription.json())
    channel = subscription.json()["channel"]
    assert (channel["type"], channel["endpoint"]) == ("rest-hook", house.hook.url)
    assert [next(iter(set(one) - {"url"})) for one in channel["extension"]] == [
        "valuePositiveInt",
        "valueUnsignedInt",
    ]
    assert channel["_payload"]["extension"][0]["valueCode"] == "full-resource"
    assert "hidden" not in subscription.text
    for name in ("of-nobody", "a%00b", "%27%20OR%201=1", "x" * 65, "%ff"):
        assert await puller.refused(f"Observation/{name}") == NOT_THERE
    assert await puller.refused("Patient/1") == (404, "not-supported")
    assert await puller.refused("nothing/of/that") == NOT_THERE
    for readable in ("json", "application/fhir%2Bjson", "application/fhir+json"):
        await puller.read(f"{puller.base}/metadata?_format={readable}")
    xml = {"accept": "application/fhir+xml"}
    assert await puller.refused("metadata", headers=xml) == (406, "not-supported")
    async with httpx.AsyncClient() as client:
        posted = await client.post(f"{puller.base}/Observation/1", json={})
    assert (posted.status_code, posted.json()["resourceType"]) == (405, "OperationOutcome")


async def test_observations_of_a_patient_are_searched_page_by_page(house: PullHouse) -> None:
    puller = await house.register(patient_system="urn:ours")
    await house.house.log.append(*arrived("patient-2"), pain(9, "patient-2"))
    happened = await told_of(house, *(pain(n) for n in range(5)))
    asked = {"patient:identifier": f"urn:ours|{PATIENT}"}
    first = await puller.read("Observation", **asked, _count="3")
    assert problems(first) == ()
    assert [one["resource"]["valueQuantity"]["value"] for one in first["entry"]] == [0, 1, 2]
    following = first["link"][1]["url"]
    assert PATIENT not in following
    second = await puller.read(following)
    assert [one["relation"] for one in second["link"]] == ["self"]
    assert [one["resource"]["valueQuantity"]["value"] for one in second["entry"]] == [3, 4]
    since = next(one for one in happened if one.focus == second["entry"][1]["fullUrl"]).at
    late = await puller.read("Observation", **asked, _lastUpdated=f"ge{since}")
    assert second["entry"][1] in late["entry"]
    posted = await puller.post("Observation/_search", urlencode(asked))
    assert len(posted.json()["entry"]) == 5
    for nobody in ("urn:ours|nobody", f"urn:other|{PATIENT}", "urn:ours|a\0b"):
        assert "entry" not in await puller.read("Observation", **{"patient:identifier": nobody})
    assert await puller.refused("Observation") == (400, "invalid")
    assert await puller.refused("Observation", **asked, code="1") == (400, "invalid")
    assert await puller.refused("Observation", **asked, _lastUpdated="soon") == (400, "invalid")
    for long, status in ("&x=1" * 21, 400), ("x" * 9000, 413):
        refused = await puller.post("Observation/_search", long)
        assert (refused.status_code, refused.json()["issue"][0]["code"]) == (status, "too-long")
    assert len(await outcomes(house.house)) == 5
    await house.house.log.append(withdrew())
    gone = await puller.read("Observation", **asked, _count="3")
    assert [one["relation"] for one in gone["link"]] == ["self"]
    assert "entry" not in gone


async def test_whoever_is_slow_to_ask_keeps_nobody_from_an_answer(house: PullHouse) -> None:
    puller = await house.register()
    begun = asyncio.Semaphore(0)

    async def never_said() -> AsyncIterator[bytes]:
        yield b"patient"
        begun.release()
        await asyncio.Event().wait()

    slow = [
        asyncio.create_task(puller.post("Observation/_search", never_said()))
        for _ in range(AT_ONCE)
    ]
    try:
        for _ in slow:
            await begun.acquire()
        async with asyncio.timeout(ANSWER_S / 2):
            await puller.read("Subscription/hospital")
    finally:
        for one in slow:
            one.cancel()
        await asyncio.gather(*slow, return_exceptions=True)


async def test_more_parameters_than_a_search_has_are_refused(house: PullHouse) -> None:
    puller = await house.register()
    many = "&".join(f"p{number}=1" for number in range(5000))
    assert await puller.refused(f"Observation?{many}") == (400, "too-long")


async def test_whoever_asks_too_often_is_told_when_to_come_back(place: Place) -> None:
    async with pull_housed(place, pulls_per_second=0.5) as house:
        puller = await house.register()
        answers = [await puller.get("Subscription/hospital") for _ in range(3)]
        assert [one.status_code for one in answers] == [200, 200, 429]
        assert int(answers[-1].headers["retry-after"]) >= 1


async def test_whoever_is_paused_by_hand_gets_nothing(house: PullHouse) -> None:
    puller = await house.register()
    (happened,) = await told_of(house, pain(4))
    pause = pb.PauseRequest(clinic_id=CLINIC, endpoint_id="hospital")
    await house.house.asks("Pause", pause)
    assert await puller.refused(happened.focus) == (403, "suppressed")
    where = "Subscription/hospital/$events"
    assert await puller.refused(where) == (403, "suppressed")
    assert (await puller.read("Subscription/hospital"))["status"] == "off"
    assert await outcomes(house.house) == []


async def test_two_who_pull_at_once_are_one_disclosure_each_and_see_the_same(
    house: PullHouse,
) -> None:
    first = await house.register()
    second = await house.register("second")
    await house.house.log.append(*arrived(), pain(4))
    await house.house.until_all("delivered", 2)
    (happened, *_) = all_events(await house.hook.notices())
    found = await asyncio.gather(
        *(one.read(happened.focus) for one in (first, second) for _ in range(4))
    )
    assert all(one == found[0] for one in found)
    assert sorted(await outcomes(house.house)) == [
        ("hospital", "Observation", "pulled"),
        ("second", "Observation", "pulled"),
    ]


async def test_one_that_pulls_knows_patients_by_identifier_and_is_not_linked(
    house: PullHouse,
) -> None:
    await house.register()
    await told_of(house, pain(4))
    await house.house.until_all("delivered")
    link = pb.LinkPatientRequest(patient_id=PATIENT, endpoint_id="hospital", remote_id="17")
    with pytest.raises(InvalidArgument):
        await house.house.asks("LinkPatient", link)
    shown = pb.TestEndpointRequest(patient_id=PATIENT, endpoint_id="hospital")
    assert (await house.house.asks("TestEndpoint", shown)).problems == ["nothing waits"]
