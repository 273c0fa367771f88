"""Who may say what of whom, and on which consent."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab.events.v1 import patient_pb2
from rehab.events.v1.event_pb2 import ROLE_PATIENT, ROLE_THERAPIST, Event, Role
from rehab.events.v1.tellers import KIND_TABLE, SUITE_ONLY, tellers
from rehab_ingest.domain.rights import Told, may_change, refusal, sayable
from rehab_runtime.access.facts import Care, Consent, Grant, PatientFacts
from rehab_runtime.auth import Principal, service_principal
from rehab_runtime.errors import ConsentNotInForce, Erased, PermissionDenied
from tests.contract.golden import bodies
from tests.ingest.given import CLINIC, PATIENT, rep

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
AT = datetime(2026, 3, 1, 10, tzinfo=UTC)
"""When what `rep` tells happened."""
DAY = timedelta(days=1)
OWN = Principal(PATIENT, "patient", CLINIC, patient_id=PATIENT)
DEVICE = Principal("phone-1", "device", CLINIC, patient_id=PATIENT)
ANN = Principal("ann", "therapist", CLINIC)
FACTS = PatientFacts(
    PATIENT,
    CLINIC,
    team=(Care("ann", AT - DAY),),
    consents=(Consent("consent-1", "treatment", AT - DAY),),
)


def said_by(caller: Principal, event: Event) -> Event:
    """The event with the caller as who tells it."""
    actor = event.envelope.actor
    actor.id, actor.role = caller.id, Role.Value(f"ROLE_{caller.role.upper()}")
    return event


def rule_of(event: Event, caller: Principal, facts: PatientFacts = FACTS, skew_ms: int = 0) -> str:
    error = refusal(said_by(caller, event), caller, facts, NOW, skew_ms)
    return error.violations[0].rule if error is not None else ""


def named(kind: str) -> Event:
    event = rep()
    event.envelope.kind = kind
    return event


def own_kind(caller: Principal) -> Event:
    """What somebody may tell by their role."""
    return named("plan") if caller.role == "therapist" else rep()


@pytest.mark.parametrize("caller", [OWN, DEVICE, ANN, service_principal("emr")])
def test_patients_their_devices_who_treats_them_and_services_are_heard(caller: Principal) -> None:
    assert refusal(said_by(caller, own_kind(caller)), caller, FACTS, NOW) is None


@pytest.mark.parametrize(
    ("caller", "facts", "rule"),
    [
        (replace(OWN, patient_id="patient-2"), FACTS, "patient.own"),
        (replace(DEVICE, patient_id="patient-2"), FACTS, "patient.own"),
        (replace(OWN, clinic_id="clinic-2"), FACTS, "patient.clinic"),
        (replace(ANN, id="bob"), FACTS, "patient.treated"),
        (ANN, replace(FACTS, team=(Care("ann", AT - DAY, AT),)), "patient.treated"),
        (OWN, replace(FACTS, consents=()), "consent.known"),
        (OWN, replace(FACTS, consents=(Consent("consent-1", "research", AT),)), "consent.purpose"),
        (
            OWN,
            replace(FACTS, consents=(Consent("consent-1", "treatment", AT + DAY),)),
            "consent.in_force",
        ),
        (
            OWN,
            replace(FACTS, consents=(Consent("consent-1", "treatment", AT - DAY, AT),)),
            "consent.in_force",
        ),
        (
            OWN,
            replace(
                FACTS,
                consents=(Consent("consent-1", "treatment", AT - DAY, scope=frozenset({"sleep"})),),
            ),
            "consent.in_force",
        ),
    ],
)
def test_others_and_what_no_consent_covers_are_refused_by_a_named_rule(
    caller: Principal, facts: PatientFacts, rule: str
) -> None:
    assert rule_of(own_kind(caller), caller, facts) == rule


def test_a_consent_withdrawn_since_still_covers_what_arose_before() -> None:
    gone = replace(FACTS, consents=(Consent("consent-1", "treatment", AT - DAY, AT + DAY),))
    assert rule_of(rep(), OWN, gone) == ""


def test_a_consent_is_asked_about_the_time_of_a_right_clock() -> None:
    begun = replace(FACTS, consents=(Consent("consent-1", "treatment", AT + DAY),))
    behind_ms = -2 * 86_400_000
    assert rule_of(rep(), OWN, begun) == "consent.in_force"
    assert rule_of(rep(), OWN, begun, behind_ms) == ""


def test_emergency_access_lets_a_clinician_write_and_ends() -> None:
    bob = replace(ANN, id="bob")
    taken = replace(FACTS, grants=(Grant("grant-1", "bob", NOW - DAY, NOW + DAY),))
    over = replace(FACTS, grants=(Grant("grant-1", "bob", NOW - DAY, NOW),))
    assert rule_of(named("plan"), bob, taken) == ""
    assert rule_of(named("plan"), bob, over) == "patient.treated"


@pytest.mark.parametrize("kind", sorted(SUITE_ONLY))
def test_what_services_tell_nobody_else_tells(kind: str) -> None:
    assert rule_of(named(kind), OWN) == "kind.suite"
    assert rule_of(named(kind), ANN) == "kind.suite"
    assert rule_of(named(kind), service_principal("emr")) == ""


def test_a_patient_names_nobody_as_treating() -> None:
    assert rule_of(named("care_team"), OWN) == "kind.role"


@pytest.mark.parametrize("caller", [OWN, DEVICE, ANN])
@pytest.mark.parametrize("kind", sorted(KIND_TABLE))
def test_who_tells_a_kind_is_as_the_table_says(kind: str, caller: Principal) -> None:
    for body in bodies(kind):
        event = said_by(caller, named(kind))
        event.body.CopyFrom(body)
        may = caller.role in tellers(kind, body)
        error = refusal(event, caller, FACTS, NOW)
        rule = error.violations[0].rule if error is not None else ""
        assert rule.startswith("kind.") == (not may), (kind, caller.role, rule)
        assert sayable(event, caller) == may


def test_a_phone_tells_as_its_patient_what_a_device_may_not() -> None:
    event = consent_event("consent-2")
    event.envelope.actor.id, event.envelope.actor.role = PATIENT, ROLE_PATIENT
    assert refusal(event, DEVICE, FACTS, NOW) is None
    assert rule_of(consent_event("consent-2"), DEVICE) == "kind.role"
    # its own name with its patient's role is not the patient's name
    event.envelope.actor.id = DEVICE.id
    error = refusal(event, DEVICE, FACTS, NOW)
    assert error is not None
    assert error.violations[0].rule == "kind.role"


def test_a_clinician_admits_a_patient_whom_nobody_treats_and_takes_over_nobodys() -> None:
    new, bob = PatientFacts(PATIENT), replace(ANN, id="bob")
    assert rule_of(named("enrolment"), bob, new) == "consent.known"
    assert rule_of(named("consent"), bob, new) == ""
    assert rule_of(named("care_team"), bob) == "patient.treated"
    assert rule_of(named("plan"), bob, new) == "patient.treated"


def test_of_an_erased_patient_nothing_is_taken() -> None:
    error = refusal(rep(), OWN, replace(FACTS, erased=True), NOW)
    assert isinstance(error, Erased)


def consent_event(consent_id: str, *, revoked: bool = False) -> Event:
    event = rep()
    event.envelope.kind = "consent"
    event.body.consent.consent_id = consent_id
    if revoked:
        event.body.consent.revoked.effective_at.FromDatetime(AT - DAY / 2)
    else:
        event.body.consent.granted.purpose = "treatment"
        event.body.consent.granted.valid_from.FromDatetime(AT - DAY)
    return event


def team_event(therapist: str) -> Event:
    event = named("care_team")
    event.body.care_team.therapist_id = therapist
    event.body.care_team.action = patient_pb2.CARE_TEAM_ACTION_ASSIGNED
    return event


def test_what_one_event_tells_the_next_rests_on() -> None:
    told = Told().and_of(consent_event("consent-1")).and_of(team_event("ann")).and_of(rep())
    assert rule_of(named("plan"), ANN, told.added_to(PatientFacts(PATIENT))) == ""
    gone = told.and_of(consent_event("consent-1", revoked=True))
    assert rule_of(named("plan"), ANN, gone.added_to(PatientFacts(PATIENT))) == "consent.in_force"


def test_only_what_identity_may_yet_hear_of_is_waited_for() -> None:
    waited = {"consent.known", "patient.treated"}
    for facts, caller in ((PatientFacts(PATIENT), OWN), (FACTS, replace(ANN, id="bob"))):
        error = refusal(said_by(caller, own_kind(caller)), caller, facts, NOW)
        assert error is not None
        assert may_change(error) == (error.violations[0].rule in waited)
    assert not may_change(Erased())


@given(
    st.builds(
        PatientFacts,
        patient_id=st.just(PATIENT),
        clinic_id=st.sampled_from(["", CLINIC, "clinic-2"]),
        erased=st.booleans(),
        team=st.sampled_from([(), FACTS.team]),
        consents=st.sampled_from([(), FACTS.consents]),
    ),
    st.sampled_from(["patient", "device", "therapist"]),
    st.sampled_from(["", PATIENT, "patient-2"]),
    st.sampled_from(["ann", "bob"]),
)
def test_what_comes_in_is_told_by_somebody_who_may_on_a_consent_that_holds(
    facts: PatientFacts, role: str, acts_for: str, name: str
) -> None:
    caller = Principal(name, role, CLINIC, patient_id=acts_for)
    error = refusal(said_by(caller, own_kind(caller)), caller, facts, NOW)
    if error is None:
        assert facts.clinic_id in ("", CLINIC)
        assert not facts.erased
        assert facts.consents
        assert acts_for == PATIENT if role != "therapist" else facts.treated_by(name, NOW)
    else:
        assert isinstance(error, ConsentNotInForce | PermissionDenied | Erased)


@pytest.mark.parametrize("caller", [OWN, DEVICE, ANN])
def test_nobody_speaks_in_anothers_name(caller: Principal) -> None:
    for name, role in (("bob", ROLE_THERAPIST), (caller.id, Role.ROLE_SERVICE)):
        event = rep()
        event.envelope.actor.id, event.envelope.actor.role = name, role
        error = refusal(event, caller, FACTS, NOW)
        assert error is not None
        assert error.violations[0].rule == "actor.own"
        assert not sayable(event, caller)


def test_what_its_sender_could_never_say_is_not_sayable() -> None:
    assert sayable(rep(), OWN)
    assert not sayable(rep(clinic="clinic-2"), OWN)
    assert not any(sayable(named(kind), OWN) for kind in SUITE_ONLY)


def test_who_was_released_is_not_let_in_by_the_memory_of_the_assignment() -> None:
    told = Told().and_of(team_event("ann"))
    since = told.team[0].since
    over = PatientFacts(PATIENT, CLINIC, team=(Care("ann", since, since + DAY / 2),))
    assert not told.added_to(over).treated_by("ann", NOW)
    assert not (Told(team=over.team) | told).added_to(PatientFacts(PATIENT)).treated_by("ann", NOW)


def test_a_patient_whom_the_log_has_in_another_clinic_is_that_clinics() -> None:
    told = Told().and_of(consent_event("consent-1"))
    far = replace(ANN, clinic_id="clinic-2")
    assert rule_of(named("enrolment"), far, told.added_to(PatientFacts(PATIENT))) == (
        "patient.clinic"
    )


def test_a_consent_told_by_a_phone_whose_clock_is_ahead_begins_when_it_was_given() -> None:
    told = consent_event("consent-1")
    ahead = 2 * DAY
    told.body.consent.granted.valid_from.FromDatetime(AT + ahead)
    told.envelope.clock_skew_ms = round(ahead.total_seconds() * 1000)
    (consent,) = Told().and_of(told).consents
    assert consent.since == AT
