"""What is told about a patient beside the exercises: team, pain, symptoms, alerts, reviews."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import datetime

from rehab_clinical.facts import Fact, Stamp, moment
from rehab_clinical.pain import PainReport, pain_report
from rehab_clinical.plan import PlanBook

from rehab.events.v1 import admin_pb2, patient_pb2
from rehab_projections.domain import rules

KINDS = frozenset(
    {
        "plan",
        "enrolment",
        "care_team",
        "pain_report",
        "symptom_report",
        "alert",
        "review",
    }
)
"""The kinds of events that this fold reads."""


@dataclass(frozen=True, slots=True)
class Evidence:
    """An event that is a reason by itself, whatever else is known."""

    stamp: Stamp
    position: int
    rule: rules.Rule
    severity: int


@dataclass(frozen=True, slots=True)
class AlertStep:
    stamp: Stamp
    position: int
    alert_id: str
    action: str
    severity: int = 0
    rule: str = ""
    inputs: tuple[str, ...] = ()
    until: datetime | None = None
    actor_id: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class ReviewStep:
    """What a person did with the patient's work item; ordered by the log, not by the clock."""

    position: int
    stamp: Stamp
    action: str
    severity: int = 0
    reason: str = ""
    therapist_id: str = ""
    until: datetime | None = None
    actor_id: str = ""
    outcome: str = ""


@dataclass(frozen=True, slots=True)
class TeamStep:
    stamp: Stamp
    therapist_id: str
    assigned: bool
    primary: bool


@dataclass(frozen=True)
class CareRecord:
    """One patient's care. `enrolled_zone` is as last told, with the stamp of the telling."""

    enrolled_zone: tuple[Stamp, str] | None = None
    plans: PlanBook = field(default_factory=PlanBook)
    team: tuple[TeamStep, ...] = ()
    pain: tuple[PainReport, ...] = ()
    evidence: tuple[Evidence, ...] = ()
    alerts: tuple[AlertStep, ...] = ()
    reviews: tuple[ReviewStep, ...] = ()

    def zone_name(self) -> str:
        """The patient's zone: of the newest prescription, else of the enrolment, else empty."""
        versions = self.plans.versions.values()
        if versions:
            return max(versions, key=lambda version: version.stamp).zone
        return self.enrolled_zone[1] if self.enrolled_zone else ""

    def therapist_id(self) -> str:
        """Who leads the care, else who was assigned last, else nobody."""
        members: dict[str, TeamStep] = {}
        for step in sorted(self.team, key=lambda step: step.stamp):
            if step.assigned:
                members[step.therapist_id] = step
            else:
                members.pop(step.therapist_id, None)
        ranked = sorted(members.values(), key=lambda step: (step.primary, step.stamp))
        return ranked[-1].therapist_id if ranked else ""


class CareFold:
    """Folds events of KINDS onto what was known before."""

    def __init__(self, before: CareRecord | None = None) -> None:
        known = before or CareRecord()
        self._before = known
        self._enrolled_zone = known.enrolled_zone
        self._plans = known.plans
        self._team: list[TeamStep] = []
        self._pain: list[PainReport] = []
        self._evidence: list[Evidence] = []
        self._alerts: list[AlertStep] = []
        self._reviews: list[ReviewStep] = []

    def add(self, fact: Fact) -> None:
        """Fold one event. Raises ValueError for a plan that cannot be, and is then as it was."""
        match fact.kind:
            case "plan":
                self._plans = self._plans.with_fact(fact)
            case "enrolment":
                self._enrolment(fact)
            case "care_team":
                self._team.append(_team_step(fact))
            case "pain_report":
                self._pain.append(pain_report(fact))
            case "symptom_report":
                self._evidence.append(_symptom(fact))
            case "alert":
                self._alerts.append(_alert_step(fact))
            case "review":
                self._reviews.append(_review_step(fact))

    def record(self) -> CareRecord:
        """The care with all that was added."""
        before = self._before
        return CareRecord(
            self._enrolled_zone,
            self._plans,
            (*before.team, *self._team),
            (*before.pain, *self._pain),
            (*before.evidence, *self._evidence),
            (*before.alerts, *self._alerts),
            (*before.reviews, *self._reviews),
        )

    def _enrolment(self, fact: Fact) -> None:
        enrolment = fact.body.enrolment
        if enrolment.WhichOneof("action") != "enrolled":
            return
        told = (fact.stamp, enrolment.enrolled.zone)
        if self._enrolled_zone is None or self._enrolled_zone < told:
            self._enrolled_zone = told


def fold(facts: Iterable[Fact]) -> CareRecord:
    """The care that events of KINDS tell of. Raises ValueError for a plan that cannot be."""
    folding = CareFold()
    for fact in facts:
        folding.add(fact)
    return folding.record()


def _team_step(fact: Fact) -> TeamStep:
    told = fact.body.care_team
    assigned = told.action == patient_pb2.CARE_TEAM_ACTION_ASSIGNED
    return TeamStep(fact.stamp, told.therapist_id, assigned, told.primary)


def _symptom(fact: Fact) -> Evidence:
    report = fact.body.symptom_report
    if report.WhichOneof("report") == "fall":
        rule = rules.NEAR_FALL if report.fall.near else rules.FALL
        return Evidence(fact.stamp, fact.position, rule, rule.severity)
    symptom = report.symptom
    if symptom.code in rules.RED_FLAGS:
        rule = rules.RED_FLAGS[symptom.code]
        return Evidence(fact.stamp, fact.position, rule, rule.severity)
    rule = rules.UNRULED_SYMPTOM if symptom.code else rules.UNMAPPED_SYMPTOM
    return Evidence(fact.stamp, fact.position, rule, max(rule.severity, symptom.severity))


def _alert_step(fact: Fact) -> AlertStep:
    alert = fact.body.alert
    action = alert.WhichOneof("action") or ""
    step = AlertStep(fact.stamp, fact.position, alert.alert_id, action, actor_id=fact.actor_id)
    if action == "raised":
        raised = alert.raised
        return replace(
            step,
            severity=raised.severity,
            rule=f"{raised.rule_id} v{raised.rule_version}",
            inputs=tuple(raised.input_event_ids),
        )
    if action == "snoozed":
        return replace(step, until=moment(alert.snoozed.until))
    if action == "resolved":
        return replace(step, outcome=alert.resolved.outcome)
    return step


def _review_step(fact: Fact) -> ReviewStep:
    review = fact.body.review
    action = review.WhichOneof("action") or ""
    step = ReviewStep(fact.position, fact.stamp, action, actor_id=fact.actor_id)
    match action:
        case "opened":
            severity = review.opened.severity or rules.LOW
            return replace(step, severity=severity, reason=review.opened.reason)
        case "assigned":
            return replace(step, therapist_id=review.assigned.therapist_id)
        case "snoozed":
            return replace(step, until=moment(review.snoozed.until))
        case "closed":
            return replace(step, outcome=review.closed.outcome)
        case _:
            return step


def is_erased(fact: Fact) -> bool:
    """Whether the event says that the patient's data keys are destroyed."""
    return fact.kind == "erasure" and fact.body.erasure.stage == admin_pb2.ERASURE_STAGE_DONE
