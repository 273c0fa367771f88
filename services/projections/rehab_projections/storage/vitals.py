"""Reads of vitals."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

import asyncpg
from rehab_clinical.vitals import Reading, ReadingKey

from rehab_projections.storage.read import Snapshot

Place = tuple[datetime, datetime, str, str]
"""Start, end, aggregation and sources of a reading: where a page ends."""


async def metrics_of(view: Snapshot, patient_id: str) -> list[str]:
    """Metrics with readings, by name."""
    return [row["metric"] for row in await view.fetch("vital_metrics", patient_id)]


async def reading_page(
    view: Snapshot,
    patient_id: str,
    metric: str,
    span: tuple[datetime, datetime],
    after: Place | None,
    limit: int,
) -> list[Reading]:
    """All versions of the `limit` newest keys that start in [since, until), after a place."""
    since, until = span
    if after is not None:
        # What comes after the place starts no later: so the index skips what was shown.
        until = min(until, after[0] + timedelta.resolution)
    place = after or (None, None, None, None)
    rows = await view.fetch("reading_page", patient_id, metric, since, until, *place, limit)
    return [_reading(row) for row in rows]


async def readings_between(
    view: Snapshot, patient_id: str, metrics: Sequence[str], since: datetime, until: datetime
) -> list[Reading]:
    """All versions that start in [since, until)."""
    rows = await view.fetch("readings_between", patient_id, metrics, since, until)
    return [_reading(row) for row in rows]


def _reading(row: asyncpg.Record) -> Reading:
    metric, start, end, aggregation, sources, *rest = row
    return Reading(ReadingKey(metric, start, end, aggregation, sources), *rest)
