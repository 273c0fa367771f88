"""Copies of a record as FHIR, and plans that come as FHIR."""

from __future__ import annotations

import hmac
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.events.v1 import event_pb2, plan_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS
from rehab_emr.access import Guard
from rehab_emr.domain.account import named_id
from rehab_emr.domain.export import Order, document, ndjson
from rehab_emr.domain.inbound import plan_of
from rehab_emr.domain.inbound_items import NotUnderstood
from rehab_emr.domain.links import Links
from rehab_emr.errors import broken_rule
from rehab_emr.patients import Patient, Patients
from rehab_emr.storage.lanes import Lanes
from rehab_emr.telling import Teller
from rehab_runtime.access.messages import role_number
from rehab_runtime.auth import current_principal
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import ConsentNotInForce
from rehab_runtime.validation import require_valid

PIECE_BYTES = 256 * 1024
MOST_PLANS = 20
PLANS = ("CarePlan", "ServiceRequest")


class Copying:
    """`secret` keys the ids of what comes in; `base` begins the systems of our identifiers."""

    def __init__(
        self,
        patients: Patients,
        lanes: Lanes,
        teller: Teller,
        guard: Guard,
        clock: Clock,
        base: str,
        secret: bytes,
    ) -> None:
        self._patients = patients
        self._lanes = lanes
        self._teller = teller
        self._guard = guard
        self._clock = clock
        self._base = base
        self._secret = secret

    async def pieces(
        self, patient_id: str, format_: int
    ) -> AsyncIterator[pb.ExportPatientResponse]:
        """Raises NotFound."""
        await self._require(patient_id)
        links = Links(self._base)
        async with self._patients.as_of_now(patient_id) as patient:
            order = Order(str(uuid7()), patient_id, self._clock.now())
            if format_ == pb.EXPORT_FORMAT_NDJSON:
                made = ndjson(patient.history, links, order)
                files = {f"{type_}.ndjson": told for type_, told in made.items()}
            else:
                files = {"document.json": document(patient.history, links, order)}
        for name, told in files.items():
            for first in range(0, len(told), PIECE_BYTES):
                yield pb.ExportPatientResponse(file=name, data=told[first : first + PIECE_BYTES])

    async def imported(self, patient_id: str, text: bytes) -> tuple[Sequence[str], Sequence[str]]:
        """Ids of the events, and what was assumed. Raises InvalidArgument, ConsentNotInForce."""
        await self._require(patient_id)
        found = _plans(text)
        events: list[Event] = []
        assumed: list[str] = []
        async with self._patients.as_of_now(patient_id) as patient:
            for content in found:
                event, assumptions = self._event(patient, content)
                events.append(event)
                assumed += assumptions
        for event in events:
            await self._teller.answered([event])
        return [one.envelope.event_id for one in events], assumed

    def _event(self, patient: Patient, content: Mapping[str, Any]) -> tuple[Event, Sequence[str]]:
        consent = patient.sharing.consent(self._clock.now(), ["plan"], "treatment")
        if consent is None:
            raise ConsentNotInForce("no consent to treatment is in force")
        links, zone = Links(self._base), str(patient.history.zone)
        try:
            draft = plan_of(content, links, zone=zone)
        except NotUnderstood as error:
            raise broken_rule(f"resource_json.{error.path}", "understood", error.rule) from None
        plan = plan_pb2.Plan()
        plan.CopyFrom(draft.plan)
        plan.version = patient.plans.get(plan.plan_id, 0) + 1
        require_valid(plan)
        return self._told(patient, plan, content, consent.consent_id), draft.assumptions

    def _told(
        self, patient: Patient, plan: plan_pb2.Plan, content: Mapping[str, Any], consent_id: str
    ) -> Event:
        """The same resource gives the same id: told once, however often it comes."""
        caller, now = current_principal(), self._clock.now()
        mark = hmac.digest(self._secret, json.dumps(content, sort_keys=True).encode(), "sha256")
        event = Event(body=Body(plan=plan))
        envelope = event.envelope
        envelope.event_id = named_id("careplan", patient.patient_id, mark.hex())
        envelope.clinic_id, envelope.subject_id = patient.clinic_id, patient.patient_id
        envelope.kind, envelope.schema_version = "plan", KINDS["plan"].schema_version
        envelope.occurred_at.FromDatetime(now)
        envelope.actor.id, envelope.actor.role = caller.id, role_number(caller.role)
        envelope.phi, envelope.consent_id = True, consent_id
        envelope.provenance = event_pb2.PROVENANCE_IMPORT
        return event

    async def _require(self, patient_id: str) -> None:
        clinic_id = await self._lanes.clinic_of(patient_id)
        self._guard.of_clinic(clinic_id, clinic_id)


def _plans(text: bytes) -> Sequence[Mapping[str, Any]]:
    try:
        told = json.loads(text)
    except (ValueError, RecursionError):
        raise broken_rule("resource_json", "json", "must be JSON") from None
    if not isinstance(told, dict):
        raise broken_rule("resource_json", "object", "must be a resource")
    found = [told]
    if told.get("resourceType") == "Bundle":
        entries = told.get("entry")
        resources = [
            one.get("resource")
            for one in (entries if isinstance(entries, list) else [])
            if isinstance(one, dict)
        ]
        found = [
            one for one in resources if isinstance(one, dict) and one.get("resourceType") in PLANS
        ]
    if not 1 <= len(found) <= MOST_PLANS:
        raise broken_rule("resource_json", "plans", f"must hold 1 to {MOST_PLANS} plans")
    return found
