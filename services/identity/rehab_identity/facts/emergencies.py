"""Access in an emergency: taken for a reason and a while, ended, reviewed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import Body
from rehab_identity import metrics
from rehab_identity.domain.record import Emergency, PatientRecord
from rehab_identity.facts.patients import Patients
from rehab_identity.facts.storage import Storage, Taken
from rehab_identity.facts.telling import Teller, named_id
from rehab_runtime.auth import Principal, current_principal
from rehab_runtime.clock import Clock, uuid7
from rehab_runtime.errors import (
    AlreadyExists,
    NotFound,
    PermissionDenied,
    RehabError,
    Violation,
)
from rehab_runtime.logging import get_logger

DEFAULT_MINUTES = 60
REPEATED = timedelta(seconds=60)
"""Within that time the same is asked by a retry, not by a new emergency."""
LOOK_S = 30.0

log = get_logger("emergencies")


@dataclass(frozen=True, slots=True)
class Asked:
    """`minutes` is how long it is to last."""

    patient_id: str
    reason: str
    minutes: int


class Emergencies:
    def __init__(self, patients: Patients, storage: Storage, teller: Teller) -> None:
        self._patients = patients
        self._storage = storage
        self._teller = teller

    async def take(self, asked: Asked) -> Taken:
        """Told by the log before it returns. Raises NotFound, Erased, and what the log answers."""
        patient = await self._patients.living(asked.patient_id)
        now, caller = self._teller.now(), current_principal()
        until = now + timedelta(minutes=asked.minutes or DEFAULT_MINUTES)
        same = _same(patient, caller.id, asked.reason, now, until)
        if same is None:
            grant_id = str(uuid7())
            body = Body(
                break_glass=admin_pb2.BreakGlass(
                    grant_id=grant_id,
                    stage=admin_pb2.BREAK_GLASS_STAGE_GRANTED,
                    reason=asked.reason,
                )
            )
            body.break_glass.expires_at.FromDatetime(until)
            await self._teller.tell(patient, body, at=now)
        else:
            grant_id = same.grant_id
        return await self._taken(grant_id)

    async def end(self, grant_id: str) -> str:
        """The patient's id. Raises NotFound for what is neither the caller's nor of a clinic that
        the caller runs."""
        taken, caller = await self._taken(grant_id), current_principal()
        if not _may_end(caller, taken):
            raise NotFound("not the caller's")
        patient = await self._patients.living(taken.patient_id)
        standing = patient.emergency(grant_id)
        now = self._teller.now()
        if standing is not None and standing.ended_at is None and now < standing.until:
            await self._step(patient, grant_id, admin_pb2.BREAK_GLASS_STAGE_ENDED, now)
        return taken.patient_id

    async def review(self, grant_id: str, finding: str) -> str:
        """The patient's id. Raises NotFound beyond the clinic, PermissionDenied for who took it,
        AlreadyExists when it was reviewed with another finding."""
        taken, caller = await self._taken(grant_id), current_principal()
        if not caller.may_act_for(taken.clinic_id):
            raise NotFound("of another clinic")
        if caller.id == taken.principal_id:
            raise PermissionDenied("own access", metadata={"reason": "own_access"})
        if taken.reviewed_at is None:
            patient = await self._patients.living(taken.patient_id)
            stage = admin_pb2.BREAK_GLASS_STAGE_REVIEWED
            await self._step(patient, grant_id, stage, self._teller.now(), finding)
            taken = await self._taken(grant_id)
        if taken.finding != finding:
            rule = Violation("finding", "finding.first", "must be that of the review there is")
            raise AlreadyExists(violations=[rule])
        return taken.patient_id

    async def _step(
        self,
        patient: PatientRecord,
        grant_id: str,
        stage: admin_pb2.BreakGlassStage,
        at: datetime,
        finding: str = "",
    ) -> None:
        told = admin_pb2.BreakGlass(grant_id=grant_id, stage=stage, finding=finding)
        await self._teller.tell(
            patient,
            Body(break_glass=told),
            at=at,
            event_id=named_id(
                patient.patient_id, admin_pb2.BreakGlassStage.Name(stage).lower(), grant_id
            ),
        )

    async def _taken(self, grant_id: str) -> Taken:
        found = await self._storage.emergency(grant_id)
        if found is None:
            raise NotFound("no such access")
        return found

    async def of_clinic(
        self, clinic_id: str, after: tuple[datetime, str] | None, limit: int, *, unreviewed: bool
    ) -> Sequence[Taken]:
        return await self._storage.emergencies(clinic_id, after, limit, unreviewed=unreviewed)


async def count_overdue(storage: Storage, clock: Clock, within: timedelta) -> None:
    """Keep the figure of reviews that are overdue, for ever."""
    while True:
        try:
            metrics.overdue.set(await storage.overdue(clock.now() - within))
        except RehabError as error:
            log.warning("cannot count overdue reviews", reason=error.detail)
        await asyncio.sleep(LOOK_S)


def _same(
    patient: PatientRecord, principal_id: str, reason: str, now: datetime, until: datetime
) -> Emergency | None:
    """What a retry of the question would answer."""
    return next(
        (
            one
            for one in patient.emergencies
            if one.principal_id == principal_id
            and one.reason == reason
            and one.ended_at is None
            and now < one.until
            and until - REPEATED <= one.until
        ),
        None,
    )


def _may_end(caller: Principal, taken: Taken) -> bool:
    if caller.role == "admin":
        return caller.may_act_for(taken.clinic_id)
    return caller.id == taken.principal_id and caller.may_act_for(taken.clinic_id)
