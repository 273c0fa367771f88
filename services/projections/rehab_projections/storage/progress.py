"""Reads of single sessions, and of what work was done."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rehab_clinical.facts import Fact, fact_of
from rehab_clinical.sessions import SessionRecord, SetKey, SetRecord

from rehab_projections.domain.work_episodes import Episode
from rehab_projections.storage.codec import load_event, load_session, load_set
from rehab_projections.storage.read import Snapshot


@dataclass(frozen=True)
class ScoredSet:
    """A set with the session it belongs to."""

    session_id: str
    record: SetRecord


async def session_of(view: Snapshot, patient_id: str, session_id: str) -> SessionRecord | None:
    """A session with its sets, None when it is not known."""
    key = ([patient_id], [session_id])
    rows = await view.fetch("sessions_by_key", *key)
    if not rows:
        return None
    sets = {
        SetKey(row["exercise_id"], row["side"], row["set_index"]): load_set(
            row["record"], row["reps"]
        )
        for row in await view.fetch("sets_by_session", *key)
    }
    return load_session(session_id, rows[0]["record"], sets)


async def notes_of(view: Snapshot, patient_id: str, session_id: str) -> list[Fact]:
    rows = await view.fetch("notes_of", patient_id, session_id)
    return [fact_of(load_event(row["event"])) for row in rows]


async def scored_sets(
    view: Snapshot, patient_id: str, since: datetime, until: datetime, exercise_id: str
) -> list[ScoredSet]:
    """Sets first observed in [since, until); of one exercise, of all when it is empty."""
    rows = await view.fetch("scored_sets", patient_id, since, until, exercise_id)
    return [ScoredSet(row["session_id"], load_set(row["record"], row["reps"])) for row in rows]


async def episodes_of(
    view: Snapshot, clinic_id: str, since: datetime, until: datetime
) -> list[Episode]:
    """Items of a clinic that were open at any time of [since, until)."""
    rows = await view.fetch("work_episodes", clinic_id, since, until)
    return [Episode(*row) for row in rows]
