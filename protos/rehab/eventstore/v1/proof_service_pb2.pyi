import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Damage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DAMAGE_UNSPECIFIED: _ClassVar[Damage]
    DAMAGE_CHANGED: _ClassVar[Damage]
    DAMAGE_MISSING: _ClassVar[Damage]
    DAMAGE_DOUBLED: _ClassVar[Damage]
    DAMAGE_COLUMN: _ClassVar[Damage]
    DAMAGE_VERSION: _ClassVar[Damage]
    DAMAGE_TRUNCATED: _ClassVar[Damage]
    DAMAGE_HEAD: _ClassVar[Damage]
    DAMAGE_CHECKPOINT: _ClassVar[Damage]
    DAMAGE_STRAY: _ClassVar[Damage]
    DAMAGE_SIGNER: _ClassVar[Damage]
    DAMAGE_UNREADABLE: _ClassVar[Damage]
    DAMAGE_ARCHIVE: _ClassVar[Damage]
DAMAGE_UNSPECIFIED: Damage
DAMAGE_CHANGED: Damage
DAMAGE_MISSING: Damage
DAMAGE_DOUBLED: Damage
DAMAGE_COLUMN: Damage
DAMAGE_VERSION: Damage
DAMAGE_TRUNCATED: Damage
DAMAGE_HEAD: Damage
DAMAGE_CHECKPOINT: Damage
DAMAGE_STRAY: Damage
DAMAGE_SIGNER: Damage
DAMAGE_UNREADABLE: Damage
DAMAGE_ARCHIVE: Damage

class SignedCheckpoint(_message.Message):
    __slots__ = ("shard", "incarnation", "position", "hash", "signed_at", "key_id", "signature", "public_key")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    SIGNED_AT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    shard: int
    incarnation: str
    position: int
    hash: bytes
    signed_at: _timestamp_pb2.Timestamp
    key_id: str
    signature: bytes
    public_key: bytes
    def __init__(self, shard: _Optional[int] = ..., incarnation: _Optional[str] = ..., position: _Optional[int] = ..., hash: _Optional[bytes] = ..., signed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., key_id: _Optional[str] = ..., signature: _Optional[bytes] = ..., public_key: _Optional[bytes] = ...) -> None: ...

class VerifyLogRequest(_message.Message):
    __slots__ = ("shard", "from_position", "to_position", "public_keys")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    PUBLIC_KEYS_FIELD_NUMBER: _ClassVar[int]
    shard: int
    from_position: int
    to_position: int
    public_keys: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, shard: _Optional[int] = ..., from_position: _Optional[int] = ..., to_position: _Optional[int] = ..., public_keys: _Optional[_Iterable[bytes]] = ...) -> None: ...

class Finding(_message.Message):
    __slots__ = ("shard", "position", "damage", "message")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    DAMAGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    shard: int
    position: int
    damage: Damage
    message: str
    def __init__(self, shard: _Optional[int] = ..., position: _Optional[int] = ..., damage: _Optional[_Union[Damage, str]] = ..., message: _Optional[str] = ...) -> None: ...

class Progress(_message.Message):
    __slots__ = ("verified", "total")
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    verified: int
    total: int
    def __init__(self, verified: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class Verdict(_message.Message):
    __slots__ = ("verified", "checkpoints", "position", "finding", "signed_position", "key_ids", "audit_events")
    VERIFIED_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    SIGNED_POSITION_FIELD_NUMBER: _ClassVar[int]
    KEY_IDS_FIELD_NUMBER: _ClassVar[int]
    AUDIT_EVENTS_FIELD_NUMBER: _ClassVar[int]
    verified: int
    checkpoints: int
    position: int
    finding: Finding
    signed_position: int
    key_ids: _containers.RepeatedScalarFieldContainer[str]
    audit_events: int
    def __init__(self, verified: _Optional[int] = ..., checkpoints: _Optional[int] = ..., position: _Optional[int] = ..., finding: _Optional[_Union[Finding, _Mapping]] = ..., signed_position: _Optional[int] = ..., key_ids: _Optional[_Iterable[str]] = ..., audit_events: _Optional[int] = ...) -> None: ...

class VerifyLogResponse(_message.Message):
    __slots__ = ("progress", "verdict")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    progress: Progress
    verdict: Verdict
    def __init__(self, progress: _Optional[_Union[Progress, _Mapping]] = ..., verdict: _Optional[_Union[Verdict, _Mapping]] = ...) -> None: ...

class ListCheckpointsRequest(_message.Message):
    __slots__ = ("shard", "limit")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    shard: int
    limit: int
    def __init__(self, shard: _Optional[int] = ..., limit: _Optional[int] = ...) -> None: ...

class ListCheckpointsResponse(_message.Message):
    __slots__ = ("checkpoints",)
    CHECKPOINTS_FIELD_NUMBER: _ClassVar[int]
    checkpoints: _containers.RepeatedCompositeFieldContainer[SignedCheckpoint]
    def __init__(self, checkpoints: _Optional[_Iterable[_Union[SignedCheckpoint, _Mapping]]] = ...) -> None: ...

class SignCheckpointRequest(_message.Message):
    __slots__ = ("shard",)
    SHARD_FIELD_NUMBER: _ClassVar[int]
    shard: int
    def __init__(self, shard: _Optional[int] = ...) -> None: ...

class SignCheckpointResponse(_message.Message):
    __slots__ = ("checkpoint",)
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    checkpoint: SignedCheckpoint
    def __init__(self, checkpoint: _Optional[_Union[SignedCheckpoint, _Mapping]] = ...) -> None: ...
