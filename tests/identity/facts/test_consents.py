"""Consents and care teams: told to the log, known when it is answered."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from rehab.events.v1.event_pb2 import Body
from rehab_runtime.clock import SystemClock
from rehab_runtime.errors import (
    AlreadyExists,
    ConsentNotInForce,
    InvalidArgument,
    NotFound,
    PermissionDenied,
)
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLI,
    FAR,
    Clinic,
    patient_of,
    refused,
    rules,
    some_patient,
    utc,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
DAY = timedelta(days=1)


def now() -> datetime:
    return SystemClock().now()


async def test_a_patient_agrees_and_is_treated_from_the_answer_on(shared: Clinic) -> None:
    patient = some_patient()
    await shared.known(patient)
    assert await shared.asks.may(ANN, patient) == (False, "no_relationship")
    consent = await shared.as_(patient_of(patient)).grant(patient, mode="electronic")
    assert consent.in_force
    assert consent.consent_id
    await shared.as_(ADMIN).assign(patient, ANN.id, primary=True)
    assert await shared.asks.may(ANN, patient) == (True, "treats")
    assert await shared.asks.may(BOB, patient) == (False, "no_relationship")
    assert await shared.asks.may(FAR, patient) == (False, "other_clinic")
    (care,) = await shared.as_(ADMIN).team(patient)
    assert (care.therapist_id, care.primary, care.HasField("until")) == (ANN.id, True, False)


async def test_each_change_is_an_event_of_the_patient_by_who_made_it(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    await shared.as_(patient_of(patient)).revoke(patient, "c-1")
    events = await shared.stream(patient)
    told = [(one.envelope.kind, one.envelope.actor.id) for one in events]
    assert told == [("consent", ADMIN.id), ("care_team", ADMIN.id), ("consent", patient)]
    assert all(one.envelope.phi and one.envelope.consent_id == "c-1" for one in events)
    assert all(one.envelope.clinic_id == "clinic-1" for one in events)
    assert Body.FromString(events[2].body).consent.HasField("revoked")


async def test_a_consent_that_is_withdrawn_opens_nothing_any_more(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    consent = await shared.as_(patient_of(patient)).revoke(patient, "c-1")
    assert not consent.in_force
    assert await shared.asks.may(ANN, patient) == (False, "no_consent")
    assert await shared.asks.may(patient_of(patient), patient) == (True, "own")


async def test_the_same_consent_is_answered_the_same_and_another_is_refused(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient())
    admin = shared.as_(ADMIN)
    first = await admin.grant(patient, consent_id="c-2", purpose="research", scope=["sleep"])
    again = await admin.grant(patient, consent_id="c-2", purpose="research", scope=["sleep"])
    assert again == first
    error = await refused(admin.grant(patient, consent_id="c-2", purpose="emr_share"))
    assert isinstance(error, AlreadyExists)
    assert rules(error) == [("consent_id", "consent_id.new")]
    assert len(await shared.stream(patient)) == 2


async def test_of_two_who_grant_the_same_id_at_once_one_wins(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    admin = shared.as_(ADMIN)
    purposes = ["research", "emr_share"] * 4
    answers = await asyncio.gather(
        *(admin.grant(patient, consent_id="c-9", purpose=one) for one in purposes),
        return_exceptions=True,
    )
    granted = {one.purpose for one in answers if not isinstance(one, BaseException)}
    failed = [one for one in answers if isinstance(one, BaseException)]
    assert len(granted) == 1
    assert len(failed) == 4
    assert all(isinstance(one, AlreadyExists) for one in failed)
    assert len(await shared.stream(patient)) == 2


async def test_a_consent_is_withdrawn_once(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    own = shared.as_(patient_of(patient))
    answers = await asyncio.gather(*(own.revoke(patient, "c-1") for _ in range(5)))
    later = await own.revoke(patient, "c-1", now() + DAY)
    assert {utc(one.revoked_at) for one in [*answers, later]} == {utc(answers[0].revoked_at)}
    assert len(await shared.stream(patient)) == 2


async def test_a_withdrawal_is_not_before_its_consent(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    error = await refused(shared.as_(ADMIN).revoke(patient, "c-1", now() - DAY))
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [("effective_at", "timestamp.not_before_valid_from")]
    assert isinstance(await refused(shared.as_(ADMIN).revoke(patient, "c-7")), NotFound)


async def test_what_a_consent_must_be_is_named(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    admin = shared.as_(ADMIN)
    ends, begins = datetime(2026, 1, 1, tzinfo=UTC), datetime(2026, 2, 1, tzinfo=UTC)
    backwards = admin.grant(patient, valid_from=begins, valid_until=ends)
    assert rules(await refused(backwards)) == [("valid_until", "timestamp.after_valid_from")]
    short = admin.grant(patient, text_sha256=b"x")
    assert rules(await refused(short)) == [("text_sha256", "bytes.len")]
    assert rules(await refused(admin.grant(patient, purpose="ads"))) == [("purpose", "string.in")]


async def test_consents_are_told_as_they_were_known_at_a_time(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    before_any = utc((await shared.stream(patient))[0].envelope.recorded_at) - DAY
    granted_at = utc((await shared.stream(patient))[1].envelope.recorded_at)
    await shared.as_(patient_of(patient)).revoke(patient, "c-1", now() + DAY)
    own = shared.as_(patient_of(patient))
    assert await own.consents(patient, before_any) == []
    (then,) = await own.consents(patient, granted_at)
    assert (then.in_force, then.HasField("revoked_at")) == (True, False)
    (today,) = await own.consents(patient)
    assert (today.in_force, today.HasField("revoked_at")) == (True, True)
    (tomorrow,) = await own.consents(patient, now() + 2 * DAY)
    assert not tomorrow.in_force


async def test_what_was_allowed_is_told_as_of_a_time(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    allowed_at = now()
    await shared.as_(ADMIN).release(patient, ANN.id)
    assert await shared.asks.may(ANN, patient) == (False, "no_relationship")
    assert await shared.asks.may(ANN, patient, at=allowed_at) == (True, "treats")
    error = await refused(shared.asks.may(ANN, patient, at=now() + DAY))
    assert rules(error) == [("at", "timestamp.not_in_future")]


async def test_a_therapist_who_is_released_and_assigned_again_treated_twice(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    admin = shared.as_(ADMIN)
    await admin.release(patient, ANN.id)
    await admin.release(patient, ANN.id)
    await admin.assign(patient, ANN.id)
    await admin.assign(patient, ANN.id)
    first, second = await admin.team(patient)
    assert first.HasField("until")
    assert not second.HasField("until")
    assert utc(first.until) <= utc(second.since)
    assert len(await shared.stream(patient)) == 4


async def test_nobody_is_assigned_without_a_consent_to_treatment(shared: Clinic) -> None:
    patient = some_patient()
    await shared.known(patient)
    error = await refused(shared.as_(ADMIN).assign(patient, ANN.id))
    assert isinstance(error, ConsentNotInForce)
    assert rules(error) == [("patient_id", "consent.treatment")]
    # who treats no more is released whatever the patient agreed to
    await shared.as_(ADMIN).grant(patient, consent_id="c-1")
    await shared.as_(ADMIN).assign(patient, ANN.id)
    await shared.as_(ADMIN).revoke(patient, "c-1")
    await shared.as_(ADMIN).release(patient, ANN.id)
    assert (await shared.as_(ADMIN).team(patient))[0].HasField("until")


async def test_only_a_therapist_of_the_clinic_is_assigned(shared: Clinic) -> None:
    patient, other = await shared.treated(some_patient()), await shared.treated(some_patient())
    error = await refused(shared.as_(ADMIN).assign(patient, other))
    assert rules(error) == [("therapist_id", "account.therapist")]


async def test_who_may_not_is_turned_away_with_a_reason_or_as_if_there_were_nobody(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    other = some_patient()
    await shared.known(other)
    error = await refused(shared.as_(ANN).grant(patient))
    assert isinstance(error, PermissionDenied)
    assert error.metadata == {"reason": "role"}
    error = await refused(shared.as_(patient_of(other)).grant(patient))
    assert isinstance(error, PermissionDenied)
    assert isinstance(await refused(shared.as_(FAR).consents(patient)), NotFound)
    assert isinstance(await refused(shared.as_(ADMIN).consents("nobody")), NotFound)
    assert isinstance(await refused(shared.as_(CLI).consents("nobody")), NotFound)
    assert isinstance(await refused(shared.as_(ANN).facts(patient)), PermissionDenied)
