"""Who was let at patients' data stands in the log before anything is handed out."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import asyncpg
import grpc
import pytest

from rehab.events.v1.admin_pb2 import Access
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.eventstore.v1 import key_service_pb2 as lent
from rehab.eventstore.v1 import snapshot_service_pb2 as snapshots
from rehab.eventstore.v1.key_service_pb2_grpc import KeyServiceStub
from rehab.eventstore.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import (
    Internal,
    InvalidArgument,
    PermissionDenied,
    from_failure,
    from_rpc_error,
)
from tests.eventstore.erasing import Erasing
from tests.eventstore.given import append, event, some_stream
from tests.eventstore.store import Store, refused, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")
OWN = "audit-keys-0"
KEYS = "rehab.eventstore.v1.KeyService/GetDataKeys"


async def lend(made: Store, *streams: str, to: Principal | None = None) -> list[lent.DataKey]:
    request = lent.GetDataKeysRequest(subject_ids=streams)
    metadata = (bearer(to or service_principal("emr")),)
    try:
        answer = await KeyServiceStub(made.connection).GetDataKeys(
            request, metadata=metadata, timeout=20
        )
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from None
    return list(answer.keys)


def accesses(events: Sequence[RecordedEvent]) -> list[tuple[str, Access]]:
    """Who, and what is told of it."""
    return [(one.envelope.actor.id, Body.FromString(one.body).access) for one in events]


async def sealed(made: Store, stream: str) -> None:
    await made.append(append(stream, event(stream, phi=True, consent_id="c-1")))


async def test_a_key_is_lent_once_the_log_tells_of_it(shared: Store) -> None:
    one, other, third = some_stream(), some_stream(), some_stream()
    for stream in (one, other, third):
        await sealed(shared, stream)
    before = len(await shared.stream(OWN))
    assert len(await lend(shared, one, other, "nobody")) == 2
    events = (await shared.stream(OWN))[before:]
    ((who, told),) = accesses(events)
    assert (who, told.rpc, told.allowed, told.reason) == ("service-emr", KEYS, True, "key_reader")
    assert list(told.subject_ids) == sorted([one, other])
    envelope = events[0].envelope
    lasts_s = told.covered_until.seconds - envelope.occurred_at.seconds
    assert lasts_s == shared.settings.key_reader_ttl_s
    # in the clear, so that to read the trail leaves none
    assert not envelope.phi
    assert not events[0].key_id
    # what the same reader reads again is covered, what another or more is read is not
    await lend(shared, one)
    await lend(shared, one, third)
    await lend(shared, one, to=service_principal("policy"))
    after = accesses((await shared.stream(OWN))[before + 1 :])
    assert [(who, list(told.subject_ids)) for who, told in after] == [
        ("service-emr", [third]),
        ("service-policy", [one]),
    ]


async def test_a_denied_reading_is_told_without_the_subjects_it_named(shared: Store) -> None:
    stream = some_stream()
    await sealed(shared, stream)
    person = Principal("therapist-9", "therapist", "clinic-1")
    for _ in range(3):
        assert isinstance(await refused(lend(shared, stream, to=person)), PermissionDenied)
    told: list[Access] = []
    async with asyncio.timeout(10):
        while not told:
            await asyncio.sleep(0.01)
            told = [one for who, one in accesses(await shared.stream(OWN)) if who == person.id]
    (access,) = told
    assert (access.allowed, access.reason) == (False, "not_a_key_reader")
    assert not access.subject_ids


async def test_a_snapshot_is_patient_data_and_leaves_a_trace(shared: Store) -> None:
    stream = some_stream()
    await sealed(shared, stream)
    stub = SnapshotServiceStub(shared.connection)
    told = {"metadata": (bearer(service_principal("projections")),), "timeout": 20}
    load = snapshots.LoadSnapshotRequest(stream=stream, fold="f", code_version=1)
    assert not (await stub.LoadSnapshot(load, **told)).HasField("snapshot")
    snapshot = snapshots.Snapshot(
        stream=stream, fold="f", code_version=1, stream_version=1, state=b"knee"
    )
    await stub.SaveSnapshot(snapshots.SaveSnapshotRequest(snapshot=snapshot), **told)
    assert (await stub.LoadSnapshot(load, **told)).snapshot.state == b"knee"
    traces = [one for _, one in accesses(await shared.stream(OWN)) if stream in one.subject_ids]
    assert [one.rpc for one in traces] == ["rehab.eventstore.v1.SnapshotService/LoadSnapshot"]


async def test_nobody_else_writes_the_trail_and_nobody_erases_it(shared: Store) -> None:
    forged = append(OWN, event(OWN, kind="access"))
    assert isinstance(await refused(shared.append(forged)), PermissionDenied)
    stream = some_stream()
    verdicts = await shared.batch(append(stream), append(OWN, event(OWN, kind="access")))
    assert verdicts[0].HasField("appended")
    assert isinstance(from_failure(verdicts[1].failure), PermissionDenied)
    atomic = shared.atomic(append(stream), append(OWN, event(OWN, kind="access")))
    assert isinstance(await refused(atomic), PermissionDenied)
    assert isinstance(await refused(Erasing(shared).prepare(OWN)), InvalidArgument)


@pytest.mark.parametrize(
    ("stream", "writer"),
    [("audit-test-0", "test"), ("audit-emr-1-7", "emr"), ("audit-ingest-0", "ingest")],
)
async def test_a_service_writes_the_audit_streams_that_are_named_for_it(
    shared: Store, stream: str, writer: str
) -> None:
    own = shared.as_(service_principal(writer))
    assert (await own.append(append(stream, event(stream, kind="access")))).stream_version
    other = shared.as_(service_principal("policy"))
    forged = append(stream, event(stream, kind="access"))
    assert isinstance(await refused(other.append(forged)), PermissionDenied)


@pytest.mark.parametrize("stream", ["audit-", "audit-test", "audit-test-x", "audit-a-test-0"])
async def test_an_audit_stream_that_is_nobodys_is_written_by_nobody(
    shared: Store, stream: str
) -> None:
    forged = append(stream, event(stream, kind="access"))
    assert isinstance(await refused(shared.append(forged)), PermissionDenied)


async def test_no_key_leaves_when_the_log_does_not_take_its_trace(
    database_dsn: str, nats: Nats
) -> None:
    async with store(settings_for(database_dsn, nats.url)) as made:
        stream = some_stream()
        await sealed(made, stream)
        connection = await asyncpg.connect(database_dsn)
        await connection.execute(
            "ALTER TABLE events ADD CONSTRAINT mute CHECK (kind <> 'access') NOT VALID"
        )
        assert isinstance(await refused(lend(made, stream)), Internal)
        await connection.execute("ALTER TABLE events DROP CONSTRAINT mute")
        assert len(await lend(made, stream)) == 1
        assert len(await made.stream(OWN)) == 1
        await connection.close()


async def test_what_waits_to_be_told_is_told_before_the_service_ends(
    database_dsn: str, nats: Nats
) -> None:
    told = settings_for(database_dsn, nats.url, audit_ms=1000)
    denied = [Principal(f"person-{number}", "patient", "clinic-1") for number in range(5)]
    async with store(told) as made:
        for person in denied:
            assert isinstance(await refused(lend(made, "x", to=person)), PermissionDenied)
    async with store(told) as made:
        assert {who for who, _ in accesses(await made.stream(OWN))} == {one.id for one in denied}


async def test_a_follower_has_its_trace_written_by_the_leader(
    database_dsn: str, nats: Nats
) -> None:
    told = settings_for(database_dsn, nats.url)
    async with store(told) as one, store(told) as other:
        stream = some_stream()
        await sealed(one, stream)
        await asyncio.gather(lend(one, stream), lend(other, stream))
        traces = accesses(await one.stream(OWN))
        assert [list(access.subject_ids) for _, access in traces] == [[stream], [stream]]
