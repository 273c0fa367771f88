"""What is known of patients, read where it is kept: right at every moment."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import UTC, datetime

from rehab_identity.domain.record import PatientRecord
from rehab_identity.domain.view import facts
from rehab_identity.facts.storage import Kept, Storage
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.errors import Erased, NotFound

_NEVER = datetime.max.replace(tzinfo=UTC)


class Patients:
    """Of a patient whom the log does not know, an account tells the clinic: somebody must be able
    to grant the consent that their log begins with."""

    def __init__(self, storage: Storage) -> None:
        self._storage = storage

    async def facts_of(self, patient_ids: Iterable[str]) -> Mapping[str, PatientFacts]:
        """By all that is known. Raises Unavailable."""
        return await self.facts_at(patient_ids, None)

    async def facts_at(
        self, patient_ids: Iterable[str], as_of: datetime | None
    ) -> Mapping[str, PatientFacts]:
        """By what the log had told at a time, in one question to the database."""
        kept = await self._storage.kept(list(dict.fromkeys(patient_ids)))
        return {name: _facts(name, one, as_of) for name, one in kept.items()}

    async def living(self, patient_id: str) -> PatientRecord:
        """Raises NotFound for one who is not known, Erased."""
        record = await self.record(patient_id)
        if record.erased_at is not None:
            raise Erased
        return record

    async def record(self, patient_id: str) -> PatientRecord:
        """An empty one for a patient who has only an account. Raises NotFound."""
        kept = (await self._storage.kept([patient_id]))[patient_id]
        if kept.record is not None:
            return kept.record
        if not kept.clinic_id:
            raise NotFound("the patient is not known")
        return PatientRecord(patient_id, kept.clinic_id, _NEVER)


def _facts(patient_id: str, kept: Kept, as_of: datetime | None) -> PatientFacts:
    found = facts(kept.record, as_of) if kept.record is not None else PatientFacts(patient_id)
    return replace(found, clinic_id=found.clinic_id or kept.clinic_id)
