"""Errors: a class and a sentence each, with what a caller may know and what only the log may.

The `public` sentence, the reason, violations and metadata go to the caller; `detail` goes to the
log. Neither holds patient data.
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import ClassVar

import grpc
from google.protobuf import any_pb2, duration_pb2
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

from rehab.errors.v1 import error_reason_pb2, failure_pb2
from rehab.errors.v1.error_reason_pb2 import ErrorReason

DOMAIN = "rehab.dev"
ROOM = 1_500
"""Characters of broken rules in one error. They travel twice in the metadata of an answer, of which
a peer takes 8 kB: of a larger one it hears nothing but that it was too large."""


@dataclass(frozen=True)
class Violation:
    """A broken rule: which field, which rule, and the rule in words. Never the value."""

    field: str
    rule: str
    message: str


class RehabError(Exception):
    """An error a caller is told of."""

    status: ClassVar[grpc.StatusCode] = grpc.StatusCode.INTERNAL
    reason: ClassVar[ErrorReason] = error_reason_pb2.ERROR_REASON_INTERNAL
    public: ClassVar[str] = "An internal error; quote the correlation id."

    def __init__(
        self,
        detail: str = "",
        *,
        violations: Sequence[Violation] = (),
        retry_after_s: float | None = None,
        metadata: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__(detail or self.public)
        self.detail = detail
        self.violations = tuple(violations)
        self.retry_after_s = retry_after_s
        self.metadata = dict(metadata or {})

    @property
    def message(self) -> str:
        """The public sentence with the broken rules, as many as are told."""
        if not self.violations:
            return self.public
        broken = [f"{item.field}: {item.message} [{item.rule}]" for item in self.told]
        if left := len(self.violations) - len(broken):
            broken.append(f"and {left} more")
        return f"{self.public.rstrip('.')}: {'; '.join(broken)}"

    @property
    def told(self) -> Sequence[Violation]:
        """The broken rules that there is room for; the first always."""
        sizes = itertools.accumulate(
            len(one.field) + len(one.rule) + len(one.message) for one in self.violations
        )
        fit = sum(size <= ROOM for size in sizes)
        return self.violations[: max(1, fit)]


class InvalidArgument(RehabError):
    """A field breaks a rule of the contract."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = error_reason_pb2.ERROR_REASON_INVALID_ARGUMENT
    public = "The request breaks a rule of the contract."


class UnknownKind(RehabError):
    """The event's kind or its schema version is not known here."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = error_reason_pb2.ERROR_REASON_UNKNOWN_KIND
    public = "This server does not know the event's kind or schema version."


class EventTooLarge(RehabError):
    """One event is larger than the limit."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = error_reason_pb2.ERROR_REASON_EVENT_TOO_LARGE
    public = "The event is larger than the limit."


class ConsentMissing(RehabError):
    """An event with patient data names no consent."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = error_reason_pb2.ERROR_REASON_CONSENT_MISSING
    public = "An event with patient data must name the consent it was collected under."


class ConsentNotInForce(RehabError):
    """The named consent was not in force when the data arose."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_CONSENT_NOT_IN_FORCE
    public = "The consent named was not in force when the data arose."


class ResumeTokenInvalid(RehabError):
    """The resume token was not issued for this device and epoch."""

    status = grpc.StatusCode.INVALID_ARGUMENT
    reason = error_reason_pb2.ERROR_REASON_RESUME_TOKEN_INVALID
    public = "The resume token was not issued for this device and epoch."


class StreamSuperseded(RehabError):
    """Another stream of the same device and epoch has taken over."""

    status = grpc.StatusCode.ABORTED
    reason = error_reason_pb2.ERROR_REASON_STREAM_SUPERSEDED
    public = "Another stream of this device has taken over."


class SequenceGap(RehabError):
    """Sequence numbers are not contiguous."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_SEQUENCE_GAP
    public = "Sequence numbers must be contiguous."


class WindowExceeded(RehabError):
    """More events are unacknowledged than the window allows."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = error_reason_pb2.ERROR_REASON_WINDOW_EXCEEDED
    public = "More events are unacknowledged than the window allows."


