"""Tells the log of every change of rule sets, in an audit stream of this service's own."""

from __future__ import annotations

import asyncio
import re

from rehab.events.v1 import event_pb2
from rehab.events.v1.admin_pb2 import PolicyChange
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_policy.naming import named_id
from rehab_policy.storage.rule_sets import Change, RuleSets
from rehab_runtime.access.messages import role_number
from rehab_runtime.access.streams import stream_of
from rehab_runtime.errors import EventIdReused, RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger
from rehab_runtime.tasks import set_within

KIND = "policy_change"
CLINIC = "rehab"
"""Rules are of no clinic, but the suite's own."""
LOOK_S = 5.0
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")

log = get_logger("changes")


class ChangeTeller:
    """`run` is its task. A change is stored with what it changes and told after that, once: whoever
    tells it again is known by the event's id."""

    def __init__(self, rule_sets: RuleSets, event_log: EventLog) -> None:
        self._rule_sets = rule_sets
        self._log = event_log
        self._news = asyncio.Event()

    def look(self) -> None:
        self._news.set()

    async def run(self) -> None:
        while True:
            self._news.clear()
            try:
                for change in await self._rule_sets.untold():
                    await self._tell(change)
                    await self._rule_sets.told(change)
            except RehabError as error:
                log.debug("the log does not take changes of rules", reason=error.detail)
            await set_within(self._news, LOOK_S)

    async def _tell(self, change: Change) -> None:
        head = await self._log.head()
        stream = stream_of("policy", 0, head.shards)
        request = store.AppendRequest(stream=stream, events=[_event(stream, change)])
        request.expected.any.SetInParent()
        try:
            await self._log.append(request)
        except EventIdReused:
            log.error("a change of rules was told otherwise", version=change.version)


def _event(stream: str, change: Change) -> store.NewEvent:
    told = PolicyChange(
        policy="rules",
        version=str(change.version),
        sha256=change.sha256,
        approved_by=change.approved_by if change.status in ("approved", "live") else "",
        status=change.status,
    )
    if change.effective_from is not None:
        told.effective_from.FromDatetime(change.effective_from)
    body = event_pb2.Body(policy_change=told)
    event = store.NewEvent(body=body.SerializeToString(deterministic=True))
    envelope = event.envelope
    envelope.event_id = named_id("policy_change", str(change.number), change.at.isoformat())
    envelope.clinic_id = CLINIC
    envelope.subject_id = stream
    envelope.kind = KIND
    envelope.schema_version = KINDS[KIND].schema_version
    envelope.occurred_at.FromDatetime(change.at)
    envelope.actor.id = change.actor if _ID.fullmatch(change.actor) else "unnamed"
    envelope.actor.role = role_number(change.role)
    envelope.provenance = event_pb2.PROVENANCE_SYSTEM
    return event
