"""What time alone does: escalations fire once, whether the service runs or was away."""

from __future__ import annotations

import asyncio

from rehab.policy.v1 import policy_service_pb2 as pb
from tests.policy.given import arrived, dizzy, pain
from tests.policy.service import House, Place, eventstore, policy


async def escalations(house: House) -> list[str]:
    return [
        body.alert.alert_id
        for _, body in await house.log.said("alert")
        if body.alert.HasField("escalated")
    ]


async def escalated(house: House, count: int) -> list[str]:
    async with asyncio.timeout(20):
        while len(found := await escalations(house)) < count:
            await asyncio.sleep(0.05)
    return found


async def test_an_alert_that_nobody_takes_is_told_to_somebody_else_once(house: House) -> None:
    await house.log.append(*arrived(), dizzy())
    (alert,) = await house.asks.alerts_of(1)
    assert await escalated(house, 1) == [alert.alert_id]
    await house.folded((await house.log.client.head()).position)
    await house.log.append(pain(1))
    await house.folded((await house.log.client.head()).position)
    assert await escalations(house) == [alert.alert_id]


async def test_an_alert_that_was_taken_is_told_to_nobody_else(house: House) -> None:
    await house.log.append(*arrived(), dizzy())
    (alert,) = await house.asks.alerts_of(1)
    request = pb.AcknowledgeAlertRequest(alert_id=alert.alert_id)
    await house.asks("AcknowledgeAlert", request)
    await house.log.append(*arrived("patient-2"), dizzy("patient-2"))
    (other,) = await escalated(house, 1)
    assert other != alert.alert_id


async def test_what_came_due_while_the_service_was_away_fires_when_it_is_back(
    place: Place,
) -> None:
    async with eventstore(place) as (log, address):
        async with policy(place, address, log) as house:
            await log.append(*arrived(), dizzy())
            (alert,) = await house.asks.alerts_of(1)
        async with policy(place, address, log) as house:
            assert await escalated(house, 1) == [alert.alert_id]
