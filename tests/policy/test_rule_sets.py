"""Rule sets: refused with their faults, approved by a second person, in force from a moment on."""

from __future__ import annotations

import asyncio

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.events.v1.event_pb2 import Body
from rehab.policy.v1 import rule_service_pb2 as pb
from rehab_runtime.access.streams import stream_of
from rehab_runtime.auth import Principal
from tests.policy.given import CLINIC, EMERGENCY, arrived, book, pain, rising
from tests.policy.service import SUITE, Asks, House, Place, housed, refused, stored

ADA, BOB = Principal("ada", "admin", CLINIC), Principal("bob", "admin", CLINIC)


def files(told: dict[str, str]) -> pb.RuleFiles:
    return pb.RuleFiles(files=[pb.RuleFile(name=name, text=text) for name, text in told.items()])


async def put(asks: Asks, *rules: str, version: int = 2) -> pb.RuleSet:
    request = pb.PutRuleSetRequest(book=files(book(*rules, version=version)), note="a test")
    return (await asks("PutRuleSet", request)).rule_set


async def approve(asks: Asks, kept: pb.RuleSet) -> pb.RuleSet:
    request = pb.ApproveRuleSetRequest(version=kept.version, sha256=kept.sha256)
    return (await asks("ApproveRuleSet", request)).rule_set


async def become(asks: Asks, version: int, status: pb.RuleSetStatus) -> pb.RuleSet:
    request = pb.TransitionRuleSetRequest(version=version, status=status)
    return (await asks("TransitionRuleSet", request)).rule_set


async def test_a_wrong_rule_set_is_refused_with_lines_columns_and_types(house: House) -> None:
    wrong = rising().replace("pain_report.nprs >= 5u", 'pain_report.nprs >= "five"')
    async with house.as_(ADA) as ada:
        error = await refused(put(ada, EMERGENCY, wrong))
    assert error.reason == reasons.ERROR_REASON_INVALID_ARGUMENT
    (violation,) = error.violations
    line = next(
        number
        for number, text in enumerate(book(EMERGENCY, wrong)["tests.yaml"].splitlines(), 1)
        if '"five"' in text
    )
    assert violation.field.startswith(f"tests.yaml:{line}:")
    assert violation.rule == "pain.high"
    assert "_>=_" in violation.message


async def test_the_author_does_not_approve_and_nothing_goes_live_without(house: House) -> None:
    async with house.as_(ADA) as ada, house.as_(BOB) as bob:
        kept = await put(ada, EMERGENCY)
        assert kept.status == pb.RULE_SET_STATUS_DRAFT
        own = await refused(approve(ada, kept))
        assert own.reason == reasons.ERROR_REASON_PERMISSION_DENIED
        early = await refused(become(ada, 2, pb.RULE_SET_STATUS_LIVE))
        assert [one.rule for one in early.violations] == ["status.order"]
        approved = await approve(bob, kept)
        assert (approved.status, approved.approved_by) == (pb.RULE_SET_STATUS_APPROVED, "bob")
        other = pb.RuleSet(version=2, sha256=bytes(32))
        unread = await refused(approve(bob, other))
        assert [one.rule for one in unread.violations] == ["sha256.of_version"]


async def test_a_version_that_goes_live_decides_from_its_moment_on(house: House) -> None:
    await house.log.append(*arrived(), pain(4))
    async with house.as_(ADA) as ada, house.as_(BOB) as bob:
        await approve(bob, await put(ada, EMERGENCY, rising(4, version=2)))
        made = await become(ada, 2, pb.RULE_SET_STATUS_LIVE)
        async with asyncio.timeout(20):
            number = 0
            while not (alerts := await house.asks.alerts()):
                number += 1
                await house.log.append(pain(4, f"patient-{number + 1}"))
                await asyncio.sleep(0.2)
        assert {(one.rule_id, one.rule_version) for one in alerts} == {("pain.high", 2)}
        assert all(
            one.raised_at.ToNanoseconds() >= made.live_from.ToNanoseconds() for one in alerts
        )
        versions = await ada("ListRuleSets", pb.ListRuleSetsRequest())
    told = [(one.version, pb.RuleSetStatus.Name(one.status)) for one in versions.rule_sets]
    assert told == [(2, "RULE_SET_STATUS_LIVE"), (1, "RULE_SET_STATUS_RETIRED")]
    assert versions.rule_sets[1].ended_at == versions.rule_sets[0].live_from


