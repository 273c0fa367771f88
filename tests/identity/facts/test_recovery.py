"""What is known survives a kill, a second replica and an erasure."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import asyncpg
import pytest
from google.protobuf.json_format import MessageToDict

from rehab.events.v1.event_pb2 import Body
from rehab.eventstore.v1 import erasure_service_pb2 as erasure_pb
from rehab.eventstore.v1.erasure_service_pb2_grpc import ErasureServiceStub
from rehab.identity.v1 import account_service_pb2 as account_pb
from rehab_runtime.auth import bearer
from rehab_runtime.channels import channel
from rehab_runtime.errors import Erased, NotFound, RehabError, Stale
from tests.eventstore.given import append, event
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    CLI,
    FAMILY,
    PROJECTIONS,
    Asks,
    Clinic,
    Place,
    clinic,
    eventstore,
    identity,
    patient_of,
    refused,
    some_patient,
    until,
)

ROUNDS = 3


@asynccontextmanager
async def process(
    place: Place, address: str
) -> AsyncIterator[tuple[Asks, asyncio.subprocess.Process]]:
    """Identity as a process of its own; killed when the context is left."""
    told = place.identity(address).model_dump(mode="json", exclude_none=True)
    env = {f"IDENTITY_{name.upper()}": str(value) for name, value in told.items()}
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "rehab_identity"),
        env={**os.environ, **env},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.DEVNULL,
    )
    assert made.stdout is not None
    try:
        async with asyncio.timeout(60):
            while not (line := await made.stdout.readline()).startswith(b'{"event": "ready"'):
                assert line, "identity did not start"
        async with channel(json.loads(line)["address"]) as connection:
            yield Asks(connection, PROJECTIONS), made
    finally:
        if made.returncode is None:
            made.kill()
        await made.wait()


async def test_facts_are_the_same_after_kills_in_the_middle_of_changes(place: Place) -> None:
    async with eventstore(place) as (log, address):
        patients = [some_patient() for _ in range(4)]
        async with identity(place, log, address) as made:
            for patient in patients:
                await made.known(patient)
        answered: list[tuple[str, str]] = []
        for number in range(ROUNDS):
            async with process(place, address) as (asks, running):
                changing = [
                    asyncio.create_task(_grant_on(asks.as_(ADMIN), one, number, answered))
                    for one in patients
                ]
                await until(partial(_reached, answered, 8 * (number + 1)))
                running.kill()
                await asyncio.gather(*changing, return_exceptions=True)
        async with identity(place, log, address) as made:
            await _folded_everything(made)
            kept = await _all_facts(made, patients)
            for patient, consent_id in answered:
                found = {one.consent_id for one in await made.as_(ADMIN).consents(patient)}
                assert consent_id in found
            await _fold_anew(made)
        async with identity(place, log, address) as made:
            await _folded_everything(made)
            assert await _all_facts(made, patients) == kept


async def _grant_on(asks: Asks, patient: str, number: int, answered: list[tuple[str, str]]) -> None:
    for step in range(1000):
        consent_id = f"c-{number}-{step}"
        try:
            await asks.grant(patient, consent_id=consent_id)
        except RehabError:
            return
        answered.append((patient, consent_id))


async def _reached(answered: list[tuple[str, str]], count: int) -> bool:
    return len(answered) >= count


async def _folded_everything(made: Clinic) -> None:
    head = (await made.log.head()).position
    connection = await asyncpg.connect(made.place.dsn)

    async def folded() -> bool:
        return bool(await connection.fetchval("SELECT position >= $1 FROM fact_cursor", head))

    await until(folded)
    await connection.close()


async def _all_facts(made: Clinic, patients: list[str]) -> list[dict]:
    return [MessageToDict(one) for one in await made.asks.facts(*patients)]


async def _fold_anew(made: Clinic) -> None:
    connection = await asyncpg.connect(made.place.dsn)
    await connection.execute("TRUNCATE patient, emergency, access_entry, fact_cursor")
    await connection.close()


async def test_two_replicas_fold_each_event_once_and_both_know_it(place: Place) -> None:
    async with (
        clinic(place) as one,
        identity(place, one.log, one.eventstore_address) as other,
    ):
        for _ in range(5):
            patient = await one.treated(some_patient(), ANN.id)
            assert await other.asks.may(ANN, patient) == (True, "treats")
            await other.as_(ADMIN).release(patient, ANN.id)
            assert await one.asks.may(ANN, patient) == (False, "no_relationship")
            assert len(await one.as_(ADMIN).team(patient)) == 1


async def _account(made: Clinic, patient: str) -> account_pb.Account:
    request = account_pb.GetAccountRequest(account_id=patient)
    answer = await made.as_(CLI).accounts("GetAccount", request)
    return answer.account


async def test_of_a_patient_who_is_erased_nothing_is_left_but_that(place: Place) -> None:
    async with clinic(place) as made:
        patient = await made.treated(some_patient(), ANN.id)
        await made.as_(ANN).team(patient)
        assert FAMILY in await made.as_(CLI).export(patient)
        taken = await made.as_(BOB).take(patient)
        await until(lambda: _tells(made, patient))
        assert await _notices(place) == 1
        await _erase(made, patient)
        await until(lambda: _is_erased(made, patient))
        erased = await _account(made, patient)
        assert erased.status == account_pb.ACCOUNT_STATUS_ERASED
        assert erased.profile == account_pb.Profile()
        (facts,) = await made.asks.facts(patient)
        assert (facts.clinic_id, facts.erased) == ("clinic-1", True)
        assert not [*facts.team, *facts.consents, *facts.grants]
        assert await made.asks.may(ANN, patient) == (False, "erased")
        for question in (
            made.as_(patient_of(patient)).grant(patient),
            made.as_(ANN).team(patient),
        ):
            assert isinstance(await refused(question), NotFound)
        assert isinstance(await refused(made.as_(CLI).grant(patient)), Erased)
        assert taken.grant_id not in {
            one.grant_id for one in (await made.as_(ADMIN).emergencies()).grants
        }
        assert await _notices(place) == 0
        # later accesses are told by the log alone
        await made.as_(CLI).team(patient)
        await _folded_everything(made)
        assert not (await made.as_(CLI).accesses(patient)).entries
        assert '"erased":true' in await made.as_(CLI).export(patient)


async def _tells(made: Clinic, patient: str) -> bool:
    return bool((await made.as_(CLI).accesses(patient)).entries)


async def _is_erased(made: Clinic, patient: str) -> bool:
    return (await made.asks.facts(patient))[0].erased


async def _notices(place: Place) -> int:
    connection = await asyncpg.connect(place.dsn)
    try:
        return int(await connection.fetchval("SELECT count(*) FROM emergency_notice"))
    finally:
        await connection.close()


async def _erase(made: Clinic, patient: str) -> None:
    async with channel(made.eventstore_address) as connection:
        stub, metadata = ErasureServiceStub(connection), (bearer(CLI),)
        prepared = await stub.PrepareErasure(
            erasure_pb.PrepareErasureRequest(subject_id=patient, reason="request"),
            metadata=metadata,
            timeout=20,
        )
        await stub.EraseSubject(
            erasure_pb.EraseSubjectRequest(subject_id=patient, token=prepared.token),
            metadata=metadata,
            timeout=20,
        )


async def test_what_could_not_be_read_for_a_while_closes_all_and_is_read_again(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_identity.facts.healing.EVERY_S", 0.05)
    async with eventstore(place) as (log, address):
        async with identity(place, log, address) as made:
            patient = await made.treated(some_patient(), ANN.id)
            (kept,) = await _all_facts(made, [patient])
        connection = await asyncpg.connect(place.dsn)
        await connection.execute(
            "UPDATE patient SET record = record || "
            """'{"unreadable_at": "2026-03-02T12:00:00+00:00", "team": [], "given": []}'"""
        )
        monkeypatch.setattr("rehab_identity.facts.storage.Storage.unreadable", _none)
        async with identity(place, log, address) as made:
            assert await made.asks.may(ANN, patient) == (False, "no_relationship")
        monkeypatch.undo()
        async with identity(place, log, address) as made:
            await until(lambda: _may(made, patient))
            assert await _all_facts(made, [patient]) == [kept]
        await connection.close()


async def _none(_storage: object) -> list[tuple[str, int]]:
    return []


async def _may(made: Clinic, patient: str) -> bool:
    return (await made.asks.may(ANN, patient))[0]


async def test_without_keys_nothing_is_known_and_nobody_is_let_in(
    place: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rehab_identity.facts.telling.FOLD_TIMEOUT_S", 0.3)
    async with (
        eventstore(place, key_readers="cli,test") as (log, address),
        identity(place, log, address) as made,
    ):
        patient = some_patient()
        await made.known(patient)
        assert isinstance(await refused(made.as_(ADMIN).grant(patient)), Stale)
        assert await made.asks.may(ANN, patient) == (False, "no_relationship")
        assert len(await made.stream(patient)) == 1


async def test_identity_asks_for_the_keys_of_what_it_folds_alone(place: Place) -> None:
    async with clinic(place) as made:
        patient, other = await made.treated(some_patient()), some_patient()
        sealed = event(other, phi=True, consent_id="c-1")
        await made.log.append(append(other, sealed))
        await _folded_everything(made)
        lent = {
            subject
            for one in (await made.log.read_all(0, 1000))[0]
            if one.envelope.subject_id.startswith("audit-keys-")
            if one.envelope.actor.id == "service-identity"
            for subject in Body.FromString(one.body).access.subject_ids
        }
        assert lent == {patient}
        (facts,) = await made.asks.facts(other)
        assert facts.clinic_id == "clinic-1"
