"""Who needs a therapist, and why.

What events prove is folded once into a `Standing`; what only the passing of time proves (absence,
a drop in adherence, a snooze that ends) is reckoned when the list is read, as of a time.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum

from rehab_projections.domain import rules
from rehab_projections.domain.absence import Span, absence, active_spans
from rehab_projections.domain.care import CareRecord
from rehab_projections.domain.signals import Reason, reasons_of, signals_of


class Status(IntEnum):
    """As in rehab.projections.v1.WorkItemStatus."""

    OPEN = 1
    SNOOZED = 2
    DONE = 3


@dataclass(frozen=True, slots=True)
class Standing:
    """What events alone say of a patient's work item.

    `open` reasons arose after the last closing, `settled` ones before it. `woken` says that a
    reason arose after the last snooze.
    """

    therapist_id: str = ""
    open: tuple[Reason, ...] = ()
    settled: tuple[Reason, ...] = ()
    closed_at: datetime | None = None
    snoozed_at: datetime | None = None
    snoozed_until: datetime | None = None
    woken: bool = False
    spans: tuple[Span, ...] = ()


@dataclass(frozen=True, slots=True)
class WorkItem:
    item_id: str
    patient_id: str
    therapist_id: str
    severity: int
    status: Status
    reasons: tuple[Reason, ...]
    waiting_since: datetime
    due_at: datetime
    snoozed_until: datetime | None

    def order(self) -> tuple[int, datetime, str]:
        """Most severe first, then who waits longest, then by id, so that the order is total."""
        return -self.severity, self.waiting_since, self.patient_id

    def overdue(self, as_of: datetime) -> bool:
        return self.due_at <= as_of


def item_id_of(patient_id: str) -> str:
    """A patient has one item; its id follows from the patient's, so that rebuilds keep it."""
    return f"work:{patient_id}"


def standing(care: CareRecord) -> Standing:
    reviews = sorted(care.reviews, key=lambda step: step.position)
    closings = [step for step in reviews if step.action == "closed"]
    closed = closings[-1] if closings else None
    before = closings[-2].position if len(closings) > 1 else 0
    closed_position = closed.position if closed else 0
    after_closing = [step for step in reviews if step.position > closed_position]
    snoozes = [step for step in after_closing if step.action == "snoozed"]
    snooze = snoozes[-1] if snoozes else None
    signals = signals_of(care)
    return Standing(
        therapist_id=owner_of(care),
        open=reasons_of(s for s in signals if s.position > closed_position),
        settled=reasons_of(s for s in signals if before < s.position <= closed_position),
        closed_at=closed.stamp.at if closed else None,
        snoozed_at=snooze.stamp.at if snooze else None,
        snoozed_until=snooze.until if snooze else None,
        woken=snooze is not None and any(s.position > snooze.position for s in signals),
        spans=active_spans(care.plans, care.zone_name()),
    )


def work_item(
    patient_id: str,
    standing: Standing,
    last_session_at: datetime | None,
    drop_since: datetime | None,
    as_of: datetime,
) -> WorkItem | None:
    """The patient's item as of a time, None when there is nothing to do and was nothing done.

    `drop_since` is when the patient's adherence dropped, None when it did not.
    """
    reckoned = _reckoned(standing, last_session_at, drop_since, as_of)
    shown = [r for r in standing.open if r.hidden_until is None or r.hidden_until <= as_of]
    reasons = sorted((*shown, *reckoned), key=Reason.order)
    if not reasons:
        return _settled(patient_id, standing)
    status = Status.SNOOZED if _is_snoozed(standing, reckoned, as_of) else Status.OPEN
    return _item(patient_id, standing, status, tuple(reasons))


def _item(
    patient_id: str, standing: Standing, status: Status, reasons: tuple[Reason, ...]
) -> WorkItem:
    return WorkItem(
        item_id=item_id_of(patient_id),
        patient_id=patient_id,
        therapist_id=standing.therapist_id,
        severity=max(reason.severity for reason in reasons),
        status=status,
        reasons=reasons,
        waiting_since=min(reason.since for reason in reasons),
        due_at=min(reason.since + rules.ANSWER_WITHIN[reason.severity] for reason in reasons),
        snoozed_until=standing.snoozed_until if status == Status.SNOOZED else None,
    )


def _settled(patient_id: str, standing: Standing) -> WorkItem | None:
    if standing.closed_at is None or not standing.settled:
        return None
    return _item(patient_id, standing, Status.DONE, standing.settled)


def _is_snoozed(standing: Standing, reckoned: Iterable[Reason], as_of: datetime) -> bool:
    """A snooze holds until its time or until something new arises, whichever comes first."""
    until, at = standing.snoozed_until, standing.snoozed_at
    if until is None or at is None or as_of >= until or standing.woken:
        return False
    return not any(reason.since > at for reason in reckoned)


def _reckoned(
    standing: Standing,
    last_session_at: datetime | None,
    drop_since: datetime | None,
    as_of: datetime,
) -> list[Reason]:
    found: list[Reason] = []
    absent = absence(standing.spans, last_session_at, standing.closed_at, as_of)
    if absent:
        rule, since = absent
        found.append(Reason(rule.code, rule.severity, since, (), rule.words))
    closed_at = standing.closed_at
    if drop_since is not None and (closed_at is None or drop_since > closed_at):
        rule = rules.ADHERENCE_DROP
        found.append(Reason(rule.code, rule.severity, drop_since, (), rule.words))
    return found


def owner_of(care: CareRecord) -> str:
    """Whom the item was given to last, else who leads the care, else nobody."""
    assigned = [step for step in care.reviews if step.action == "assigned"]
    last = max(assigned, key=lambda step: step.position, default=None)
    return (last.therapist_id if last else "") or care.therapist_id()
