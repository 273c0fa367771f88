"""Errors keep what they say over the wire, and say nothing else."""

from __future__ import annotations

from typing import Any

import grpc
import pytest
from google.rpc import error_details_pb2, status_pb2
from hypothesis import given
from hypothesis import strategies as st

from rehab.errors.v1 import error_reason_pb2
from rehab_runtime.auth import DevelopmentAuthenticator, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.errors import (
    Internal,
    InvalidArgument,
    RehabError,
    Unavailable,
    Violation,
    catalogue,
    from_failure,
    from_rpc_error,
    to_failure,
    to_status,
)
from rehab_runtime.server import serve_grpc
from rehab_runtime.settings import ServiceSettings

words = st.text(st.characters(codec="utf-8", exclude_categories=["Cs"]), max_size=30)
violations = st.builds(Violation, words, words, words)
kinds = st.sampled_from(sorted(catalogue().values(), key=lambda kind: kind.__name__))


@st.composite
def errors(draw: st.DrawFn) -> RehabError:
    error = draw(kinds)()
    error.violations = tuple(draw(st.lists(violations, max_size=3)))
    # one who is told to come again is told when
    error.retry_after_s = draw(st.just(error.retry_after_s) | st.integers(0, 3600).map(float))
    error.metadata = draw(st.dictionaries(words, words, max_size=3))
    return error


class Call:
    """An RpcError as a client sees it."""

    def __init__(self, status: status_pb2.Status) -> None:
        self._status = status

    def error(self) -> grpc.aio.AioRpcError:
        code = next(one for one in grpc.StatusCode if one.value[0] == self._status.code)
        trailing = grpc.aio.Metadata(("grpc-status-details-bin", self._status.SerializeToString()))
        return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), trailing, self._status.message)


def same(one: RehabError, other: RehabError) -> bool:
    def told(error: RehabError) -> tuple[Any, ...]:
        return type(error), error.violations, error.retry_after_s, error.metadata

    return told(one) == told(other)


def test_every_reason_of_the_contract_has_one_error() -> None:
    told = [error_reason_pb2.ErrorReason.Name(kind.reason) for kind in RehabError.__subclasses__()]
    assert sorted([*told, "ERROR_REASON_UNSPECIFIED"]) == sorted(
        error_reason_pb2.ErrorReason.keys()
    )


@given(errors())
def test_an_error_survives_a_status(error: RehabError) -> None:
    assert same(from_rpc_error(Call(to_status(error)).error()), error)


@given(errors())
def test_an_error_survives_a_verdict(error: RehabError) -> None:
    assert same(from_failure(to_failure(error)), error)


@given(errors())
def test_a_detail_for_the_log_never_reaches_the_wire(error: RehabError) -> None:
    secret = "the patient's own words"
    error.detail = secret
    assert secret.encode() not in to_status(error).SerializeToString()
    assert secret.encode() not in to_failure(error).SerializeToString()


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, Unavailable),
        (grpc.StatusCode.UNKNOWN, Internal),
    ],
)
def test_an_answer_without_details_is_told_by_its_code(
    code: grpc.StatusCode, kind: type[RehabError]
) -> None:
    bare = grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata())
    assert type(from_rpc_error(bare)) is kind


def test_a_reason_of_a_newer_service_is_an_internal_error() -> None:
    status = to_status(Internal())
    info = error_details_pb2.ErrorInfo(reason="ERROR_REASON_OF_TOMORROW", domain="rehab.dev")
    status.details[0].Pack(info)
    assert type(from_rpc_error(Call(status).error())) is Internal


async def test_however_many_rules_are_broken_the_caller_hears_what_it_was() -> None:
    broken = [Violation(f"events[{n}].envelope.kind", "rule", "must be so") for n in range(5000)]

    async def refuse(_: bytes, context: grpc.aio.ServicerContext) -> bytes:
        raise InvalidArgument(violations=broken)

    def add(server: grpc.aio.Server) -> list[str]:
        handler = grpc.unary_unary_rpc_method_handler(refuse)
        server.add_registered_method_handlers("test.Many", {"ask": handler})
        return ["test.Many"]

    settings = ServiceSettings(listen="127.0.0.1:0", metrics_listen="", drain_s=1)
    async with (
        serve_grpc(settings, add, authenticator=DevelopmentAuthenticator()) as server,
        channel(server.address) as connection,
    ):
        call = connection.unary_unary("/test.Many/ask")
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            await call(b"", metadata=[bearer(service_principal("test"))], timeout=10)
    error = from_rpc_error(refused.value)
    assert isinstance(error, InvalidArgument)
    assert error.violations[0] == broken[0]
    assert f"and {5000 - len(error.violations)} more" in (refused.value.details() or "")
    assert len(to_failure(InvalidArgument(violations=broken)).violations) == len(error.violations)
