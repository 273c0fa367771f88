"""The work queue of a clinic, as of a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_start, first_zone, local_date
from rehab_clinical.facts import Fact

from rehab.events.v1 import plan_pb2
from rehab_projections.answers import AsOf, as_session
from rehab_projections.cache import Recent
from rehab_projections.domain.absence import drop_since
from rehab_projections.domain.care import fold
from rehab_projections.domain.work_queue import Status, WorkItem, work_item
from rehab_projections.storage.read import PatientRow, SessionRow, Snapshot

CACHED_JUDGEMENTS = 20_000
JUDGED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Judgement:
    """When a patient's adherence dropped, as judged on a local day with all up to a position.

    `reaches_on` says that a session of that day may still count for a day before it.
    """

    position: int
    planned_at: int
    zone: ZoneInfo
    day: date
    reaches_on: bool
    since: datetime | None

    def outlived(self, as_of: AsOf) -> bool:
        return local_date(as_of.instant, self.zone) != self.day


class Board:
    """Reckons work items. What was judged of a patient is kept while nothing new is told of it."""

    def __init__(self) -> None:
        self._judged: Recent[str, _Judgement] = Recent(CACHED_JUDGEMENTS)

    def forget(self) -> None:
        """What was judged was judged of another version of the read models."""
        self._judged.clear()

    async def items(
        self, view: Snapshot, clinic_id: str, as_of: AsOf, *, live: bool
    ) -> list[WorkItem]:
        """All items of a clinic, most urgent first. `live` says that the time is the present."""
        rows = await view.work_candidates(clinic_id)
        drops = await self._drops(view, rows, as_of, live=live)
        items = (
            work_item(
                row.patient_id,
                row.standing,
                row.active_at,
                drops.get(row.patient_id),
                as_of.instant,
            )
            for row in rows
        )
        return sorted((item for item in items if item is not None), key=WorkItem.order)

    async def _drops(
        self, view: Snapshot, rows: Sequence[PatientRow], as_of: AsOf, *, live: bool
    ) -> dict[str, datetime | None]:
        active = [
            row for row in rows if any(span.covers(as_of.instant) for span in row.standing.spans)
        ]
        known = await self._standing(view, active, as_of) if live else {}
        unknown = [row for row in active if row.patient_id not in known]
        for start in range(0, len(unknown), JUDGED_AT_ONCE):
            chunk = unknown[start : start + JUDGED_AT_ONCE]
            judged = await self._judge(view, chunk, as_of)
            known |= judged
            if live:
                for patient_id, judgement in judged.items():
                    self._judged.put(patient_id, judgement)
            # Judging is arithmetic: let the fold have its turn between patients.
            await asyncio.sleep(0)
        return {patient: judgement.since for patient, judgement in known.items()}

    async def _standing(
        self, view: Snapshot, rows: Sequence[PatientRow], as_of: AsOf
    ) -> dict[str, _Judgement]:
        """Judgements that still stand.

        Only ended days are judged. What is told of today's sessions cannot change them, unless
        the plan lets a session count for a day before it.
        """
        kept = [(row, judgement) for row in rows if (judgement := self._judged.get(row.patient_id))]
        same_day = [(row, judgement) for row, judgement in kept if not judgement.outlived(as_of)]
        moved = {
            row.patient_id: day_start(judgement.day, judgement.zone)
            for row, judgement in same_day
            if row.position != judgement.position
            and row.planned_at == judgement.planned_at
            and not judgement.reaches_on
        }
        past = await view.changed_before(moved) if moved else {}
        return {
            row.patient_id: judgement
            for row, judgement in same_day
            if row.position == judgement.position
            or (row.patient_id in past and past[row.patient_id] <= judgement.position)
        }

    async def _judge(
        self, view: Snapshot, rows: Sequence[PatientRow], as_of: AsOf
    ) -> dict[str, _Judgement]:
        patients = [row.patient_id for row in rows]
        plans = await view.plan_facts(patients)
        sessions = await view.sessions(patients)
        return {
            row.patient_id: _judgement(row, plans[row.patient_id], sessions[row.patient_id], as_of)
            for row in rows
        }


def _judgement(
    row: PatientRow, plans: Sequence[Fact], sessions: Sequence[SessionRow], as_of: AsOf
) -> _Judgement:
    care = fold(plans)
    zone = first_zone(care.zone_name())
    told = [as_session(one) for one in sessions if one.started_at <= as_of.facts_until]
    since = drop_since(care.plans.as_of(as_of.facts_until), told, as_of.instant, zone)
    return _Judgement(
        position=row.position,
        planned_at=row.planned_at,
        zone=zone,
        day=local_date(as_of.instant, zone),
        reaches_on=any(
            item.policy == plan_pb2.COMPLETION_POLICY_AFTER_START
            for version in care.plans.versions.values()
            for item in version.items
        ),
        since=since,
    )


def chosen(
    items: Sequence[WorkItem], status: Status, therapist_id: str, min_severity: int
) -> list[tuple[int, WorkItem]]:
    """The items asked for, in order, each with its rank among them from 1."""
    wanted = [
        item
        for item in items
        if item.status == status
        and item.severity >= min_severity
        and (not therapist_id or item.therapist_id == therapist_id)
    ]
    return list(enumerate(wanted, start=1))
