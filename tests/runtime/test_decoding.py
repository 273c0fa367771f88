"""Bytes that are no message are a broken rule, at every kind of call."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
from grpc_health.v1 import health_pb2

from rehab_runtime.auth import DevelopmentAuthenticator, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import InvalidArgument, RehabError, Unauthenticated, from_rpc_error
from rehab_runtime.server import serve_grpc
from rehab_runtime.settings import ServiceSettings

NAME = "test.Typed"
METADATA = (bearer(service_principal("test")),)
GOOD = health_pb2.HealthCheckRequest(service="good").SerializeToString()
GARBAGE = (b"\xff\xff\xff", b"\x0a\x7fCanary", b"\x0a\x02\xff\xfe", b"\x0b" * 200)
"""No tag, cut off, no UTF-8, and groups in groups."""
KINDS = ("one_one", "one_many", "many_one", "many_many")


def handlers() -> dict[str, grpc.RpcMethodHandler]:
    def told(request: health_pb2.HealthCheckRequest) -> bytes:
        return request.service.encode()

    async def one_one(request: Any, _: Any) -> bytes:
        return told(request)

    async def one_many(request: Any, _: Any) -> AsyncIterator[bytes]:
        yield told(request)

    async def many_one(requests: AsyncIterator[Any], _: Any) -> bytes:
        return b" ".join([told(one) async for one in requests])

    async def many_many(requests: AsyncIterator[Any], _: Any) -> AsyncIterator[bytes]:
        async for one in requests:
            yield told(one)

    codec: Any = (health_pb2.HealthCheckRequest.FromString, bytes)
    return {
        "one_one": grpc.unary_unary_rpc_method_handler(one_one, *codec),
        "one_many": grpc.unary_stream_rpc_method_handler(one_many, *codec),
        "many_one": grpc.stream_unary_rpc_method_handler(many_one, *codec),
        "many_many": grpc.stream_stream_rpc_method_handler(many_many, *codec),
    }


@asynccontextmanager
async def typed() -> AsyncIterator[grpc.aio.Channel]:
    def add(server: grpc.aio.Server) -> list[str]:
        server.add_registered_method_handlers(NAME, handlers())
        return [NAME]

    settings = ServiceSettings(listen="127.0.0.1:0", metrics_listen="", drain_s=1)
    async with (
        serve_grpc(settings, add, authenticator=DevelopmentAuthenticator()) as server,
        channel(server.address) as connection,
    ):
        yield connection


async def ask(
    connection: grpc.aio.Channel, kind: str, *told: bytes, metadata: Any = METADATA
) -> Any:
    """What is answered, with what was answered before an error. Raises the RehabError."""
    path, answers = f"/{NAME}/{kind}", []
    try:
        match kind:
            case "one_one":
                return [await connection.unary_unary(path)(told[0], metadata=metadata, timeout=10)]
            case "one_many":
                call = connection.unary_stream(path)(told[0], metadata=metadata, timeout=10)
            case "many_one":
                asked = connection.stream_unary(path)
                return [await asked(_each(told), metadata=metadata, timeout=10)]
            case _:
                call = connection.stream_stream(path)(_each(told), metadata=metadata, timeout=10)
        async for one in call:
            answers.append(one)  # noqa: PERF401 - those before an error count
    except grpc.aio.AioRpcError as error:
        refused = from_rpc_error(error)
        refused.metadata["answered"] = b" ".join(answers).decode()
        raise refused from None
    return answers


async def _each(told: tuple[bytes, ...]) -> AsyncIterator[bytes]:
    for one in told:
        yield one


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("garbage", GARBAGE)
async def test_what_is_no_message_breaks_a_rule_and_the_next_call_is_answered(
    kind: str, garbage: bytes
) -> None:
    async with typed() as connection:
        with pytest.raises(InvalidArgument) as refused:
            await ask(connection, kind, garbage)
        broken = [(one.field, one.rule) for one in refused.value.violations]
        assert broken == [("request", "message.decodable")]
        assert "Canary" not in refused.value.message
        assert await ask(connection, kind, GOOD) == [b"good"]


async def test_what_came_before_it_on_a_stream_is_answered() -> None:
    async with typed() as connection:
        with pytest.raises(InvalidArgument) as refused:
            await ask(connection, "many_many", GOOD, GOOD, GARBAGE[0], GOOD)
        assert refused.value.metadata["answered"] == "good good"


@pytest.mark.parametrize("kind", ["one_one", "one_many"])
async def test_who_shows_no_credentials_is_not_told_whether_it_is_a_message(kind: str) -> None:
    async with typed() as connection:
        with pytest.raises(Unauthenticated):
            await ask(connection, kind, GARBAGE[0], metadata=())


async def test_health_refuses_it_too_and_answers_on() -> None:
    async with typed() as connection:
        check = connection.unary_unary("/grpc.health.v1.Health/Check")
        with pytest.raises(grpc.aio.AioRpcError) as caught:
            await check(GARBAGE[0], timeout=10)
        refused: RehabError = from_rpc_error(caught.value)
        assert isinstance(refused, InvalidArgument)
        answer = health_pb2.HealthCheckResponse.FromString(await check(b"", timeout=10))
        assert answer.status == health_pb2.HealthCheckResponse.SERVING


async def test_libraries_report_no_error_of_it(caplog: pytest.LogCaptureFixture) -> None:
    async with typed() as connection:
        for kind in KINDS:
            with pytest.raises(InvalidArgument):
                await ask(connection, kind, GARBAGE[1])
    assert [one.name for one in caplog.records if one.levelname == "ERROR"] == []
