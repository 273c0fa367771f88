import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BreakGlassStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BREAK_GLASS_STAGE_UNSPECIFIED: _ClassVar[BreakGlassStage]
    BREAK_GLASS_STAGE_GRANTED: _ClassVar[BreakGlassStage]
    BREAK_GLASS_STAGE_ENDED: _ClassVar[BreakGlassStage]
    BREAK_GLASS_STAGE_REVIEWED: _ClassVar[BreakGlassStage]

class ErasureStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ERASURE_STAGE_UNSPECIFIED: _ClassVar[ErasureStage]
    ERASURE_STAGE_REQUESTED: _ClassVar[ErasureStage]
    ERASURE_STAGE_REFUSED: _ClassVar[ErasureStage]
    ERASURE_STAGE_DONE: _ClassVar[ErasureStage]

class ArchiveStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARCHIVE_STAGE_UNSPECIFIED: _ClassVar[ArchiveStage]
    ARCHIVE_STAGE_ARCHIVED: _ClassVar[ArchiveStage]
    ARCHIVE_STAGE_RESTORED: _ClassVar[ArchiveStage]
BREAK_GLASS_STAGE_UNSPECIFIED: BreakGlassStage
BREAK_GLASS_STAGE_GRANTED: BreakGlassStage
BREAK_GLASS_STAGE_ENDED: BreakGlassStage
BREAK_GLASS_STAGE_REVIEWED: BreakGlassStage
ERASURE_STAGE_UNSPECIFIED: ErasureStage
ERASURE_STAGE_REQUESTED: ErasureStage
ERASURE_STAGE_REFUSED: ErasureStage
ERASURE_STAGE_DONE: ErasureStage
ARCHIVE_STAGE_UNSPECIFIED: ArchiveStage
ARCHIVE_STAGE_ARCHIVED: ArchiveStage
ARCHIVE_STAGE_RESTORED: ArchiveStage

class Access(_message.Message):
    __slots__ = ("rpc", "allowed", "reason", "purpose", "consent_id", "subject_ids", "covered_until", "clinic_id")
    RPC_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_IDS_FIELD_NUMBER: _ClassVar[int]
    COVERED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    rpc: str
    allowed: bool
    reason: str
    purpose: str
    consent_id: str
    subject_ids: _containers.RepeatedScalarFieldContainer[str]
    covered_until: _timestamp_pb2.Timestamp
    clinic_id: str
    def __init__(self, rpc: _Optional[str] = ..., allowed: bool = ..., reason: _Optional[str] = ..., purpose: _Optional[str] = ..., consent_id: _Optional[str] = ..., subject_ids: _Optional[_Iterable[str]] = ..., covered_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., clinic_id: _Optional[str] = ...) -> None: ...

class BreakGlass(_message.Message):
    __slots__ = ("grant_id", "stage", "reason", "expires_at", "finding")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    stage: BreakGlassStage
    reason: str
    expires_at: _timestamp_pb2.Timestamp
    finding: str
    def __init__(self, grant_id: _Optional[str] = ..., stage: _Optional[_Union[BreakGlassStage, str]] = ..., reason: _Optional[str] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., finding: _Optional[str] = ...) -> None: ...

class Export(_message.Message):
    __slots__ = ("export_id", "delivered", "format")
    EXPORT_ID_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    export_id: str
    delivered: bool
    format: str
    def __init__(self, export_id: _Optional[str] = ..., delivered: bool = ..., format: _Optional[str] = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("stage", "reason", "key_ids")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    KEY_IDS_FIELD_NUMBER: _ClassVar[int]
    stage: ErasureStage
    reason: str
    key_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stage: _Optional[_Union[ErasureStage, str]] = ..., reason: _Optional[str] = ..., key_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class Archive(_message.Message):
    __slots__ = ("stage", "segment", "shard", "incarnation", "first_slice", "last_slice", "first_position", "last_position", "events", "size_bytes", "sha256", "first_hash", "last_hash")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    FIRST_SLICE_FIELD_NUMBER: _ClassVar[int]
    LAST_SLICE_FIELD_NUMBER: _ClassVar[int]
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    FIRST_HASH_FIELD_NUMBER: _ClassVar[int]
    LAST_HASH_FIELD_NUMBER: _ClassVar[int]
    stage: ArchiveStage
    segment: str
    shard: int
    incarnation: str
    first_slice: int
    last_slice: int
    first_position: int
    last_position: int
    events: int
    size_bytes: int
    sha256: bytes
    first_hash: bytes
    last_hash: bytes
    def __init__(self, stage: _Optional[_Union[ArchiveStage, str]] = ..., segment: _Optional[str] = ..., shard: _Optional[int] = ..., incarnation: _Optional[str] = ..., first_slice: _Optional[int] = ..., last_slice: _Optional[int] = ..., first_position: _Optional[int] = ..., last_position: _Optional[int] = ..., events: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ..., first_hash: _Optional[bytes] = ..., last_hash: _Optional[bytes] = ...) -> None: ...

class ModelDrift(_message.Message):
    __slots__ = ("model_id", "feature", "psi", "p_value", "reference", "observed", "cause")
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    FEATURE_FIELD_NUMBER: _ClassVar[int]
    PSI_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    REFERENCE_FIELD_NUMBER: _ClassVar[int]
    OBSERVED_FIELD_NUMBER: _ClassVar[int]
    CAUSE_FIELD_NUMBER: _ClassVar[int]
    model_id: str
    feature: str
    psi: float
    p_value: float
    reference: _containers.RepeatedScalarFieldContainer[int]
    observed: _containers.RepeatedScalarFieldContainer[int]
    cause: str
    def __init__(self, model_id: _Optional[str] = ..., feature: _Optional[str] = ..., psi: _Optional[float] = ..., p_value: _Optional[float] = ..., reference: _Optional[_Iterable[int]] = ..., observed: _Optional[_Iterable[int]] = ..., cause: _Optional[str] = ...) -> None: ...

class PolicyChange(_message.Message):
    __slots__ = ("policy", "version", "sha256", "approved_by", "status", "effective_from")
    POLICY_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    policy: str
    version: str
    sha256: bytes
    approved_by: str
    status: str
    effective_from: _timestamp_pb2.Timestamp
    def __init__(self, policy: _Optional[str] = ..., version: _Optional[str] = ..., sha256: _Optional[bytes] = ..., approved_by: _Optional[str] = ..., status: _Optional[str] = ..., effective_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Quarantine(_message.Message):
    __slots__ = ("entry_id", "held", "released")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    held: QuarantineHeld
    released: QuarantineReleased
    def __init__(self, entry_id: _Optional[str] = ..., held: _Optional[_Union[QuarantineHeld, _Mapping]] = ..., released: _Optional[_Union[QuarantineReleased, _Mapping]] = ...) -> None: ...

class QuarantineHeld(_message.Message):
    __slots__ = ("reason", "rules", "event", "event_id")
    REASON_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    reason: str
    rules: _containers.RepeatedScalarFieldContainer[str]
    event: bytes
    event_id: str
    def __init__(self, reason: _Optional[str] = ..., rules: _Optional[_Iterable[str]] = ..., event: _Optional[bytes] = ..., event_id: _Optional[str] = ...) -> None: ...

class QuarantineReleased(_message.Message):
    __slots__ = ("outcome",)
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    def __init__(self, outcome: _Optional[str] = ...) -> None: ...
