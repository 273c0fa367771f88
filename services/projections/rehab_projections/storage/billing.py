"""Reads of billing evidence."""

from __future__ import annotations

from datetime import UTC, datetime

from rehab_clinical.facts import Fact, fact_of

from rehab_projections.domain.monitoring import Mark
from rehab_projections.storage.codec import load_event
from rehab_projections.storage.read import Snapshot

_EVER = (datetime(2000, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))


async def billing_facts(view: Snapshot, patient_id: str) -> list[Fact]:
    rows = await view.fetch("billing_of", patient_id)
    return [fact_of(load_event(row["event"])) for row in rows]


async def consent_facts(view: Snapshot, patient_id: str) -> list[Fact]:
    rows = await view.fetch("consents_of", patient_id)
    found = [fact_of(load_event(row["event"])) for row in rows]
    return [fact for fact in found if fact.kind == "consent"]


async def all_marks(view: Snapshot, patient_id: str) -> list[Mark]:
    """Every quarter of an hour with data: the set-up is billed once an episode, whenever."""
    return await view.marks(patient_id, *_EVER)


async def billed_patients(view: Snapshot, clinic_id: str, after: str, limit: int) -> list[str]:
    """Patients with billing evidence, by id, from after one."""
    rows = await view.fetch("billing_patients", clinic_id, after, limit)
    return [row["patient_id"] for row in rows]
