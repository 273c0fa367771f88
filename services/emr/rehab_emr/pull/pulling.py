"""What systems that pull are given of patients: as the log tells it at that moment, while the
patient agrees, and never before the log has heard that it leaves."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from rehab.events.v1.event_pb2 import Event
from rehab_emr.domain import keys
from rehab_emr.domain.account import Outcome, delivery_id, told_of
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.resource import Resource
from rehab_emr.domain.subscription import presented, type_of, version_of
from rehab_emr.patients import Patient, Patients
from rehab_emr.preparing import Part, Preparing
from rehab_emr.storage.deliveries import PENDING, Delivery
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.subscriptions import Noted, Subscriptions
from rehab_emr.telling import Teller
from rehab_emr.wanting import links_of
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Erased, Unavailable, VersionConflict

TRIES = 8
"""Of a patient whose record grows meanwhile."""


@dataclass(frozen=True, slots=True)
class Reason:
    """How it leaves. `since` names the disclosure: the same content that leaves again since then is
    the same one, so that a system which looks every minute does not fill the record with that. `at`
    is when the first of them leaves."""

    outcome: Outcome
    since: datetime
    at: datetime


@dataclass(frozen=True)
class Given:
    """A resource that may leave, as the log has heard. `told` tells of it, or what became of it."""

    content: Mapping[str, Any]
    version: str
    part: Part
    position: int
    reason: Reason

    def told(self, outcome: Outcome) -> Event:
        leaving, resource = self.part.leaving, self.part.resource
        identity = delivery_id(leaving, resource, self.position, self.reason.since)
        return told_of(leaving, resource, identity, self.reason.at, outcome)


class Pulling:
    """`base` begins the systems of our identifiers."""

    def __init__(
        self,
        subscriptions: Subscriptions,
        patients: Patients,
        preparing: Preparing,
        teller: Teller,
        clock: Clock,
        base: str,
    ) -> None:
        self._subscriptions = subscriptions
        self._patients = patients
        self._preparing = preparing
        self._teller = teller
        self._clock = clock
        self._base = base

    async def one(
        self, endpoint: Endpoint, type_: str, resource_id: str, reason: Reason
    ) -> Given | None:
        """A resource that the endpoint was told of; None for what it was not, or may not have any
        more, which is all the same to it. Raises Unavailable."""
        if type_ == "Provenance":
            found = await self._subscriptions.of_provenance(endpoint.endpoint_id, resource_id)
        else:
            found = await self._subscriptions.of_resource(endpoint.endpoint_id, resource_id)
        if found is None or found.key is None:
            return None
        if type_ != "Provenance" and type_of(found.key.kind) != type_:
            return None
        wanted = resource_id if type_ == "Provenance" else ""
        given = await self._of_patient(endpoint, [found], reason, provenance_id=wanted)
        return given.get(found.number)

    async def several(
        self, endpoint: Endpoint, events: Sequence[Noted], reason: Reason
    ) -> Mapping[int, Given]:
        """What the events are about, by their numbers; without what may not be had any more."""
        of_patient: dict[str, dict[ResourceKey, Noted]] = {}
        for event in events:
            if event.patient_id is not None and event.key is not None:
                # of several events of one resource the last says what it is
                of_patient.setdefault(event.patient_id, {})[event.key] = event
        given: dict[int, Given] = {}
        for told in of_patient.values():
            given |= await self._of_patient(endpoint, list(told.values()), reason)
        return given

    async def _of_patient(
        self,
        endpoint: Endpoint,
        events: Sequence[Noted],
        reason: Reason,
        *,
        provenance_id: str = "",
    ) -> Mapping[int, Given]:
        """Of one patient. Whatever is told of them in between, it is decided anew. The log is told
        while nobody else here looks at the patient: many pulls at once do not undo each other."""
        patient_id = str(events[0].patient_id)
        for _ in range(TRIES):
            try:
                fine = endpoint.readings
                async with self._patients.as_of_now(patient_id, fine=fine) as patient:
                    given = self._given(endpoint, patient, events, reason, provenance_id)
                    told, version = patient.sharing.disclosures, patient.version
                    leaving = [
                        event
                        for one in given.values()
                        if (event := one.told(reason.outcome)).body.emr_delivery.delivery_id
                        not in told
                    ]
                    if leaving:
                        await self._teller.leaving(leaving, version)
                    return given
            except VersionConflict:
                continue
            except Erased:
                return {}
        raise Unavailable("the patient's record changes too fast")

    def _given(
        self,
        endpoint: Endpoint,
        patient: Patient,
        events: Sequence[Noted],
        reason: Reason,
        provenance_id: str,
    ) -> dict[int, Given]:
        if patient.clinic_id != endpoint.clinic_id:
            return {}
        now = self._clock.now()
        links = links_of(endpoint, self._base, patient.patient_id)
        waiting = [_as_delivery(endpoint, one, now) for one in events]
        prepared = self._preparing.prepared(patient, waiting, links, now)
        numbers = {one.key: one.number for one in events}
        given = {}
        for part in prepared.parts:
            key = part.delivery.key
            whole = _wanted(part, provenance_id)
            if whole is None:
                continue
            version = version_of(part.digest, amended=part.amends)
            content = presented(whole.resource, links, version)
            position = patient.touched[key][1]
            given[numbers[key]] = Given(content, version, whole, position, reason)
        return given


def _wanted(part: Part, provenance_id: str) -> Part | None:
    """The part itself; or its provenance alone, while it is still that of the content."""
    if not provenance_id:
        return part
    found = [one for one in part.beside if one.key == (keys.PROVENANCE, provenance_id)]
    return _alone(part, found[0]) if found else None


def _alone(part: Part, resource: Resource) -> Part:
    return Part(part.delivery, resource, part.digest, part.amends, part.leaving)


def _as_delivery(endpoint: Endpoint, event: Noted, now: datetime) -> Delivery:
    """As what was told of it: whether it amends follows from that."""
    return Delivery(
        endpoint_id=endpoint.endpoint_id,
        patient_id=str(event.patient_id),
        kind=str(event.kind),
        resource_id=str(event.resource_id),
        position=0,
        state=PENDING,
        reason="",
        attempts=0,
        next_at=now,
        disclosed_at=None,
        digest=event.digest,
        accepted=False,
        amended=event.amended,
        remote="",
        remote_version="",
        outcome=None,
        change=0,
        changed_at=now,
    )
