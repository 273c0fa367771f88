"""Alerts: raised once, listed, answered, watched, explained."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.events.v1.event_pb2 import Body
from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1 import rule_service_pb2 as rules_pb
from rehab_runtime.auth import Principal
from tests.policy.given import CLINIC, PATIENT, THERAPIST, arrived, event, pain
from tests.policy.service import (
    SUITE,
    House,
    Place,
    eventstore,
    housed,
    ids,
    policy,
    refused,
    stored,
)


async def test_severe_pain_raises_one_alert_of_the_patient_and_therapist(
    any_house: House,
) -> None:
    report = pain(9)
    await any_house.log.append(*arrived(), pain(3), report)
    (alert,) = await any_house.asks.alerts_of(1)
    assert (alert.patient_id, alert.therapist_id) == (PATIENT, THERAPIST)
    assert (alert.rule_id, alert.emergency) == ("pain.emergency", True)
    assert (alert.status, alert.route) == (pb.ALERT_STATUS_OPEN, pb.ALERT_ROUTE_IMMEDIATE)
    ((event, body),) = await any_house.log.said("alert")
    assert body.alert.alert_id == alert.alert_id
    assert event.envelope.causation_id == report.envelope.event_id
    assert event.envelope.consent_id == "consent-1"


async def test_what_a_service_wrote_wrong_of_alerts_is_passed_over(house: House) -> None:
    raised = {"rule_id": "r", "rule_version": 1, "severity": "SEVERITY_HIGH"}
    many = event(alert={"alert_id": "a", "raised": {**raised, "rule_version": 4_000_000_000}})
    never = event(alert={"alert_id": "b", "raised": raised})
    never.body.alert.raised.deadline.seconds = 2**60
    unnamed = event(alert={"alert_id": "\0", "raised": raised})
    await house.log.append(*arrived(), many, never, unnamed, pain(9))
    (alert,) = await house.asks.alerts_of(1)
    assert alert.rule_id == "pain.emergency"


async def test_a_name_that_nothing_can_keep_stops_no_fold(house: House) -> None:
    team = event(care_team={"therapist_id": "\0", "action": "CARE_TEAM_ACTION_ASSIGNED"})
    await house.log.append(*arrived("patient-2"), team, pain(9, "patient-2"))
    (alert,) = await house.asks.alerts_of(1)
    assert alert.patient_id == "patient-2"


async def test_what_was_folded_before_the_first_start_tells_nothing(place: Place) -> None:
    async with eventstore(place) as (log, address):
        position = await log.append(*arrived(), pain(9), pain(6))
        async with policy(place, address, log) as house:
            await house.folded(position)
            await log.append(pain(9, "patient-2"))
            (alert,) = await house.asks.alerts_of(1)
            assert alert.patient_id == "patient-2"
            assert len(await log.said("alert")) == 1


async def test_a_fold_from_the_beginning_doubles_nothing(place: Place) -> None:
    async with eventstore(place) as (log, address):
        async with policy(place, address, log) as house:
            await log.append(*arrived(), pain(9), pain(6, "patient-2"))
            first = await house.asks.alerts_of(2)
            said = ids(await log.said("alert", "nudge"))
            await _begin_again(house)
        async with policy(place, address, log) as house:
            again = await house.asks.alerts_of(2)
            head = (await log.client.head()).position
            await house.folded(head)
            assert [one.alert_id for one in again] == [one.alert_id for one in first]
            assert ids(await log.said("alert", "nudge")) == said
            assert await stored(place, "SELECT * FROM alert_step") == []


async def _begin_again(house: House) -> None:
    """Everything folded is forgotten; the rules are not."""
    tables = "log_position, patient, due_timer, timers_set, alert, alert_step, firing"
    await stored(house.place, f"TRUNCATE {tables}")


async def test_whoever_takes_an_alert_first_has_taken_it(house: House) -> None:
    await house.log.append(*arrived(), pain(9))
    (alert,) = await house.asks.alerts_of(1)
    request = pb.AcknowledgeAlertRequest(alert_id=alert.alert_id)
    async with house.as_(Principal("bob", "therapist", CLINIC)) as bob:
        taken = (await house.asks("AcknowledgeAlert", request)).alert
        again = (await bob("AcknowledgeAlert", request)).alert
    assert (taken.status, taken.acknowledged_by) == (pb.ALERT_STATUS_ACKNOWLEDGED, THERAPIST)
    assert again == taken
    stream = await house.log.client.read_stream(PATIENT)
    told = [Body.FromString(one.body).alert.WhichOneof("action") for one in stream[4:]]
    assert told == ["raised", "acknowledged"]


async def test_an_alert_ends_with_an_outcome_and_counts_for_its_rule(house: House) -> None:
    await house.log.append(*arrived(), pain(9), pain(9, "patient-2"))
    useful, useless = await house.asks.alerts_of(2)
    for alert, helped in ((useful, True), (useless, False)):
        request = pb.ResolveAlertRequest(alert_id=alert.alert_id, outcome="acted", useful=helped)
        ended = (await house.asks("ResolveAlert", request)).alert
        assert (ended.status, ended.outcome, ended.useful) == (3, "acted", helped)
    assert await house.asks.alerts(status=pb.ALERT_STATUS_OPEN) == []
    report = await house.asks("GetRuleReport", rules_pb.GetRuleReportRequest(clinic_id=CLINIC))
    (rule,) = report.rules
    assert (rule.rule_id, rule.fired, rule.useful, rule.not_useful) == ("pain.emergency", 2, 1, 1)
    assert rule.precision == 0.5


async def test_explain_names_the_facts_and_the_event_that_made_it_fire(house: House) -> None:
    report = pain(9)
    await house.log.append(*arrived(), pain(2), report)
    (alert,) = await house.asks.alerts_of(1)
    told = await house.asks("Explain", pb.ExplainRequest(alert_id=alert.alert_id))
    assert told.reproduced
    facts = {one.name: one.value for one in told.facts}
    assert facts["pain_report.nprs"] == "9"
    assert facts["limit.much_pain"] == "8"
    assert [one.event_id for one in told.events] == [report.envelope.event_id]
    assert told.condition == "pain_report.nprs >= limit.much_pain"


async def test_a_watch_tells_each_step_once_and_goes_on_where_it_was(house: House) -> None:
    await house.log.append(*arrived(), pain(9))
    (alert,) = await house.asks.alerts_of(1)
    first = await _steps(house, 0, 1)
    request = pb.AcknowledgeAlertRequest(alert_id=alert.alert_id)
    await house.asks("AcknowledgeAlert", request)
    await house.log.append(pain(9, "patient-2"))
    rest = await _steps(house, first[-1].seq, 2)
    assert [one.kind for one in (*first, *rest)] == ["raised", "acknowledged", "raised"]
    numbers = [one.seq for one in (*first, *rest)]
    assert numbers == sorted(set(numbers))


async def _steps(house: House, after: int, count: int) -> list[pb.AlertStep]:
    request = pb.WatchAlertsRequest(clinic_id=CLINIC, after=after)
    found = []
    async with asyncio.timeout(20):
        told: AsyncIterator[pb.WatchAlertsResponse] = house.asks.stream("WatchAlerts", request)
        async for one in told:
            if one.HasField("step"):
                found.append(one.step)
            if len(found) == count:
                break
    return found


async def test_pages_hold_every_alert_once(house: House) -> None:
    await house.log.append(*(pain(9, f"patient-{number}") for number in range(7)))
    everything = await house.asks.alerts_of(7)
    found: list[str] = []
    request = pb.ListAlertsRequest(clinic_id=CLINIC, page_size=3)
    while True:
        page = await house.asks("ListAlerts", request)
        found += [one.alert_id for one in page.alerts]
        request.page_token = page.next_page_token
        if not request.page_token:
            break
    assert found == [one.alert_id for one in everything]


async def test_alerts_of_another_clinic_and_for_other_roles_are_not_told(house: House) -> None:
    await house.log.append(*arrived(), pain(9))
    (alert,) = await house.asks.alerts_of(1)
    request = pb.AcknowledgeAlertRequest(alert_id=alert.alert_id)
    async with (
        house.as_(Principal("eve", "therapist", "clinic-2")) as elsewhere,
        house.as_(Principal(PATIENT, "patient", CLINIC)) as patient,
    ):
        assert (await refused(elsewhere("AcknowledgeAlert", request))).reason == (
            reasons.ERROR_REASON_NOT_FOUND
        )
        listed = pb.ListAlertsRequest(clinic_id=CLINIC)
        assert (await refused(patient("ListAlerts", listed))).reason == (
            reasons.ERROR_REASON_PERMISSION_DENIED
        )


async def test_beyond_a_day_s_budget_alerts_wait_for_the_digest_but_for_critical_ones(
    place: Place,
) -> None:
    async with housed(place, daily_budget=2, grouped_h=0) as house:
        patients = [f"patient-{number}" for number in range(4)]
        for patient in patients:
            await house.log.append(*arrived(patient), pain(6, patient))
        await house.log.append(pain(9, "patient-3"))
        await house.asks.alerts_of(5)
        held = await house.asks.alerts(route=pb.ALERT_ROUTE_DIGEST)
        request = pb.ListDigestRequest(clinic_id=CLINIC, therapist_id=THERAPIST)
        digest = await house.asks("ListDigest", request)
        assert [one.patient_id for one in digest.alerts] == ["patient-2", "patient-3"]
        assert {one.alert_id for one in held} == {one.alert_id for one in digest.alerts}
        critical = await house.asks.alerts(min_severity=3)
        assert [one.route for one in critical] == [pb.ALERT_ROUTE_IMMEDIATE]


async def test_an_alert_beside_an_open_one_of_the_patient_is_shown_with_it(house: House) -> None:
    await house.log.append(*arrived(), pain(6))
    (first,) = await house.asks.alerts_of(1)
    await house.log.append(pain(7))
    newest, _ = await house.asks.alerts_of(2)
    assert (newest.route, newest.grouped_with) == (pb.ALERT_ROUTE_GROUPED, first.alert_id)


async def test_all_clinics_are_for_services_of_the_suite_alone(house: House) -> None:
    await house.log.append(pain(9))
    await house.asks.alerts_of(1)
    request = pb.WatchAlertsRequest()
    async with house.as_(SUITE) as suite:
        async for told in suite.stream("WatchAlerts", request):
            assert told.step.alert.patient_id == PATIENT
            break
    error = await refused(anext(aiter(house.asks.stream("WatchAlerts", request))))
    assert error.reason == reasons.ERROR_REASON_NOT_FOUND


async def test_an_alert_is_raised_although_the_trail_s_events_come_right_after_its_cause(
    place: Place,
) -> None:
    async with eventstore(place) as (log, address):
        async with policy(place, address, log):
            pass  # the rules are in force
        trail = event("audit-cli-0", clinic="rehab", access={"rpc": "a test", "allowed": True})
        await log.append(pain(9), trail)
        end = (await log.client.head()).position
        async with policy(place, address, log) as house:
            await house.folded(end)
            assert len(await log.said("alert")) == 1
