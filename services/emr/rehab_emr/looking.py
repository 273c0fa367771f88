"""Answers about one patient: what would be sent, what was disclosed, what a receiver said."""

from __future__ import annotations

from collections.abc import Sequence

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.access import Guard
from rehab_emr.domain.account import Disclosure
from rehab_emr.domain.bundles import bundle
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Form, Links
from rehab_emr.errors import broken_rule
from rehab_emr.linking import Linking
from rehab_emr.net.receiver import NoAnswer, Person, Receiver
from rehab_emr.patients import Patients
from rehab_emr.preparing import Preparing
from rehab_emr.receivers import Receivers
from rehab_emr.storage.deliveries import Deliveries, Delivery, Wanted
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.lanes import Lanes
from rehab_emr.wanting import dialect_of, form_of, links_of, manner_of, options_of
from rehab_runtime.box import Box
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound, Unavailable

MOST_SHOWN = 500


class Looking:
    def __init__(
        self,
        endpoints: Endpoints,
        lanes: Lanes,
        deliveries: Deliveries,
        patients: Patients,
        preparing: Preparing,
        linking: Linking,
        receivers: Receivers,
        guard: Guard,
        box: Box,
        clock: Clock,
        base: str,
    ) -> None:
        self._endpoints = endpoints
        self._lanes = lanes
        self._deliveries = deliveries
        self._patients = patients
        self._preparing = preparing
        self._linking = linking
        self._receivers = receivers
        self._guard = guard
        self._box = box
        self._clock = clock
        self._base = base

    async def bundle(self, patient_id: str, endpoint_id: str) -> tuple[bytes, Sequence[str]]:
        """The Bundle that would be sent next, and what keeps it from being sent now."""
        endpoint = await self._shared(patient_id, endpoint_id)
        lane, now = (endpoint_id, patient_id), self._clock.now()
        reference = await self._linking.known(lane)
        problems = [f"the endpoint is paused: {endpoint.paused}"] if endpoint.paused else []
        if not reference and not endpoint.notify:
            problems.append("nobody has said who the patient is there: rehab emr link")
        links = await self._links(endpoint, lane, reference)
        waiting = await self._deliveries.to_come(lane, endpoint.entries_now)
        async with self._patients.as_of_now(patient_id, fine=endpoint.readings) as patient:
            if patient.sharing.consent(now) is None:
                return b"", [*problems, "no consent to emr_share is in force"]
            prepared = self._preparing.prepared(patient, waiting, links, now)
        problems += [f"{one.key.kind}: {one.reason}" for one in prepared.ended if one.reason]
        if not prepared.parts:
            return b"", [*problems, "nothing waits"]
        entries = [one for part in prepared.parts for one in part.entries]
        if endpoint.notify:
            problems.append("it is notified, and pulls what is shown")
            return bundle(entries, links, Form.COLLECTION), problems
        told = form_of(endpoint), dialect_of(endpoint), manner_of(endpoint)
        return bundle(entries, links, *told), problems

    async def _links(self, endpoint: Endpoint, lane: tuple[str, str], reference: str) -> Links:
        if endpoint.notify:
            return links_of(endpoint, self._base, lane[1])
        return Links(
            self._base,
            patient=reference or "Patient/unmatched",
            known=await self._deliveries.known(lane),
            options=options_of(endpoint),
        )

    async def link(self, request: pb.LinkPatientRequest) -> int:
        """Who a patient is at a receiver: deliveries that go on. Raises InvalidArgument when not
        exactly one is found there, Unavailable when it does not answer."""
        endpoint = await self._shared(request.patient_id, request.endpoint_id)
        if endpoint.notify:
            message = "must be pushed to: one that pulls knows patients by identifier"
            raise broken_rule("endpoint_id", "pushed", message)
        reference = f"Patient/{request.remote_id}"
        if not request.remote_id:
            with self._receivers.lent(endpoint) as receiver:
                try:
                    reference = await _found(request, receiver)
                except NoAnswer as error:
                    raise Unavailable(f"the receiver does not answer: {error.code}") from None
        await self._linking.link((request.endpoint_id, request.patient_id), reference)
        wanted = Wanted(
            endpoint.clinic_id, request.endpoint_id, request.patient_id, state="unmatched"
        )
        return len(await self._deliveries.page(wanted, None, 1000))

    async def outcome(self, request: pb.GetOutcomeRequest) -> tuple[Delivery, bytes]:
        """Raises NotFound."""
        await self._shared(request.patient_id, request.endpoint_id)
        lane = (request.endpoint_id, request.patient_id)
        key = ResourceKey(request.kind, request.resource_id)
        found = await self._deliveries.one(lane, key)
        if found is None:
            raise NotFound("no such delivery")
        if found.outcome is None:
            return found, b""
        return found, self._box.open(found.outcome, "outcome", *lane, *key)

    async def disclosures(self, patient_id: str) -> Sequence[Disclosure]:
        """From the log, oldest first."""
        clinic_id = await self._lanes.clinic_of(patient_id)
        self._guard.of_clinic(clinic_id, clinic_id)
        async with self._patients.as_of_now(patient_id) as patient:
            return list(patient.sharing.disclosures.values())

    async def _shared(self, patient_id: str, endpoint_id: str) -> Endpoint:
        """An endpoint of the patient's clinic. Raises NotFound."""
        clinic_id = await self._lanes.clinic_of(patient_id)
        endpoint = await self._endpoints.one(endpoint_id)
        self._guard.of_clinic(clinic_id, endpoint.clinic_id)
        return endpoint


async def _found(request: pb.LinkPatientRequest, receiver: Receiver) -> str:
    if request.WhichOneof("by") == "identifier":
        told = request.identifier
        found = await receiver.found_by(told.system, told.value)
        if len(found) != 1:
            raise broken_rule(
                "identifier", "unique", "must be that of exactly one Patient at the receiver"
            )
        return found[0]
    told_of = request.person
    person = Person(told_of.family, tuple(told_of.given), told_of.birth_date, told_of.gender)
    reference = await receiver.matched(person)
    if not reference:
        raise broken_rule("person", "certain", "must match one Patient there, and that for certain")
    return reference
