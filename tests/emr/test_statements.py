"""What a receiver promises may change: it is read again, what changed is told, and nothing is sent
to one that no longer takes it."""

from __future__ import annotations

from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from tests.emr.given import CLINIC, PATIENT, arrived, pain
from tests.emr.house import House, Place, housed, stored

EVERYTHING = ["conditionalCreate", "conditionalUpdate", "search-type", "transaction", "batch"]
OFTEN = {"statement_h": 0.2 / 3600, "statement_doubt_s": 0}
RARELY = {"statement_h": 1000, "statement_doubt_s": 0}


async def ready(house: House, **endpoint: Any) -> None:
    await house.receiver.knows(PATIENT)
    await house.log.append(*arrived())
    await house.register(patient_system="urn:rehab:patients", **endpoint)


async def listed(house: House) -> pb.Endpoint:
    request = pb.ListEndpointsRequest(clinic_id=CLINIC)
    (endpoint,) = (await house.asks("ListEndpoints", request)).endpoints
    return endpoint


async def test_what_changes_is_told_and_followed(place: Place) -> None:
    async with housed(place, **OFTEN) as house:
        await ready(house)
        before = await listed(house)
        assert list(before.warnings) == []
        await house.log.append(pain(1))
        await house.until_all("delivered", 1)
        lists = ["search-type", "batch"]
        await house.receiver.goes_wrong(lists=lists, conditional="refuses", no_transactions=True)
        while len((await listed(house)).warnings) < 2:
            await house.deliveries()
        now = await house.status()
        assert any("looked for by its identifier" in one for one in now.warnings)
        assert now.examined_at.ToDatetime() > before.examined_at.ToDatetime()
        await house.log.append(pain(2))
        await house.until_all("delivered", 2)
        assert "bundle 405" not in await house.receiver.counts()
        assert len(await house.receiver.observations()) == 2


async def test_an_endpoint_that_no_longer_takes_what_is_sent_stops_and_goes_on_by_itself(
    place: Place,
) -> None:
    async with housed(place, **OFTEN) as house:
        await ready(house)
        await house.receiver.goes_wrong(lists=["transaction", "batch"], conditional="refuses")
        while not (await listed(house)).paused.startswith("statement: "):
            await house.deliveries()
        assert "a lost answer could make a duplicate" in (await listed(house)).paused
        await house.log.append(pain(1))
        while not await stored(place, "SELECT 1 FROM lane WHERE due_at IS NOT NULL"):
            await house.deliveries()
        assert await house.receiver.counts() == {}
        await house.receiver.goes_wrong(lists=EVERYTHING, conditional="takes")
        await house.until_all("delivered", 1)
        assert (await listed(house)).paused == ""


async def test_whom_a_person_paused_stays_so_whatever_its_statement_says(place: Place) -> None:
    async with housed(place, **OFTEN) as house:
        await ready(house)
        await house.receiver.goes_wrong(lists=["batch"])
        while not (await listed(house)).paused:
            await house.deliveries()
        pause = pb.PauseRequest(clinic_id=CLINIC, endpoint_id="hospital")
        await house.asks("Pause", pause)
        await house.receiver.goes_wrong(lists=EVERYTHING)
        await house.register("second", patient_system="urn:rehab:patients")
        again = "endpoint_id = 'second' AND looked_at > created_at + interval '0.5 s'"
        while not await stored(place, f"SELECT 1 FROM endpoint WHERE {again}"):
            await house.deliveries()
        assert (await house.status()).paused == "by_hand"


async def test_a_statement_that_cannot_be_read_changes_nothing_but_a_warning(place: Place) -> None:
    async with housed(place, **OFTEN) as house:
        await ready(house)
        statement = house.receiver.folder / "capabilities.json"
        statement.write_text('{"resourceType": "Bundle"}')
        while not any("cannot be read" in one for one in (await listed(house)).warnings):
            await house.deliveries()
        await house.log.append(pain(1))
        await house.until_all("delivered", 1)
        assert (await listed(house)).paused == ""
        statement.unlink()
        while (await listed(house)).warnings:
            await house.deliveries()


async def test_a_refused_condition_makes_it_look_at_once_and_costs_no_resource(
    place: Place,
) -> None:
    async with housed(place, **RARELY) as house:
        await ready(house, most_entries=8)
        await house.receiver.goes_wrong(conditional="refuses", lists=EVERYTHING[2:])
        first = pain(1)
        await house.log.append(first, pain(2), pain(3))
        await house.until_all("delivered", 3)
        await house.log.append(pain(4, corrects=first.envelope.event_id))
        await house.until(lambda found: max(one.position for one in found) > 6)
        await house.until_all("delivered", 3)
        assert len(await house.receiver.observations()) == 3
        assert (await house.receiver.counts())["bundle 412"] >= 1


async def test_a_replica_that_is_refused_waits_for_what_another_finds_out(place: Place) -> None:
    async with housed(place, statement_h=1000, statement_doubt_s=1000) as house:
        await ready(house)
        await house.receiver.goes_wrong(conditional="refuses", lists=EVERYTHING[2:])
        await stored(place, "UPDATE endpoint SET looked_at = clock_timestamp()")
        await house.log.append(pain(1))
        while not (await house.receiver.counts()).get("bundle 412"):
            await house.deliveries()
        found = "conditional_create = false, conditional_update = false, revision = revision + 1"
        (pending,) = await house.deliveries()
        assert pending.state == pb.DELIVERY_STATE_PENDING
        await stored(place, f"UPDATE endpoint SET {found}, examined_at = clock_timestamp()")
        await house.until_all("delivered", 1)
        assert len(await house.receiver.observations()) == 1


async def test_what_it_promises_and_does_not_hold_stays_disproved_while_it_promises_it(
    place: Place,
) -> None:
    async with housed(place, **OFTEN) as house:
        await ready(house)
        await house.receiver.goes_wrong(no_transactions=True)
        await house.log.append(pain(1))
        await house.until_all("delivered", 1)
        refused = (await house.receiver.counts())["bundle 405"]
        examined = (await listed(house)).examined_at.ToDatetime()
        while (await listed(house)).examined_at.ToDatetime() <= examined:
            await house.deliveries()
        await house.log.append(pain(2))
        await house.until_all("delivered", 2)
        assert (await house.receiver.counts())["bundle 405"] == refused