async def test_a_version_in_the_shadow_is_counted_and_tells_nobody(house: House) -> None:
    async with house.as_(ADA) as ada:
        await put(ada, EMERGENCY, rising(2, version=2))
        await become(ada, 2, pb.RULE_SET_STATUS_SHADOW)
        async with asyncio.timeout(20):
            while not (counted := await _counted(house, "pain.high")):
                await house.log.append(pain(3))
                await asyncio.sleep(0.2)
    assert all(one["shadow"] for one in counted)
    assert await house.log.said("alert") == []
    report = await house.asks("GetRuleReport", pb.GetRuleReportRequest(clinic_id=CLINIC))
    (rule,) = [one for one in report.rules if one.rule_id == "pain.high"]
    assert rule.fired == 0
    assert rule.shadow == len(counted)


async def _counted(house: House, rule_id: str) -> list[object]:
    return await stored(house.place, "SELECT * FROM firing WHERE rule_id = $1", rule_id)


async def test_every_change_is_an_event_of_the_log_in_order(house: House) -> None:
    async with house.as_(ADA) as ada, house.as_(BOB) as bob:
        await approve(bob, await put(ada, EMERGENCY))
        await become(bob, 2, pb.RULE_SET_STATUS_LIVE)
    stream = stream_of("policy", 0, 1)
    async with asyncio.timeout(20):
        while len(events := await house.log.client.read_stream(stream)) < 7:
            await asyncio.sleep(0.05)
    told = [
        (body.version, body.status, event.envelope.actor.id)
        for event in events
        if event.envelope.kind == "policy_change"
        for body in [Body.FromString(event.body).policy_change]
    ]
    assert told == [
        *(("1", status, "rehab") for status in ("draft", "approved", "live")),
        *(("2", "draft", "ada"), ("2", "approved", "bob")),
        *(("1", "retired", "bob"), ("2", "live", "bob")),
    ]


async def test_whoever_is_not_named_changes_no_rules(place: Place) -> None:
    async with housed(place, rule_admins="ada") as house, house.as_(BOB) as bob:
        denied = await refused(put(bob, EMERGENCY))
        assert denied.reason == reasons.ERROR_REASON_PERMISSION_DENIED
        async with house.as_(ADA) as ada:
            assert (await put(ada, EMERGENCY)).version == 2
        assert (await refused(put(house.asks, EMERGENCY))).reason == denied.reason


async def test_a_backtest_tells_what_a_changed_rule_would_have_done(house: House) -> None:
    await house.log.append(*arrived(), pain(4), pain(6), pain(9))
    await house.log.append(*arrived("patient-2"), pain(2, "patient-2"))
    candidate = files(book(EMERGENCY, rising(4), version=2))
    async with house.as_(SUITE) as suite:
        told = [one async for one in suite.stream("Backtest", pb.BacktestRequest(book=candidate))]
    assert told[-2].progress.folded <= told[-2].progress.total
    result = told[-1].result
    rules = {one.rule_id: one for one in result.rules}
    high = rules["pain.high"]
    assert (high.baseline, high.candidate, high.added, high.removed) == (1, 2, 1, 0)
    assert rules["pain.emergency"].added == rules["pain.emergency"].removed == 0
    (changed,) = result.patients_changed
    assert (changed.patient_id, changed.added, changed.removed) == ("patient-1", 1, 0)
    (load,) = result.therapists
    assert (load.therapist_id, load.baseline_per_day, load.candidate_per_day) == ("ann", 2, 3)
    assert result.patients == 2
