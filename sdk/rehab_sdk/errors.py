"""What can go wrong, as a small tree. Every error says why for programs (`reason`), for people
(the message), which fields broke which rules, and what to quote (`correlation_id`). None holds
patient data."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

from rehab.errors.v1 import error_reason_pb2 as reasons
from rehab.errors.v1.failure_pb2 import Failure
from rehab.events.v1.event_pb2 import Event

DOMAIN = "rehab.dev"
CORRELATION_KEY = "x-correlation-id"


@dataclass(frozen=True)
class Violation:
    """A broken rule: the field's path, the rule, and the rule in words. Never the value."""

    field: str
    rule: str
    message: str


class RehabError(Exception):
    """Anything the suite refused or could not do."""

    def __init__(
        self,
        message: str,
        *,
        reason: str = "",
        violations: Sequence[Violation] = (),
        metadata: Mapping[str, str] | None = None,
        retry_after_s: float | None = None,
        correlation_id: str = "",
    ) -> None:
        super().__init__(message)
        self.message = message
        self.reason = reason
        """Name of the rehab.errors.v1.ErrorReason without its prefix, such as "STALE"; empty when
        the failure is not the suite's, such as a lost connection."""
        self.violations = tuple(violations)
        self.metadata = dict(metadata or {})
        self.retry_after_s = retry_after_s
        self.correlation_id = correlation_id

    def __str__(self) -> str:
        quoted = f" (correlation id {self.correlation_id})" if self.correlation_id else ""
        return f"{self.message}{quoted}"

    def number(self, key: str) -> int | None:
        """A number of the metadata, None when it is not told."""
        text = self.metadata.get(key, "")
        return int(text) if text.isdigit() else None


class Unavailable(RehabError):
    """The server, or one it depends on, does not answer. Sending again is safe."""


class TimedOut(Unavailable):
    """The deadline passed. A write may have been stored; sending it again is safe."""


class RateLimited(RehabError):
    """The server is busy; wait `retry_after_s` and try again."""


class Invalid(RehabError):
    """A field breaks a rule of the contract; `violations` names every one."""


class ConsentRequired(RehabError):
    """No consent was named, or it was not in force when the data arose."""


class AuthError(RehabError):
    """Credentials are missing, malformed or expired, or the caller may not do this."""


class Unauthenticated(AuthError):
    """Nobody vouches for the caller: credentials are missing, malformed, expired or revoked."""


class NotFound(RehabError):
    """No such patient, stream or item."""


class Erased(NotFound):
    """The subject's data was erased; only envelopes remain."""


class AlreadyExists(RehabError):
    """The event id is already in the log with other content, or the id or address of what is to be
    made is another one's."""


class Conflict(RehabError):
    """The stream is not at the expected version."""

    @property
    def expected(self) -> int | None:
        return self.number("expected_version")

    @property
    def actual(self) -> int | None:
        return self.number("actual_version")


class Stale(RehabError):
    """A read model did not reach `min_position` of `shard` in the time allowed; it is at
    `position`."""

    @property
    def shard(self) -> int | None:
        return self.number("shard")

    @property
    def min_position(self) -> int | None:
        return self.number("min_position")

    @property
    def position(self) -> int | None:
        return self.number("position")


class IncarnationChanged(RehabError):
    """The log was restored or failed over: positions seen before mean nothing now."""


class LegalHold(RehabError):
    """A legal hold or retention rule forbids the erasure."""


class Superseded(RehabError):
    """Another stream of the same device and epoch has taken over."""


class ProtocolError(RehabError):
    """Client and server disagree on the course of a stream."""


class Internal(RehabError):
    """A fault of the server's; quote the correlation id."""


class Rejected(RehabError):
    """An event was refused, and only it. `error` is the typed reason, `event` what was refused."""

    def __init__(self, event: Event, error: RehabError) -> None:
        super().__init__(
            f"event {event.envelope.event_id} ({event.envelope.kind}) was refused: {error.message}",
            reason=error.reason,
            violations=error.violations,
            metadata=error.metadata,
            retry_after_s=error.retry_after_s,
            correlation_id=error.correlation_id,
        )
        self.event = event
        self.error = error
        self.__cause__ = error


class Dropped(RehabError):
    """The spool let go of an event before it was sent: for want of room, or because it was too old
    (`metadata["why"]`). Nothing else tells of it."""

    def __init__(self, event: Event, why: str) -> None:
        super().__init__(
            f"event {event.envelope.event_id} ({event.envelope.kind}) was let go unsent ({why})",
            metadata={"why": why},
        )
        self.event = event


class NotAcknowledged(Unavailable):
    """These events have no verdict yet; they may have been stored. They wait in the client's outbox
    for its next stream. Logged again as they are, with the same ids, none is doubled."""

    def __init__(self, events: Sequence[Event], why: str) -> None:
        super().__init__(f"{len(events)} events were not acknowledged: {why}")
        self.events = tuple(events)


