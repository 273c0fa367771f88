"""Who saw a patient's data, and everything that is held of one."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import AsyncExitStack
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from rehab.events.v1.event_pb2 import Body
from rehab_runtime import pages
from rehab_runtime.auth import service_principal
from rehab_runtime.errors import InvalidArgument, PermissionDenied, Unavailable
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLI,
    Clinic,
    Place,
    eventstore,
    identity,
    patient_of,
    refused,
    rules,
    some_patient,
    until,
    utc,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIST_TEAM = "rehab.identity.v1.ConsentService/ListCareTeam"


async def seen(made: Clinic, patient: str, rpc: str = LIST_TEAM) -> list[Any]:
    """Accesses of one kind, once there is one."""

    async def found() -> list[Any]:
        answer = await made.as_(patient_of(patient)).accesses(patient, page_size=500)
        return [one for one in answer.entries if one.rpc == rpc]

    return await until(found)


async def test_a_patient_learns_who_saw_their_data_and_who_was_denied_it(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    await shared.as_(ANN).team(patient)
    assert isinstance(await refused(shared.as_(BOB).team(patient)), PermissionDenied)

    async def both() -> list[Any]:
        found = await seen(shared, patient)
        return found if len(found) == 2 else []

    told = {(one.actor_id, one.allowed, one.reason) for one in await until(both)}
    assert told == {(ANN.id, True, "treats"), (BOB.id, False, "no_relationship")}


async def test_the_log_tells_of_an_access_before_it_is_answered(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    await shared.as_(ANN).team(patient)
    told = [
        access
        for shard in range(shared.place.shards)
        for one in (await shared.log.read_all(0, 10_000, shard=shard))[0]
        if one.envelope.kind == "access" and one.envelope.subject_id.startswith("audit-identity-")
        if one.envelope.actor.id == ANN.id
        if patient in (access := Body.FromString(one.body).access).subject_ids
    ]
    assert [(one.rpc, one.allowed, one.reason) for one in told] == [(LIST_TEAM, True, "treats")]


async def test_the_same_access_is_covered_by_the_entry_there_is(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    for _ in range(5):
        await shared.as_(ANN).team(patient)
    (entry,) = await seen(shared, patient)
    assert (utc(entry.covered_until) - utc(entry.at)).total_seconds() == 60


async def test_accesses_come_in_pages_newest_first(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    readers = [service_principal(f"reader{chr(97 + n)}") for n in range(7)]
    for reader in readers:
        await shared.as_(reader).team(patient)
    await until(lambda: _count(shared, patient, 7))
    own = shared.as_(patient_of(patient))
    found, token, read = [], "", 0
    while read == 0 or token:
        page = await own.accesses(patient, page_size=3, page_token=token)
        found += page.entries
        token, read = page.next_page_token, read + 1
    assert [utc(one.at) for one in found] == sorted((utc(one.at) for one in found), reverse=True)
    assert len({one.event_id + one.rpc + one.actor_id for one in found}) == len(found)
    assert {one.id for one in readers} <= {one.actor_id for one in found}
    middle = utc(found[len(found) // 2].at)
    since = await own.accesses(patient, since=found[len(found) // 2].at, page_size=500)
    assert all(utc(one.at) >= middle for one in since.entries)
    scope = ("access", patient, "None", "None")
    forged = pages.issue(scope, [datetime(2026, 3, 2, tzinfo=UTC), "no event"])
    for token in ("stranger", forged):
        error = await refused(own.accesses(patient, page_token=token))
        assert isinstance(error, InvalidArgument)
        assert rules(error) == [("page_token", "page_token.of_this_request")]


async def _count(made: Clinic, patient: str, count: int) -> bool:
    return len(await seen(made, patient)) == count


async def test_only_the_patient_and_admins_of_the_clinic_ask_who_saw(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    assert isinstance(await refused(shared.as_(ANN).accesses(patient)), PermissionDenied)
    await shared.as_(ADMIN).accesses(patient)


async def test_nothing_is_answered_that_the_log_does_not_tell_of(
    postgres: Any, nats_url: str, tmp_path: Path
) -> None:
    place = Place(postgres, nats_url, tmp_path)
    async with AsyncExitStack() as log_runs:
        log, address = await log_runs.enter_async_context(eventstore(place))
        async with identity(place, log, address) as made:
            patient = await made.treated(some_patient(), ANN.id)
            await made.as_(ANN).team(patient)
            await log_runs.aclose()
            assert isinstance(await refused(made.as_(ADMIN).team(patient)), Unavailable)
            # what is covered, decided or denied needs nothing more from the log
            await made.as_(ANN).team(patient)
            assert await made.asks.may(ANN, patient) == (True, "treats")
            assert isinstance(await refused(made.as_(BOB).team(patient)), PermissionDenied)


async def test_an_export_holds_every_event_with_its_body_and_every_access(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    await shared.as_(ANN).team(patient)
    await shared.as_(patient_of(patient)).revoke(patient, "c-1")
    await seen(shared, patient)
    text = await shared.as_(patient_of(patient)).export(patient)
    lines = [json.loads(line) for line in text.splitlines()]
    kinds = Counter(one["type"] for one in lines)
    assert kinds["facts"] == 1
    assert kinds["access"] >= 1
    events = [one for one in lines if one["type"] == "event"]
    assert [one["envelope"]["kind"] for one in events] == [
        "consent",
        "care_team",
        "consent",
        "export",
    ]
    assert events[0]["body"]["consent"]["granted"]["purpose"] == "treatment"
    assert all("body" in one for one in events)
    (facts,) = [one for one in lines if one["type"] == "facts"]
    assert facts["given"][0]["consent_id"] == "c-1"
    stages = [
        Body.FromString(one.body).export.delivered
        for one in await shared.stream(patient)
        if one.envelope.kind == "export"
    ]
    assert stages == [False, True]


async def test_only_the_patient_exports_their_record(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    for who in (ANN, ADMIN):
        assert isinstance(await refused(shared.as_(who).export(patient)), PermissionDenied)
    assert await shared.as_(CLI).export(patient)
