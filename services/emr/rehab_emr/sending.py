"""Sends what waits for one patient to one endpoint, in the order of the log. Whoever falls in
between sends the same again, and the receiver finds that it has it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehab.events.v1.event_pb2 import Event
from rehab_emr import metrics
from rehab_emr.domain.account import PUSHED, delivery_id, told_of
from rehab_emr.domain.bundles import bundle
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.verdicts import Answer, judge
from rehab_emr.linking import Linking
from rehab_emr.net.receiver import NoAnswer, Receiver
from rehab_emr.pace import Pace
from rehab_emr.patients import Patient, Patients
from rehab_emr.preparing import Part, Prepared, Preparing
from rehab_emr.settling import Next, Sent, Settling
from rehab_emr.storage.deliveries import HELD, UNMATCHED, Deliveries, Delivery, Planned
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.lanes import Lane, Lanes
from rehab_emr.telling import Teller
from rehab_emr.wanting import dialect_of, form_of, options_of
from rehab_runtime.clock import Clock
from rehab_runtime.errors import VersionConflict

ROUNDS = 50
"""Bundles of one patient before others get their turn."""
LOOK_FOR_PATIENT_S = 3600.0
"""After that the receiver may know a patient whom it did not know."""
LATEST = timedelta(days=3650)
"""A resource that is ready later than that is looked at again then."""


@dataclass(frozen=True)
class Way:
    """What one sending stands on. `base` begins the systems of our identifiers."""

    lanes: Lanes
    deliveries: Deliveries
    patients: Patients
    preparing: Preparing
    settling: Settling
    linking: Linking
    teller: Teller
    pace: Pace
    clock: Clock
    base: str


class Sending:
    """One lane that was claimed. `run` ends when there is nothing to do now."""

    def __init__(self, way: Way, lane: Lane, endpoint: Endpoint, receiver: Receiver) -> None:
        self._way = way
        self._lane = lane
        self._endpoint = endpoint
        self._receiver = receiver
        self._options = options_of(endpoint)
        # with what goes beside them they are to fit into a Bundle
        self._fitting = max(1, endpoint.entries_now // (2 if endpoint.takes_provenance else 1))
        self._most = self._fitting
        self._planned = lane.planned
        self._reference = ""
        self._known: dict[ResourceKey, str] = {}

    async def run(self) -> Next:
        """When it is due again. Raises LostLane, and what log and database raise."""
        for _ in range(ROUNDS):
            after = await self._round()
            if after is not None:
                return after
        return Next(due_in_s=0.0)

    async def _round(self) -> Next | None:
        """None when there may be more to do at once."""
        held = await self._plan()
        if held is not None:
            return held
        if not self._reference:
            unknown = await self._match()
            if unknown is not None:
                return unknown
        waiting = await self._way.deliveries.waiting(self._lane.key, self._most)
        if not waiting:
            return Next(await self._way.deliveries.next_in_s(self._lane.key))
        late_s = await self._way.pace.turn(self._endpoint)
        if late_s:
            return Next(late_s)
        async with self._receiver.slots:
            return await self._send(waiting)

    async def _match(self) -> Next | None:
        """Once a run: who the patient is there, and what is there of them."""
        way, key = self._way, self._lane.key
        try:
            self._reference = await way.linking.reference(
                self._lane, self._endpoint, self._receiver
            )
        except NoAnswer as error:
            return await way.settling.unanswered(self._lane, error)
        if not self._reference:
            await way.deliveries.hold(key, UNMATCHED, "patient_not_matched")
            return Next(LOOK_FOR_PATIENT_S if self._endpoint.patient_system else None)
        await way.deliveries.let_go(key)
        self._known = await way.deliveries.known(key)
        return None

    async def _plan(self) -> Next | None:
        """Deliveries of what is new; how long it is to wait while the patient agrees to nothing."""
        way, now = self._way, self._way.clock.now()
        async with way.patients.as_of_now(self._lane.patient_id) as patient:
            version = patient.version
            planned = self._new(patient, now)
            consent = patient.sharing.consent(now)
            begins_in_s = patient.sharing.begins_in(now)
        if planned:
            async with way.lanes.owned(self._lane) as connection:
                await way.deliveries.plan(connection, self._lane.key, planned)
                await way.lanes.planned(connection, self._lane, version)
        self._planned = version
        if consent is None:
            await way.deliveries.hold(self._lane.key, HELD, "no_consent")
            return Next(begins_in_s)
        return None

    def _new(self, patient: Patient, now: datetime) -> Sequence[Planned]:
        if patient.touched_at <= self._planned:
            return ()
        kinds, planned = self._options.kinds, []
        for key, (version, position) in patient.touched.items():
            if version > self._planned and key.kind in kinds:
                ready = patient.history.ready_at(key) or now
                planned.append(Planned(key, position, min(ready, now + LATEST)))
        return planned

    async def _send(self, waiting: Sequence[Delivery]) -> Next | None:
        way, now = self._way, self._way.clock.now()
        links = Links(way.base, patient=self._reference, known=self._known, options=self._options)
        async with way.patients.as_of_now(self._lane.patient_id) as patient:
            prepared = way.preparing.prepared(patient, waiting, links, now)
            told = patient.sharing.disclosures
        if prepared.ended or prepared.nothing:
            await way.settling.store(self._lane, prepared.ended, prepared.nothing)
        if not prepared.parts:
            return None
        since = await self._disclose(prepared, told)
        if since is None:
            return None
        entries = [one for part in prepared.parts for one in part.entries]
        answer = await self._answer(
            bundle(entries, links, form_of(self._endpoint), dialect_of(self._endpoint))
        )
        judged = judge(answer, len(entries), way.clock.now())
        sent = Sent(self._lane, self._endpoint, tuple(prepared.parts), since)
        after = await way.settling.settle(sent, answer, judged)
        self._known |= after.there
        if after.lasting:
            self._fitting = after.most
        self._most = after.most or min(self._most * 2, self._fitting)
        return after.next

    async def _disclose(
        self, prepared: Prepared, told: Container[str]
    ) -> dict[ResourceKey, datetime] | None:
        """Since when each is on its way, after the log was told. None when something was told of
        the patient meanwhile: then all is decided anew."""
        way, parts = self._way, prepared.parts
        rows = [(one.delivery.key, one.digest, one.amends) for one in parts]
        async with way.lanes.owned(self._lane) as connection:
            since = await way.deliveries.disclosing(connection, self._lane.key, rows)
        await way.lanes.hold_on(self._lane, way.pace.lease_s)
        events = [event for one in parts if (event := _leaving(one, since, told)) is not None]
        try:
            if events:
                await way.teller.leaving(events, prepared.version)
        except VersionConflict:
            async with way.lanes.owned(self._lane) as connection:
                before = [one.delivery for one in parts]
                await way.deliveries.stayed(connection, self._lane.key, before)
            return None
        return since

    async def _answer(self, content: bytes) -> Answer:
        with metrics.request_seconds.time():
            answer = await self._receiver.send(content)
        metrics.requests.labels(answer.fault or f"http_{answer.status}").inc()
        return answer


def _leaving(part: Part, since: dict[ResourceKey, datetime], told: Container[str]) -> Event | None:
    at = since[part.delivery.key]
    identity = delivery_id(part.leaving, part.resource, part.delivery.position, at)
    if identity in told:
        return None
    return told_of(part.leaving, part.resource, identity, at, PUSHED)
