import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class HealthSamples(_message.Message):
    __slots__ = ("metric", "aggregation", "samples")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    SAMPLES_FIELD_NUMBER: _ClassVar[int]
    metric: str
    aggregation: str
    samples: _containers.RepeatedCompositeFieldContainer[HealthSample]
    def __init__(self, metric: _Optional[str] = ..., aggregation: _Optional[str] = ..., samples: _Optional[_Iterable[_Union[HealthSample, _Mapping]]] = ...) -> None: ...

class HealthSample(_message.Message):
    __slots__ = ("start", "end", "quantity", "range", "blood_pressure", "sources", "flags")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    QUANTITY_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    BLOOD_PRESSURE_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    quantity: _common_pb2.Quantity
    range: Range
    blood_pressure: BloodPressure
    sources: _containers.RepeatedScalarFieldContainer[str]
    flags: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., quantity: _Optional[_Union[_common_pb2.Quantity, _Mapping]] = ..., range: _Optional[_Union[Range, _Mapping]] = ..., blood_pressure: _Optional[_Union[BloodPressure, _Mapping]] = ..., sources: _Optional[_Iterable[str]] = ..., flags: _Optional[_Iterable[str]] = ...) -> None: ...

class Range(_message.Message):
    __slots__ = ("min", "avg", "max", "unit", "ucum")
    MIN_FIELD_NUMBER: _ClassVar[int]
    AVG_FIELD_NUMBER: _ClassVar[int]
    MAX_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    UCUM_FIELD_NUMBER: _ClassVar[int]
    min: float
    avg: float
    max: float
    unit: str
    ucum: str
    def __init__(self, min: _Optional[float] = ..., avg: _Optional[float] = ..., max: _Optional[float] = ..., unit: _Optional[str] = ..., ucum: _Optional[str] = ...) -> None: ...

class BloodPressure(_message.Message):
    __slots__ = ("systolic_mmhg", "diastolic_mmhg")
    SYSTOLIC_MMHG_FIELD_NUMBER: _ClassVar[int]
    DIASTOLIC_MMHG_FIELD_NUMBER: _ClassVar[int]
    systolic_mmhg: float
    diastolic_mmhg: float
    def __init__(self, systolic_mmhg: _Optional[float] = ..., diastolic_mmhg: _Optional[float] = ...) -> None: ...

class Sleep(_message.Message):
    __slots__ = ("start", "end", "stages", "sources")
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    stages: _containers.RepeatedCompositeFieldContainer[SleepStage]
    sources: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., stages: _Optional[_Iterable[_Union[SleepStage, _Mapping]]] = ..., sources: _Optional[_Iterable[str]] = ...) -> None: ...

class SleepStage(_message.Message):
    __slots__ = ("stage", "hours", "start", "end")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    stage: str
    hours: float
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    def __init__(self, stage: _Optional[str] = ..., hours: _Optional[float] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Workout(_message.Message):
    __slots__ = ("workout_id", "activity", "start", "end", "scalars", "heart_rate", "heart_rate_is_recovery")
    class ScalarsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: _common_pb2.Quantity
        def __init__(self, key: _Optional[str] = ..., value: _Optional[_Union[_common_pb2.Quantity, _Mapping]] = ...) -> None: ...
    WORKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    SCALARS_FIELD_NUMBER: _ClassVar[int]
    HEART_RATE_FIELD_NUMBER: _ClassVar[int]
    HEART_RATE_IS_RECOVERY_FIELD_NUMBER: _ClassVar[int]
    workout_id: str
    activity: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    scalars: _containers.MessageMap[str, _common_pb2.Quantity]
    heart_rate: _containers.RepeatedCompositeFieldContainer[HealthSample]
    heart_rate_is_recovery: bool
    def __init__(self, workout_id: _Optional[str] = ..., activity: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., scalars: _Optional[_Mapping[str, _common_pb2.Quantity]] = ..., heart_rate: _Optional[_Iterable[_Union[HealthSample, _Mapping]]] = ..., heart_rate_is_recovery: bool = ...) -> None: ...

class Route(_message.Message):
    __slots__ = ("workout_id", "object_ref", "points")
    WORKOUT_ID_FIELD_NUMBER: _ClassVar[int]
    OBJECT_REF_FIELD_NUMBER: _ClassVar[int]
    POINTS_FIELD_NUMBER: _ClassVar[int]
    workout_id: str
    object_ref: str
    points: int
    def __init__(self, workout_id: _Optional[str] = ..., object_ref: _Optional[str] = ..., points: _Optional[int] = ...) -> None: ...

class ImportReceipt(_message.Message):
    __slots__ = ("import_id", "body_sha256", "bytes", "accepted", "revised", "duplicates", "rejected", "headers")
    class HeadersEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: str
        value: str
        def __init__(self, key: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...
    IMPORT_ID_FIELD_NUMBER: _ClassVar[int]
    BODY_SHA256_FIELD_NUMBER: _ClassVar[int]
    BYTES_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    REVISED_FIELD_NUMBER: _ClassVar[int]
    DUPLICATES_FIELD_NUMBER: _ClassVar[int]
    REJECTED_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    import_id: str
    body_sha256: bytes
    bytes: int
    accepted: int
    revised: int
    duplicates: int
    rejected: _containers.RepeatedCompositeFieldContainer[ImportRejection]
    headers: _containers.ScalarMap[str, str]
    def __init__(self, import_id: _Optional[str] = ..., body_sha256: _Optional[bytes] = ..., bytes: _Optional[int] = ..., accepted: _Optional[int] = ..., revised: _Optional[int] = ..., duplicates: _Optional[int] = ..., rejected: _Optional[_Iterable[_Union[ImportRejection, _Mapping]]] = ..., headers: _Optional[_Mapping[str, str]] = ...) -> None: ...

class ImportRejection(_message.Message):
    __slots__ = ("path", "reason")
    PATH_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    path: str
    reason: str
    def __init__(self, path: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...
