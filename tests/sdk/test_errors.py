"""The typed error behind whatever a server answers."""

from __future__ import annotations

import grpc
import pytest

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab_runtime import errors as server_errors
from rehab_runtime.errors import RehabError as ServerError
from rehab_sdk import errors
from tests.sdk.given import REFUSAL, context, pain

CATALOGUE = sorted(server_errors.catalogue().items())


def answered(error: ServerError, correlation_id: str = "c-1") -> grpc.aio.AioRpcError:
    """What a client of our server sees."""
    status = server_errors.to_status(error)
    trailing = grpc.aio.Metadata(
        ("grpc-status-details-bin", status.SerializeToString()),
        (errors.CORRELATION_KEY, correlation_id),
    )
    return grpc.aio.AioRpcError(error.status, grpc.aio.Metadata(), trailing, error.message)


def bare(code: grpc.StatusCode) -> grpc.aio.AioRpcError:
    """What a proxy or gRPC itself answers."""
    return grpc.aio.AioRpcError(code, grpc.aio.Metadata(), grpc.aio.Metadata(), "why")


def test_every_reason_of_the_contract_has_a_class() -> None:
    contract = {value.number for value in reasons.ErrorReason.DESCRIPTOR.values} - {0}
    assert set(errors.BY_REASON) == contract


@pytest.mark.parametrize(("reason", "kind"), CATALOGUE, ids=str)
def test_every_error_of_the_server_arrives_with_its_class_and_reason(
    reason: int, kind: type[ServerError]
) -> None:
    found = errors.from_rpc_error(answered(kind()))
    assert type(found) is errors.BY_REASON[reason]
    name = reasons.ErrorReason.DESCRIPTOR.values_by_number[reason].name
    assert found.reason == name.removeprefix("ERROR_REASON_")
    assert found.correlation_id == "c-1"


@pytest.mark.parametrize(("reason", "kind"), CATALOGUE, ids=str)
def test_a_verdict_on_one_event_has_the_class_an_error_status_would_have(
    reason: int, kind: type[ServerError]
) -> None:
    found = errors.from_failure(server_errors.to_failure(kind()))
    assert type(found) is errors.BY_REASON[reason]


def test_violations_name_field_rule_and_words() -> None:
    broken = server_errors.Violation("body.pain_report.nprs", "uint32.lte", "must be <= 10")
    error = server_errors.InvalidArgument(violations=[broken])
    wanted = (errors.Violation("body.pain_report.nprs", "uint32.lte", "must be <= 10"),)
    assert errors.from_rpc_error(answered(error)).violations == wanted
    assert errors.from_failure(server_errors.to_failure(error)).violations == wanted


def test_a_busy_server_says_how_long_to_wait() -> None:
    found = errors.from_rpc_error(answered(server_errors.Overloaded(retry_after_s=1.5)))
    assert isinstance(found, errors.RateLimited)
    assert found.retry_after_s == 1.5


def test_a_conflict_says_expected_and_actual_version() -> None:
    metadata = {"expected_version": "3", "actual_version": "5"}
    found = errors.from_rpc_error(answered(server_errors.VersionConflict(metadata=metadata)))
    assert isinstance(found, errors.Conflict)
    assert (found.expected, found.actual) == (3, 5)


def test_a_stale_read_says_asked_and_reached_position() -> None:
    metadata = {"min_position": "120", "position": "118"}
    found = errors.from_rpc_error(answered(server_errors.Stale(metadata=metadata)))
    assert isinstance(found, errors.Stale)
    assert (found.min_position, found.position) == (120, 118)


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (grpc.StatusCode.UNAVAILABLE, errors.Unavailable),
        (grpc.StatusCode.DEADLINE_EXCEEDED, errors.TimedOut),
        (grpc.StatusCode.RESOURCE_EXHAUSTED, errors.RateLimited),
        (grpc.StatusCode.UNAUTHENTICATED, errors.Unauthenticated),
        (grpc.StatusCode.UNKNOWN, errors.Unavailable),
        (grpc.StatusCode.INTERNAL, errors.Unavailable),
        (grpc.StatusCode.DATA_LOSS, errors.Internal),
    ],
)
def test_an_answer_without_details_is_typed_by_its_code(
    code: grpc.StatusCode, kind: type[errors.RehabError]
) -> None:
    found = errors.from_rpc_error(bare(code), "c-2")
    assert type(found) is kind
    assert (found.reason, found.correlation_id) == ("", "c-2")


def test_details_that_contradict_the_status_are_not_believed() -> None:
    status = server_errors.to_status(server_errors.NotFound())
    trailing = grpc.aio.Metadata(("grpc-status-details-bin", status.SerializeToString()))
    rewritten = grpc.aio.AioRpcError(
        grpc.StatusCode.UNAVAILABLE, grpc.aio.Metadata(), trailing, "by a proxy"
    )
    assert type(errors.from_rpc_error(rewritten)) is errors.Unavailable


def test_a_reason_of_a_newer_contract_is_an_internal_error() -> None:
    found = errors.from_failure(Failure(reason=999, message="why"))  # type: ignore[arg-type]
    assert type(found) is errors.Internal
    assert (found.reason, found.message) == ("", "why")


def test_only_busy_and_absent_servers_are_worth_another_try() -> None:
    kinds = set(errors.BY_REASON.values()) | {errors.TimedOut}
    passing = {kind for kind in kinds if errors.is_passing(kind("x"))}
    assert passing == {errors.Unavailable, errors.TimedOut, errors.RateLimited}


def test_a_rejected_event_is_kept_with_its_error_but_never_printed() -> None:
    event = pain(3, context())
    rejected = errors.Rejected(event, errors.from_failure(REFUSAL))
    assert rejected.event is event
    assert isinstance(rejected.error, errors.Invalid)
    assert event.envelope.event_id in str(rejected)
    assert event.envelope.subject_id not in str(rejected)
