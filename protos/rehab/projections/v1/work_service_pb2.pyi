import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from rehab.projections.v1 import projections_service_pb2 as _projections_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListTherapistLoadsRequest(_message.Message):
    __slots__ = ("clinic_id", "as_of", "consistency")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    def __init__(self, clinic_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListTherapistLoadsResponse(_message.Message):
    __slots__ = ("therapists", "freshness")
    THERAPISTS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    therapists: _containers.RepeatedCompositeFieldContainer[TherapistLoad]
    freshness: _projections_service_pb2.Freshness
    def __init__(self, therapists: _Optional[_Iterable[_Union[TherapistLoad, _Mapping]]] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class TherapistLoad(_message.Message):
    __slots__ = ("therapist_id", "patients", "critical", "high", "low", "overdue", "snoozed", "expected_minutes", "closed_28d", "in_time_28d", "median_answer_s", "days_of_work")
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENTS_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    HIGH_FIELD_NUMBER: _ClassVar[int]
    LOW_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    SNOOZED_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MINUTES_FIELD_NUMBER: _ClassVar[int]
    CLOSED_28D_FIELD_NUMBER: _ClassVar[int]
    IN_TIME_28D_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_ANSWER_S_FIELD_NUMBER: _ClassVar[int]
    DAYS_OF_WORK_FIELD_NUMBER: _ClassVar[int]
    therapist_id: str
    patients: int
    critical: int
    high: int
    low: int
    overdue: int
    snoozed: int
    expected_minutes: int
    closed_28d: int
    in_time_28d: int
    median_answer_s: float
    days_of_work: float
    def __init__(self, therapist_id: _Optional[str] = ..., patients: _Optional[int] = ..., critical: _Optional[int] = ..., high: _Optional[int] = ..., low: _Optional[int] = ..., overdue: _Optional[int] = ..., snoozed: _Optional[int] = ..., expected_minutes: _Optional[int] = ..., closed_28d: _Optional[int] = ..., in_time_28d: _Optional[int] = ..., median_answer_s: _Optional[float] = ..., days_of_work: _Optional[float] = ...) -> None: ...

class ListWorkDaysRequest(_message.Message):
    __slots__ = ("clinic_id", "days", "zone", "therapist_id", "consistency")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    days: _projections_service_pb2.DateRange
    zone: str
    therapist_id: str
    consistency: _projections_service_pb2.Consistency
    def __init__(self, clinic_id: _Optional[str] = ..., days: _Optional[_Union[_projections_service_pb2.DateRange, _Mapping]] = ..., zone: _Optional[str] = ..., therapist_id: _Optional[str] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ...) -> None: ...

class ListWorkDaysResponse(_message.Message):
    __slots__ = ("days", "zone", "freshness")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    days: _containers.RepeatedCompositeFieldContainer[WorkDay]
    zone: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, days: _Optional[_Iterable[_Union[WorkDay, _Mapping]]] = ..., zone: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WorkDay(_message.Message):
    __slots__ = ("local_date", "opened", "closed", "in_time", "late", "open_at_end", "overdue_at_end", "median_answer_s")
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    IN_TIME_FIELD_NUMBER: _ClassVar[int]
    LATE_FIELD_NUMBER: _ClassVar[int]
    OPEN_AT_END_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_AT_END_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_ANSWER_S_FIELD_NUMBER: _ClassVar[int]
    local_date: str
    opened: int
    closed: int
    in_time: int
    late: int
    open_at_end: int
    overdue_at_end: int
    median_answer_s: float
    def __init__(self, local_date: _Optional[str] = ..., opened: _Optional[int] = ..., closed: _Optional[int] = ..., in_time: _Optional[int] = ..., late: _Optional[int] = ..., open_at_end: _Optional[int] = ..., overdue_at_end: _Optional[int] = ..., median_answer_s: _Optional[float] = ...) -> None: ...

class ListWorkTemplatesRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListWorkTemplatesResponse(_message.Message):
    __slots__ = ("templates",)
    TEMPLATES_FIELD_NUMBER: _ClassVar[int]
    templates: _containers.RepeatedCompositeFieldContainer[WorkTemplate]
    def __init__(self, templates: _Optional[_Iterable[_Union[WorkTemplate, _Mapping]]] = ...) -> None: ...

class WorkTemplate(_message.Message):
    __slots__ = ("code", "severity", "rule", "source", "answer_within_s", "expected_minutes", "steps")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    ANSWER_WITHIN_S_FIELD_NUMBER: _ClassVar[int]
    EXPECTED_MINUTES_FIELD_NUMBER: _ClassVar[int]
    STEPS_FIELD_NUMBER: _ClassVar[int]
    code: str
    severity: _common_pb2.Severity
    rule: str
    source: str
    answer_within_s: int
    expected_minutes: int
    steps: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, code: _Optional[str] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., rule: _Optional[str] = ..., source: _Optional[str] = ..., answer_within_s: _Optional[int] = ..., expected_minutes: _Optional[int] = ..., steps: _Optional[_Iterable[str]] = ...) -> None: ...

class WatchTherapistLoadsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListTherapistLoadsRequest
    def __init__(self, asked: _Optional[_Union[ListTherapistLoadsRequest, _Mapping]] = ...) -> None: ...

class WatchTherapistLoadsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListTherapistLoadsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListTherapistLoadsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchWorkDaysRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListWorkDaysRequest
    def __init__(self, asked: _Optional[_Union[ListWorkDaysRequest, _Mapping]] = ...) -> None: ...

class WatchWorkDaysResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListWorkDaysResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListWorkDaysResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...
