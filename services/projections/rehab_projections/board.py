"""The work queue of a clinic, as of a time."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, datetime

from rehab_projections.answers import AsOf, as_session
from rehab_projections.cache import Recent
from rehab_projections.domain.absence import drop_since
from rehab_projections.domain.care import CareRecord, with_fact
from rehab_projections.domain.days import first_zone, local_date
from rehab_projections.domain.facts import Fact
from rehab_projections.domain.work_queue import Status, WorkItem, work_item
from rehab_projections.storage.read import PatientRow, SessionRow, Snapshot

CACHED_JUDGEMENTS = 20_000
JUDGED_AT_ONCE = 8


@dataclass(frozen=True, slots=True)
class _Judgement:
    """When a patient's adherence dropped, as judged on a local day with all up to a position."""

    position: int
    zone: str
    day: date
    since: datetime | None


class Board:
    """Reckons work items. What was judged of a patient is kept while nothing new is told of it."""

    def __init__(self) -> None:
        self._judged: Recent[str, _Judgement] = Recent(CACHED_JUDGEMENTS)

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
        known: dict[str, _Judgement] = {}
        for row in active if live else ():
            judgement = self._known(row, as_of)
            if judgement is not None:
                known[row.patient_id] = judgement
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

    def _known(self, row: PatientRow, as_of: AsOf) -> _Judgement | None:
        judgement = self._judged.get(row.patient_id)
        if judgement is None or judgement.position != row.position:
            return None
        today = local_date(as_of.instant, first_zone(judgement.zone))
        return judgement if judgement.day == today else None

    async def _judge(
        self, view: Snapshot, rows: Sequence[PatientRow], as_of: AsOf
    ) -> dict[str, _Judgement]:
        patients = [row.patient_id for row in rows]
        plans = await view.plan_facts(patients)
        sessions = await view.sessions(patients)
        return {
            row.patient_id: _judgement(
                row.position, plans[row.patient_id], sessions[row.patient_id], as_of
            )
            for row in rows
        }


def _judgement(
    position: int, plans: Sequence[Fact], sessions: Sequence[SessionRow], as_of: AsOf
) -> _Judgement:
    care = CareRecord()
    for fact in plans:
        care = with_fact(care, fact)
    zone = first_zone(care.zone_name())
    told = [as_session(row) for row in sessions if row.started_at <= as_of.facts_until]
    since = drop_since(care.plans.as_of(as_of.facts_until), told, as_of.instant, zone)
    return _Judgement(position, zone.key, local_date(as_of.instant, zone), since)


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
