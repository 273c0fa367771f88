"""How often and for how long a patient was on the list, as events tell it.

What only the passing of time proves (absence, a drop in adherence) leaves no event when it arises;
of it only the closing is known, as an episode of no severity that began and ended at once.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from rehab_projections.domain import rules
from rehab_projections.domain.care import AlertStep, CareRecord, ReviewStep
from rehab_projections.domain.signals import signals_of
from rehab_projections.domain.work_queue import owner_of


@dataclass(frozen=True, slots=True)
class Episode:
    """From the first reason to the closing. `closed_at` is None while it is open.

    `severity` is that of its worst reason, 0 when events gave none. `due_at` is when it should be
    answered. `therapist_id` owns the item today, `closed_by` closed it.
    """

    number: int
    therapist_id: str
    severity: int
    opened_at: datetime
    due_at: datetime
    closed_at: datetime | None
    closed_by: str
    outcome: str

    @property
    def answered_in_time(self) -> bool:
        return self.closed_at is not None and self.closed_at <= self.due_at


@dataclass(frozen=True, slots=True)
class _Cause:
    """A reason with the place of the log where it arose; `resolved` ended it by itself."""

    position: int
    since: datetime
    severity: int
    resolved: AlertStep | None = None


def episodes(care: CareRecord) -> list[Episode]:
    """Oldest first. A closing settles what the log knew before it, as in the work queue."""
    owner = owner_of(care)
    causes = [
        *(_Cause(s.position, s.reason.since, s.reason.severity) for s in signals_of(care)),
        *_resolved(care.alerts),
    ]
    closings = sorted(
        (step for step in care.reviews if step.action == "closed"), key=lambda step: step.position
    )
    found: list[Episode] = []
    before = 0
    for closing in closings:
        within = [cause for cause in causes if before < cause.position <= closing.position]
        found.append(_closed(len(found) + 1, owner, within, closing))
        before = closing.position
    rest = [cause for cause in causes if cause.position > before]
    return [*found, *([_open(len(found) + 1, owner, rest)] if rest else [])]


def _resolved(steps: Iterable[AlertStep]) -> list[_Cause]:
    """Alerts that were raised and are resolved: no reason any more, but one once."""
    raised: dict[str, AlertStep] = {}
    resolved: dict[str, AlertStep] = {}
    for step in sorted(steps, key=lambda step: step.stamp):
        if step.action == "raised":
            raised.setdefault(step.alert_id, step)
        elif step.action == "resolved":
            resolved.setdefault(step.alert_id, step)
    return [
        _Cause(step.position, step.stamp.at, step.severity, resolved[alert_id])
        for alert_id, step in raised.items()
        if alert_id in resolved
    ]


def _closed(number: int, owner: str, causes: Sequence[_Cause], closing: ReviewStep) -> Episode:
    at = closing.stamp.at
    return Episode(
        number=number,
        therapist_id=owner,
        severity=max((cause.severity for cause in causes), default=0),
        opened_at=min((cause.since for cause in causes), default=at),
        due_at=min((_due(cause) for cause in causes), default=at),
        closed_at=at,
        closed_by=closing.actor_id,
        outcome=closing.outcome,
    )


def _open(number: int, owner: str, causes: Sequence[_Cause]) -> Episode:
    ends = [cause.resolved for cause in causes if cause.resolved is not None]
    last = max(ends, key=lambda step: step.stamp) if len(ends) == len(causes) else None
    return Episode(
        number=number,
        therapist_id=owner,
        severity=max(cause.severity for cause in causes),
        opened_at=min(cause.since for cause in causes),
        due_at=min(_due(cause) for cause in causes),
        closed_at=last.stamp.at if last else None,
        closed_by=last.actor_id if last else "",
        outcome=last.outcome if last else "",
    )


def _due(cause: _Cause) -> datetime:
    return cause.since + rules.ANSWER_WITHIN[cause.severity or rules.LOW]
