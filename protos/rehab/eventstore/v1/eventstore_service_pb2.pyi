import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.errors.v1 import failure_pb2 as _failure_pb2
from rehab.events.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Priority(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PRIORITY_UNSPECIFIED: _ClassVar[Priority]
    PRIORITY_LIVE: _ClassVar[Priority]
    PRIORITY_IMPORT: _ClassVar[Priority]
PRIORITY_UNSPECIFIED: Priority
PRIORITY_LIVE: Priority
PRIORITY_IMPORT: Priority

class Any(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class NoStream(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StreamExists(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ExpectedVersion(_message.Message):
    __slots__ = ("any", "none", "exists", "exactly")
    ANY_FIELD_NUMBER: _ClassVar[int]
    NONE_FIELD_NUMBER: _ClassVar[int]
    EXISTS_FIELD_NUMBER: _ClassVar[int]
    EXACTLY_FIELD_NUMBER: _ClassVar[int]
    any: Any
    none: NoStream
    exists: StreamExists
    exactly: int
    def __init__(self, any: _Optional[_Union[Any, _Mapping]] = ..., none: _Optional[_Union[NoStream, _Mapping]] = ..., exists: _Optional[_Union[StreamExists, _Mapping]] = ..., exactly: _Optional[int] = ...) -> None: ...

class NewEvent(_message.Message):
    __slots__ = ("envelope", "body")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    envelope: _event_pb2.Envelope
    body: bytes
    def __init__(self, envelope: _Optional[_Union[_event_pb2.Envelope, _Mapping]] = ..., body: _Optional[bytes] = ...) -> None: ...

class AppendRequest(_message.Message):
    __slots__ = ("stream", "expected", "events", "priority")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PRIORITY_FIELD_NUMBER: _ClassVar[int]
    stream: str
    expected: ExpectedVersion
    events: _containers.RepeatedCompositeFieldContainer[NewEvent]
    priority: Priority
    def __init__(self, stream: _Optional[str] = ..., expected: _Optional[_Union[ExpectedVersion, _Mapping]] = ..., events: _Optional[_Iterable[_Union[NewEvent, _Mapping]]] = ..., priority: _Optional[_Union[Priority, str]] = ...) -> None: ...

class Appended(_message.Message):
    __slots__ = ("first_position", "last_position", "stream_version", "duplicate", "shard", "places")
    FIRST_POSITION_FIELD_NUMBER: _ClassVar[int]
    LAST_POSITION_FIELD_NUMBER: _ClassVar[int]
    STREAM_VERSION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    first_position: int
    last_position: int
    stream_version: int
    duplicate: bool
    shard: int
    places: _containers.RepeatedCompositeFieldContainer[Place]
    def __init__(self, first_position: _Optional[int] = ..., last_position: _Optional[int] = ..., stream_version: _Optional[int] = ..., duplicate: bool = ..., shard: _Optional[int] = ..., places: _Optional[_Iterable[_Union[Place, _Mapping]]] = ...) -> None: ...

class Place(_message.Message):
    __slots__ = ("position", "stream_version", "duplicate")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STREAM_VERSION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    position: int
    stream_version: int
    duplicate: bool
    def __init__(self, position: _Optional[int] = ..., stream_version: _Optional[int] = ..., duplicate: bool = ...) -> None: ...

class AppendResponse(_message.Message):
    __slots__ = ("appended",)
    APPENDED_FIELD_NUMBER: _ClassVar[int]
    appended: Appended
    def __init__(self, appended: _Optional[_Union[Appended, _Mapping]] = ...) -> None: ...

class BatchAppendRequest(_message.Message):
    __slots__ = ("appends",)
    APPENDS_FIELD_NUMBER: _ClassVar[int]
    appends: _containers.RepeatedCompositeFieldContainer[AppendRequest]
    def __init__(self, appends: _Optional[_Iterable[_Union[AppendRequest, _Mapping]]] = ...) -> None: ...

class AppendVerdict(_message.Message):
    __slots__ = ("appended", "failure")
    APPENDED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    appended: Appended
    failure: _failure_pb2.Failure
    def __init__(self, appended: _Optional[_Union[Appended, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ...) -> None: ...

class BatchAppendResponse(_message.Message):
    __slots__ = ("verdicts",)
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[AppendVerdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[AppendVerdict, _Mapping]]] = ...) -> None: ...

class Guard(_message.Message):
    __slots__ = ("stream", "expected")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_FIELD_NUMBER: _ClassVar[int]
    stream: str
    expected: ExpectedVersion
    def __init__(self, stream: _Optional[str] = ..., expected: _Optional[_Union[ExpectedVersion, _Mapping]] = ...) -> None: ...

class AppendAtomicRequest(_message.Message):
    __slots__ = ("appends", "guards")
    APPENDS_FIELD_NUMBER: _ClassVar[int]
    GUARDS_FIELD_NUMBER: _ClassVar[int]
    appends: _containers.RepeatedCompositeFieldContainer[AppendRequest]
    guards: _containers.RepeatedCompositeFieldContainer[Guard]
    def __init__(self, appends: _Optional[_Iterable[_Union[AppendRequest, _Mapping]]] = ..., guards: _Optional[_Iterable[_Union[Guard, _Mapping]]] = ...) -> None: ...

class AppendAtomicResponse(_message.Message):
    __slots__ = ("appended",)
    APPENDED_FIELD_NUMBER: _ClassVar[int]
    appended: _containers.RepeatedCompositeFieldContainer[Appended]
    def __init__(self, appended: _Optional[_Iterable[_Union[Appended, _Mapping]]] = ...) -> None: ...

class ReadStreamRequest(_message.Message):
    __slots__ = ("stream", "after_version", "until_version", "until_time", "limit", "backwards", "kinds")
    STREAM_FIELD_NUMBER: _ClassVar[int]
    AFTER_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNTIL_VERSION_FIELD_NUMBER: _ClassVar[int]
    UNTIL_TIME_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    BACKWARDS_FIELD_NUMBER: _ClassVar[int]
    KINDS_FIELD_NUMBER: _ClassVar[int]
    stream: str
    after_version: int
    until_version: int
    until_time: _timestamp_pb2.Timestamp
    limit: int
    backwards: bool
    kinds: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, stream: _Optional[str] = ..., after_version: _Optional[int] = ..., until_version: _Optional[int] = ..., until_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., limit: _Optional[int] = ..., backwards: bool = ..., kinds: _Optional[_Iterable[str]] = ...) -> None: ...

class ReadStreamResponse(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.RecordedEvent]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.RecordedEvent, _Mapping]]] = ...) -> None: ...

