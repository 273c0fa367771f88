"""Trials of nudges through the service: told in the log, counted once, reported by arm."""

from __future__ import annotations

import asyncio
from datetime import timedelta

from rehab.events.v1 import alert_pb2
from rehab.policy.v1 import rule_service_pb2 as pb
from rehab_policy.domain.holdout import HOLDOUT, INTERVENTION, arm_of
from rehab_policy.domain.rules import NudgeTrial
from tests.policy.given import CLINIC, EMERGENCY, arrived, book, event, pain
from tests.policy.service import (
    SUITE,
    WAIT_S,
    House,
    Place,
    eventstore,
    housed,
    policy,
    positions,
    stored,
)
from tests.policy.test_rule_sets import files

WORD = """\
  - id: word.kind
    version: 1
    on: [pain_report]
    when: pain_report.nprs <= 2u
    action: nudge
    cooldown: 1h
    {trial}
    message: {{en: "Well done."}}
    owner: tests
    rationale: A word helps, or it does not.
    source: a test
"""
TRIED = WORD.format(trial="trial: {name: kind_word, holdout: 50}")
NEVER_QUIET = 'quiet_hours: ["00:00", "00:00"]\n'
TRIAL = NudgeTrial("kind_word", 50, timedelta(days=3))


def _book(*rules: str, version: int = 1) -> dict[str, str]:
    return {name: NEVER_QUIET + text for name, text in book(*rules, version=version).items()}


PATIENTS = [f"patient-{number}" for number in range(6)]
HELD = [one for one in PATIENTS if arm_of(TRIAL, one) == HOLDOUT]
NUDGED = [one for one in PATIENTS if arm_of(TRIAL, one) == INTERVENTION]
ARMS = [("intervention", len(NUDGED), len(NUDGED), 2, 2), ("holdout", len(HELD), len(HELD), 1, 1)]


async def _lived(house: House) -> None:
    """All are well, and three of them begin a session after that."""
    for one in PATIENTS:
        await house.log.append(*arrived(one), pain(1, one))
    for one in (*NUDGED[:2], *HELD[:1]):
        begun = event(one, exercise_session={"sessionId": f"s-{one}", "started": {}})
        done = event(one, exercise_session={"sessionId": f"s-{one}", "completed": {}})
        await house.log.append(begun, done)
    await house.folded((await house.log.client.head()).position)


async def _arms(house: House) -> list[tuple[str, int, int, int, int]]:
    asked = pb.GetRuleReportRequest(clinic_id=CLINIC)
    report = await house.asks("GetRuleReport", asked)
    (rule,) = [one for one in report.rules if one.rule_id == "word.kind"]
    assert (rule.fired, rule.withheld) == (len(NUDGED), len(HELD))
    assert {one.trial for one in report.trials} == {"kind_word"}
    return [
        (one.arm, one.firings, one.patients, one.followed, one.patients_followed)
        for one in report.trials
    ]


async def test_both_arms_are_told_in_the_log_and_reported_with_what_followed(place: Place) -> None:
    async with housed(place, _book(TRIED)) as house:
        await _lived(house)
        assert await _arms(house) == ARMS
        told = {
            event.envelope.subject_id: (body.nudge.stage, body.nudge.reason, body.nudge.arm)
            for event, body in await house.log.said("nudge")
        }
    sent = alert_pb2.NUDGE_STAGE_DECIDED, "", "intervention"
    withheld = alert_pb2.NUDGE_STAGE_SUPPRESSED, "holdout", "holdout"
    assert told == {**dict.fromkeys(NUDGED, sent), **dict.fromkeys(HELD, withheld)}


async def test_replicas_and_a_fold_from_the_beginning_count_nothing_twice(place: Place) -> None:
    async with eventstore(place) as (log, address):
        async with (
            policy(place, address, log, _book(TRIED)) as one,
            policy(place, address, log, _book(TRIED)) as other,
        ):
            await _lived(one)
            await other.folded((await log.client.head()).position)
            assert await _arms(other) == ARMS
        before = await log.said("nudge")
        end = (await log.client.head()).position
        await stored(place, "UPDATE log_position SET position = 0")
        async with policy(place, address, log, _book(TRIED)) as again:
            async with asyncio.timeout(WAIT_S):
                while (await positions(place))[0] < end:
                    await asyncio.sleep(0.01)
            assert await _arms(again) == ARMS
        assert len(await log.said("nudge")) == len(before)


async def test_a_backtest_shows_both_arms_before_anybody_is_withheld_anything(
    place: Place,
) -> None:
    plain = WORD.format(trial="review: true")
    async with housed(place, _book(plain)) as house, house.as_(SUITE) as suite:
        await _lived(house)
        assert len(await house.log.said("nudge")) == len(PATIENTS)
        candidate = pb.BacktestRequest(book=files(_book(EMERGENCY, TRIED, version=2)))
        told = [one async for one in suite.stream("Backtest", candidate)]
    arms = [
        (one.arm, one.firings, one.patients, one.followed, one.patients_followed)
        for one in told[-1].result.trials
    ]
    assert arms == ARMS
    (rule,) = told[-1].result.rules
    assert (rule.baseline, rule.candidate, rule.removed) == (6, len(NUDGED), len(HELD))
