import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class SegmentState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SEGMENT_STATE_UNSPECIFIED: _ClassVar[SegmentState]
    SEGMENT_STATE_PENDING: _ClassVar[SegmentState]
    SEGMENT_STATE_ARCHIVED: _ClassVar[SegmentState]
    SEGMENT_STATE_RESTORED: _ClassVar[SegmentState]
SEGMENT_STATE_UNSPECIFIED: SegmentState
SEGMENT_STATE_PENDING: SegmentState
SEGMENT_STATE_ARCHIVED: SegmentState
SEGMENT_STATE_RESTORED: SegmentState

class ArchiveEventsRequest(_message.Message):
    __slots__ = ("shard", "until_position", "before")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    UNTIL_POSITION_FIELD_NUMBER: _ClassVar[int]
    BEFORE_FIELD_NUMBER: _ClassVar[int]
    shard: int
    until_position: int
    before: _timestamp_pb2.Timestamp
    def __init__(self, shard: _Optional[int] = ..., until_position: _Optional[int] = ..., before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ArchiveEventsResponse(_message.Message):
    __slots__ = ("events", "total", "segments", "size_bytes")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    events: int
    total: int
    segments: int
    size_bytes: int
    def __init__(self, events: _Optional[int] = ..., total: _Optional[int] = ..., segments: _Optional[int] = ..., size_bytes: _Optional[int] = ...) -> None: ...

class RestoreEventsRequest(_message.Message):
    __slots__ = ("shard", "segment", "from_position", "to_position")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    SEGMENT_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    TO_POSITION_FIELD_NUMBER: _ClassVar[int]
    shard: int
    segment: str
    from_position: int
    to_position: int
    def __init__(self, shard: _Optional[int] = ..., segment: _Optional[str] = ..., from_position: _Optional[int] = ..., to_position: _Optional[int] = ...) -> None: ...

class RestoreEventsResponse(_message.Message):
    __slots__ = ("events", "total", "segments")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    events: int
    total: int
    segments: int
    def __init__(self, events: _Optional[int] = ..., total: _Optional[int] = ..., segments: _Optional[int] = ...) -> None: ...

class Segment(_message.Message):
    __slots__ = ("name", "path", "state", "shard", "first_slice", "last_slice", "first_position", "last_position", "events", "size_bytes", "sha256", "manifest_position")
    NAME_FIELD_NUMBER: _ClassVar[int]
    PATH_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    FIRST_SLICE_FIELD_NUMBER: _ClassVar[int]
    LAST_SLICE_FIELD_NUMBER: _ClassVar[int]
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_POSITION_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SIZE_BYTES_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    MANIFEST_POSITION_FIELD_NUMBER: _ClassVar[int]
    name: str
    path: str
    state: SegmentState
    shard: int
    first_slice: int
    last_slice: int
    first_position: int
    last_position: int
    events: int
    size_bytes: int
    sha256: bytes
    manifest_position: int
    def __init__(self, name: _Optional[str] = ..., path: _Optional[str] = ..., state: _Optional[_Union[SegmentState, str]] = ..., shard: _Optional[int] = ..., first_slice: _Optional[int] = ..., last_slice: _Optional[int] = ..., first_position: _Optional[int] = ..., last_position: _Optional[int] = ..., events: _Optional[int] = ..., size_bytes: _Optional[int] = ..., sha256: _Optional[bytes] = ..., manifest_position: _Optional[int] = ...) -> None: ...

class ListSegmentsRequest(_message.Message):
    __slots__ = ("shard", "after", "limit")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    shard: int
    after: str
    limit: int
    def __init__(self, shard: _Optional[int] = ..., after: _Optional[str] = ..., limit: _Optional[int] = ...) -> None: ...

class ListSegmentsResponse(_message.Message):
    __slots__ = ("segments",)
    SEGMENTS_FIELD_NUMBER: _ClassVar[int]
    segments: _containers.RepeatedCompositeFieldContainer[Segment]
    def __init__(self, segments: _Optional[_Iterable[_Union[Segment, _Mapping]]] = ...) -> None: ...