BY_REASON: dict[int, type[RehabError]] = {
    reasons.ERROR_REASON_INVALID_ARGUMENT: Invalid,
    reasons.ERROR_REASON_UNKNOWN_KIND: Invalid,
    reasons.ERROR_REASON_EVENT_TOO_LARGE: Invalid,
    reasons.ERROR_REASON_CONSENT_MISSING: ConsentRequired,
    reasons.ERROR_REASON_CONSENT_NOT_IN_FORCE: ConsentRequired,
    reasons.ERROR_REASON_RESUME_TOKEN_INVALID: ProtocolError,
    reasons.ERROR_REASON_STREAM_SUPERSEDED: Superseded,
    reasons.ERROR_REASON_SEQUENCE_GAP: ProtocolError,
    reasons.ERROR_REASON_WINDOW_EXCEEDED: ProtocolError,
    reasons.ERROR_REASON_PROTOCOL: ProtocolError,
    reasons.ERROR_REASON_EVENT_ID_REUSED: AlreadyExists,
    reasons.ERROR_REASON_VERSION_CONFLICT: Conflict,
    reasons.ERROR_REASON_NOT_FOUND: NotFound,
    reasons.ERROR_REASON_ERASED: Erased,
    reasons.ERROR_REASON_INCARNATION_CHANGED: IncarnationChanged,
    reasons.ERROR_REASON_LEGAL_HOLD: LegalHold,
    reasons.ERROR_REASON_ALREADY_EXISTS: AlreadyExists,
    reasons.ERROR_REASON_UNAUTHENTICATED: Unauthenticated,
    reasons.ERROR_REASON_PERMISSION_DENIED: AuthError,
    reasons.ERROR_REASON_TOO_MANY_FAILURES: RateLimited,
    reasons.ERROR_REASON_OVERLOADED: RateLimited,
    reasons.ERROR_REASON_UNAVAILABLE: Unavailable,
    reasons.ERROR_REASON_ARCHIVE_UNREADABLE: Unavailable,
    reasons.ERROR_REASON_STALE: Stale,
    reasons.ERROR_REASON_DRAINING: Unavailable,
    reasons.ERROR_REASON_INTERNAL: Internal,
}
# what a proxy, a balancer or gRPC itself answers carries no reason
_BY_CODE: dict[grpc.StatusCode, type[RehabError]] = {
    grpc.StatusCode.UNAVAILABLE: Unavailable,
    grpc.StatusCode.CANCELLED: Unavailable,
    # our servers give a reason with these: without one it is how gRPC tells of a broken connection
    grpc.StatusCode.UNKNOWN: Unavailable,
    grpc.StatusCode.INTERNAL: Unavailable,
    grpc.StatusCode.DEADLINE_EXCEEDED: TimedOut,
    grpc.StatusCode.RESOURCE_EXHAUSTED: RateLimited,
    grpc.StatusCode.INVALID_ARGUMENT: Invalid,
    grpc.StatusCode.UNAUTHENTICATED: Unauthenticated,
    grpc.StatusCode.PERMISSION_DENIED: AuthError,
    grpc.StatusCode.NOT_FOUND: NotFound,
    grpc.StatusCode.ALREADY_EXISTS: AlreadyExists,
    grpc.StatusCode.UNIMPLEMENTED: ProtocolError,
}


def is_passing(error: RehabError) -> bool:
    """Whether the same call may succeed later, unchanged."""
    return isinstance(error, Unavailable | RateLimited)


def from_rpc_error(error: grpc.aio.AioRpcError, correlation_id: str = "") -> RehabError:
    """The typed error behind a failed call."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:  # the details contradict the status, as after a proxy that rewrote it
        status = None
    info = error_details_pb2.ErrorInfo()
    bad = error_details_pb2.BadRequest()
    retry = error_details_pb2.RetryInfo()
    retry_after_s: float | None = None
    for detail in status.details if status is not None else ():
        if detail.Unpack(retry):
            retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
        else:
            detail.Unpack(info) or detail.Unpack(bad)
    number = _reason_number(info.reason) if info.domain == DOMAIN else 0
    kind = BY_REASON.get(number) or _BY_CODE.get(error.code(), Internal)
    for key, value in error.trailing_metadata() or ():
        if key == CORRELATION_KEY:
            correlation_id = str(value)
    return kind(
        error.details() or error.code().name,
        reason=_reason_name(number),
        violations=[Violation(v.field, v.reason, v.description) for v in bad.field_violations],
        metadata=dict(info.metadata),
        retry_after_s=retry_after_s,
        correlation_id=correlation_id,
    )


def from_failure(failure: Failure) -> RehabError:
    """The typed error behind the verdict on one event."""
    kind = BY_REASON.get(failure.reason, Internal)
    after = failure.retry_after
    return kind(
        failure.message or _reason_name(failure.reason),
        reason=_reason_name(failure.reason),
        violations=[Violation(v.field, v.rule, v.message) for v in failure.violations],
        metadata=dict(failure.metadata),
        retry_after_s=after.ToTimedelta().total_seconds()
        if failure.HasField("retry_after")
        else None,
    )


def invalid(field: str, rule: str, message: str) -> Invalid:
    """The error for an argument that the SDK itself refuses, in the server's terms."""
    violation = Violation(field, rule, message)
    return Invalid(
        f"{field}: {message} [{rule}]", reason="INVALID_ARGUMENT", violations=[violation]
    )


def too_large(limit_bytes: int) -> Invalid:
    """The error for an event that the SDK does not even send."""
    message = f"must not be larger than {limit_bytes} bytes"
    return Invalid(
        f"event: {message}",
        reason="EVENT_TOO_LARGE",
        violations=[Violation("event", "event.max_bytes", message)],
        metadata={"limit_bytes": str(limit_bytes)},
    )


def _reason_number(name: str) -> int:
    values = reasons.ErrorReason.DESCRIPTOR.values_by_name
    return int(values[name].number) if name in values else 0


def _reason_name(number: int) -> str:
    value = reasons.ErrorReason.DESCRIPTOR.values_by_number.get(number)
    return value.name.removeprefix("ERROR_REASON_") if value is not None and number else ""
