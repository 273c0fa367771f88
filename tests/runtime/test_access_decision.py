"""A decision follows from the rule and the facts alone."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_runtime.access.decide import Decision, decide
from rehab_runtime.access.facts import Care, Consent, Grant, PatientFacts
from rehab_runtime.access.table import BILLING, FIGURES, QUEUE, RECORD, TABLE
from rehab_runtime.auth import ROLES, Principal, service_principal

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
DAY = timedelta(days=1)
CARED = PatientFacts(
    "patient-1",
    "clinic-1",
    team=(Care("therapist-1", NOW - DAY),),
    consents=(Consent("consent-1", "treatment", NOW - DAY),),
)


def caller(role: str, name: str, clinic: str = "clinic-1", patient: str = "") -> Principal:
    return Principal(name, role, clinic, patient_id=patient)


THERAPIST = caller("therapist", "therapist-1")
PATIENT = caller("patient", "patient-1", patient="patient-1")


def reads(who: Principal, patient: PatientFacts = CARED, at: datetime = NOW) -> Decision:
    return decide(RECORD, who, at, patient=patient)


def test_a_therapist_who_treats_the_patient_reads_on_the_consent_in_force() -> None:
    assert reads(THERAPIST) == Decision(True, "treats", "consent-1")


@pytest.mark.parametrize(
    ("patient", "reason"),
    [
        (replace(CARED, team=()), "no_relationship"),
        (replace(CARED, team=(Care("therapist-1", NOW - DAY, NOW),)), "no_relationship"),
        (replace(CARED, team=(Care("therapist-1", NOW + DAY),)), "no_relationship"),
        (replace(CARED, team=(Care("therapist-2", NOW - DAY),)), "no_relationship"),
        (replace(CARED, consents=()), "no_consent"),
        (replace(CARED, consents=(Consent("c", "research", NOW - DAY),)), "no_consent"),
        (replace(CARED, consents=(Consent("c", "treatment", NOW - DAY, NOW),)), "no_consent"),
        (replace(CARED, consents=(Consent("c", "treatment", NOW + DAY),)), "no_consent"),
        (replace(CARED, clinic_id="clinic-2"), "other_clinic"),
        (replace(CARED, erased=True), "erased"),
        (PatientFacts("patient-1"), "unknown_patient"),
    ],
)
def test_a_therapist_is_denied_for_a_reason(patient: PatientFacts, reason: str) -> None:
    assert reads(THERAPIST, patient) == Decision(False, reason)


def test_of_several_consents_the_one_that_began_last_is_relied_on() -> None:
    two = (Consent("old", "treatment", NOW - 2 * DAY), Consent("new", "treatment", NOW - DAY))
    assert reads(THERAPIST, replace(CARED, consents=two)).consent_id == "new"


def test_a_patient_reads_the_own_record_without_any_consent_and_no_other() -> None:
    bare = PatientFacts("patient-1", "clinic-1")
    assert reads(PATIENT, bare) == Decision(True, "own")
    assert reads(PATIENT, replace(bare, patient_id="patient-2")).reason == "no_relationship"


def test_emergency_access_needs_neither_relationship_nor_consent_and_ends() -> None:
    taken = Grant("grant-1", "therapist-9", NOW, NOW + DAY)
    patient = PatientFacts("patient-1", "clinic-1", grants=(taken,))
    who = caller("therapist", "therapist-9")
    assert reads(who, patient) == Decision(True, "break_glass")
    assert reads(who, patient, NOW + DAY).reason == "no_relationship"
    assert reads(caller("therapist", "therapist-8"), patient).reason == "no_relationship"
    assert not decide(BILLING, who, NOW, patient=patient).allowed


def test_who_runs_the_clinic_reads_figures_and_no_patient() -> None:
    admin = caller("admin", "admin-1")
    assert reads(admin).reason == "role"
    assert decide(FIGURES, admin, NOW, clinic_id="clinic-1").allowed
    assert decide(FIGURES, admin, NOW, clinic_id="clinic-2").reason == "other_clinic"


def test_a_key_made_for_other_things_is_denied() -> None:
    key = replace(PATIENT, scopes=frozenset({"ingest"}))
    assert reads(key).reason == "scope"
    assert reads(replace(key, scopes=frozenset({"read"}))).allowed


def test_a_queue_shows_a_patient_only_with_consent() -> None:
    assert decide(QUEUE, THERAPIST, NOW, clinic_id="clinic-1").allowed
    shown = decide(QUEUE, THERAPIST, NOW, patient=replace(CARED, consents=()))
    assert shown.reason == "no_consent"


def test_a_service_may_what_its_rule_names_it_for() -> None:
    rule = TABLE["/rehab.eventstore.v1.ArchiveService/ArchiveEvents"]
    assert decide(rule, service_principal("cli"), NOW).allowed
    assert decide(rule, service_principal("emr"), NOW).reason == "service"
    assert decide(rule, replace(THERAPIST, id="service-cli"), NOW).reason == "role"


moments = st.integers(-3, 3).map(lambda days: NOW + days * DAY)
ends = st.none() | moments
facts = st.builds(
    PatientFacts,
    patient_id=st.just("patient-1"),
    clinic_id=st.sampled_from(["", "clinic-1", "clinic-2"]),
    erased=st.booleans(),
    team=st.lists(st.builds(Care, st.sampled_from(["one", "two"]), moments, ends), max_size=3).map(
        tuple
    ),
    consents=st.lists(
        st.builds(Consent, st.just("c"), st.sampled_from(["treatment", "research"]), moments, ends),
        max_size=3,
    ).map(tuple),
    grants=st.lists(
        st.builds(Grant, st.just("g"), st.sampled_from(["one", "two"]), moments, moments),
        max_size=3,
    ).map(tuple),
)
callers = st.builds(
    Principal,
    id=st.sampled_from(["one", "two", "patient-1"]),
    role=st.sampled_from(sorted(ROLES - {"service"})),
    clinic_id=st.sampled_from(["clinic-1", "clinic-2"]),
    patient_id=st.sampled_from(["", "patient-1", "patient-2"]),
)


@given(st.sampled_from(sorted(TABLE)), callers, facts, moments)
def test_nobody_gets_at_a_patient_of_another_clinic_or_an_erased_one(
    method: str, who: Principal, patient: PatientFacts, at: datetime
) -> None:
    decision = decide(TABLE[method], who, at, patient=patient)
    if decision.allowed:
        assert patient.clinic_id == who.clinic_id
        assert not patient.erased


@given(callers, facts, moments)
def test_what_is_allowed_rests_on_something_that_holds_at_the_moment(
    who: Principal, patient: PatientFacts, at: datetime
) -> None:
    decision = decide(RECORD, who, at, patient=patient)
    match decision.reason:
        case "own":
            assert who.patient_id == patient.patient_id
        case "treats":
            assert patient.treated_by(who.id, at)
            consent = patient.consent_to("treatment", at)
            assert consent is not None
            assert decision.consent_id == consent.consent_id
        case "break_glass":
            assert patient.granted_to(who.id, at)
        case _:
            assert not decision.allowed


@given(callers, facts, moments)
def test_withdrawing_every_consent_and_release_never_let_anybody_in(
    who: Principal, patient: PatientFacts, at: datetime
) -> None:
    bare = replace(patient, team=(), consents=(), grants=())
    if decide(RECORD, who, at, patient=bare).allowed:
        assert decide(RECORD, who, at, patient=patient).allowed
