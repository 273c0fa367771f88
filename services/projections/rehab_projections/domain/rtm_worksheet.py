"""The worksheet: rows of evidence, how far each has come, and what changed after approval.

DOMAIN section 2.3: open, ready, approved, exported; late events reopen a row and show the
difference. A worksheet is no claim.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from rehab.events.v1 import care_pb2
from rehab_projections.domain.rtm import BillingStep, Proof, RtmRecord
from rehab_projections.domain.rtm_months import ManagementMonth
from rehab_projections.domain.rtm_periods import DevicePeriod

Figures = DevicePeriod | ManagementMonth


class State(StrEnum):
    OPEN = "open"
    BLOCKED = "blocked"
    READY = "ready"
    APPROVED = "approved"
    EXPORTED = "exported"
    REOPENED = "reopened"


@dataclass(frozen=True, slots=True)
class Row:
    """A row of the worksheet.

    `proposed` are codes with their units, none while the row is open or blocked. `added` and
    `removed` are the ids of events by which the evidence differs from what was approved.
    """

    figures: Figures
    state: State
    proposed: tuple[tuple[str, int], ...]
    evidence: tuple[Proof, ...]
    approved_by: str
    approved_codes: tuple[str, ...]
    added: tuple[str, ...]
    removed: tuple[str, ...]
    sha256: bytes


def row(figures: Figures, record: RtmRecord) -> Row:
    evidence = evidence_of(figures)
    newest = _newest(record, figures.item_id)
    ids = frozenset(proof.event_id for proof in evidence)
    proposed = figures.codes if figures.closed and not figures.blocked_by else ()
    state = _state(figures)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    if newest is not None and newest.stage in _SIGNED:
        added, removed = ids - newest.evidence, newest.evidence - ids
        same_codes = newest.codes == {code for code, _ in proposed}
        state = _SIGNED[newest.stage]
        if added or removed or not same_codes:
            state = State.REOPENED
    signed = newest is not None and newest.stage in _SIGNED
    return Row(
        figures=figures,
        state=state,
        proposed=proposed,
        evidence=evidence,
        approved_by=newest.actor_id if newest and signed else "",
        approved_codes=tuple(sorted(newest.codes)) if newest and signed else (),
        added=tuple(sorted(added)),
        removed=tuple(sorted(removed)),
        sha256=_sha256(figures, evidence),
    )


_SIGNED: Mapping[int, State] = {
    care_pb2.BILLING_STAGE_APPROVED: State.APPROVED,
    care_pb2.BILLING_STAGE_EXPORTED: State.EXPORTED,
}


def _newest(record: RtmRecord, item_id: str) -> BillingStep | None:
    told = [step for step in record.billing if step.item_id == item_id]
    return told[-1] if told else None


def _state(figures: Figures) -> State:
    if not figures.closed:
        return State.OPEN
    return State.BLOCKED if figures.blocked_by else State.READY


def evidence_of(figures: Figures) -> tuple[Proof, ...]:
    """The events that prove the row, by position, each once."""
    proofs = list(figures.proofs)
    if isinstance(figures, DevicePeriod):
        proofs.append(figures.started)
        proofs += [proof for day in figures.days for proof in day.proofs]
    else:
        proofs += [entry.proof for one in figures.clinicians for entry in one.entries]
        proofs += [one.proof for one in figures.live]
    return tuple(sorted(set(proofs)))


def _sha256(figures: Figures, evidence: tuple[Proof, ...]) -> bytes:
    """Of the inputs: policy, row, and the ids of the evidence. Positions are the log's, not ours:
    they differ between copies of one log and do not count."""
    lines = [figures.policy.version, figures.item_id, *sorted(proof.event_id for proof in evidence)]
    return hashlib.sha256("\n".join(lines).encode()).digest()
