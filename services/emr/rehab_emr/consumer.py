"""Folds the log: whose record changed. What that means for receivers is found when it is sent, from
the patient's stream as it is then."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from google.protobuf.message import DecodeError

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab_emr.domain.account import KIND
from rehab_emr.patients import Patients
from rehab_emr.storage.lanes import Lanes
from rehab_runtime.access.streams import is_audit
from rehab_runtime.positions import Cursor

OPENS = ("erasure",)
"""Bodies that the fold looks into: of what is told of patients it needs none."""
UNTOLD = frozenset({KIND, "feedback", "nudge", "alert", "message", "notification"})
"""Kinds of which nothing is ever shared."""


class Consumer:
    def __init__(
        self, lanes: Lanes, patients: Patients, gather_s: float, look: Callable[[], None]
    ) -> None:
        self._lanes = lanes
        self._patients = patients
        self._gather_s = gather_s
        self._look = look

    def begun(self, cursor: Cursor) -> None:  # noqa: ARG002
        """What is remembered may be of another log."""
        self._patients.clear()

    async def fold(self, cursor: Cursor, batch: Sequence[RecordedEvent]) -> Cursor:
        """Store what a batch changes, with the cursor behind it. Raises FencedError."""
        patients: dict[str, tuple[str, int]] = {}
        news, erased = set[str](), set[str]()
        for event in batch:
            envelope = event.envelope
            patient_id = envelope.subject_id
            if not patient_id or is_audit(patient_id):
                continue
            patients[patient_id] = envelope.clinic_id, envelope.stream_version
            if envelope.kind not in UNTOLD:
                news.add(patient_id)
            if envelope.kind == "erasure" and _is_done(event):
                erased.add(patient_id)
        for patient_id in erased:
            del patients[patient_id]
        async with self._lanes.database.transaction() as connection:
            cursor = await self._lanes.positions.advance(connection, cursor, batch)
            if patients:
                told = news - erased
                await self._lanes.wake_patients(connection, patients, told, self._gather_s)
            if erased:
                await self._lanes.erase(connection, sorted(erased))
        self._patients.forget(sorted(erased))
        if news:
            self._look()
        return cursor


def _is_done(event: RecordedEvent) -> bool:
    try:
        told = Body.FromString(event.body)
    except DecodeError:
        return False
    return told.erasure.stage == ERASURE_STAGE_DONE
