"""A question that nothing could answer is refused by field and rule, before PostgreSQL is asked."""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import grpc
import pytest
import pytest_asyncio
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1 import key_service_pb2 as key_pb
from rehab.eventstore.v1 import snapshot_service_pb2 as snapshot_pb
from rehab.eventstore.v1.key_service_pb2_grpc import KeyServiceStub
from rehab.eventstore.v1.snapshot_service_pb2_grpc import SnapshotServiceStub
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.embedded import Nats
from rehab_runtime.errors import InvalidArgument, from_rpc_error
from tests.eventstore.store import Store, refused, rules, settings_for, store

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asked(module_dsn: str, nats: Nats) -> AsyncIterator[Store]:
    async with store(settings_for(module_dsn, nats.url)) as made:
        yield made


@pytest.mark.parametrize("kind", ["\0", "a\0b", "Alert", ""])
async def test_a_kind_that_is_no_name_is_refused(asked: Store, kind: str) -> None:
    error = await refused(asked.stream("patient-1", kinds=[kind]))
    assert rules(error) == [("kinds[0]", "string.pattern")]
    error = await refused(asked.all(filter=pb.Filter(kinds=[kind])))
    assert rules(error) == [("filter.kinds[0]", "string.pattern")]


@pytest.mark.parametrize("stream", ["\0", "a\0b", "", "x" * 65])
async def test_a_stream_that_is_no_name_is_refused(asked: Store, stream: str) -> None:
    error = await refused(asked.all(filter=pb.Filter(streams=["patient-1", stream])))
    assert rules(error) == [("filter.streams[1]", "string.pattern")]


@pytest.mark.parametrize("seconds", [-(2**62), -62_135_596_801, 253_402_300_800, 2**62])
async def test_a_time_of_no_calendar_is_refused(asked: Store, seconds: int) -> None:
    error = await refused(asked.stream("patient-1", until_time=Timestamp(seconds=seconds)))
    assert rules(error) == [("until_time", "timestamp.range")]


@pytest.mark.parametrize("field", ["subject_ids", "key_ids"])
async def test_keys_of_what_is_no_name_are_refused(asked: Store, field: str) -> None:
    wanted: dict[str, Any] = {field: ["a\0b"]}
    with pytest.raises(grpc.aio.AioRpcError) as answered:
        await KeyServiceStub(asked.connection).GetDataKeys(
            key_pb.GetDataKeysRequest(**wanted),
            metadata=(bearer(service_principal("projections")),),
            timeout=20,
        )
    error = from_rpc_error(answered.value)
    assert isinstance(error, InvalidArgument)
    assert rules(error) == [(f"{field}[0]", "string.pattern")]


async def test_a_snapshot_of_a_version_that_cannot_be_counted_is_refused(asked: Store) -> None:
    request = snapshot_pb.LoadSnapshotRequest(stream="p", fold="f", code_version=2**31)
    with pytest.raises(grpc.aio.AioRpcError) as answered:
        await SnapshotServiceStub(asked.connection).LoadSnapshot(
            request, metadata=(bearer(service_principal("projections")),), timeout=20
        )
    assert rules(from_rpc_error(answered.value)) == [("code_version", "uint32.lte")]


@pytest.mark.parametrize("incarnation", ["a b", "x" * 65, "\0"])
async def test_an_incarnation_of_no_log_is_refused_and_not_quoted(
    asked: Store, incarnation: str
) -> None:
    error = await refused(asked.all(incarnation=incarnation))
    assert rules(error) == [("incarnation", "string.pattern")]
    assert error.metadata == {}
