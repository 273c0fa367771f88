import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class VersionStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    VERSION_STATUS_UNSPECIFIED: _ClassVar[VersionStatus]
    VERSION_STATUS_BUILDING: _ClassVar[VersionStatus]
    VERSION_STATUS_LIVE: _ClassVar[VersionStatus]
    VERSION_STATUS_RETIRED: _ClassVar[VersionStatus]
VERSION_STATUS_UNSPECIFIED: VersionStatus
VERSION_STATUS_BUILDING: VersionStatus
VERSION_STATUS_LIVE: VersionStatus
VERSION_STATUS_RETIRED: VersionStatus

class RebuildRequest(_message.Message):
    __slots__ = ("workers", "keep_old", "expect_same", "afresh")
    WORKERS_FIELD_NUMBER: _ClassVar[int]
    KEEP_OLD_FIELD_NUMBER: _ClassVar[int]
    EXPECT_SAME_FIELD_NUMBER: _ClassVar[int]
    AFRESH_FIELD_NUMBER: _ClassVar[int]
    workers: int
    keep_old: bool
    expect_same: bool
    afresh: bool
    def __init__(self, workers: _Optional[int] = ..., keep_old: bool = ..., expect_same: bool = ..., afresh: bool = ...) -> None: ...

class RebuildResponse(_message.Message):
    __slots__ = ("progress", "built")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    BUILT_FIELD_NUMBER: _ClassVar[int]
    progress: RebuildProgress
    built: Rebuilt
    def __init__(self, progress: _Optional[_Union[RebuildProgress, _Mapping]] = ..., built: _Optional[_Union[Rebuilt, _Mapping]] = ...) -> None: ...

class RebuildProgress(_message.Message):
    __slots__ = ("version", "folded", "total")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    FOLDED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    version: int
    folded: int
    total: int
    def __init__(self, version: _Optional[int] = ..., folded: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class Rebuilt(_message.Message):
    __slots__ = ("version", "answers", "differences")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    DIFFERENCES_FIELD_NUMBER: _ClassVar[int]
    version: int
    answers: bool
    differences: _containers.RepeatedCompositeFieldContainer[TableDifference]
    def __init__(self, version: _Optional[int] = ..., answers: bool = ..., differences: _Optional[_Iterable[_Union[TableDifference, _Mapping]]] = ...) -> None: ...

class TableDifference(_message.Message):
    __slots__ = ("table", "rows_before", "rows_after")
    TABLE_FIELD_NUMBER: _ClassVar[int]
    ROWS_BEFORE_FIELD_NUMBER: _ClassVar[int]
    ROWS_AFTER_FIELD_NUMBER: _ClassVar[int]
    table: str
    rows_before: int
    rows_after: int
    def __init__(self, table: _Optional[str] = ..., rows_before: _Optional[int] = ..., rows_after: _Optional[int] = ...) -> None: ...

class ListVersionsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListVersionsResponse(_message.Message):
    __slots__ = ("versions",)
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    versions: _containers.RepeatedCompositeFieldContainer[ReadModelVersion]
    def __init__(self, versions: _Optional[_Iterable[_Union[ReadModelVersion, _Mapping]]] = ...) -> None: ...

class ReadModelVersion(_message.Message):
    __slots__ = ("version", "status", "begun_at", "changed_at", "events")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    BEGUN_AT_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    version: int
    status: VersionStatus
    begun_at: _timestamp_pb2.Timestamp
    changed_at: _timestamp_pb2.Timestamp
    events: int
    def __init__(self, version: _Optional[int] = ..., status: _Optional[_Union[VersionStatus, str]] = ..., begun_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., events: _Optional[int] = ...) -> None: ...

class SwitchVersionRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class SwitchVersionResponse(_message.Message):
    __slots__ = ("progress", "built")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    BUILT_FIELD_NUMBER: _ClassVar[int]
    progress: RebuildProgress
    built: Rebuilt
    def __init__(self, progress: _Optional[_Union[RebuildProgress, _Mapping]] = ..., built: _Optional[_Union[Rebuilt, _Mapping]] = ...) -> None: ...

class DropVersionRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class DropVersionResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListParkedRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListParkedResponse(_message.Message):
    __slots__ = ("parked",)
    PARKED_FIELD_NUMBER: _ClassVar[int]
    parked: _containers.RepeatedCompositeFieldContainer[ParkedStream]
    def __init__(self, parked: _Optional[_Iterable[_Union[ParkedStream, _Mapping]]] = ...) -> None: ...

class ParkedStream(_message.Message):
    __slots__ = ("patient_id", "shard", "position", "event_id", "reason", "parked_at")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PARKED_AT_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    shard: int
    position: int
    event_id: str
    reason: str
    parked_at: _timestamp_pb2.Timestamp
    def __init__(self, patient_id: _Optional[str] = ..., shard: _Optional[int] = ..., position: _Optional[int] = ..., event_id: _Optional[str] = ..., reason: _Optional[str] = ..., parked_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RetryParkedRequest(_message.Message):
    __slots__ = ("patient_id",)
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    def __init__(self, patient_id: _Optional[str] = ...) -> None: ...

class RetryParkedResponse(_message.Message):
    __slots__ = ("released", "parked")
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    released: int
    parked: int
    def __init__(self, released: _Optional[int] = ..., parked: _Optional[int] = ...) -> None: ...

class SkipParkedRequest(_message.Message):
    __slots__ = ("patient_id", "reason")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    reason: str
    def __init__(self, patient_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SkipParkedResponse(_message.Message):
    __slots__ = ("event_id", "released")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    RELEASED_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    released: bool
    def __init__(self, event_id: _Optional[str] = ..., released: bool = ...) -> None: ...
