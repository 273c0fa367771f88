"""Sends what waits for one patient to one endpoint, in the order of the log. Whoever falls in
between sends the same again, and the receiver finds that it has it."""

from __future__ import annotations

from collections.abc import Container, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehab.events.v1.event_pb2 import Event
from rehab_emr.domain.account import PUSHED, delivery_id, told_of
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Form, Links
from rehab_emr.examining import Examining
from rehab_emr.linking import Linking
from rehab_emr.net.receiver import NoAnswer, Receiver
from rehab_emr.pace import Pace
from rehab_emr.patients import Patients
from rehab_emr.planning import Planning
from rehab_emr.preparing import Part, Prepared, Preparing
from rehab_emr.settling import Next, Sent, Settling
from rehab_emr.storage.deliveries import NOT_MATCHED, Deliveries, Delivery
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.lanes import Lane, Lanes
from rehab_emr.telling import Teller
from rehab_emr.wanting import form_of, most_requests, options_of
from rehab_emr.writing import Writing
from rehab_runtime.clock import Clock
from rehab_runtime.errors import VersionConflict

ROUNDS = 50
"""Bundles of one patient before others get their turn."""
LOOK_FOR_PATIENT_S = 3600.0
"""After that the receiver may know a patient whom it did not know."""
SEEK_S = 60.0
"""A receiver is asked for the same patient no sooner, whatever is told of them meanwhile."""


@dataclass(frozen=True)
class Way:
    """What one sending stands on. `base` begins the systems of our identifiers."""

    lanes: Lanes
    deliveries: Deliveries
    patients: Patients
    preparing: Preparing
    settling: Settling
    examining: Examining
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
        fitting = endpoint.entries_now // (2 if endpoint.takes_provenance else 1)
        self._fitting = 1 if form_of(endpoint) is Form.SINGLY else max(1, fitting)
        self._most = self._fitting
        self._planning = Planning(
            lane, self._options, way.lanes, way.deliveries, way.patients, way.clock
        )
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
        held = await self._planning.plan()
        if held is not None:
            return held
        if self._reference:
            await self._planning.let_go()
        else:
            unknown = await self._match()
            if unknown is not None:
                return unknown
        waiting = await self._way.deliveries.waiting(self._lane.key, self._most)
        if not waiting:
            due = [await self._way.deliveries.next_in_s(self._lane.key), self._planning.begins_in_s]
            return Next(min((one for one in due if one is not None), default=None))
        late_s = await self._way.pace.turn(self._endpoint, most_requests(self._endpoint))
        if late_s:
            return Next(late_s)
        async with self._receiver.slots:
            return await self._send(waiting)

    async def _match(self) -> Next | None:
        """Once a run: who the patient is there, and what is there of them."""
        way, lane = self._way, self._lane
        if lane.link is None and lane.sought_s is not None and lane.sought_s < SEEK_S:
            await self._planning.hold(NOT_MATCHED)
            return Next(SEEK_S - lane.sought_s)
        try:
            self._reference = await way.linking.reference(lane, self._endpoint, self._receiver)
        except NoAnswer as error:
            return await way.settling.unanswered(lane, error)
        if not self._reference:
            await self._planning.hold(NOT_MATCHED)
            if not self._endpoint.patient_system:
                return Next(None)
            await way.lanes.sought(lane)
            return Next(LOOK_FOR_PATIENT_S)
        await self._planning.let_go()
        self._known = await way.deliveries.known(lane.key)
        return None

    async def _send(self, waiting: Sequence[Delivery]) -> Next | None:
        way, now = self._way, self._way.clock.now()
        links = Links(way.base, patient=self._reference, known=self._known, options=self._options)
        async with self._planning.patient() as patient:
            prepared = way.preparing.prepared(patient, waiting, links, now)
            told = patient.sharing.disclosures
        if prepared.ended or prepared.nothing:
            await way.settling.store(self._lane, prepared.ended, prepared.nothing)
        if not prepared.parts:
            return None
        since = await self._disclose(prepared, told)
        if since is None:
            return None
        writing = Writing(self._endpoint, self._receiver, way.clock, way.pace.lag_s, self._hold_on)
        written = await writing.write([part.entries for part in prepared.parts], links)
        if written.is_doubtful:
            await self._hold_on()
            if await way.examining.doubted(self._endpoint):
                # nothing is said of the resources yet: the endpoint is another one by now
                return Next(0.0, quiet_s=written.judged.quiet_s)
        sent = Sent(self._lane, self._endpoint, tuple(prepared.parts), since)
        after = await way.settling.settle(sent, written.answer, written.judged)
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
        await self._hold_on()
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

    async def _hold_on(self) -> None:
        """Raises LostLane."""
        await self._way.lanes.hold_on(self._lane, self._way.pace.lease_s)


def _leaving(part: Part, since: dict[ResourceKey, datetime], told: Container[str]) -> Event | None:
    at = since[part.delivery.key]
    identity = delivery_id(part.leaving, part.resource, part.delivery.position, at)
    if identity in told:
        return None
    return told_of(part.leaving, part.resource, identity, at, PUSHED)
