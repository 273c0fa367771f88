"""Receivers that are not well, too strict, or too small. Whatever they do, each resource is there
once in the end, or is dead with the reason."""

from __future__ import annotations

from collections import Counter

from rehab.emr.v1 import emr_service_pb2 as pb
from tests.emr.given import CLINIC, PATIENT, arrived, pain
from tests.emr.house import House, Place, housed

DELIVERED, DEAD = pb.DELIVERY_STATE_DELIVERED, pb.DELIVERY_STATE_DEAD


async def ready(house: House, *patients: str, **endpoint: object) -> None:
    for patient in patients:
        await house.receiver.knows(patient)
        await house.log.append(*arrived(patient))
    await house.register(patient_system="urn:rehab:patients", **endpoint)


async def require_once(house: House, count: int) -> None:
    there = await house.receiver.observations()
    by_id = Counter(one["identifier"][0]["value"] for one in there)
    assert set(by_id.values()) == {1}
    assert len(by_id) == count


async def test_whatever_goes_wrong_for_a_while_each_report_is_there_once(house: House) -> None:
    await ready(house, PATIENT, most_entries=8)
    await house.log.append(*(pain(value % 11) for value in range(4)))
    wrongs = (
        {"hang": 1.0, "hang_s": 2.5, "slow_s": 0.05},
        {"cut": 1.0},
        {"busy": 1.0, "retry_after": "0"},
        {"broken": 1.0},
        {"html": 1.0},
        {"as_batch": True, "busy_entries": 0.5},
    )
    well = {"hang": 0, "cut": 0, "busy": 0, "broken": 0, "html": 0, "busy_entries": 0}
    for number, wrong in enumerate(wrongs, 1):
        await house.receiver.goes_wrong(**wrong)
        before = sum((await house.receiver.counts()).values())
        await house.log.append(*(pain(value % 11) for value in range(4)))
        while sum((await house.receiver.counts()).values()) == before:
            await house.deliveries()
        await house.receiver.goes_wrong(**well)
        await house.until_all("delivered", 4 + 4 * number)
    await require_once(house, 28)
    disclosed = await house.disclosures(PATIENT)
    assert {one.outcome for one in disclosed} == {"accepted"}
    assert len(disclosed) == 28


async def test_a_receiver_that_takes_little_gets_little_and_is_remembered(house: House) -> None:
    await ready(house, PATIENT, most_entries=16)
    await house.receiver.goes_wrong(most_entries=4)
    await house.log.append(*(pain(value) for value in range(10)))
    await house.until_all("delivered", 10)
    (endpoint,) = (
        await house.asks("ListEndpoints", pb.ListEndpointsRequest(clinic_id=CLINIC))
    ).endpoints
    assert endpoint.entries_now == 4
    assert endpoint.most_entries == 16
    await require_once(house, 10)


async def test_without_transactions_it_is_sent_in_batches(house: House) -> None:
    await ready(house, PATIENT)
    await house.receiver.goes_wrong(no_transactions=True)
    await house.log.append(pain(1), pain(2))
    await house.until_all("delivered", 2)
    assert (await house.receiver.counts())["bundle 405"] >= 1
    await require_once(house, 2)


async def test_what_is_refused_is_dead_alone_and_is_sent_again_when_asked(house: House) -> None:
    await ready(house, PATIENT, "patient-2")
    poison = pain(7)
    await house.receiver.goes_wrong(refuse=[poison.envelope.event_id])
    await house.log.append(pain(1), poison, pain(3), pain(4, "patient-2"))
    found = await house.until(
        lambda all_: Counter(one.state for one in all_) == {DELIVERED: 3, DEAD: 1}
    )
    (dead,) = [one for one in found if one.state == DEAD]
    assert (dead.resource_id, dead.reason) == (poison.envelope.event_id, "http_422")
    answer = await house.asks(
        "GetOutcome",
        pb.GetOutcomeRequest(
            patient_id=PATIENT,
            endpoint_id="hospital",
            kind=dead.kind,
            resource_id=dead.resource_id,
        ),
    )
    assert b"is not wanted here" in answer.outcome_json
    disclosed = {one.resource_id: one.outcome for one in await house.disclosures(PATIENT)}
    assert disclosed[dead.resource_id] == "rejected"
    await house.receiver.goes_wrong(refuse=[])
    replayed = await house.asks(
        "Replay", pb.ReplayRequest(clinic_id=CLINIC, endpoint_id="hospital")
    )
    assert replayed.replayed == 1
    await house.until_all("delivered", 4)
    everything = pb.ReplayRequest(clinic_id=CLINIC, endpoint_id="hospital", delivered=True)
    assert (await house.asks("Replay", everything)).replayed == 4
    await house.until_all("delivered", 4)
    await require_once(house, 4)


async def test_an_endpoint_that_refuses_everything_is_paused_and_nothing_is_lost(
    place: Place,
) -> None:
    async with housed(place) as house:
        await ready(house, PATIENT)
        await house.receiver.goes_wrong(whole=403)
        await house.log.append(pain(1), pain(2))
        await house.until(lambda found: len(found) == 2)
        while (await house.status()).paused != "http_403":
            await house.deliveries()
        assert (await house.receiver.counts())["bundle 403"] == 1
        await house.receiver.goes_wrong(whole=0)
        resume = pb.ResumeRequest(clinic_id=CLINIC, endpoint_id="hospital")
        assert (await house.asks("Resume", resume)).endpoint.paused == ""
        await house.until_all("delivered", 2)
        pause = pb.PauseRequest(clinic_id=CLINIC, endpoint_id="hospital")
        assert (await house.asks("Pause", pause)).endpoint.paused == "by_hand"
        await house.log.append(pain(3))
        await house.receiver.kill()
    async with housed(place) as house:
        # it was paused while the service was down, and still is
        assert (await house.status()).paused == "by_hand"
