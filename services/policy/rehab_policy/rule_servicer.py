"""RuleService: rule sets over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Mapping
from datetime import datetime
from typing import Any

from rehab.policy.v1 import rule_service_pb2 as pb
from rehab.policy.v1.rule_service_pb2_grpc import RuleServiceServicer
from rehab_policy.access import RULE_READERS, RULE_WRITERS, Guard
from rehab_policy.administration import Administration
from rehab_policy.backtesting import Asked, Backtesting
from rehab_policy.books import Books
from rehab_policy.domain.expressions import Language
from rehab_policy.domain.loading import load
from rehab_policy.domain.problems import BookError
from rehab_policy.domain.rules import RuleSet
from rehab_policy.errors import broken_rule, refused
from rehab_policy.messages import (
    arm_message,
    limits_to_review,
    report_message,
    rule_message,
    rule_set_message,
)
from rehab_policy.storage.alerts import Alerts
from rehab_policy.storage.rule_sets import RuleSets
from rehab_policy.telling import moment
from rehab_runtime.auth import current_principal
from rehab_runtime.validation import require_valid

STATUS = {
    pb.RULE_SET_STATUS_SHADOW: "shadow",
    pb.RULE_SET_STATUS_LIVE: "live",
    pb.RULE_SET_STATUS_RETIRED: "retired",
}
Context = Any


class RuleServicer(RuleServiceServicer):
    def __init__(
        self,
        rule_sets: RuleSets,
        administration: Administration,
        books: Books,
        alerts: Alerts,
        backtesting: Backtesting,
        language: Language,
        guard: Guard,
    ) -> None:
        self._rule_sets = rule_sets
        self._administration = administration
        self._books = books
        self._alerts = alerts
        self._backtesting = backtesting
        self._language = language
        self._guard = guard

    async def PutRuleSet(
        self, request: pb.PutRuleSetRequest, context: Context
    ) -> pb.PutRuleSetResponse:
        require_valid(request)
        self._guard.must_be(RULE_WRITERS)
        files = _files(request.book)
        row = await self._administration.put(current_principal(), files, request.note)
        return pb.PutRuleSetResponse(rule_set=rule_set_message(row))

    async def ListRuleSets(
        self, request: pb.ListRuleSetsRequest, context: Context
    ) -> pb.ListRuleSetsResponse:
        self._guard.must_be(RULE_READERS)
        rows = await self._rule_sets.all()
        return pb.ListRuleSetsResponse(rule_sets=[rule_set_message(one) for one in rows])

    async def GetRuleSet(
        self, request: pb.GetRuleSetRequest, context: Context
    ) -> pb.GetRuleSetResponse:
        require_valid(request)
        # overrides name patients of every clinic
        self._guard.must_be(RULE_WRITERS)
        self._administration.require_allowed(current_principal())
        row = await self._administration.get(request.version)
        return pb.GetRuleSetResponse(rule_set=rule_set_message(row))

    async def ListRules(
        self, request: pb.ListRulesRequest, context: Context
    ) -> pb.ListRulesResponse:
        require_valid(request)
        self._guard.must_be(RULE_READERS)
        row = await self._administration.get(request.version)
        rules = await self._books.rules_of(row.version)
        told = [rule_message(one) for one in rules.rules]
        weak = limits_to_review(rules)
        return pb.ListRulesResponse(version=row.version, rules=told, limits_to_review=weak)

    async def ApproveRuleSet(
        self, request: pb.ApproveRuleSetRequest, context: Context
    ) -> pb.ApproveRuleSetResponse:
        require_valid(request)
        self._guard.must_be(RULE_WRITERS)
        caller = current_principal()
        row = await self._administration.approve(caller, request.version, request.sha256)
        return pb.ApproveRuleSetResponse(rule_set=rule_set_message(row))

    async def TransitionRuleSet(
        self, request: pb.TransitionRuleSetRequest, context: Context
    ) -> pb.TransitionRuleSetResponse:
        require_valid(request)
        self._guard.must_be(RULE_WRITERS)
        status = STATUS[request.status]
        row = await self._administration.put_in(current_principal(), request.version, status)
        return pb.TransitionRuleSetResponse(rule_set=rule_set_message(row))

    async def Backtest(
        self, request: pb.BacktestRequest, context: Context
    ) -> AsyncGenerator[pb.BacktestResponse, None]:
        require_valid(request)
        self._guard.must_be(RULE_WRITERS)
        self._guard.in_clinic(request.clinic_id)
        asked = Asked(
            await self._kept(request.baseline),
            await self._candidate(request),
            request.clinic_id,
            _since(request),
        )
        async for told in self._backtesting.run(asked):
            if told.HasField("result") and current_principal().role != "service":
                # who runs a clinic's accounts sees no patients
                told.result.ClearField("patients_changed")
            yield told

    async def GetRuleReport(
        self, request: pb.GetRuleReportRequest, context: Context
    ) -> pb.GetRuleReportResponse:
        require_valid(request)
        self._guard.must_be(RULE_READERS)
        self._guard.in_clinic(request.clinic_id)
        asked = (request.clinic_id, _since(request))
        figures = await self._alerts.report(*asked)
        arms = await self._alerts.arms(*asked)
        return pb.GetRuleReportResponse(
            rules=[report_message(one) for one in figures],
            trials=[arm_message(one.trial, one.arm, one) for one in arms],
        )

    async def _candidate(self, request: pb.BacktestRequest) -> RuleSet:
        if request.HasField("book"):
            try:
                return load(_files(request.book), self._language)
            except BookError as error:
                raise refused(error) from None
        return await self._kept(request.version)

    async def _kept(self, version: int) -> RuleSet:
        return await self._books.rules_of((await self._administration.get(version)).version)


def _files(book: pb.RuleFiles) -> Mapping[str, str]:
    files = {one.name: one.text for one in book.files}
    if len(files) < len(book.files):
        raise broken_rule("book.files", "files.names", "must have different names")
    return files


def _since(request: pb.GetRuleReportRequest | pb.BacktestRequest) -> datetime | None:
    """Raises InvalidArgument outside the years 1 to 9999."""
    if not request.HasField("since"):
        return None
    try:
        return moment(request.since)
    except ValueError:
        message = "must be between the years 1 and 9999"
        raise broken_rule("since", "timestamp.range", message) from None