class Filter(_message.Message):
    __slots__ = ("kinds", "streams", "slices")
    KINDS_FIELD_NUMBER: _ClassVar[int]
    STREAMS_FIELD_NUMBER: _ClassVar[int]
    SLICES_FIELD_NUMBER: _ClassVar[int]
    kinds: _containers.RepeatedScalarFieldContainer[str]
    streams: _containers.RepeatedScalarFieldContainer[str]
    slices: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, kinds: _Optional[_Iterable[str]] = ..., streams: _Optional[_Iterable[str]] = ..., slices: _Optional[_Iterable[int]] = ...) -> None: ...

class ReadAllRequest(_message.Message):
    __slots__ = ("after_position", "until_position", "limit", "filter", "shard", "incarnation")
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    UNTIL_POSITION_FIELD_NUMBER: _ClassVar[int]
    LIMIT_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    after_position: int
    until_position: int
    limit: int
    filter: Filter
    shard: int
    incarnation: str
    def __init__(self, after_position: _Optional[int] = ..., until_position: _Optional[int] = ..., limit: _Optional[int] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., shard: _Optional[int] = ..., incarnation: _Optional[str] = ...) -> None: ...

class ReadAllResponse(_message.Message):
    __slots__ = ("events", "head", "incarnation")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.RecordedEvent]
    head: int
    incarnation: str
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.RecordedEvent, _Mapping]]] = ..., head: _Optional[int] = ..., incarnation: _Optional[str] = ...) -> None: ...

class SubscribeRequest(_message.Message):
    __slots__ = ("after_position", "filter", "shard", "incarnation", "from_head")
    AFTER_POSITION_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    FROM_HEAD_FIELD_NUMBER: _ClassVar[int]
    after_position: int
    filter: Filter
    shard: int
    incarnation: str
    from_head: bool
    def __init__(self, after_position: _Optional[int] = ..., filter: _Optional[_Union[Filter, _Mapping]] = ..., shard: _Optional[int] = ..., incarnation: _Optional[str] = ..., from_head: bool = ...) -> None: ...

class SubscribeResponse(_message.Message):
    __slots__ = ("page", "checkpoint", "caught_up")
    PAGE_FIELD_NUMBER: _ClassVar[int]
    CHECKPOINT_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    page: ReadAllResponse
    checkpoint: Checkpoint
    caught_up: CaughtUp
    def __init__(self, page: _Optional[_Union[ReadAllResponse, _Mapping]] = ..., checkpoint: _Optional[_Union[Checkpoint, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ...) -> None: ...

class Checkpoint(_message.Message):
    __slots__ = ("position", "incarnation")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    position: int
    incarnation: str
    def __init__(self, position: _Optional[int] = ..., incarnation: _Optional[str] = ...) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ("position",)
    POSITION_FIELD_NUMBER: _ClassVar[int]
    position: int
    def __init__(self, position: _Optional[int] = ...) -> None: ...

class GetHeadRequest(_message.Message):
    __slots__ = ("shard",)
    SHARD_FIELD_NUMBER: _ClassVar[int]
    shard: int
    def __init__(self, shard: _Optional[int] = ...) -> None: ...

class GetHeadResponse(_message.Message):
    __slots__ = ("position", "incarnation", "published", "shards")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    position: int
    incarnation: str
    published: int
    shards: int
    def __init__(self, position: _Optional[int] = ..., incarnation: _Optional[str] = ..., published: _Optional[int] = ..., shards: _Optional[int] = ...) -> None: ...
