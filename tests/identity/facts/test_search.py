"""Searching the trail of a clinic: by whom, of whom, what, when and how it was decided."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab_runtime import pages
from rehab_runtime.auth import Principal, service_principal
from rehab_runtime.errors import InvalidArgument, NotFound, PermissionDenied
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLI,
    CLINIC,
    FAR,
    Clinic,
    patient_of,
    refused,
    rules,
    some_patient,
    until,
    utc,
)

pytestmark = pytest.mark.asyncio(loop_scope="module")
LIST_TEAM = "rehab.identity.v1.ConsentService/ListCareTeam"
SEARCH = "rehab.identity.v1.IdentityService/SearchAccess"
FAR_ADMIN = Principal("far-admin", "admin", FAR.clinic_id)


async def page(made: Clinic, who: Principal, clinic: str = CLINIC, **asked: Any) -> Any:
    paging = {name: asked.pop(name) for name in ("oldest_first", "page_size") if name in asked}
    token = asked.pop("page_token", "")
    request = pb.SearchAccessRequest(
        clinic_id=clinic, filter=pb.AccessFilter(**asked), page_token=token, **paging
    )
    return await made.as_(who).search(request)


async def found(made: Clinic, who: Principal, clinic: str = CLINIC, **asked: Any) -> list[Any]:
    return list((await page(made, who, clinic, page_size=500, **asked)).entries)


async def soon(made: Clinic, who: Principal, clinic: str = CLINIC, **asked: Any) -> list[Any]:
    """The same, once there is something."""

    async def look() -> list[Any]:
        return await found(made, who, clinic, **asked)

    return list(await until(look))


def told(entries: list[Any]) -> set[tuple[str, str, bool]]:
    return {(one.actor_id, one.patient_id, one.allowed) for one in entries}


async def test_a_trail_is_searched_by_patient_principal_rpc_and_outcome(shared: Clinic) -> None:
    patient, other = [await shared.treated(some_patient(), ANN.id) for _ in range(2)]
    await shared.as_(ANN).team(patient)
    await shared.as_(ANN).team(other)
    await refused(shared.as_(BOB).team(patient))
    await soon(shared, ADMIN, patient_id=patient, actor_id=BOB.id)
    await soon(shared, ADMIN, patient_id=other, actor_id=ANN.id)
    of_patient = await found(shared, ADMIN, patient_id=patient, rpc="listcareteam")
    assert told(of_patient) == {(ANN.id, patient, True), (BOB.id, patient, False)}
    assert {one.clinic_id for one in of_patient} == {CLINIC}
    by_ann = await found(shared, ADMIN, actor_id=ANN.id, rpc=LIST_TEAM)
    assert {(ANN.id, patient, True), (ANN.id, other, True)} <= told(by_ann)
    assert {one.actor_id for one in by_ann} == {ANN.id}
    denied = await found(
        shared, ADMIN, patient_id=patient, rpc=LIST_TEAM, outcome=pb.ACCESS_OUTCOME_DENIED
    )
    assert [(one.actor_id, one.reason) for one in denied] == [(BOB.id, "no_relationship")]
    allowed = await found(
        shared, ADMIN, patient_id=patient, rpc=LIST_TEAM, outcome=pb.ACCESS_OUTCOME_ALLOWED
    )
    assert told(allowed) == {(ANN.id, patient, True)}
    assert await found(shared, ADMIN, patient_id=patient, rpc="GetAdherence") == []


async def test_what_was_denied_before_it_was_known_whose_is_of_the_callers_clinic(
    shared: Clinic,
) -> None:
    prober = Principal("prober", "therapist", CLINIC)
    assert isinstance(await refused(shared.as_(prober).team("nobody-at-all")), NotFound)
    (entry,) = await soon(shared, ADMIN, actor_id="prober")
    assert (entry.patient_id, entry.clinic_id) == ("", CLINIC)
    assert (entry.allowed, entry.reason) == (False, "unknown_patient")
    assert await found(shared, FAR_ADMIN, FAR.clinic_id, actor_id="prober") == []


async def test_a_clinic_hears_of_what_others_tried_at_its_patients(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    assert isinstance(await refused(shared.as_(FAR).team(patient)), NotFound)
    (entry,) = await soon(shared, ADMIN, patient_id=patient, actor_id=FAR.id)
    assert (entry.reason, entry.clinic_id) == ("other_clinic", CLINIC)
    assert await found(shared, FAR_ADMIN, FAR.clinic_id, actor_id=FAR.id) == []


async def test_what_was_done_in_an_emergency_is_found_with_its_taking_and_review(
    shared: Clinic,
) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    await shared.as_(ANN).team(patient)
    grant = await shared.as_(BOB).take(patient)
    await shared.as_(BOB).team(patient)
    await shared.as_(ADMIN).review(grant.grant_id)
    ask = {"patient_id": patient, "emergency": True}

    async def look() -> set[str]:
        seen = await found(shared, ADMIN, **ask)
        assert ANN.id not in {one.actor_id for one in seen}
        return {one.rpc.rsplit("/", 1)[1] for one in seen}

    wanted = {"TakeEmergencyAccess", "ListCareTeam", "ReviewEmergencyAccess"}

    async def complete() -> bool:
        return await look() == wanted

    await until(complete)


async def test_entries_come_in_pages_in_either_order_once_each(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    readers = [service_principal(f"searcher{chr(97 + n)}") for n in range(7)]
    for reader in readers:
        await shared.as_(reader).team(patient)
    ask = {"patient_id": patient, "rpc": LIST_TEAM}

    async def complete() -> bool:
        return len(await found(shared, ADMIN, **ask)) == len(readers)

    await until(complete)
    seen = {}
    for oldest_first in (False, True):
        entries, token, turns = [], "", 0
        while turns == 0 or token:
            answer = await page(
                *(shared, ADMIN), page_size=3, page_token=token, oldest_first=oldest_first, **ask
            )
            entries += answer.entries
            token, turns = answer.next_page_token, turns + 1
        times = [utc(one.at) for one in entries]
        assert times == sorted(times, reverse=not oldest_first)
        assert sorted(one.actor_id for one in entries) == sorted(one.id for one in readers)
        seen[oldest_first] = [one.actor_id for one in entries]
    assert seen[True] == seen[False][::-1]


async def test_a_search_is_cut_at_both_ends_of_a_time(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    for name in ("earlya", "earlyb", "earlyc"):
        await shared.as_(service_principal(name)).team(patient)
    ask = {"patient_id": patient, "rpc": LIST_TEAM}

    async def complete() -> bool:
        return len(await found(shared, ADMIN, **ask)) == 3

    await until(complete)
    newest, middle, oldest = await found(shared, ADMIN, **ask)
    assert [one.actor_id for one in await found(shared, ADMIN, since=middle.at, **ask)] == [
        *(newest.actor_id, middle.actor_id)
    ]
    assert [one.actor_id for one in await found(shared, ADMIN, until=middle.at, **ask)] == [
        oldest.actor_id
    ]
    between = await found(shared, ADMIN, since=middle.at, until=newest.at, **ask)
    assert [one.actor_id for one in between] == [middle.actor_id]


async def test_the_search_itself_leaves_a_trace(shared: Clinic) -> None:
    patient = await shared.treated(some_patient())
    auditor = Principal("auditor", "admin", CLINIC)
    await found(shared, auditor)
    (general,) = await soon(shared, ADMIN, actor_id="auditor", rpc=SEARCH)
    assert (general.patient_id, general.allowed) == ("", True)
    await found(shared, auditor, patient_id=patient)
    (of_patient,) = await soon(shared, ADMIN, patient_id=patient, rpc=SEARCH, actor_id="auditor")
    own = await shared.as_(patient_of(patient)).accesses(patient)
    assert of_patient.event_id in {one.event_id for one in own.entries}


async def test_only_who_runs_the_clinic_searches_and_only_there(shared: Clinic) -> None:
    patient = await shared.treated(some_patient(), ANN.id)
    for who in (ANN, patient_of(patient), Principal("eve", "emergency", CLINIC)):
        assert isinstance(await refused(page(shared, who)), PermissionDenied)
    assert isinstance(await refused(page(shared, FAR_ADMIN)), NotFound)
    elsewhere = page(shared, FAR_ADMIN, FAR.clinic_id, patient_id=patient)
    assert isinstance(await refused(elsewhere), NotFound)
    error = await refused(page(shared, ADMIN, ""))
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [("clinic_id", "string.pattern")]


async def test_a_service_of_the_suite_searches_all_clinics_at_once(shared: Clinic) -> None:
    far = some_patient()
    await shared.known(far, FAR.clinic_id)
    here = await shared.treated(some_patient())
    reader = service_principal("overall")
    for one in (far, here):
        await shared.as_(reader).team(one)

    async def clinics() -> bool:
        seen = await found(shared, CLI, "", actor_id=reader.id)
        return {one.clinic_id for one in seen} == {CLINIC, FAR.clinic_id}

    await until(clinics)


async def test_a_token_of_another_question_or_a_forged_one_is_refused(shared: Clinic) -> None:
    first = await page(shared, ADMIN, page_size=1)
    assert first.next_page_token
    scope = ("search", "False", CLINIC, "", "", "", "None", "None", "None", "False")
    place = [datetime(2026, 3, 2, tzinfo=UTC), "no event", ""]
    forged = pages.issue(scope, place)
    for token, ask in ((first.next_page_token, {"actor_id": ANN.id}), (forged, {}), ("x", {})):
        error = await refused(page(shared, ADMIN, page_token=token, **ask))
        assert rules(error) == [("page_token", "page_token.of_this_request")]
