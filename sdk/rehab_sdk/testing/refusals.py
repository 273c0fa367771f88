"""Errors as the suite's servers tell them: reason, broken rules, when to come back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NoReturn

import grpc
from google.protobuf.any_pb2 import Any as AnyMessage
from google.protobuf.duration_pb2 import Duration
from google.protobuf.message import Message
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab_sdk.errors import BY_REASON, DOMAIN, RehabError, Violation

_CODES = {
    grpc.StatusCode.UNAVAILABLE: ("UNAVAILABLE", "DRAINING", "ARCHIVE_UNREADABLE"),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("OVERLOADED", "WINDOW_EXCEEDED", "TOO_MANY_FAILURES"),
    grpc.StatusCode.UNAUTHENTICATED: ("UNAUTHENTICATED",),
    grpc.StatusCode.PERMISSION_DENIED: ("PERMISSION_DENIED",),
    grpc.StatusCode.NOT_FOUND: ("NOT_FOUND",),
    grpc.StatusCode.ALREADY_EXISTS: ("EVENT_ID_REUSED", "ALREADY_EXISTS"),
    grpc.StatusCode.ABORTED: ("VERSION_CONFLICT", "STREAM_SUPERSEDED"),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("STALE",),
    grpc.StatusCode.INTERNAL: ("INTERNAL",),
    grpc.StatusCode.FAILED_PRECONDITION: (
        "CONSENT_NOT_IN_FORCE",
        "SEQUENCE_GAP",
        "PROTOCOL",
        "ERASED",
        "LEGAL_HOLD",
        "INCARNATION_CHANGED",
    ),
}
CODE_OF = {reason: code for code, named in _CODES.items() for reason in named}


@dataclass(eq=False)
class Refusal(Exception):
    """Why a call, or one event, is refused. `reason` is a name of ErrorReason without prefix."""

    reason: str
    message: str = ""
    violations: Sequence[Violation] = ()
    metadata: Mapping[str, str] = field(default_factory=dict)
    retry_after_s: float | None = None

    @property
    def number(self) -> reasons.ErrorReason:
        return reasons.ErrorReason.Value(f"ERROR_REASON_{self.reason}")

    @property
    def code(self) -> grpc.StatusCode:
        return CODE_OF.get(self.reason, grpc.StatusCode.INVALID_ARGUMENT)

    @property
    def text(self) -> str:
        kind: type[RehabError] = BY_REASON[self.number]
        said = self.message or (kind.__doc__ or "").partition("\n")[0].partition(";")[0]
        broken = "; ".join(f"{one.field}: {one.message} [{one.rule}]" for one in self.violations)
        return f"{said.rstrip('.')}: {broken}" if broken else said

    def failure(self) -> Failure:
        """The verdict on one event."""
        failure = Failure(reason=self.number, message=self.text, metadata=self.metadata)
        for one in self.violations:
            failure.violations.add(field=one.field, rule=one.rule, message=one.message)
        if self.retry_after_s is not None:
            failure.retry_after.CopyFrom(_duration(self.retry_after_s))
        return failure

    def status(self) -> status_pb2.Status:
        name = reasons.ErrorReason.Name(self.number)
        details: list[Message] = [
            error_details_pb2.ErrorInfo(reason=name, domain=DOMAIN, metadata=self.metadata)
        ]
        if self.violations:
            broken = error_details_pb2.BadRequest()
            for one in self.violations:
                broken.field_violations.add(
                    field=one.field, reason=one.rule, description=one.message
                )
            details.append(broken)
        if self.retry_after_s is not None:
            delay = _duration(self.retry_after_s)
            details.append(error_details_pb2.RetryInfo(retry_delay=delay))
        status = status_pb2.Status(code=getattr(code_pb2, self.code.name), message=self.text)
        for detail in details:
            packed = AnyMessage()
            packed.Pack(detail)
            status.details.append(packed)
        return status

    def abort(self, context: grpc.ServicerContext) -> NoReturn:
        context.abort_with_status(rpc_status.to_status(self.status()))
        raise AssertionError("abort raises")

    def within(self, prefix: str) -> Refusal:
        """The same, with fields as they are called from outside."""
        moved = [Violation(f"{prefix}.{v.field}", v.rule, v.message) for v in self.violations]
        return Refusal(self.reason, self.message, moved, self.metadata, self.retry_after_s)


def broken(reason: str, field: str, rule: str, message: str, **more: str) -> Refusal:
    """One field breaks one rule; `more` is metadata."""
    return Refusal(reason, violations=[Violation(field, rule, message)], metadata=more)


def _duration(seconds: float) -> Duration:
    duration = Duration()
    duration.FromNanoseconds(int(seconds * 1_000_000_000))
    return duration
