from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from typing import ClassVar as _ClassVar

DESCRIPTOR: _descriptor.FileDescriptor

class ErrorReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERROR_REASON_UNSPECIFIED: _ClassVar[ErrorReason]
    ERROR_REASON_INVALID_ARGUMENT: _ClassVar[ErrorReason]
    ERROR_REASON_UNKNOWN_KIND: _ClassVar[ErrorReason]
    ERROR_REASON_EVENT_TOO_LARGE: _ClassVar[ErrorReason]
    ERROR_REASON_CONSENT_MISSING: _ClassVar[ErrorReason]
    ERROR_REASON_CONSENT_NOT_IN_FORCE: _ClassVar[ErrorReason]
    ERROR_REASON_RESUME_TOKEN_INVALID: _ClassVar[ErrorReason]
    ERROR_REASON_STREAM_SUPERSEDED: _ClassVar[ErrorReason]
    ERROR_REASON_SEQUENCE_GAP: _ClassVar[ErrorReason]
    ERROR_REASON_WINDOW_EXCEEDED: _ClassVar[ErrorReason]
    ERROR_REASON_PROTOCOL: _ClassVar[ErrorReason]
    ERROR_REASON_EVENT_ID_REUSED: _ClassVar[ErrorReason]
    ERROR_REASON_VERSION_CONFLICT: _ClassVar[ErrorReason]
    ERROR_REASON_NOT_FOUND: _ClassVar[ErrorReason]
    ERROR_REASON_ERASED: _ClassVar[ErrorReason]
    ERROR_REASON_INCARNATION_CHANGED: _ClassVar[ErrorReason]
    ERROR_REASON_LEGAL_HOLD: _ClassVar[ErrorReason]
    ERROR_REASON_ALREADY_EXISTS: _ClassVar[ErrorReason]
    ERROR_REASON_UNAUTHENTICATED: _ClassVar[ErrorReason]
    ERROR_REASON_PERMISSION_DENIED: _ClassVar[ErrorReason]
    ERROR_REASON_OVERLOADED: _ClassVar[ErrorReason]
    ERROR_REASON_UNAVAILABLE: _ClassVar[ErrorReason]
    ERROR_REASON_STALE: _ClassVar[ErrorReason]
    ERROR_REASON_DRAINING: _ClassVar[ErrorReason]
    ERROR_REASON_INTERNAL: _ClassVar[ErrorReason]
    ERROR_REASON_ARCHIVE_UNREADABLE: _ClassVar[ErrorReason]
ERROR_REASON_UNSPECIFIED: ErrorReason
ERROR_REASON_INVALID_ARGUMENT: ErrorReason
ERROR_REASON_UNKNOWN_KIND: ErrorReason
ERROR_REASON_EVENT_TOO_LARGE: ErrorReason
ERROR_REASON_CONSENT_MISSING: ErrorReason
ERROR_REASON_CONSENT_NOT_IN_FORCE: ErrorReason
ERROR_REASON_RESUME_TOKEN_INVALID: ErrorReason
ERROR_REASON_STREAM_SUPERSEDED: ErrorReason
ERROR_REASON_SEQUENCE_GAP: ErrorReason
ERROR_REASON_WINDOW_EXCEEDED: ErrorReason
ERROR_REASON_PROTOCOL: ErrorReason
ERROR_REASON_EVENT_ID_REUSED: ErrorReason
ERROR_REASON_VERSION_CONFLICT: ErrorReason
ERROR_REASON_NOT_FOUND: ErrorReason
ERROR_REASON_ERASED: ErrorReason
ERROR_REASON_INCARNATION_CHANGED: ErrorReason
ERROR_REASON_LEGAL_HOLD: ErrorReason
ERROR_REASON_ALREADY_EXISTS: ErrorReason
ERROR_REASON_UNAUTHENTICATED: ErrorReason
ERROR_REASON_PERMISSION_DENIED: ErrorReason
ERROR_REASON_OVERLOADED: ErrorReason
ERROR_REASON_UNAVAILABLE: ErrorReason
ERROR_REASON_STALE: ErrorReason
ERROR_REASON_DRAINING: ErrorReason
ERROR_REASON_INTERNAL: ErrorReason
ERROR_REASON_ARCHIVE_UNREADABLE: ErrorReason
