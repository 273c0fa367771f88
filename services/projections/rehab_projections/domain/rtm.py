"""What bills for remote therapeutic monitoring rest on, as told (DOMAIN sections 2.2 and 2.3)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime
from typing import NamedTuple

from rehab_clinical.facts import Fact, Stamp, moment

KINDS = frozenset(
    {"monitoring", "rtm_time", "interaction", "plan_of_care", "consent", "billing_item"}
)
"""The kinds of events that this fold reads."""
LIVE_MODES = frozenset({"audio", "video"})
"""Text is no live interaction, and a visit is billed elsewhere (DOMAIN section 2.2)."""
TREATMENT = "treatment"


class Proof(NamedTuple):
    """An event that proves a figure, and its position in the log."""

    position: int
    event_id: str


@dataclass(frozen=True, slots=True)
class MonitoringStep:
    """Monitoring began or ended."""

    stamp: Stamp
    proof: Proof
    zone: str
    active: bool
    system: int
    education_done: bool
    episode_id: str


@dataclass(frozen=True, slots=True)
class TimeEntry:
    """Management work of one clinician, from `start` until before `end`."""

    stamp: Stamp
    proof: Proof
    entry_id: str
    clinician_id: str
    credential: str
    activity: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class Interaction:
    """A conversation between patient and clinician."""

    proof: Proof
    mode: str
    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True)
class CarePlan:
    """A certified plan of care, both days included. `discipline` is its modifier."""

    stamp: Stamp
    proof: Proof
    first: date
    last: date
    discipline: str


@dataclass(frozen=True, slots=True)
class ConsentSpan:
    """A consent to treatment; `until` None is an open end."""

    proof: Proof
    since: datetime
    until: datetime | None

    def covers(self, instant: datetime) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


@dataclass(frozen=True, slots=True)
class BillingStep:
    """What a person or program said of a row of the worksheet; ordered by the log."""

    stamp: Stamp
    proof: Proof
    item_id: str
    stage: int
    codes: frozenset[str]
    evidence: frozenset[str]
    actor_id: str


@dataclass(frozen=True)
class RtmRecord:
    """One patient's evidence. Voided entries are gone, revoked consents have an end."""

    monitoring: tuple[MonitoringStep, ...] = ()
    entries: tuple[TimeEntry, ...] = ()
    interactions: tuple[Interaction, ...] = ()
    plans: tuple[CarePlan, ...] = ()
    consents: tuple[ConsentSpan, ...] = ()
    billing: tuple[BillingStep, ...] = ()


@dataclass
class _Folding:
    monitoring: list[MonitoringStep] = field(default_factory=list)
    entries: dict[str, TimeEntry] = field(default_factory=dict)
    voided: set[str] = field(default_factory=set)
    interactions: list[Interaction] = field(default_factory=list)
    plans: list[CarePlan] = field(default_factory=list)
    granted: dict[str, tuple[Stamp, ConsentSpan]] = field(default_factory=dict)
    revoked: dict[str, datetime] = field(default_factory=dict)
    billing: list[BillingStep] = field(default_factory=list)


def fold(facts: Iterable[Fact]) -> RtmRecord:
    """Fold events of KINDS, in whatever order and however often they are told.

    An entry told twice counts as last told; a voided one does not count, even when it is logged
    after it was voided. Raises ValueError for a day that does not exist.
    """
    folding = _Folding()
    told = {fact.stamp.event_id: fact for fact in facts}
    for fact in sorted(told.values(), key=lambda fact: fact.stamp):
        _add(folding, fact)
    return RtmRecord(
        monitoring=tuple(folding.monitoring),
        entries=tuple(one for key, one in folding.entries.items() if key not in folding.voided),
        interactions=tuple(folding.interactions),
        plans=tuple(folding.plans),
        consents=tuple(
            _ended(span, folding.revoked.get(consent_id))
            for consent_id, (_, span) in folding.granted.items()
        ),
        billing=tuple(sorted(folding.billing, key=lambda step: step.proof)),
    )


def _ended(span: ConsentSpan, revoked: datetime | None) -> ConsentSpan:
    ends = [end for end in (span.until, revoked) if end is not None]
    return ConsentSpan(span.proof, span.since, min(ends, default=None))


def _add(folding: _Folding, fact: Fact) -> None:
    body, proof = fact.body, Proof(fact.position, fact.stamp.event_id)
    match fact.kind:
        case "monitoring":
            folding.monitoring.append(_monitoring(fact, proof))
        case "rtm_time":
            _add_time(folding, fact, proof)
        case "interaction":
            live = body.interaction
            folding.interactions.append(
                Interaction(proof, live.mode, moment(live.start), moment(live.end))
            )
        case "plan_of_care":
            plan = body.plan_of_care
            first, last = date.fromisoformat(plan.from_date), date.fromisoformat(plan.to_date)
            folding.plans.append(CarePlan(fact.stamp, proof, first, last, plan.discipline))
        case "consent":
            _add_consent(folding, fact, proof)
        case "billing_item":
            folding.billing.append(_billing(fact, proof))


def _monitoring(fact: Fact, proof: Proof) -> MonitoringStep:
    told = fact.body.monitoring
    return MonitoringStep(
        stamp=fact.stamp,
        proof=proof,
        zone=fact.zone,
        active=told.active,
        system=told.system,
        education_done=told.education_done,
        episode_id=fact.episode_id,
    )


def _billing(fact: Fact, proof: Proof) -> BillingStep:
    item = fact.body.billing_item
    return BillingStep(
        stamp=fact.stamp,
        proof=proof,
        item_id=item.item_id,
        stage=item.stage,
        codes=frozenset(item.codes),
        evidence=frozenset(item.evidence_event_ids),
        actor_id=fact.actor_id,
    )


def _add_time(folding: _Folding, fact: Fact, proof: Proof) -> None:
    told = fact.body.rtm_time
    if told.WhichOneof("action") == "voided":
        folding.voided.add(told.entry_id)
        return
    start = moment(told.logged.start)
    folding.entries[told.entry_id] = TimeEntry(
        stamp=fact.stamp,
        proof=proof,
        entry_id=told.entry_id,
        clinician_id=fact.actor_id,
        credential=fact.credential.upper(),
        activity=told.logged.activity,
        start=start,
        end=max(start, moment(told.logged.end)),
    )


def _add_consent(folding: _Folding, fact: Fact, proof: Proof) -> None:
    told = fact.body.consent
    if told.WhichOneof("action") == "revoked":
        at = moment(told.revoked.effective_at)
        folding.revoked[told.consent_id] = min(at, folding.revoked.get(told.consent_id, at))
        return
    granted = told.granted
    if granted.purpose != TREATMENT:
        return
    until = moment(granted.valid_until) if granted.HasField("valid_until") else None
    span = ConsentSpan(proof, moment(granted.valid_from), until)
    folding.granted[told.consent_id] = (fact.stamp, span)
