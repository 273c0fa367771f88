"""How far the fold of a shard is behind the log, told alike by a replica that folds it and by one
that does not: from what is stored and from the log."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from rehab_clinical.facts import moment

from rehab_projections.storage.leases import Told
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog

LIVE_WITHIN_MS = 1000
"""With an oldest unprocessed event no older than this the fold is live."""


@dataclass(frozen=True, slots=True)
class Behind:
    """`oldest_at` is when the next event to fold was recorded, None when there is none or the log
    does not answer; `oldest_ms` how long it has waited. The lags are percentiles of the time from
    commit to visible. `holder` is the replica that folds, for so long; empty when none does."""

    shard: int
    position: int
    head: int
    oldest_ms: int
    status: str
    incarnation: str
    lag_p50_ms: float = 0.0
    lag_p99_ms: float = 0.0
    holder: str = ""
    held_ms: int = 0
    oldest_at: datetime | None = None


NOT_BEGUN = Behind(0, 0, 0, 0, "waiting", "")


async def behind_of(told: Told, event_log: EventLog, clock: Clock) -> Behind:
    """Asks the log."""
    cursor = told.cursor
    try:
        events, head = await event_log.read_all(cursor.position, 1, shard=cursor.shard)
    except RehabError:
        return _unanswered(told, clock)
    oldest_at = moment(events[0].envelope.recorded_at) if events else None
    oldest_ms = _age_ms(oldest_at, clock)
    status = "live" if oldest_ms <= LIVE_WITHIN_MS else "catching_up"
    return _behind(told, head.position, oldest_ms, status, oldest_at)


def _unanswered(told: Told, clock: Clock) -> Behind:
    """What is known without the log. What is behind has waited at least since the last fold."""
    head = max(told.head, told.cursor.position)
    stopped_at = told.folded_at if head > told.cursor.position else None
    return _behind(told, head, _age_ms(stopped_at, clock), "waiting")


def _behind(
    told: Told, head: int, oldest_ms: int, status: str, oldest_at: datetime | None = None
) -> Behind:
    return Behind(
        shard=told.cursor.shard,
        position=told.cursor.position,
        head=head,
        oldest_ms=oldest_ms,
        status=status,
        incarnation=told.cursor.incarnation,
        lag_p50_ms=told.lag_p50_ms,
        lag_p99_ms=told.lag_p99_ms,
        holder=told.holder,
        held_ms=int(told.held_s * 1000),
        oldest_at=oldest_at,
    )


def _age_ms(since: datetime | None, clock: Clock) -> int:
    return max(0, int((clock.now() - since).total_seconds() * 1000)) if since else 0
