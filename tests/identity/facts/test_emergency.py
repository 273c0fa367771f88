"""Access in an emergency: for a reason and a while, told first, reviewed by another."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from rehab.events.v1 import admin_pb2
from rehab.events.v1.event_pb2 import Body
from rehab_identity import metrics
from rehab_runtime.auth import Principal
from rehab_runtime.clock import FixedClock, SystemClock
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import AlreadyExists, InvalidArgument, NotFound, PermissionDenied
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLINIC,
    FAR,
    Clinic,
    Place,
    clinic,
    patient_of,
    refused,
    some_patient,
    until,
    utc,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
MEDIC = Principal("medic", "emergency", CLINIC)


class Ward:
    """A clinic whose time stands until it is moved."""

    def __init__(self, made: Clinic, clock: FixedClock) -> None:
        self.made = made
        self.clock = clock


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def ward(
    postgres: Any, nats: Nats, tmp_path_factory: pytest.TempPathFactory
) -> AsyncIterator[Ward]:
    clock = FixedClock(SystemClock().now())
    place = Place(postgres, nats.url, tmp_path_factory.mktemp("ward"))
    async with clinic(place, clock) as made:
        yield Ward(made, clock)


async def test_who_takes_it_sees_the_patient_at_once_and_for_a_while(ward: Ward) -> None:
    made = ward.made
    patient = await made.treated(some_patient())
    assert await made.asks.may(BOB, patient) == (False, "no_relationship")
    taken = await made.as_(BOB).take(patient)
    assert await made.asks.may(BOB, patient) == (True, "break_glass")
    assert await made.asks.may(ANN, patient) == (False, "no_relationship")
    assert (utc(taken.expires_at) - utc(taken.taken_at)).total_seconds() == 3600
    event = (await made.stream(patient))[-1]
    told = Body.FromString(event.body).break_glass
    assert (event.envelope.kind, event.envelope.actor.id) == ("break_glass", BOB.id)
    assert (told.grant_id, told.reason) == (taken.grant_id, "acute_event")
    ward.clock.advance(3599)
    assert await made.asks.may(BOB, patient) == (True, "break_glass")
    ward.clock.advance(1)
    assert await made.asks.may(BOB, patient) == (False, "no_relationship")


async def test_it_needs_no_consent_and_reaches_one_patient(ward: Ward) -> None:
    made = ward.made
    patient, other = await made.treated(some_patient()), await made.treated(some_patient())
    await made.as_(ADMIN).revoke(patient, "c-1")
    await made.as_(MEDIC).take(patient, minutes=240, reason="unconscious")
    assert await made.asks.may(MEDIC, patient) == (True, "break_glass")
    assert await made.asks.may(MEDIC, other) == (False, "no_relationship")


async def test_it_is_ended_early_by_who_took_it_or_an_admin_of_the_clinic(ward: Ward) -> None:
    made = ward.made
    patient = await made.treated(some_patient())
    first = await made.as_(BOB).take(patient)
    assert isinstance(await refused(made.as_(ANN).end(first.grant_id)), NotFound)
    far_admin = Principal("admin-9", "admin", "clinic-2")
    assert isinstance(await refused(made.as_(far_admin).end(first.grant_id)), NotFound)
    await made.as_(BOB).end(first.grant_id)
    await made.as_(BOB).end(first.grant_id)
    assert await made.asks.may(BOB, patient) == (False, "no_relationship")
    second = await made.as_(BOB).take(patient)
    assert second.grant_id != first.grant_id
    await made.as_(ADMIN).end(second.grant_id)
    assert await made.asks.may(BOB, patient) == (False, "no_relationship")
    stages = [Body.FromString(one.body).break_glass.stage for one in await made.stream(patient)]
    assert stages.count(admin_pb2.BREAK_GLASS_STAGE_ENDED) == 2


async def test_a_retry_takes_it_once_and_a_later_one_anew(ward: Ward) -> None:
    made = ward.made
    patient = await made.treated(some_patient())
    first = await made.as_(BOB).take(patient)
    ward.clock.advance(30)
    assert (await made.as_(BOB).take(patient)).grant_id == first.grant_id
    ward.clock.advance(600)
    assert (await made.as_(BOB).take(patient)).grant_id != first.grant_id


async def test_nobody_takes_it_in_another_clinic_or_for_longer_than_four_hours(
    ward: Ward,
) -> None:
    made = ward.made
    patient = await made.treated(some_patient())
    assert isinstance(await refused(made.as_(FAR).take(patient)), NotFound)
    assert isinstance(await refused(made.as_(ADMIN).take(patient)), PermissionDenied)
    assert isinstance(await refused(made.as_(patient_of(patient)).take(patient)), PermissionDenied)
    assert isinstance(await refused(made.as_(BOB).take(patient, minutes=241)), InvalidArgument)
    assert isinstance(await refused(made.as_(BOB).take(patient, reason="curious")), InvalidArgument)


async def test_another_person_of_the_clinic_reviews_it_once(ward: Ward) -> None:
    made = ward.made
    patient = await made.treated(some_patient())
    taken = await made.as_(BOB).take(patient)
    assert taken.grant_id in {
        one.grant_id for one in (await made.as_(ADMIN).emergencies(unreviewed=True)).grants
    }
    far_admin = Principal("admin-9", "admin", "clinic-2")
    assert isinstance(await refused(made.as_(far_admin).review(taken.grant_id)), NotFound)
    assert isinstance(await refused(made.as_(BOB).review(taken.grant_id)), PermissionDenied)
    # the same person, whatever they act as now
    same = Principal(BOB.id, "admin", CLINIC)
    error = await refused(made.as_(same).review(taken.grant_id))
    assert isinstance(error, PermissionDenied)
    assert error.metadata == {"reason": "own_access"}
    await until(lambda: _denial_told(made, "ReviewEmergencyAccess", "own_access"))
    await made.as_(ADMIN).review(taken.grant_id, "unjustified")
    await made.as_(ADMIN).review(taken.grant_id, "unjustified")
    error = await refused(made.as_(ADMIN).review(taken.grant_id, "justified"))
    assert isinstance(error, AlreadyExists)
    (found,) = [
        one
        for one in (await made.as_(ADMIN).emergencies()).grants
        if one.grant_id == taken.grant_id
    ]
    assert (found.reviewed_by, found.finding) == (ADMIN.id, "unjustified")
    assert taken.grant_id not in {
        one.grant_id for one in (await made.as_(ADMIN).emergencies(unreviewed=True)).grants
    }


async def _denial_told(made: Clinic, rpc: str, reason: str) -> bool:
    events, _ = await made.log.read_all(0, 10_000)
    told = [Body.FromString(one.body).access for one in events if one.envelope.kind == "access"]
    return any(one.rpc.endswith(rpc) and one.reason == reason for one in told if not one.allowed)


async def test_a_clinics_emergencies_come_in_pages_newest_first(ward: Ward) -> None:
    made = ward.made
    taken = []
    for _ in range(5):
        ward.clock.advance(1)
        taken.append((await made.as_(BOB).take(await made.treated(some_patient()))).grant_id)
    found, token = [], ""
    for _ in range(3):
        page = await made.as_(ADMIN).emergencies(page_size=2, page_token=token)
        found += [one.grant_id for one in page.grants]
        token = page.next_page_token
    assert found[:5] == taken[::-1]
    error = await refused(made.as_(ADMIN).emergencies(unreviewed=True, page_token=token))
    assert isinstance(error, InvalidArgument)


async def test_reviews_that_are_overdue_are_counted(
    postgres: Any, nats_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_identity.facts.emergencies.LOOK_S", 0.02)
    clock = FixedClock(SystemClock().now())
    async with clinic(Place(postgres, nats_url, tmp_path), clock, emergency_review_h=1) as made:
        patient = await made.treated(some_patient())
        taken = await made.as_(BOB).take(patient)
        assert metrics.overdue._value.get() == 0
        clock.advance(3601)

        async def overdue(count: int) -> bool:
            return metrics.overdue._value.get() == count

        await until(lambda: overdue(1))
        await made.as_(ADMIN).review(taken.grant_id)
        await until(lambda: overdue(0))
