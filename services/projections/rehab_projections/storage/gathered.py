"""Rows of vitals, billing evidence, session notes and the history of work items, by their query."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime

from rehab_clinical.vitals import Reading, united

from rehab_projections.changes import Changes
from rehab_projections.domain.work_episodes import Episode, episodes
from rehab_projections.storage.codec import dump_event
from rehab_projections.storage.putting import Row, Rows

FIRST_MONTH, LAST_MONTH = date(2014, 1, 1), date(2037, 12, 1)
PURGES = ("vitals", "billing", "notes", "episodes")
"""What is deleted of a patient that is folded anew or erased."""


def gathered_rows(changes: Changes) -> dict[str, Rows]:
    """Rows to save, by query, in the order in which the queries must run."""
    patients = changes.patients.items()
    readings = [
        (patient, one)
        for patient, change in patients
        for one in united(change.gathered.readings).values()
    ]
    return {
        "ensure_vital_months": Rows(
            [(month,) for month in _months(one.key.start for _, one in readings)]
        ),
        "save_vitals": Rows([_vital(patient, one) for patient, one in readings]),
        "save_billing": Rows(
            new=[
                (patient, event.envelope.position, change.clinic_id, dump_event(event))
                for patient, change in patients
                for event in change.gathered.billing
            ]
        ),
        "save_notes": Rows(
            new=[
                (patient, session, event.envelope.position, dump_event(event))
                for patient, change in patients
                for session, event in change.gathered.notes
            ]
        ),
        "purge_episodes": Rows(
            [(patient,) for patient, change in patients if change.care is not None]
        ),
        "save_episodes": Rows(
            new=[
                _episode(patient, change.clinic_id, one)
                for patient, change in patients
                if change.care is not None
                for one in episodes(change.care)
            ]
        ),
    }


def _episode(patient: str, clinic_id: str, one: Episode) -> Row:
    return (
        patient,
        one.number,
        clinic_id,
        one.therapist_id,
        one.severity,
        one.opened_at,
        one.due_at,
        one.closed_at,
        one.closed_by,
        one.outcome,
    )


def _months(starts: Iterable[datetime]) -> list[date]:
    """Months of UTC that need a partition of their own."""
    months = {at.astimezone(UTC).date().replace(day=1) for at in starts}
    return sorted(month for month in months if FIRST_MONTH <= month <= LAST_MONTH)


def _vital(patient: str, one: Reading) -> Row:
    return (
        patient,
        *one.key,
        one.digest,
        one.value,
        one.low,
        one.high,
        one.ucum,
        one.zone,
        one.told,
        one.first_position,
        one.position,
    )
