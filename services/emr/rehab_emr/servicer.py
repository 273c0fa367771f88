"""EmrService over gRPC."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable
from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.emr.v1.emr_service_pb2_grpc import EmrServiceServicer
from rehab_emr.access import Guard
from rehab_emr.copying import Copying
from rehab_emr.looking import Looking
from rehab_emr.messages import (
    delivery_message,
    disclosure_message,
    endpoint_message,
    state_name,
    statuses,
    subscription_message,
)
from rehab_emr.pull.subscribing import Subscribing
from rehab_emr.pull.tokens import PullTokens
from rehab_emr.receivers import Receivers
from rehab_emr.registering import Registering
from rehab_emr.storage.deliveries import Deliveries, Wanted
from rehab_emr.storage.endpoints import Endpoints
from rehab_emr.watching import Watching
from rehab_runtime import pages
from rehab_runtime.validation import require_valid

DEFAULT_PAGE = 100
Context = Any


class EmrServicer(EmrServiceServicer):
    """`threshold` failures in a row open a breaker; `look` is told when something may be due."""

    def __init__(
        self,
        registering: Registering,
        endpoints: Endpoints,
        deliveries: Deliveries,
        receivers: Receivers,
        looking: Looking,
        copying: Copying,
        watching: Watching,
        subscribing: Subscribing,
        tokens: PullTokens,
        guard: Guard,
        threshold: int,
        look: Callable[[], None],
    ) -> None:
        self._registering = registering
        self._endpoints = endpoints
        self._deliveries = deliveries
        self._receivers = receivers
        self._looking = looking
        self._copying = copying
        self._watching = watching
        self._subscribing = subscribing
        self._tokens = tokens
        self._guard = guard
        self._threshold = threshold
        self._look = look

    async def RegisterEndpoint(
        self, request: pb.RegisterEndpointRequest, context: Context
    ) -> pb.RegisterEndpointResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        stored = await self._registering.register(request)
        return pb.RegisterEndpointResponse(
            endpoint=endpoint_message(stored.endpoint),
            pull_token=stored.token,
            fhir_base=self._subscribing.facade if stored.endpoint.notify else "",
        )

    async def ListEndpoints(
        self, request: pb.ListEndpointsRequest, context: Context
    ) -> pb.ListEndpointsResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        found = await self._endpoints.of_clinic(request.clinic_id)
        return pb.ListEndpointsResponse(endpoints=map(endpoint_message, found))

    async def TestEndpoint(
        self, request: pb.TestEndpointRequest, context: Context
    ) -> pb.TestEndpointResponse:
        require_valid(request)
        self._guard.may_see(request.patient_id, "therapist")
        content, problems = await self._looking.bundle(request.patient_id, request.endpoint_id)
        return pb.TestEndpointResponse(bundle_json=content, problems=problems)

    async def LinkPatient(
        self, request: pb.LinkPatientRequest, context: Context
    ) -> pb.LinkPatientResponse:
        require_valid(request)
        self._guard.may_see(request.patient_id, "admin")
        waiting = await self._looking.link(request)
        self._look()
        return pb.LinkPatientResponse(waiting=waiting)

    async def ListDeliveries(
        self, request: pb.ListDeliveriesRequest, context: Context
    ) -> pb.ListDeliveriesResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        asked = (request.clinic_id, request.endpoint_id, request.only_patient_id)
        wanted = Wanted(*asked, state_name(request.state))
        scope = (*asked, wanted.state)
        place = pages.redeem(scope, request.page_token, (int,))
        limit = request.page_size or DEFAULT_PAGE
        rows = await self._deliveries.page(wanted, place[0] if place else None, limit + 1)
        answer = pb.ListDeliveriesResponse(deliveries=map(delivery_message, rows[:limit]))
        if len(rows) > limit:
            answer.next_page_token = pages.issue(scope, (rows[limit - 1].change,))
        return answer

    async def GetOutcome(
        self, request: pb.GetOutcomeRequest, context: Context
    ) -> pb.GetOutcomeResponse:
        require_valid(request)
        self._guard.may_see(request.patient_id, "therapist")
        delivery, outcome = await self._looking.outcome(request)
        return pb.GetOutcomeResponse(delivery=delivery_message(delivery), outcome_json=outcome)

    async def Replay(self, request: pb.ReplayRequest, context: Context) -> pb.ReplayResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        await self._endpoints.one(request.endpoint_id, request.clinic_id)
        replayed = await self._deliveries.replay(
            request.endpoint_id,
            request.only_patient_id,
            request.only_kind,
            (request.from_position, request.until_position),
            delivered=request.delivered,
        )
        self._look()
        return pb.ReplayResponse(replayed=replayed)

    async def Pause(self, request: pb.PauseRequest, context: Context) -> pb.PauseResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        await self._endpoints.one(request.endpoint_id, request.clinic_id)
        paused = await self._endpoints.pause(request.endpoint_id, "by_hand")
        self._receivers.look()
        return pb.PauseResponse(endpoint=endpoint_message(paused))

    async def Resume(self, request: pb.ResumeRequest, context: Context) -> pb.ResumeResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        await self._endpoints.one(request.endpoint_id, request.clinic_id)
        resumed = await self._endpoints.resume(request.endpoint_id)
        self._receivers.look()
        return pb.ResumeResponse(endpoint=endpoint_message(resumed))

    async def GetStatus(
        self, request: pb.GetStatusRequest, context: Context
    ) -> pb.GetStatusResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        rows = await self._deliveries.counts(request.clinic_id)
        return pb.GetStatusResponse(endpoints=statuses(rows, self._threshold))

    async def WatchDeliveries(
        self, request: pb.WatchDeliveriesRequest, context: Context
    ) -> AsyncGenerator[pb.WatchDeliveriesResponse, None]:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        async for told in self._watching.told(request):
            yield told

    async def GetSubscription(
        self, request: pb.GetSubscriptionRequest, context: Context
    ) -> pb.GetSubscriptionResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        endpoint = await self._endpoints.one(request.endpoint_id, request.clinic_id)
        return subscription_message(*await self._subscribing.looked_at(endpoint))

    async def RotatePullToken(
        self, request: pb.RotatePullTokenRequest, context: Context
    ) -> pb.RotatePullTokenResponse:
        require_valid(request)
        self._guard.may_run_clinic(request.clinic_id)
        await self._endpoints.one(request.endpoint_id, request.clinic_id)
        token = await self._tokens.rotated(request.endpoint_id)
        return pb.RotatePullTokenResponse(pull_token=token)

    async def ListDisclosures(
        self, request: pb.ListDisclosuresRequest, context: Context
    ) -> pb.ListDisclosuresResponse:
        require_valid(request)
        self._guard.may_see(request.patient_id, "patient", "admin")
        found = await self._looking.disclosures(request.patient_id)
        return pb.ListDisclosuresResponse(disclosures=map(disclosure_message, found))

    async def ExportPatient(
        self, request: pb.ExportPatientRequest, context: Context
    ) -> AsyncGenerator[pb.ExportPatientResponse, None]:
        require_valid(request)
        self._guard.may_see(request.patient_id, "patient")
        async for piece in self._copying.pieces(request.patient_id, request.format):
            yield piece

    async def ImportCarePlan(
        self, request: pb.ImportCarePlanRequest, context: Context
    ) -> pb.ImportCarePlanResponse:
        require_valid(request)
        self._guard.may_see(request.patient_id, "therapist")
        told, assumed = await self._copying.imported(request.patient_id, request.resource_json)
        return pb.ImportCarePlanResponse(event_ids=told, assumptions=assumed)
