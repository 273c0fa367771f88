"""PolicyService: alerts over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable
from datetime import date, datetime
from typing import Any

from rehab.policy.v1 import policy_service_pb2 as pb
from rehab.policy.v1.policy_service_pb2_grpc import PolicyServiceServicer
from rehab_policy.access import Guard
from rehab_policy.answering import Answering
from rehab_policy.errors import broken_rule
from rehab_policy.explaining import Explaining
from rehab_policy.messages import ROUTE_NAMES, alert_message
from rehab_policy.storage.alerts import Alerts, Wanted
from rehab_policy.watching import Watching
from rehab_runtime import pages
from rehab_runtime.auth import current_principal
from rehab_runtime.validation import require_valid

DEFAULT_PAGE = 50
Context = Any


class PolicyServicer(PolicyServiceServicer):
    def __init__(
        self,
        alerts: Alerts,
        answering: Answering,
        explaining: Explaining,
        watching: Watching,
        guard: Guard,
        lag: Callable[[], Awaitable[pb.GetLagResponse]],
    ) -> None:
        self._alerts = alerts
        self._answering = answering
        self._explaining = explaining
        self._watching = watching
        self._guard = guard
        self._lag = lag

    async def ListAlerts(
        self, request: pb.ListAlertsRequest, context: Context
    ) -> pb.ListAlertsResponse:
        require_valid(request)
        self._guard.may_read_clinic(request.clinic_id)
        scope = _scope(request)
        place = pages.redeem(scope, request.page_token, (datetime, str))
        limit = request.page_size or DEFAULT_PAGE
        wanted = Wanted(
            request.clinic_id,
            request.only_patient_id,
            request.therapist_id,
            request.status,
            request.min_severity,
            ROUTE_NAMES.get(request.route, ""),
        )
        after = (place[0], place[1]) if place else None
        rows = await self._alerts.page(wanted, after, limit + 1)
        page = rows[:limit]
        shown = await self._guard.shown("ListAlerts", {one.patient_id for one in page})
        answer = pb.ListAlertsResponse(
            alerts=[alert_message(one) for one in page if one.patient_id in shown]
        )
        if len(rows) > limit:
            last = page[-1]
            answer.next_page_token = pages.issue(scope, (last.raised_at, last.alert_id))
        return answer

    async def ListDigest(
        self, request: pb.ListDigestRequest, context: Context
    ) -> pb.ListDigestResponse:
        require_valid(request)
        self._guard.may_read_clinic(request.clinic_id)
        day = _day(request.local_date)
        rows = await self._alerts.digest(request.clinic_id, request.therapist_id, day)
        shown = await self._guard.shown("ListDigest", {one.patient_id for one in rows})
        return pb.ListDigestResponse(
            alerts=[alert_message(one) for one in rows if one.patient_id in shown],
            budget=self._alerts.routing.budget,
        )

    async def WatchAlerts(
        self, request: pb.WatchAlertsRequest, context: Context
    ) -> AsyncGenerator[pb.WatchAlertsResponse, None]:
        require_valid(request)
        self._guard.may_read_clinic(request.clinic_id)
        async for told in self._watching.told(request):
            yield told

    async def AcknowledgeAlert(
        self, request: pb.AcknowledgeAlertRequest, context: Context
    ) -> pb.AcknowledgeAlertResponse:
        require_valid(request)
        row = await self._answering.get(request.alert_id)
        await self._guard.may("AcknowledgeAlert", row.clinic_id, row.patient_id)
        row = await self._answering.acknowledge(current_principal(), row)
        return pb.AcknowledgeAlertResponse(alert=alert_message(row))

    async def ResolveAlert(
        self, request: pb.ResolveAlertRequest, context: Context
    ) -> pb.ResolveAlertResponse:
        require_valid(request)
        row = await self._answering.get(request.alert_id)
        await self._guard.may("ResolveAlert", row.clinic_id, row.patient_id)
        useful = request.useful if request.HasField("useful") else None
        row = await self._answering.resolve(current_principal(), row, request.outcome, useful)
        return pb.ResolveAlertResponse(alert=alert_message(row))

    async def Explain(self, request: pb.ExplainRequest, context: Context) -> pb.ExplainResponse:
        require_valid(request)
        row = await self._answering.get(request.alert_id)
        await self._guard.may("Explain", row.clinic_id, row.patient_id)
        return await self._explaining.explain(row)

    async def GetLag(self, request: pb.GetLagRequest, context: Context) -> pb.GetLagResponse:
        return await self._lag()


def _scope(request: pb.ListAlertsRequest) -> tuple[str, ...]:
    named = (request.clinic_id, request.only_patient_id, request.therapist_id)
    return (*named, str(request.status), str(request.min_severity), str(request.route))


def _day(told: str) -> date | None:
    if not told:
        return None
    try:
        return date.fromisoformat(told)
    except ValueError:
        raise broken_rule("local_date", "date.exists", "must be a day of the calendar") from None
