"""Alerts as they stand, the way each reached people, and the outbox of their steps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta, tzinfo
from typing import Any

import asyncpg

from rehab_runtime.postgres import Database, Queries

CHANNEL = "policy_steps"
"""Told when steps were added."""


@dataclass(frozen=True, slots=True)
class AlertFact:
    """What an event of the log tells of an alert. `raised` is there where it is raised."""

    alert_id: str
    event_id: str
    kind: str
    at: datetime
    recorded_at: datetime | None
    """None for what is being told at this moment."""
    actor: str
    raised: Raised | None = None
    outcome: str = ""
    useful: bool | None = None
    times: int = 0
    """How often its rule fired by now, where it did so again."""


@dataclass(frozen=True, slots=True)
class Raised:
    clinic_id: str
    patient_id: str
    rule_id: str
    rule_version: int
    severity: int
    channel: str
    emergency: bool
    message_key: str
    consent_id: str
    trigger_id: str
    deadline: datetime | None
    therapist_id: str = ""
    """Of whom it is known at this moment; else the one whom the fold knows."""


@dataclass(frozen=True, slots=True)
class AlertRow:
    """An alert as it stands."""

    alert_id: str
    clinic_id: str
    patient_id: str
    therapist_id: str
    rule_id: str
    rule_version: int
    severity: int
    channel: str
    emergency: bool
    message_key: str
    consent_id: str
    event_id: str
    trigger_id: str
    raised_at: datetime
    deadline: datetime | None
    route: str
    grouped_with: str
    routed_on: date
    acknowledged_at: datetime | None
    acknowledged_by: str
    resolved_at: datetime | None
    resolved_by: str
    outcome: str
    useful: bool | None
    times: int
    last_at: datetime | None


@dataclass(frozen=True, slots=True)
class Step:
    """`alert` as it stands now."""

    seq: int
    kind: str
    alert: AlertRow


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which alerts; what is empty or 0 means any."""

    clinic_id: str
    patient_id: str = ""
    therapist_id: str = ""
    status: int = 0
    min_severity: int = 0
    route: str = ""


@dataclass(frozen=True, slots=True)
class RuleFigures:
    rule_id: str
    version: int
    action: str
    fired: int
    shadow: int
    acknowledged: int
    useful: int
    not_useful: int
    digested: int
    withheld: int
    merged: int


@dataclass(frozen=True, slots=True)
class ArmFigures:
    """Of nudges that were sent, or withheld, in one arm of a trial; those that a session `followed`
    in time. `patients_followed` counts each patient's first nudge alone."""

    trial: str
    arm: str
    firings: int
    followed: int
    patients: int
    patients_followed: int


@dataclass(frozen=True, slots=True)
class Routing:
    """A therapist is told at once of `budget` alerts in a day of the `zone`; alerts of a patient
    within `together` of another one are shown with it."""

    budget: int
    zone: tzinfo
    together: timedelta


class Alerts:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries, routing: Routing) -> None:
        self.routing = routing
        self._database = database
        self._queries = queries

    async def keep(
        self, connection: asyncpg.Connection, facts: Sequence[AlertFact], shard: int | None = None
    ) -> None:
        """Bring alerts up to date with what the log tells, in its order. Told again it changes
        nothing, and what was recorded before the shard's fold began adds no step."""
        if not facts:
            return
        await connection.execute(self._queries["durably"])
        await connection.execute(self._queries["own_steps"])
        for fact in facts:
            await self._apply(connection, fact)
            told = (fact.alert_id, fact.event_id, fact.kind, fact.recorded_at, shard)
            await connection.execute(self._queries["step"], *told)
        await connection.execute(self._queries["tell"])

    async def keep_now(self, facts: Sequence[AlertFact]) -> None:
        """In a transaction of its own, ahead of the fold."""
        async with self._database.transaction() as connection:
            await self.keep(connection, facts)

    async def _apply(self, connection: asyncpg.Connection, fact: AlertFact) -> None:
        match fact.kind:
            case "raised":
                await self._raise(connection, fact)
            case "acknowledged":
                told = (fact.alert_id, fact.at, fact.actor)
                await connection.execute(self._queries["acknowledge"], *told)
            case "resolved":
                end = (fact.alert_id, fact.at, fact.actor, fact.outcome, fact.useful)
                await connection.execute(self._queries["resolve"], *end)
            case "escalated":
                await connection.execute(self._queries["escalate"], fact.alert_id)
            case "recurred":
                again = (fact.alert_id, fact.times, fact.at)
                await connection.execute(self._queries["recur"], *again)
            case _:
                pass  # a step without an effect here

    async def _raise(self, connection: asyncpg.Connection, fact: AlertFact) -> None:
        one, routing = fact.raised, self.routing
        assert one is not None, "an alert that is raised says what it is"
        await connection.execute(
            self._queries["raise"],
            *(fact.alert_id, one.clinic_id, one.patient_id, one.rule_id, one.rule_version),
            *(one.severity, one.channel, one.emergency, one.message_key, one.consent_id),
            *(fact.event_id, one.trigger_id, fact.at, one.deadline, routing.budget),
            *(fact.at.astimezone(routing.zone).date(), routing.together, one.therapist_id),
        )

    async def get(self, alert_id: str) -> AlertRow | None:
        row = await self._database.fetchrow(self._queries["alert"], alert_id)
        return _alert(row) if row is not None else None

    async def page(
        self, wanted: Wanted, after: tuple[datetime, str] | None, limit: int
    ) -> Sequence[AlertRow]:
        """Newest first, after a place in that order."""
        place = after or (None, "")
        rows = await self._database.fetch(
            self._queries["alerts"],
            *(wanted.clinic_id, wanted.patient_id, wanted.therapist_id, wanted.status),
            *(wanted.min_severity, wanted.route, *place, limit),
        )
        return [_alert(row) for row in rows]

    async def digest(
        self, clinic_id: str, therapist_id: str, day: date | None
    ) -> Sequence[AlertRow]:
        told = (clinic_id, therapist_id, day)
        return [_alert(row) for row in await self._database.fetch(self._queries["digest"], *told)]

    async def head(self) -> int:
        row = await self._database.fetchrow(self._queries["head"])
        return int(row["seq"]) if row is not None else 0

    async def steps(
        self, after: int, up_to: int, clinic_id: str, therapist_id: str, limit: int
    ) -> Sequence[Step]:
        told = (after, up_to, clinic_id, therapist_id, limit)
        rows = await self._database.fetch(self._queries["steps"], *told)
        return [Step(row["seq"], row["kind"], _alert(row)) for row in rows]

    async def report(self, clinic_id: str, since: datetime | None) -> Sequence[RuleFigures]:
        rows = await self._database.fetch(self._queries["report"], clinic_id, since)
        return [RuleFigures(**row) for row in rows]

    async def arms(self, clinic_id: str, since: datetime | None) -> Sequence[ArmFigures]:
        rows = await self._database.fetch(self._queries["arms"], clinic_id, since)
        return [ArmFigures(**row) for row in rows]


_FIELDS = tuple(AlertRow.__dataclass_fields__)


def _alert(row: Any) -> AlertRow:
    told = {name: row[name] for name in _FIELDS}
    return AlertRow(**{**told, "event_id": str(told["event_id"])})
