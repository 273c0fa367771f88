"""What changed as rows, by the query that saves them."""

from __future__ import annotations

from rehab_clinical.sessions import SetKey, SetRecord

from rehab_projections.changes import Changes, PatientChange
from rehab_projections.domain.work_queue import standing
from rehab_projections.storage.codec import (
    dump_event,
    dump_reps,
    dump_session,
    dump_set,
    dump_standing,
    dump_summary,
)
from rehab_projections.storage.gathered import gathered_rows
from rehab_projections.storage.putting import Row, Rows


def rows_of(changes: Changes) -> dict[str, Rows]:
    """In the order in which the queries must run. Raises orjson.JSONEncodeError for a number that
    JSON cannot hold."""
    patients = changes.patients.items()
    return {
        "save_patients": Rows([_patient_row(patient, change) for patient, change in patients]),
        "save_care_events": Rows(
            new=[
                (patient, event.envelope.position, event.envelope.kind, dump_event(event))
                for patient, change in patients
                for event in change.care_events
            ]
        ),
        **_session_rows(changes),
        "save_marks": Rows(
            [
                (patient, mark.zone, mark.quarter, mark.first_at, mark.event_id, mark.position)
                for patient, change in patients
                for mark in change.marks
            ]
        ),
        "save_corrected": Rows(
            [(patient, event_id) for patient, change in patients for event_id in change.corrected]
        ),
        "park": Rows(
            [(one.patient_id, one.position, one.event_id, one.reason) for one in changes.parked]
        ),
        **gathered_rows(changes),
    }


def _session_rows(changes: Changes) -> dict[str, Rows]:
    sessions, sets = Rows(), Rows()
    for patient, change in changes.patients.items():
        for one in change.sessions.values():
            record, known = one.record, one.known_sets
            (sessions.new if known is None else sessions.known).append(
                (
                    patient,
                    record.session_id,
                    record.started_at,
                    one.position,
                    dump_session(record),
                    dump_summary(record),
                )
            )
            for key in one.sets:
                row = (patient, record.session_id, *_set_row(key, record.sets[key]))
                (sets.known if known and key in known else sets.new).append(row)
    return {"save_sessions": sessions, "save_sets": sets}


def _patient_row(patient: str, change: PatientChange) -> Row:
    now = standing(change.care) if change.care is not None else None
    return (
        patient,
        change.clinic_id,
        change.position,
        change.planned_at,
        change.active_at,
        dump_standing(now) if now else None,
        bool(now and (now.open or now.settled)),
        bool(now and now.spans),
        change.erased,
    )


def _set_row(key: SetKey, one: SetRecord) -> Row:
    seen_at = one.seen.at if one.seen else None
    return (*key, seen_at, dump_set(one), dump_reps(one))