class ProtocolViolation(RehabError):
    """A message came out of turn."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_PROTOCOL
    public = "The message came out of turn."


class EventIdReused(RehabError):
    """The event id is already in the log with other content."""

    status = grpc.StatusCode.ALREADY_EXISTS
    reason = error_reason_pb2.ERROR_REASON_EVENT_ID_REUSED
    public = "The event id is already in the log with other content."


class VersionConflict(RehabError):
    """The stream is not at the expected version."""

    status = grpc.StatusCode.ABORTED
    reason = error_reason_pb2.ERROR_REASON_VERSION_CONFLICT
    public = "The stream is not at the expected version."


class NotFound(RehabError):
    """No such thing."""

    status = grpc.StatusCode.NOT_FOUND
    reason = error_reason_pb2.ERROR_REASON_NOT_FOUND
    public = "Not found."


class Erased(RehabError):
    """The subject's data was erased: only envelopes remain, and nothing is added."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_ERASED
    public = "The subject's data was erased; only envelopes remain."


class LegalHold(RehabError):
    """A legal hold forbids the erasure."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_LEGAL_HOLD
    public = "A legal hold forbids the erasure."


class AlreadyExists(RehabError):
    """The id, or what must be unique, is another thing's already."""

    status = grpc.StatusCode.ALREADY_EXISTS
    reason = error_reason_pb2.ERROR_REASON_ALREADY_EXISTS
    public = "The id, or what must be unique, is another thing's already."


class IncarnationChanged(RehabError):
    """The cursor is of another incarnation of the log."""

    status = grpc.StatusCode.FAILED_PRECONDITION
    reason = error_reason_pb2.ERROR_REASON_INCARNATION_CHANGED
    public = "The log was restored or failed over; the cursor is of another incarnation."


class Unauthenticated(RehabError):
    """Credentials are missing, malformed or expired."""

    status = grpc.StatusCode.UNAUTHENTICATED
    reason = error_reason_pb2.ERROR_REASON_UNAUTHENTICATED
    public = "Credentials are missing, malformed or expired."


class TooManyFailures(RehabError):
    """Credentials were wrong too often."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = error_reason_pb2.ERROR_REASON_TOO_MANY_FAILURES
    public = "Credentials were wrong too often; wait and try again."

    def __init__(self, detail: str = "", *, retry_after_s: float = 60) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class PermissionDenied(RehabError):
    """The caller may not do this."""

    status = grpc.StatusCode.PERMISSION_DENIED
    reason = error_reason_pb2.ERROR_REASON_PERMISSION_DENIED
    public = "The caller may not do this."


class Overloaded(RehabError):
    """A bounded queue is full."""

    status = grpc.StatusCode.RESOURCE_EXHAUSTED
    reason = error_reason_pb2.ERROR_REASON_OVERLOADED
    public = "The server is busy; wait and try again."

    def __init__(self, detail: str = "", *, retry_after_s: float = 0.5) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class Unavailable(RehabError):
    """A server this one depends on does not answer."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = error_reason_pb2.ERROR_REASON_UNAVAILABLE
    public = "A server this one depends on does not answer; try again."

    def __init__(self, detail: str = "", *, retry_after_s: float = 0.5) -> None:
        super().__init__(detail, retry_after_s=retry_after_s)


class Stale(RehabError):
    """A read model did not reach the asked position in time."""

    status = grpc.StatusCode.DEADLINE_EXCEEDED
    reason = error_reason_pb2.ERROR_REASON_STALE
    public = "The read model did not reach the asked position in time."


