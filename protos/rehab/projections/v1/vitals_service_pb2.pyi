import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import health_pb2 as _health_pb2
from rehab.projections.v1 import projections_service_pb2 as _projections_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListVitalMetricsRequest(_message.Message):
    __slots__ = ("patient_id", "consistency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    consistency: _projections_service_pb2.Consistency
    def __init__(self, patient_id: _Optional[str] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListVitalMetricsResponse(_message.Message):
    __slots__ = ("metrics", "freshness")
    METRICS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    metrics: _containers.RepeatedCompositeFieldContainer[VitalMetric]
    freshness: _projections_service_pb2.Freshness
    def __init__(self, metrics: _Optional[_Iterable[_Union[VitalMetric, _Mapping]]] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class VitalMetric(_message.Message):
    __slots__ = ("metric", "cumulative", "newest")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    CUMULATIVE_FIELD_NUMBER: _ClassVar[int]
    NEWEST_FIELD_NUMBER: _ClassVar[int]
    metric: str
    cumulative: bool
    newest: Reading
    def __init__(self, metric: _Optional[str] = ..., cumulative: bool = ..., newest: _Optional[_Union[Reading, _Mapping]] = ...) -> None: ...

class ListReadingsRequest(_message.Message):
    __slots__ = ("patient_id", "window", "metric", "as_of", "consistency", "page_size", "page_token", "include_superseded")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    METRIC_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    metric: str
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    include_superseded: bool
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., metric: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_superseded: bool = ...) -> None: ...

class ListReadingsResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "readings", "next_page_token", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    readings: _containers.RepeatedCompositeFieldContainer[Reading]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., readings: _Optional[_Iterable[_Union[Reading, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class Reading(_message.Message):
    __slots__ = ("metric", "start", "end", "aggregation", "sources", "value", "low", "high", "ucum", "sample", "sleep", "workout", "versions", "flags", "position", "superseded")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AGGREGATION_FIELD_NUMBER: _ClassVar[int]
    SOURCES_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    UCUM_FIELD_NUMBER: _ClassVar[int]
    SAMPLE_FIELD_NUMBER: _ClassVar[int]
    SLEEP_FIELD_NUMBER: _ClassVar[int]
    WORKOUT_FIELD_NUMBER: _ClassVar[int]
    VERSIONS_FIELD_NUMBER: _ClassVar[int]
    FLAGS_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    SUPERSEDED_FIELD_NUMBER: _ClassVar[int]
    metric: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    aggregation: str
    sources: _containers.RepeatedScalarFieldContainer[str]
    value: float
    low: float
    high: float
    ucum: str
    sample: _health_pb2.HealthSample
    sleep: _health_pb2.Sleep
    workout: _health_pb2.Workout
    versions: int
    flags: _containers.RepeatedScalarFieldContainer[str]
    position: int
    superseded: _containers.RepeatedCompositeFieldContainer[SupersededValue]
    def __init__(self, metric: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., aggregation: _Optional[str] = ..., sources: _Optional[_Iterable[str]] = ..., value: _Optional[float] = ..., low: _Optional[float] = ..., high: _Optional[float] = ..., ucum: _Optional[str] = ..., sample: _Optional[_Union[_health_pb2.HealthSample, _Mapping]] = ..., sleep: _Optional[_Union[_health_pb2.Sleep, _Mapping]] = ..., workout: _Optional[_Union[_health_pb2.Workout, _Mapping]] = ..., versions: _Optional[int] = ..., flags: _Optional[_Iterable[str]] = ..., position: _Optional[int] = ..., superseded: _Optional[_Iterable[_Union[SupersededValue, _Mapping]]] = ...) -> None: ...

class SupersededValue(_message.Message):
    __slots__ = ("value", "ucum", "position")
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UCUM_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    value: float
    ucum: str
    position: int
    def __init__(self, value: _Optional[float] = ..., ucum: _Optional[str] = ..., position: _Optional[int] = ...) -> None: ...

class ListVitalDaysRequest(_message.Message):
    __slots__ = ("patient_id", "window", "metrics", "as_of", "consistency", "page_size", "page_token")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    METRICS_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    metrics: _containers.RepeatedScalarFieldContainer[str]
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., metrics: _Optional[_Iterable[str]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListVitalDaysResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "days", "next_page_token", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    days: _containers.RepeatedCompositeFieldContainer[VitalDay]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., days: _Optional[_Iterable[_Union[VitalDay, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class VitalDay(_message.Message):
    __slots__ = ("metric", "local_date", "ucum", "readings", "total", "mean", "lowest", "highest", "latest")
    METRIC_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    UCUM_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    MEAN_FIELD_NUMBER: _ClassVar[int]
    LOWEST_FIELD_NUMBER: _ClassVar[int]
    HIGHEST_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    metric: str
    local_date: str
    ucum: str
    readings: int
    total: float
    mean: float
    lowest: float
    highest: float
    latest: Reading
    def __init__(self, metric: _Optional[str] = ..., local_date: _Optional[str] = ..., ucum: _Optional[str] = ..., readings: _Optional[int] = ..., total: _Optional[float] = ..., mean: _Optional[float] = ..., lowest: _Optional[float] = ..., highest: _Optional[float] = ..., latest: _Optional[_Union[Reading, _Mapping]] = ...) -> None: ...

class ListNightsRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListNightsResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "nights", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    NIGHTS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    nights: _containers.RepeatedCompositeFieldContainer[Night]
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., nights: _Optional[_Iterable[_Union[Night, _Mapping]]] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class Night(_message.Message):
    __slots__ = ("local_date", "start", "end", "asleep_h", "stages", "source", "other_sources", "positions")
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    ASLEEP_H_FIELD_NUMBER: _ClassVar[int]
    STAGES_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OTHER_SOURCES_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    local_date: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    asleep_h: float
    stages: _containers.RepeatedCompositeFieldContainer[NightStage]
    source: str
    other_sources: _containers.RepeatedScalarFieldContainer[str]
    positions: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, local_date: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., asleep_h: _Optional[float] = ..., stages: _Optional[_Iterable[_Union[NightStage, _Mapping]]] = ..., source: _Optional[str] = ..., other_sources: _Optional[_Iterable[str]] = ..., positions: _Optional[_Iterable[int]] = ...) -> None: ...

class NightStage(_message.Message):
    __slots__ = ("stage", "hours")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    HOURS_FIELD_NUMBER: _ClassVar[int]
    stage: str
    hours: float
    def __init__(self, stage: _Optional[str] = ..., hours: _Optional[float] = ...) -> None: ...

class WatchVitalMetricsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListVitalMetricsRequest
    def __init__(self, asked: _Optional[_Union[ListVitalMetricsRequest, _Mapping]] = ...) -> None: ...

class WatchVitalMetricsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListVitalMetricsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListVitalMetricsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchReadingsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListReadingsRequest
    def __init__(self, asked: _Optional[_Union[ListReadingsRequest, _Mapping]] = ...) -> None: ...

class WatchReadingsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListReadingsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListReadingsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchVitalDaysRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListVitalDaysRequest
    def __init__(self, asked: _Optional[_Union[ListVitalDaysRequest, _Mapping]] = ...) -> None: ...

class WatchVitalDaysResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListVitalDaysResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListVitalDaysResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchNightsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListNightsRequest
    def __init__(self, asked: _Optional[_Union[ListNightsRequest, _Mapping]] = ...) -> None: ...

class WatchNightsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListNightsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListNightsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...
