import datetime

from google.protobuf import duration_pb2 as _duration_pb2
from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.errors.v1 import failure_pb2 as _failure_pb2
from rehab.events.v1 import event_pb2 as _event_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class StreamObservationsRequest(_message.Message):
    __slots__ = ("hello", "batch")
    HELLO_FIELD_NUMBER: _ClassVar[int]
    BATCH_FIELD_NUMBER: _ClassVar[int]
    hello: Hello
    batch: Batch
    def __init__(self, hello: _Optional[_Union[Hello, _Mapping]] = ..., batch: _Optional[_Union[Batch, _Mapping]] = ...) -> None: ...

class StreamObservationsResponse(_message.Message):
    __slots__ = ("welcome", "ack", "reject", "feedback", "window", "reconnect")
    WELCOME_FIELD_NUMBER: _ClassVar[int]
    ACK_FIELD_NUMBER: _ClassVar[int]
    REJECT_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    RECONNECT_FIELD_NUMBER: _ClassVar[int]
    welcome: Welcome
    ack: Ack
    reject: Reject
    feedback: LiveFeedback
    window: Window
    reconnect: Reconnect
    def __init__(self, welcome: _Optional[_Union[Welcome, _Mapping]] = ..., ack: _Optional[_Union[Ack, _Mapping]] = ..., reject: _Optional[_Union[Reject, _Mapping]] = ..., feedback: _Optional[_Union[LiveFeedback, _Mapping]] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., reconnect: _Optional[_Union[Reconnect, _Mapping]] = ...) -> None: ...

class Hello(_message.Message):
    __slots__ = ("clinic_id", "device_id", "epoch", "resume_token", "last_seq", "session_id", "device_time")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    LAST_SEQ_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_TIME_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    device_id: str
    epoch: int
    resume_token: str
    last_seq: int
    session_id: str
    device_time: _timestamp_pb2.Timestamp
    def __init__(self, clinic_id: _Optional[str] = ..., device_id: _Optional[str] = ..., epoch: _Optional[int] = ..., resume_token: _Optional[str] = ..., last_seq: _Optional[int] = ..., session_id: _Optional[str] = ..., device_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Welcome(_message.Message):
    __slots__ = ("acked_seq", "window", "limits", "server_time", "resume_token")
    ACKED_SEQ_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    SERVER_TIME_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    acked_seq: int
    window: int
    limits: Limits
    server_time: _timestamp_pb2.Timestamp
    resume_token: str
    def __init__(self, acked_seq: _Optional[int] = ..., window: _Optional[int] = ..., limits: _Optional[_Union[Limits, _Mapping]] = ..., server_time: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class Limits(_message.Message):
    __slots__ = ("max_batch_events", "max_event_bytes", "max_message_bytes")
    MAX_BATCH_EVENTS_FIELD_NUMBER: _ClassVar[int]
    MAX_EVENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    MAX_MESSAGE_BYTES_FIELD_NUMBER: _ClassVar[int]
    max_batch_events: int
    max_event_bytes: int
    max_message_bytes: int
    def __init__(self, max_batch_events: _Optional[int] = ..., max_event_bytes: _Optional[int] = ..., max_message_bytes: _Optional[int] = ...) -> None: ...

class Batch(_message.Message):
    __slots__ = ("first_seq", "events")
    FIRST_SEQ_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    first_seq: int
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, first_seq: _Optional[int] = ..., events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class Ack(_message.Message):
    __slots__ = ("seq", "position", "resume_token", "shard", "places")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    PLACES_FIELD_NUMBER: _ClassVar[int]
    seq: int
    position: int
    resume_token: str
    shard: int
    places: _containers.RepeatedCompositeFieldContainer[_event_pb2.LogPosition]
    def __init__(self, seq: _Optional[int] = ..., position: _Optional[int] = ..., resume_token: _Optional[str] = ..., shard: _Optional[int] = ..., places: _Optional[_Iterable[_Union[_event_pb2.LogPosition, _Mapping]]] = ...) -> None: ...

class Reject(_message.Message):
    __slots__ = ("seq", "event_id", "failure")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    seq: int
    event_id: str
    failure: _failure_pb2.Failure
    def __init__(self, seq: _Optional[int] = ..., event_id: _Optional[str] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ...) -> None: ...

class LiveFeedback(_message.Message):
    __slots__ = ("session_id", "cue", "text", "rep_event_id", "stop")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CUE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    REP_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    cue: str
    text: str
    rep_event_id: str
    stop: bool
    def __init__(self, session_id: _Optional[str] = ..., cue: _Optional[str] = ..., text: _Optional[str] = ..., rep_event_id: _Optional[str] = ..., stop: bool = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: int
    def __init__(self, events: _Optional[int] = ...) -> None: ...

class Reconnect(_message.Message):
    __slots__ = ("after", "resume_token")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    RESUME_TOKEN_FIELD_NUMBER: _ClassVar[int]
    after: _duration_pb2.Duration
    resume_token: str
    def __init__(self, after: _Optional[_Union[datetime.timedelta, _duration_pb2.Duration, _Mapping]] = ..., resume_token: _Optional[str] = ...) -> None: ...

class LogEventRequest(_message.Message):
    __slots__ = ("event",)
    EVENT_FIELD_NUMBER: _ClassVar[int]
    event: _event_pb2.Event
    def __init__(self, event: _Optional[_Union[_event_pb2.Event, _Mapping]] = ...) -> None: ...

class LogEventResponse(_message.Message):
    __slots__ = ("position", "stream_version", "duplicate", "shard")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STREAM_VERSION_FIELD_NUMBER: _ClassVar[int]
    DUPLICATE_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    position: int
    stream_version: int
    duplicate: bool
    shard: int
    def __init__(self, position: _Optional[int] = ..., stream_version: _Optional[int] = ..., duplicate: bool = ..., shard: _Optional[int] = ...) -> None: ...

class LogEventsRequest(_message.Message):
    __slots__ = ("events",)
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    events: _containers.RepeatedCompositeFieldContainer[_event_pb2.Event]
    def __init__(self, events: _Optional[_Iterable[_Union[_event_pb2.Event, _Mapping]]] = ...) -> None: ...

class EventVerdict(_message.Message):
    __slots__ = ("stored", "failure")
    STORED_FIELD_NUMBER: _ClassVar[int]
    FAILURE_FIELD_NUMBER: _ClassVar[int]
    stored: LogEventResponse
    failure: _failure_pb2.Failure
    def __init__(self, stored: _Optional[_Union[LogEventResponse, _Mapping]] = ..., failure: _Optional[_Union[_failure_pb2.Failure, _Mapping]] = ...) -> None: ...

class LogEventsResponse(_message.Message):
    __slots__ = ("verdicts",)
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[EventVerdict]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[EventVerdict, _Mapping]]] = ...) -> None: ...
