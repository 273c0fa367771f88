"""Trials of nudges: who is nudged, who is not, and after which nudges a session was begun."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from hashlib import sha256

from rehab_clinical.facts import Fact

from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.domain.rules import ActionKind, NudgeTrial, Override, Place, RuleSet
from rehab_policy.domain.state import PatientState, Trialled

INTERVENTION, HOLDOUT = "intervention", "holdout"
LEAST_HOLDOUT, MOST_HOLDOUT = 1, 50
"""Per cent: a trial without either arm shows nothing."""
LONGEST_WITHIN = timedelta(days=30)
MOST_TRIALLED = 200
OF_SESSIONS = frozenset({"exercise_session", "rep_observation"})
_SCALE = 2**64


def arm_of(trial: NudgeTrial, patient_id: str) -> str:
    """The patient's arm, the same everywhere and for ever: the first 64 bits of SHA-256 over the
    trial's name and the patient's id. Who is held out stays so when the share is raised."""
    digest = sha256(f"{trial.name}\x00{patient_id}".encode()).digest()
    drawn = int.from_bytes(digest[:8], "big")
    return HOLDOUT if drawn * 100 < trial.holdout * _SCALE else INTERVENTION


def await_session(state: PatientState, firing: Firing) -> None:
    """A nudge of a trial was sent, or withheld: did it matter?"""
    if not firing.trial or firing.shadow or firing.until is None:
        return
    if len(state.trialled) >= MOST_TRIALLED:
        del state.trialled[min(state.trialled, key=lambda one: (state.trialled[one].until, one))]
    state.trialled[firing.firing_id] = Trialled(
        firing_id=firing.firing_id,
        rule_id=firing.rule_id,
        rule_version=firing.rule_version,
        book_version=firing.book_version,
        trial=firing.trial,
        arm=firing.arm,
        at=firing.at,
        until=firing.until,
    )


def followed(state: PatientState, fact: Fact) -> list[Firing]:
    """Nudges of trials that the event's session follows, by when it was begun; each told once."""
    if not state.trialled or fact.kind not in OF_SESSIONS:
        return []
    session = state.sessions.by_id.get(getattr(fact.body, fact.kind).session_id)
    if session is None:
        return []
    begun = session.started_at
    found = [one for one in state.trialled.values() if one.at <= begun <= one.until]
    for one in found:
        del state.trialled[one.firing_id]
    return [_followed(state, one) for one in found]


def _followed(state: PatientState, one: Trialled) -> Firing:
    return Firing(
        rule_id=one.rule_id,
        rule_version=one.rule_version,
        book_version=one.book_version,
        clinic_id=state.clinic_id,
        patient_id=state.patient_id,
        therapist_id=state.care.therapist_id,
        at=one.at,
        action=ActionKind.NUDGE,
        outcome=Outcome.FOLLOWED,
        key="",
        firing_id=one.firing_id,
        alert_id="",
        message_key="",
        texts={},
        language="",
        trial=one.trial,
        arm=one.arm,
        until=one.until,
    )


Fault = tuple[Place, str, str]
"""Where, of which rule or override, and what is wrong."""


def faults_of_trials(rules: RuleSet) -> Iterator[Fault]:
    """What is wrong with the trials of a book, overrides among it."""
    known: dict[str, NudgeTrial] = {}
    for owner, rule_id, trial in _named(rules):
        rule = rules.rule(rule_id)
        if rule is not None and rule.action is not ActionKind.NUDGE:
            yield trial.place, owner, "a `trial` is of a nudge: nobody is withheld anything else"
        first = known.setdefault(trial.name, trial)
        if first != trial:
            what = f"trial {trial.name!r} is told otherwise at {first.place}: patients have one arm"
            yield trial.place, owner, what
    for override in rules.overrides:
        yield from _of_one_patient(override)


def _of_one_patient(override: Override) -> Iterator[Fault]:
    for rule_id, trial in override.trials.items() if override.patient else ():
        if trial is not None:
            what = f"{rule_id}: one patient is taken out of a trial, `trial: none`, never put in"
            yield trial.place, override.patient, what


def _named(rules: RuleSet) -> Iterator[tuple[str, str, NudgeTrial]]:
    """Every trial with its owner and rule."""
    for rule in rules.rules:
        if rule.trial is not None:
            yield rule.id, rule.id, rule.trial
    for override in rules.overrides:
        for rule_id, trial in override.trials.items():
            if trial is not None:
                yield override.clinic or override.patient, rule_id, trial


def told_of_trials(rules: RuleSet) -> list[str]:
    """Who is not nudged, in words."""
    found = []
    for owner, rule_id, trial in _named(rules):
        where = "" if owner == rule_id else f" in {owner}"
        what = f"withheld from {trial.holdout} % of the patients{where}, trial {trial.name}"
        found.append(f"{rule_id}: {what}")
    return found
