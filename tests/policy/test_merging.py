"""An open alert stands for what fires again: counted once, shown, and nobody is told anew."""

from __future__ import annotations

import asyncio

from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1 import rule_service_pb2 as rules_pb
from tests.policy.given import CLINIC, EMERGENCY, PATIENT, arrived, book, pain, rising
from tests.policy.service import (
    WAIT_S,
    House,
    Place,
    eventstore,
    ids,
    policy,
    positions,
    stored,
)
from tests.policy.test_ahead import stuck

MERGING = (
    rising()
    .replace("cooldown: 1h", "cooldown: 1s\n    merge: true")
    .replace("key: string(pain_report.nprs)", "key: envelope.zone")
)
BOOK = book(EMERGENCY, MERGING)


async def _again(house: House, times: int) -> pb.RaisedAlert:
    """The patient's alert, once its rule has fired so often."""
    async with asyncio.timeout(WAIT_S):
        while True:
            alerts = await house.asks.alerts(only_patient_id=PATIENT)
            if alerts and alerts[0].times >= times:
                return alerts[0]
            await house.log.append(pain(6))
            await asyncio.sleep(0.3)


async def _reported(house: House) -> rules_pb.RuleReport:
    asked = rules_pb.GetRuleReportRequest(clinic_id=CLINIC)
    report = await house.asks("GetRuleReport", asked)
    (rule,) = [one for one in report.rules if one.rule_id == "pain.high"]
    return rule


async def test_what_fires_again_is_counted_in_its_alert_until_that_is_resolved(
    place: Place,
) -> None:
    async with eventstore(place) as (log, address), policy(place, address, log, BOOK) as house:
        await log.append(*arrived(), pain(6))
        (first,) = await house.asks.alerts_of(1)
        assert (first.times, first.last_at) == (1, first.raised_at)
        taken = pb.AcknowledgeAlertRequest(alert_id=first.alert_id)
        await house.asks("AcknowledgeAlert", taken)
        again = await _again(house, 2)
        assert again.alert_id == first.alert_id
        assert again.status == pb.ALERT_STATUS_ACKNOWLEDGED
        assert again.route == first.route
        assert again.last_at.ToNanoseconds() > again.raised_at.ToNanoseconds()
        assert len(await house.asks.alerts()) == 1
        why = await house.asks("Explain", pb.ExplainRequest(alert_id=first.alert_id))
        assert why.reproduced
        assert why.alert.times >= 2
        report = await _reported(house)
        assert (report.fired, report.merged) == (1, why.alert.times - 1)
        ended = pb.ResolveAlertRequest(alert_id=first.alert_id, outcome="acted")
        await house.asks("ResolveAlert", ended)
        async with asyncio.timeout(WAIT_S):
            while len(alerts := await house.asks.alerts()) < 2:
                await log.append(pain(6))
                await asyncio.sleep(0.3)
        assert [one.times for one in alerts] == [1, again.times]


async def test_a_watch_tells_what_recurred_as_a_step_of_the_same_alert(place: Place) -> None:
    async with eventstore(place) as (log, address), policy(place, address, log, BOOK) as house:
        await log.append(*arrived(), pain(6))
        await _again(house, 2)
        told = []
        async for one in house.asks.stream("WatchAlerts", pb.WatchAlertsRequest(clinic_id=CLINIC)):
            told.append(one.step)
            if len(told) == 2:
                break
        assert [one.kind for one in told] == ["raised", "recurred"]
        assert told[0].alert.alert_id == told[1].alert.alert_id


async def test_replicas_and_a_fold_from_the_beginning_count_each_firing_once(
    place: Place,
) -> None:
    async with eventstore(place) as (log, address):
        async with (
            policy(place, address, log, BOOK) as one,
            policy(place, address, log, BOOK) as other,
        ):
            await log.append(*arrived(), pain(6))
            alert = await _again(one, 3)
            await other.folded((await log.client.head()).position)
        said = await log.said("alert")
        assert len(ids(said)) == len(set(ids(said)))
        end = (await log.client.head()).position
        await stored(place, "UPDATE log_position SET position = 0")
        async with policy(place, address, log, BOOK) as again:
            async with asyncio.timeout(WAIT_S):
                while (await positions(place))[0] < end:
                    await asyncio.sleep(0.01)
            (kept,) = await again.asks.alerts()
        assert ids(await log.said("alert")) == ids(said)
        counted = 1 + sum(body.alert.HasField("recurred") for _, body in said)
        assert kept.times == counted >= alert.times
        steps = await stored(place, "SELECT kind FROM alert_step ORDER BY seq")
        assert [one["kind"] for one in steps] == ["raised", *["recurred"] * (counted - 1)]


async def test_the_fast_lane_raises_each_emergency_while_another_alert_stands(
    place: Place,
) -> None:
    async with eventstore(place) as (log, address), policy(place, address, log, BOOK) as house:
        await house.folded(await log.append(*arrived(), pain(6)))
        await house.asks.alerts_of(1)
        async with stuck(house):
            reports = [pain(9), pain(9)]
            position = await log.append(*reports)
            await house.asks.alerts_of(3)
        await house.folded(position)
        await house.folded((await log.client.head()).position)
        emergencies = [one for one in await house.asks.alerts() if one.emergency]
        assert [one.times for one in emergencies] == [1, 1]
        said = await log.said("alert")
        assert len(said) == 3
        assert not any(body.alert.HasField("recurred") for _, body in said)
        causes = {event.envelope.causation_id for event, _ in said}
        assert causes >= {report.envelope.event_id for report in reports}
