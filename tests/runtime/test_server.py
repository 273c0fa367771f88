"""One server for all services: errors, limits, health, who calls."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import grpc
import pytest
import structlog
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from rehab_runtime.auth import (
    DevelopmentAuthenticator,
    Principal,
    bearer,
    current_principal,
    service_principal,
)
from rehab_runtime.channels import MAX_MESSAGE_BYTES, channel
from rehab_runtime.errors import InvalidArgument, RehabError, Violation, from_rpc_error
from rehab_runtime.interceptors import handled
from rehab_runtime.server import serve_grpc
from rehab_runtime.settings import ServiceSettings
from rehab_runtime.startup import StartupError

NAME = "test.Sample"
KINDS = ("one_one", "one_many", "many_one", "many_many")
METADATA = (bearer(service_principal("test")),)
SENT: list[int] = []
"""Bytes of each message that the call `counted` has got rid of."""


def plain(value: bytes) -> bytes:
    return value


def behave(asked: bytes) -> bytes:
    """What each of the four calls does with a request."""
    match asked:
        case b"who":
            return current_principal().id.encode()
        case b"correlation":
            return str(structlog.contextvars.get_contextvars()["correlation_id"]).encode()
        case b"refuse":
            raise InvalidArgument(violations=[Violation("field", "rule", "must be so")])
        case b"fall":
            raise ValueError("Ada Lovelace fell on the stairs")
    return asked


def handlers() -> dict[str, grpc.RpcMethodHandler]:
    """All four kinds of calls, on bytes."""

    async def one_one(asked: bytes, _: Any) -> bytes:
        return behave(asked)

    async def one_many(asked: bytes, _: Any) -> AsyncIterator[bytes]:
        yield behave(asked)
        while asked == b"endless":
            yield b"x" * 65_536
        if asked == b"counted":
            for _ in range(1000):
                yield b"x" * 65_536
                SENT.append(65_536)

    async def many_one(asked: AsyncIterator[bytes], _: Any) -> bytes:
        return b"".join([behave(one) async for one in asked])

    async def many_many(asked: AsyncIterator[bytes], _: Any) -> AsyncIterator[bytes]:
        async for one in asked:
            yield behave(one)

    return {
        "one_one": grpc.unary_unary_rpc_method_handler(one_one, plain, plain),
        "one_many": grpc.unary_stream_rpc_method_handler(one_many, plain, plain),
        "many_one": grpc.stream_unary_rpc_method_handler(many_one, plain, plain),
        "many_many": grpc.stream_stream_rpc_method_handler(many_many, plain, plain),
    }


@asynccontextmanager
async def sample(**told: Any) -> AsyncIterator[grpc.aio.Channel]:
    def add(server: grpc.aio.Server) -> list[str]:
        server.add_registered_method_handlers(NAME, handlers())
        return [NAME]

    settings = ServiceSettings(listen="127.0.0.1:0", metrics_listen="", drain_s=1, **told)
    async with (
        serve_grpc(settings, add, authenticator=DevelopmentAuthenticator()) as server,
        channel(server.address) as connection,
    ):
        yield connection


async def ask(
    connection: grpc.aio.Channel, kind: str, asked: bytes, metadata: Any = METADATA
) -> bytes:
    """The answer of one of the four calls. Raises the RehabError that it answers."""
    path = f"/{NAME}/{kind}"

    async def requests() -> AsyncIterator[bytes]:
        # who writes to a call that has been refused may be told of that alone by grpc.aio
        if metadata[:1] == METADATA:
            yield asked

    told = {"metadata": metadata, "timeout": 10}
    try:
        match kind:
            case "one_one":
                return bytes(await connection.unary_unary(path)(asked, **told))
            case "one_many":
                return b"".join([one async for one in connection.unary_stream(path)(asked, **told)])
            case "many_one":
                return bytes(await connection.stream_unary(path)(requests(), **told))
        return b"".join([one async for one in connection.stream_stream(path)(requests(), **told)])
    except grpc.aio.AioRpcError as error:
        raise from_rpc_error(error) from error


@pytest.mark.parametrize("kind", KINDS)
async def test_every_kind_of_call_is_answered_and_knows_its_caller(kind: str) -> None:
    async with sample() as connection:
        assert await ask(connection, kind, b"hello") == b"hello"
        assert await ask(connection, kind, b"who") == service_principal("test").id.encode()


@pytest.mark.parametrize("kind", KINDS)
async def test_a_refusal_names_field_and_rule(kind: str) -> None:
    async with sample() as connection:
        with pytest.raises(InvalidArgument) as refused:
            await ask(connection, kind, b"refuse")
        assert refused.value.violations == (Violation("field", "rule", "must be so"),)


@pytest.mark.parametrize("kind", KINDS)
async def test_what_an_exception_says_never_leaves(
    kind: str, capsys: pytest.CaptureFixture[str]
) -> None:
    async with sample() as connection:
        with pytest.raises(RehabError) as fell:
            await ask(connection, kind, b"fall", (*METADATA, ("x-correlation-id", "c-7")))
        answer = fell.value.__cause__
        assert isinstance(answer, grpc.aio.AioRpcError)
        assert answer.code() is grpc.StatusCode.INTERNAL
        assert "Ada" not in f"{answer.details()} {answer.trailing_metadata()}"
        assert dict(answer.trailing_metadata())["x-correlation-id"] == "c-7"
    said = capsys.readouterr()
    assert "Ada" not in said.out + said.err


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("told", ["", "Bearer nonsense", "Bearer dev.king.c.k"])
async def test_who_shows_no_credentials_is_not_served(kind: str, told: str) -> None:
    async with sample() as connection:
        with pytest.raises(RehabError) as refused:
            await ask(connection, kind, b"hello", (("authorization", told),) if told else ())
        assert refused.value.status is grpc.StatusCode.UNAUTHENTICATED


async def test_a_correlation_id_is_taken_over_or_made() -> None:
    async with sample() as connection:
        given = (*METADATA, ("x-correlation-id", "c-9"))
        assert await ask(connection, "one_one", b"correlation", given) == b"c-9"
        bad = (*METADATA, ("x-correlation-id", "a b;drop"))
        assert len(await ask(connection, "one_one", b"correlation", bad)) == 32
        made = {await ask(connection, "one_one", b"correlation") for _ in range(2)}
        assert len(made) == 2


async def test_a_message_that_is_too_large_is_refused_by_its_size() -> None:
    async with sample() as connection:
        with pytest.raises(RehabError) as refused:
            await ask(connection, "one_one", b"x" * (MAX_MESSAGE_BYTES + 1))
        cause = refused.value.__cause__
        assert isinstance(cause, grpc.aio.AioRpcError)
        assert cause.code() is grpc.StatusCode.RESOURCE_EXHAUSTED


async def test_a_client_that_leaves_in_the_middle_is_no_fault(
    capsys: pytest.CaptureFixture[str],
) -> None:
    method = f"/{NAME}/one_many"

    def left() -> float:
        return handled.labels(method, "CANCELLED")._value.get()

    before = left()
    async with sample() as connection:
        for _ in range(20):
            call = connection.unary_stream(method)(b"endless", metadata=METADATA, timeout=10)
            assert await call.read() == b"endless"
            call.cancel()
        async with asyncio.timeout(10):
            while left() < before + 20:
                await asyncio.sleep(0.01)
    assert "unexpected error" not in capsys.readouterr().out


async def test_health_needs_no_credentials_and_knows_each_service() -> None:
    async with sample() as connection:
        stub = health_pb2_grpc.HealthStub(connection)
        for name in ("", "startup", "ready", "live", NAME):
            answer = await stub.Check(health_pb2.HealthCheckRequest(service=name), timeout=10)
            assert answer.status == health_pb2.HealthCheckResponse.SERVING


@pytest.mark.parametrize("reflects", [True, False])
async def test_reflection_answers_only_where_it_is_on(reflects: bool) -> None:
    async with sample(reflection=reflects) as connection:
        stub = reflection_pb2_grpc.ServerReflectionStub(connection)
        asked = reflection_pb2.ServerReflectionRequest(list_services="")
        call = stub.ServerReflectionInfo(iter([asked]), timeout=10)
        if reflects:
            names = [
                one.name async for answer in call for one in answer.list_services_response.service
            ]
            assert NAME in names
        else:
            with pytest.raises(grpc.aio.AioRpcError) as refused:
                [answer async for answer in call]
            assert refused.value.code() is grpc.StatusCode.UNIMPLEMENTED


async def test_development_credentials_are_refused_in_production() -> None:
    with pytest.raises(StartupError, match="not accepted in production"):
        async with sample(environment="production"):
            pass


async def test_a_taken_port_is_told_with_the_variable_to_change() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = ServiceSettings(listen=f"127.0.0.1:{taken.getsockname()[1]}")
        with pytest.raises(StartupError, match=r"the port is in use.*LISTEN"):
            async with serve_grpc(settings, lambda _: [], authenticator=DevelopmentAuthenticator()):
                pass


def test_a_principal_acts_for_its_own_clinic_and_a_service_for_all() -> None:
    therapist = Principal("therapist-1", "therapist", "clinic-1")
    assert therapist.may_act_for("clinic-1")
    assert not therapist.may_act_for("clinic-2")
    assert service_principal("ingest").may_act_for("clinic-2")


async def test_a_client_that_does_not_read_takes_in_little_and_the_server_waits() -> None:
    SENT.clear()
    async with sample() as connection:
        call = connection.unary_stream(f"/{NAME}/one_many")(b"counted", metadata=METADATA)
        await call.read()
        before = -1
        # until it has stood still for a while: were it still going, less would be seen, not more
        while before != len(SENT):
            before = len(SENT)
            await asyncio.sleep(0.3)
        assert sum(SENT) < 1_000_000
        call.cancel()
