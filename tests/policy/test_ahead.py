"""Emergencies are told ahead of what is still to be folded; replicas fold alike and tell once."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from rehab.eventstore.v1 import erasure_service_pb2 as erasure_pb
from rehab.eventstore.v1.erasure_service_pb2_grpc import ErasureServiceStub
from rehab_cli.asking import METADATA
from rehab_runtime.channels import channel
from tests.policy.given import PATIENT, arrived, pain
from tests.policy.service import (
    House,
    Place,
    eventstore,
    ids,
    policy,
    positions,
    stored,
)


@asynccontextmanager
async def stuck(house: House) -> AsyncIterator[None]:
    """The fold cannot store what it has folded."""
    connection = await asyncpg.connect(house.place.policy_dsn)
    try:
        async with connection.transaction():
            await connection.execute("SELECT * FROM log_position FOR UPDATE")
            yield
    finally:
        await connection.close()


async def test_an_emergency_is_told_while_the_fold_stands_and_not_again_when_it_goes_on(
    house: House,
) -> None:
    await house.folded(await house.log.append(*arrived(), pain(1)))
    async with stuck(house):
        before = await positions(house.place)
        await house.log.append(pain(2))
        position = await house.log.append(pain(9))
        (alert,) = await house.asks.alerts_of(1)
        assert (alert.patient_id, alert.emergency) == (PATIENT, True)
        assert alert.therapist_id == "ann"
        assert await positions(house.place) == before
    await house.folded(position)
    await house.folded((await house.log.client.head()).position)
    ((_, body),) = await house.log.said("alert")
    assert body.alert.alert_id == alert.alert_id
    steps = await stored(house.place, "SELECT kind FROM alert_step")
    assert [one["kind"] for one in steps] == ["raised"]


async def test_replicas_beside_each_other_raise_each_alert_once(place: Place) -> None:
    patients = [f"patient-{number}" for number in range(20)]
    async with (
        eventstore(place) as (log, address),
        policy(place, address, log) as one,
        policy(place, address, log) as other,
    ):
        for patient in patients:
            await log.append(*arrived(patient), pain(6, patient), pain(9, patient))
        await one.asks.alerts_of(40)
        position = (await log.client.head()).position
        await other.folded(position)
        said = await log.said("alert")
        assert len(ids(said)) == len(set(ids(said))) == 40
        assert len({body.alert.alert_id for _, body in said}) == 40


async def test_of_an_erased_patient_nothing_is_kept(house: House) -> None:
    await house.log.append(*arrived(), pain(9), *arrived("patient-2"), pain(9, "patient-2"))
    await house.asks.alerts_of(2)
    async with channel(house.eventstore_address) as connection:
        stub = ErasureServiceStub(connection)
        asked = erasure_pb.PrepareErasureRequest(subject_id=PATIENT, reason="request")
        prepared = await stub.PrepareErasure(asked, metadata=METADATA, timeout=10)
        wish = erasure_pb.EraseSubjectRequest(subject_id=PATIENT, token=prepared.token)
        await stub.EraseSubject(wish, metadata=METADATA, timeout=10)
    await house.folded((await house.log.client.head()).position)
    (left,) = await house.asks.alerts()
    assert left.patient_id == "patient-2"
    for table in ("patient", "firing", "alert", "due_timer"):
        rows = await stored(house.place, f"SELECT * FROM {table} WHERE patient_id = $1", PATIENT)
        assert rows == []
