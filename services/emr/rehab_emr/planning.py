"""Makes deliveries of what is new of a patient, wherever they lead."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from datetime import datetime, timedelta

from rehab_emr.domain.links import Options
from rehab_emr.patients import Patient, Patients
from rehab_emr.settling import Next
from rehab_emr.storage.deliveries import NO_CONSENT, Deliveries, Planned
from rehab_emr.storage.lanes import Lane, Lanes
from rehab_runtime.clock import Clock

LATEST = timedelta(days=3650)
"""A resource that is ready later than that is looked at again then."""


class Planning:
    """Of one lane, for as long as it is ours. `options` tell what is wanted."""

    def __init__(
        self,
        lane: Lane,
        options: Options,
        lanes: Lanes,
        deliveries: Deliveries,
        patients: Patients,
        clock: Clock,
    ) -> None:
        self._lane = lane
        self._options = options
        self._lanes = lanes
        self._deliveries = deliveries
        self._patients = patients
        self._clock = clock
        self._planned = lane.planned
        self._held = lane.held
        self._consents = lane.consents
        self._begun = 0
        self.begins_in_s: float | None = None
        """Until another consent comes into force, as of the last `plan`."""

    def patient(self) -> AbstractAsyncContextManager[Patient]:
        """As of now. Raises what the log answers."""
        return self._patients.as_of_now(self._lane.patient_id, fine=self._options.readings)

    async def plan(self) -> Next | None:
        """How long it is to wait while the patient agrees to nothing. Raises LostLane, and what log
        and database raise."""
        now = self._clock.now()
        async with self.patient() as patient:
            version = patient.version
            planned = self._new(patient, now)
            consent = patient.sharing.consent(now)
            self._begun = patient.sharing.begun(now)
            self.begins_in_s = patient.sharing.begins_in(now)
        if planned:
            async with self._lanes.owned(self._lane) as connection:
                await self._deliveries.plan(connection, self._lane.key, planned, self._held)
                await self._lanes.planned(connection, self._lane, version)
        self._planned = version
        if consent is None:
            await self.hold(NO_CONSENT)
            return Next(self.begins_in_s)
        return None

    async def hold(self, reason: str) -> None:
        """All that waits, waits for that; what comes later is planned so. Raises LostLane."""
        if self._held == reason:
            return
        async with self._lanes.owned(self._lane) as connection:
            await self._deliveries.hold(connection, self._lane.key, reason)
            await self._lanes.stands(connection, self._lane, reason, self._consents)
        self._held = reason

    async def let_go(self) -> None:
        """All that waits goes, but for what none of the same consents was found to cover. Raises
        LostLane."""
        uncovered = self._begun != self._consents
        if not self._held and not uncovered:
            return
        async with self._lanes.owned(self._lane) as connection:
            await self._deliveries.let_go(connection, self._lane.key, uncovered=uncovered)
            await self._lanes.stands(connection, self._lane, "", self._begun)
        self._held, self._consents = "", self._begun

    def _new(self, patient: Patient, now: datetime) -> Sequence[Planned]:
        """Of what was touched since it was last planned, and nothing else is looked at."""
        kinds, planned = self._options.kinds, []
        for key, (version, position) in reversed(patient.touched.items()):
            if version <= self._planned:
                break
            if key.kind in kinds:
                ready = patient.history.ready_at(key) or now
                planned.append(Planned(key, position, min(ready, now + LATEST)))
        return planned
