"""What a batch of the log changes."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_identity.domain.accesses import Entry, entries
from rehab_identity.domain.evolve import KINDS, evolve, fact_of
from rehab_identity.domain.record import PatientRecord
from rehab_runtime.access.streams import is_audit

LOG_OWN = "archive"
"""The kind of the streams in which the log tells of itself."""


@dataclass(frozen=True, slots=True)
class Changes:
    """Records that are another than before, and accesses that were told."""

    records: tuple[PatientRecord, ...] = ()
    entries: tuple[Entry, ...] = ()

    @property
    def erased(self) -> tuple[str, ...]:
        return tuple(one.patient_id for one in self.records if one.erased_at is not None)


def is_patients(event: RecordedEvent) -> bool:
    return not is_audit(event.envelope.subject_id) and event.envelope.kind != LOG_OWN


def touched(events: Iterable[RecordedEvent], known: Mapping[str, object]) -> set[str]:
    """Patients whose records a batch may change. Of most events it only matters that there is one,
    and of patients who are known not even that."""
    return {
        event.envelope.subject_id
        for event in events
        if is_patients(event)
        and (event.envelope.kind in KINDS or event.envelope.subject_id not in known)
    }


def fold(
    before: Mapping[str, PatientRecord],
    events: Sequence[RecordedEvent],
    shard: int,
    wanted: Collection[str],
) -> Changes:
    """`wanted` are the patients who are touched, `before` their records, as far as there are any.
    Of others nothing changes, and nothing is known here."""
    after: dict[str, PatientRecord] = {}
    told: list[Entry] = []
    for event in events:
        subject = event.envelope.subject_id
        if not is_patients(event):
            told += entries(event)
        elif subject in wanted:
            record = after.get(subject) or before.get(subject)
            if record is None or event.envelope.kind in KINDS:
                after[subject] = evolve(record, fact_of(event, shard))
    changed = [one for one in after.values() if one != before.get(one.patient_id)]
    return Changes(tuple(changed), tuple(told))


def unread(before: Mapping[str, PatientRecord], event: RecordedEvent, shard: int) -> Changes:
    """What an event changes of which nothing is taken: like one that cannot be read."""
    if not is_patients(event):
        return Changes()
    known = before.get(event.envelope.subject_id)
    return Changes((evolve(known, replace(fact_of(event, shard), body=None)),))
