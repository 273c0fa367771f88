"""Decisions, what they rest on, emergencies, who saw what: message to call, result to message."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

import grpc

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab.identity.v1 import identity_service_pb2_grpc as pb_grpc
from rehab_identity.facts.deciding import Deciding
from rehab_identity.facts.emergencies import Asked, Emergencies
from rehab_identity.facts.exporting import Exporting
from rehab_identity.facts.hub import Hub, News
from rehab_identity.facts.messages import (
    emergency_message,
    entry_message,
    moment_of,
    notice_message,
)
from rehab_identity.facts.notices import Notices
from rehab_identity.facts.patients import Patients
from rehab_identity.facts.searching import Searching
from rehab_identity.facts.storage import Storage
from rehab_runtime import pages
from rehab_runtime.access.decide import Decision
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.messages import facts_message, principal_of
from rehab_runtime.auth import ROLES, Principal, current_principal, require_service
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, InvalidArgument, NotFound, Unauthenticated, Violation
from rehab_runtime.validation import require_valid

Context = grpc.aio.ServicerContext
PAGE_SIZE = 50
ENDED = timedelta(minutes=5)
"""After that long no clock of ours takes emergency access for one that has not ended."""
LONGEST_WATCH = timedelta(minutes=10)
"""As long as a token lets in."""
TOLD_AT_ONCE = 1000
"""Ids in a message of a watch."""
_PATH = "/rehab.identity.v1.IdentityService/"


@dataclass(frozen=True)
class Parts:
    """What the RPCs are answered with."""

    patients: Patients
    storage: Storage
    deciding: Deciding
    hub: Hub
    emergencies: Emergencies
    exporting: Exporting
    searching: Searching
    notices: Notices
    revoked_since: Callable[[Principal, float], bool]
    gate: Gate
    clock: Clock


class IdentityServicer(pb_grpc.IdentityServiceServicer):
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    async def Authorize(
        self, request: pb.AuthorizeRequest, context: Context
    ) -> pb.AuthorizeResponse:
        require_service()
        require_valid(request)
        caller = principal_of(request.principal)
        if caller.role not in ROLES:
            raise _invalid("principal.role", "enum.defined_only", "must be a role")
        decision = await self._parts.deciding.decide(
            caller, request.rpc, request.patient_id, request.clinic_id, moment_of(request, "at")
        )
        return pb.AuthorizeResponse(
            allowed=decision.allowed, reason=decision.reason, consent_id=decision.consent_id
        )

    async def GetPatientFacts(
        self, request: pb.GetPatientFactsRequest, context: Context
    ) -> pb.GetPatientFactsResponse:
        require_service()
        require_valid(request)
        found = await self._parts.patients.facts_of(request.patient_ids)
        ended = self._parts.clock.now() - ENDED
        facts = [
            replace(one, grants=tuple(grant for grant in one.grants if grant.until > ended))
            for one in (found[patient_id] for patient_id in request.patient_ids)
        ]
        return pb.GetPatientFactsResponse(facts=map(facts_message, facts))

    async def WatchAccess(
        self, request: pb.WatchAccessRequest, context: Context
    ) -> AsyncIterator[pb.WatchAccessResponse]:
        require_service()
        async with aclosing(self._parts.hub.watch()) as watch:
            async for news in watch:
                for message in _messages(news):
                    yield message

    async def TakeEmergencyAccess(
        self, request: pb.TakeEmergencyAccessRequest, context: Context
    ) -> pb.TakeEmergencyAccessResponse:
        require_valid(request)
        asked = Asked(request.patient_id, request.reason, request.minutes)
        taken = await self._parts.emergencies.take(asked)
        return pb.TakeEmergencyAccessResponse(grant=emergency_message(taken))

    async def EndEmergencyAccess(
        self, request: pb.EndEmergencyAccessRequest, context: Context
    ) -> pb.EndEmergencyAccessResponse:
        require_valid(request)
        with self._parts.gate.denials(_PATH + "EndEmergencyAccess"):
            patient_id = await self._parts.emergencies.end(request.grant_id)
        await self._trace("EndEmergencyAccess", [patient_id])
        return pb.EndEmergencyAccessResponse()

    async def ReviewEmergencyAccess(
        self, request: pb.ReviewEmergencyAccessRequest, context: Context
    ) -> pb.ReviewEmergencyAccessResponse:
        require_valid(request)
        with self._parts.gate.denials(_PATH + "ReviewEmergencyAccess"):
            patient_id = await self._parts.emergencies.review(request.grant_id, request.finding)
        await self._trace("ReviewEmergencyAccess", [patient_id])
        return pb.ReviewEmergencyAccessResponse()

    async def _trace(self, rpc: str, patient_ids: Sequence[str], reason: str = "") -> None:
        reason = reason or ("clinic" if current_principal().role == "admin" else "own")
        await self._parts.gate.trace(_PATH + rpc, Decision(True, reason), patient_ids)

    async def ListEmergencyAccess(
        self, request: pb.ListEmergencyAccessRequest, context: Context
    ) -> pb.ListEmergencyAccessResponse:
        require_valid(request)
        scope = ("emergencies", request.clinic_id, str(request.unreviewed))
        limit = request.page_size or PAGE_SIZE
        found = await self._parts.emergencies.of_clinic(
            request.clinic_id,
            _place(scope, request.page_token),
            limit + 1,
            unreviewed=request.unreviewed,
        )
        shown = found[:limit]
        token = ""
        if len(found) > limit:
            token = pages.issue(scope, [shown[-1].taken_at, shown[-1].grant_id])
        return pb.ListEmergencyAccessResponse(
            grants=map(emergency_message, shown), next_page_token=token
        )

    async def WatchEmergencyAccess(
        self, request: pb.WatchEmergencyAccessRequest, context: Context
    ) -> AsyncIterator[pb.WatchEmergencyAccessResponse]:
        require_valid(request)
        caller, began = current_principal(), self._parts.clock.now()
        hearer = caller.id if caller.role == "therapist" else ""
        after = request.after if request.HasField("after") else None
        watching = self._parts.notices.watch(request.clinic_id, hearer, after)
        async with aclosing(watching) as steps:
            async for seq, notices in steps:
                if self._parts.revoked_since(caller, began.timestamp()):
                    raise Unauthenticated("revoked meanwhile")
                if self._parts.clock.now() - began > LONGEST_WATCH:
                    raise Draining("whoever goes on shows again who they are")
                if notices:
                    subjects = [one.taken.patient_id for one in notices]
                    await self._trace("WatchEmergencyAccess", subjects, "clinic")
                for one in notices:
                    yield notice_message(one)
                if not notices:
                    yield pb.WatchEmergencyAccessResponse(seq=seq)

    async def ListAccess(
        self, request: pb.ListAccessRequest, context: Context
    ) -> pb.ListAccessResponse:
        require_valid(request)
        since, until = moment_of(request, "since"), moment_of(request, "until")
        scope = ("access", request.patient_id, str(since), str(until))
        limit = request.page_size or PAGE_SIZE
        after = _entry_place(scope, request.page_token)
        found = await self._parts.storage.entries(
            request.patient_id, since, until, after, limit + 1
        )
        shown = found[:limit]
        token = ""
        if len(found) > limit:
            token = pages.issue(scope, [shown[-1].at, shown[-1].event_id])
        return pb.ListAccessResponse(entries=map(entry_message, shown), next_page_token=token)

    async def SearchAccess(
        self, request: pb.SearchAccessRequest, context: Context
    ) -> pb.SearchAccessResponse:
        require_valid(request)
        if patient_id := request.filter.patient_id:
            method = _PATH + "SearchAccess"
            decisions = await self._parts.gate.decide_each(method, [patient_id])
            if not decisions[patient_id].allowed:
                raise NotFound(f"denied: {decisions[patient_id].reason}")
        found, token = await self._parts.searching.page(request)
        return pb.SearchAccessResponse(entries=map(entry_message, found), next_page_token=token)

    async def ExportPatient(
        self, request: pb.ExportPatientRequest, context: Context
    ) -> AsyncIterator[pb.ExportPatientResponse]:
        require_valid(request)
        async with aclosing(self._parts.exporting.lines(request.patient_id)) as pieces:
            async for lines in pieces:
                yield pb.ExportPatientResponse(lines=lines)


def _messages(news: News) -> list[pb.WatchAccessResponse]:
    """At least one: the silence is what counts."""
    patients = sorted(news.patients)
    size = max(len(patients), len(news.revoked), 1)
    messages = []
    for first in range(0, size, TOLD_AT_ONCE):
        message = pb.WatchAccessResponse(
            patient_ids=patients[first : first + TOLD_AT_ONCE], everything=news.everything
        )
        for revocation in news.revoked[first : first + TOLD_AT_ONCE]:
            message.revoked.append(revocation.id)
            message.revocations.add(id=revocation.id).at.FromDatetime(revocation.at)
        messages.append(message)
    return messages


def _place(scope: tuple[str, ...], token: str) -> tuple[datetime, str] | None:
    place = pages.redeem(scope, token, (datetime, str))
    return (place[0], place[1]) if place is not None else None


def _entry_place(scope: tuple[str, ...], token: str) -> tuple[datetime, str] | None:
    """Entries are told apart by the ids of events: a forged token may name anything."""
    place = _place(scope, token)
    try:
        return (place[0], str(UUID(place[1]))) if place is not None else None
    except ValueError:
        raise pages.refused() from None


def _invalid(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, rule, message)])