class Draining(RehabError):
    """This replica is leaving."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = error_reason_pb2.ERROR_REASON_DRAINING
    public = "This replica is leaving; connect again."


class ArchiveUnreadable(RehabError):
    """Events asked for are in an object of the archive that cannot be read. The metadata names the
    segment, the first position concerned, and the trouble: missing, damaged, away."""

    status = grpc.StatusCode.UNAVAILABLE
    reason = error_reason_pb2.ERROR_REASON_ARCHIVE_UNREADABLE
    public = "Events asked for are in an object of the archive that cannot be read."


class Internal(RehabError):
    """A fault of ours."""


def catalogue() -> dict[ErrorReason, type[RehabError]]:
    """Every error by its reason."""
    return {error.reason: error for error in RehabError.__subclasses__()}


def to_failure(error: RehabError) -> failure_pb2.Failure:
    """The verdict on one item among others."""
    failure = failure_pb2.Failure(
        reason=error.reason, message=error.message, metadata=error.metadata
    )
    for item in error.told:
        failure.violations.add(field=item.field, rule=item.rule, message=item.message)
    if error.retry_after_s is not None:
        failure.retry_after.CopyFrom(_duration(error.retry_after_s))
    return failure


def from_failure(failure: failure_pb2.Failure) -> RehabError:
    """The error behind a verdict; Internal when its reason is not known here."""
    error = catalogue().get(failure.reason, Internal)()
    error.violations = tuple(
        Violation(item.field, item.rule, item.message) for item in failure.violations
    )
    error.metadata = dict(failure.metadata)
    if failure.HasField("retry_after"):
        error.retry_after_s = failure.retry_after.ToTimedelta().total_seconds()
    return error


def to_status(error: RehabError) -> status_pb2.Status:
    """The status with its details: ErrorInfo, BadRequest, RetryInfo."""
    info = error_details_pb2.ErrorInfo(
        reason=ErrorReason.Name(error.reason), domain=DOMAIN, metadata=error.metadata
    )
    details: list[any_pb2.Any] = [_pack(info)]
    if error.violations:
        fields = [
            error_details_pb2.BadRequest.FieldViolation(
                field=item.field, description=item.message, reason=item.rule
            )
            for item in error.told
        ]
        details.append(_pack(error_details_pb2.BadRequest(field_violations=fields)))
    if error.retry_after_s is not None:
        details.append(
            _pack(error_details_pb2.RetryInfo(retry_delay=_duration(error.retry_after_s)))
        )
    code = getattr(code_pb2, error.status.name)
    return status_pb2.Status(code=code, message=error.message, details=details)


def from_rpc_error(error: grpc.aio.AioRpcError) -> RehabError:
    """The error another service answered; Unavailable or Internal when it gave no details."""
    try:
        status = rpc_status.from_call(error)
    except ValueError:
        status = None  # what arrived was replaced on the way
    info = error_details_pb2.ErrorInfo()
    found: RehabError | None = None
    for detail in status.details if status is not None else ():
        if detail.Unpack(info) and info.domain == DOMAIN:
            found = _of_reason(info.reason)(f"answered by {error.code().name}")
            found.metadata = dict(info.metadata)
    away = (
        grpc.StatusCode.UNAVAILABLE,
        grpc.StatusCode.DEADLINE_EXCEEDED,
        grpc.StatusCode.CANCELLED,
    )
    if found is None:
        return (
            Unavailable(error.code().name) if error.code() in away else Internal(error.code().name)
        )
    bad, retry = error_details_pb2.BadRequest(), error_details_pb2.RetryInfo()
    assert status is not None
    for detail in status.details:
        if detail.Unpack(bad):
            found.violations = tuple(
                Violation(item.field, item.reason, item.description)
                for item in bad.field_violations
            )
        elif detail.Unpack(retry):
            found.retry_after_s = retry.retry_delay.ToTimedelta().total_seconds()
    return found


def _of_reason(name: str) -> type[RehabError]:
    """Internal for a reason that a newer service knows and this one does not."""
    known = name in ErrorReason.keys()  # noqa: SIM118 - it is no mapping
    return catalogue().get(ErrorReason.Value(name), Internal) if known else Internal


def _pack(
    message: error_details_pb2.ErrorInfo
    | error_details_pb2.BadRequest
    | error_details_pb2.RetryInfo,
) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed


def _duration(seconds: float) -> duration_pb2.Duration:
    duration = duration_pb2.Duration()
    duration.FromNanoseconds(int(seconds * 1_000_000_000))
    return duration
