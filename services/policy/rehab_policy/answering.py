"""Takes what people answer to alerts: into the patient's stream first, then here."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass

from rehab.events.v1 import event_pb2
from rehab.events.v1.alert_pb2 import Alert
from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_policy.naming import named_id
from rehab_policy.storage.alerts import AlertRow, Alerts
from rehab_policy.telling import KIND, fact_told
from rehab_runtime.access.messages import role_number
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import EventIdReused, NotFound, Stale
from rehab_runtime.eventlog import EventLog

LOOKS, LOOK_S = 40, 0.1
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")
_PROVENANCE = {"therapist": event_pb2.PROVENANCE_CLINICIAN}


@dataclass(frozen=True)
class Answering:
    alerts: Alerts
    event_log: EventLog
    clock: Clock

    async def get(self, alert_id: str) -> AlertRow:
        """Raises NotFound."""
        row = await self.alerts.get(alert_id)
        if row is None:
            raise NotFound("no such alert")
        return row

    async def acknowledge(self, caller: Principal, row: AlertRow) -> AlertRow:
        """Raises what the log answers, Erased among it."""
        if row.acknowledged_at is not None or row.resolved_at is not None:
            return row
        alert = Alert(alert_id=row.alert_id)
        alert.acknowledged.SetInParent()
        return await self._tell(caller, row, alert)

    async def resolve(
        self, caller: Principal, row: AlertRow, outcome: str, useful: bool | None
    ) -> AlertRow:
        """The same."""
        if row.resolved_at is not None:
            return row
        alert = Alert(alert_id=row.alert_id)
        alert.resolved.outcome = outcome
        if useful is not None:
            alert.resolved.useful = useful
        return await self._tell(caller, row, alert)

    async def _tell(self, caller: Principal, row: AlertRow, alert: Alert) -> AlertRow:
        event = self._event(caller, row, alert)
        request = store.AppendRequest(stream=row.patient_id)
        request.events.add(envelope=event.envelope, body=event.body.SerializeToString())
        request.expected.any.SetInParent()
        try:
            await self.event_log.append(request)
        except EventIdReused:
            return await self._settled(row, str(alert.WhichOneof("action")))
        fact = fact_told(event)
        assert fact is not None, "an answer is a step of its alert"
        await self.alerts.keep_now([fact])
        return await self.get(row.alert_id)

    async def _settled(self, row: AlertRow, action: str) -> AlertRow:
        """Somebody else was first: what they said is folded in a moment."""
        for _ in range(LOOKS):
            now = await self.get(row.alert_id)
            if now.resolved_at is not None or (action != "resolved" and now.acknowledged_at):
                return now
            await asyncio.sleep(LOOK_S)
        raise Stale("somebody else's answer is not folded yet")

    def _event(self, caller: Principal, row: AlertRow, alert: Alert) -> Event:
        event = Event(body=Body(alert=alert))
        envelope = event.envelope
        envelope.event_id = named_id(KIND, row.alert_id, str(alert.WhichOneof("action")))
        envelope.clinic_id = row.clinic_id
        envelope.subject_id = row.patient_id
        envelope.kind = KIND
        envelope.schema_version = KINDS[KIND].schema_version
        envelope.occurred_at.FromDatetime(self.clock.now())
        envelope.actor.id = caller.id if _ID.fullmatch(caller.id) else "unnamed"
        envelope.actor.role = role_number(caller.role)
        envelope.provenance = _PROVENANCE.get(caller.role, event_pb2.PROVENANCE_SYSTEM)
        envelope.causation_id = row.event_id
        envelope.phi = KINDS[KIND].phi
        envelope.consent_id = row.consent_id
        return event
