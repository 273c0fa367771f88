"""What a client makes of each refusal of a server: a typed error with all that was told, another
try where that helps and never beyond the deadline."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager
from dataclasses import replace

import pytest

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab_runtime.errors import catalogue
from rehab_sdk import (
    AsyncRehab,
    Backoff,
    Options,
    Rejected,
    Stored,
    dev_token,
    enrol_device,
    errors,
)
from rehab_sdk.errors import BY_REASON, RehabError, Violation, is_passing
from rehab_sdk.testing import FakeRehab, Refusal
from tests.sdk.clinic import pains
from tests.sdk.given import CLINIC, CONSENT

PATIENT = "patient-1"
SHORT = Options(deadline_s=0.4, backoff=Backoff(first_s=0.001, longest_s=0.002))
LONG = Options(deadline_s=20, backoff=SHORT.backoff)
BROKEN = Violation("event.body.pain_report.nprs", "uint32.lte", "must be at most 10")
TOLD = {"shard": "3", "position": "17"}
REASONS = {
    value.name.removeprefix("ERROR_REASON_"): BY_REASON[value.number]
    for value in reasons.ErrorReason.DESCRIPTOR.values
    if value.number
}


@pytest.fixture
def fake() -> Iterator[FakeRehab]:
    with FakeRehab() as made:
        yield made


def phone(fake: FakeRehab, options: Options) -> AbstractAsyncContextManager[AsyncRehab]:
    return AsyncRehab.connect(
        **fake.addresses,
        token=dev_token("patient", CLINIC, PATIENT),
        device_id="phone-1",
        consent_id=CONSENT,
        zone="Europe/Berlin",
        options=options,
    )


def told(error: RehabError) -> tuple[object, ...]:
    return error.reason, error.violations, error.metadata, error.retry_after_s


@pytest.mark.parametrize(("reason", "kind"), REASONS.items(), ids=str)
async def test_a_refused_call_raises_its_class_with_everything_that_was_told(
    fake: FakeRehab, reason: str, kind: type[RehabError]
) -> None:
    fake.refuse(Refusal(reason, "why", [BROKEN], TOLD, retry_after_s=60))
    async with phone(fake, SHORT) as client:
        with pytest.raises(RehabError) as raised:
            await client.log(*pains(client, PATIENT, 1))
    assert type(raised.value) is kind
    assert told(raised.value) == (reason, (BROKEN,), TOLD, 60)
    assert raised.value.correlation_id
    assert fake.calls == {"LogEvent": 1}, "a minute is more than the deadline leaves"


@pytest.mark.parametrize(("reason", "kind"), REASONS.items(), ids=str)
async def test_a_refused_event_has_the_same_error_in_its_verdict(
    fake: FakeRehab, reason: str, kind: type[RehabError]
) -> None:
    fake.reject(Refusal(reason, "why", [BROKEN], TOLD, retry_after_s=60))
    async with phone(fake, SHORT) as client:
        (verdict,) = await client.log_many(pains(client, PATIENT, 1))
    assert isinstance(verdict, Rejected)
    assert type(verdict.error) is kind
    assert told(verdict.error) == told(verdict) == (reason, (BROKEN,), TOLD, 60)


@pytest.mark.parametrize(("reason", "kind"), REASONS.items(), ids=str)
async def test_what_passes_is_tried_again_and_nothing_else(
    fake: FakeRehab, reason: str, kind: type[RehabError]
) -> None:
    fake.refuse(Refusal(reason), times=3)
    async with phone(fake, LONG) as client:
        if is_passing(kind("")):
            await client.log(*pains(client, PATIENT, 1))
            assert fake.calls == {"LogEvent": 4}
        else:
            with pytest.raises(kind):
                await client.log(*pains(client, PATIENT, 1))
            assert fake.calls == {"LogEvent": 1}


async def test_a_server_that_says_how_long_to_wait_is_not_asked_before(fake: FakeRehab) -> None:
    fake.refuse(Refusal("OVERLOADED", retry_after_s=0.3), times=1)
    async with phone(fake, LONG) as client:
        began = time.monotonic()
        await client.lag()
        assert time.monotonic() - began >= 0.3
    assert fake.calls == {"GetLag": 2}


async def test_events_that_cannot_be_stored_just_now_are_sent_again(fake: FakeRehab) -> None:
    fake.reject(Refusal("UNAVAILABLE", retry_after_s=0.001), times=3)
    async with phone(fake, LONG) as client:
        verdicts = await client.log_many(pains(client, PATIENT, 2))
    assert all(isinstance(verdict, Stored) for verdict in verdicts)
    assert fake.calls == {"LogEvents": 3}


async def test_tries_end_with_the_deadline(fake: FakeRehab) -> None:
    fake.refuse(Refusal("UNAVAILABLE", retry_after_s=0.25))
    # on a busy machine the first connection alone may take half a second
    async with phone(fake, replace(SHORT, deadline_s=2)) as client:
        with pytest.raises(errors.Unavailable) as raised:
            await client.lag()
    assert raised.value.reason == "UNAVAILABLE"
    assert 2 <= fake.calls["GetLag"] <= 9


async def test_a_server_that_comes_back_just_before_the_deadline_is_still_asked(
    fake: FakeRehab,
) -> None:
    told = Options(deadline_s=2, backoff=Backoff(first_s=0.1, longest_s=600))
    fake.refuse(Refusal("UNAVAILABLE"))
    async with phone(fake, told) as client:
        asked = asyncio.create_task(client.lag())
        await asyncio.sleep(told.deadline_s * 0.8)
        fake.accept()
        await asked


async def test_a_slow_server_is_left_at_the_deadline(fake: FakeRehab) -> None:
    fake.delay_s = 30
    async with phone(fake, SHORT) as client:
        with pytest.raises(errors.TimedOut):
            await client.lag()


async def test_a_code_is_shown_again_with_the_same_key_when_the_answer_is_lost(
    fake: FakeRehab,
) -> None:
    fake.refuse(Refusal("UNAVAILABLE"), rpc="EnrolDevice", times=1)
    code = fake.enrolment_code(CLINIC, PATIENT)
    key = await enrol_device(code, identity=fake.addresses["identity"])
    assert key.patient_id == PATIENT
    assert fake.calls == {"EnrolDevice": 2}


def test_pauses_grow_up_to_a_limit_and_are_spread_evenly() -> None:
    backoff = Backoff(first_s=1, longest_s=8)
    for attempt, cap in ((1, 1), (2, 2), (3, 4), (4, 8), (40, 8)):
        pauses = [backoff.delay_s(attempt) for _ in range(400)]
        assert 0 <= min(pauses) < cap / 4
        assert cap * 3 / 4 < max(pauses) <= cap


def test_the_fake_answers_each_reason_with_the_status_that_services_use() -> None:
    for number, kind in catalogue().items():
        reason = reasons.ErrorReason.Name(number).removeprefix("ERROR_REASON_")
        assert (reason, Refusal(reason).code) == (reason, kind.status)
