import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from rehab.events.v1 import event_pb2 as _event_pb2
from rehab.events.v1 import exercise_pb2 as _exercise_pb2
from rehab.events.v1 import report_pb2 as _report_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CalendarUnit(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CALENDAR_UNIT_UNSPECIFIED: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_DAY: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_WEEK: _ClassVar[CalendarUnit]
    CALENDAR_UNIT_MONTH: _ClassVar[CalendarUnit]

class WorkItemStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORK_ITEM_STATUS_UNSPECIFIED: _ClassVar[WorkItemStatus]
    WORK_ITEM_STATUS_OPEN: _ClassVar[WorkItemStatus]
    WORK_ITEM_STATUS_SNOOZED: _ClassVar[WorkItemStatus]
    WORK_ITEM_STATUS_DONE: _ClassVar[WorkItemStatus]
CALENDAR_UNIT_UNSPECIFIED: CalendarUnit
CALENDAR_UNIT_DAY: CalendarUnit
CALENDAR_UNIT_WEEK: CalendarUnit
CALENDAR_UNIT_MONTH: CalendarUnit
WORK_ITEM_STATUS_UNSPECIFIED: WorkItemStatus
WORK_ITEM_STATUS_OPEN: WorkItemStatus
WORK_ITEM_STATUS_SNOOZED: WorkItemStatus
WORK_ITEM_STATUS_DONE: WorkItemStatus

class Freshness(_message.Message):
    __slots__ = ("position", "incarnation", "recorded_at", "shard", "positions")
    POSITION_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITIONS_FIELD_NUMBER: _ClassVar[int]
    position: int
    incarnation: str
    recorded_at: _timestamp_pb2.Timestamp
    shard: int
    positions: _containers.RepeatedCompositeFieldContainer[_event_pb2.LogPosition]
    def __init__(self, position: _Optional[int] = ..., incarnation: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shard: _Optional[int] = ..., positions: _Optional[_Iterable[_Union[_event_pb2.LogPosition, _Mapping]]] = ...) -> None: ...

class Consistency(_message.Message):
    __slots__ = ("min_position", "max_wait_ms", "min_positions")
    MIN_POSITION_FIELD_NUMBER: _ClassVar[int]
    MAX_WAIT_MS_FIELD_NUMBER: _ClassVar[int]
    MIN_POSITIONS_FIELD_NUMBER: _ClassVar[int]
    min_position: int
    max_wait_ms: int
    min_positions: _containers.RepeatedCompositeFieldContainer[_event_pb2.LogPosition]
    def __init__(self, min_position: _Optional[int] = ..., max_wait_ms: _Optional[int] = ..., min_positions: _Optional[_Iterable[_Union[_event_pb2.LogPosition, _Mapping]]] = ...) -> None: ...

class Window(_message.Message):
    __slots__ = ("days", "whole_plan", "range", "calendar")
    DAYS_FIELD_NUMBER: _ClassVar[int]
    WHOLE_PLAN_FIELD_NUMBER: _ClassVar[int]
    RANGE_FIELD_NUMBER: _ClassVar[int]
    CALENDAR_FIELD_NUMBER: _ClassVar[int]
    days: int
    whole_plan: bool
    range: DateRange
    calendar: CalendarUnit
    def __init__(self, days: _Optional[int] = ..., whole_plan: bool = ..., range: _Optional[_Union[DateRange, _Mapping]] = ..., calendar: _Optional[_Union[CalendarUnit, str]] = ...) -> None: ...

class DateRange(_message.Message):
    __slots__ = ("from_date", "to_date")
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    from_date: str
    to_date: str
    def __init__(self, from_date: _Optional[str] = ..., to_date: _Optional[str] = ...) -> None: ...

class GetAdherenceRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency", "include_occurrences")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: Window
    as_of: _timestamp_pb2.Timestamp
    consistency: Consistency
    include_occurrences: bool
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[Consistency, _Mapping]] = ..., include_occurrences: bool = ...) -> None: ...

class GetAdherenceResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "due", "started", "full", "exceeded", "started_ratio", "dose_ratio", "full_ratio", "weekly_frequency", "streak", "longest_streak", "sessions", "quality_adjusted_dose", "scored_coverage", "last_session_at", "monitoring_days", "occurrences", "plan_version", "paused", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FIELD_NUMBER: _ClassVar[int]
    STARTED_RATIO_FIELD_NUMBER: _ClassVar[int]
    DOSE_RATIO_FIELD_NUMBER: _ClassVar[int]
    FULL_RATIO_FIELD_NUMBER: _ClassVar[int]
    WEEKLY_FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    STREAK_FIELD_NUMBER: _ClassVar[int]
    LONGEST_STREAK_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    QUALITY_ADJUSTED_DOSE_FIELD_NUMBER: _ClassVar[int]
    SCORED_COVERAGE_FIELD_NUMBER: _ClassVar[int]
    LAST_SESSION_AT_FIELD_NUMBER: _ClassVar[int]
    MONITORING_DAYS_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCES_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    due: int
    started: int
    full: int
    exceeded: int
    started_ratio: float
    dose_ratio: float
    full_ratio: float
    weekly_frequency: float
    streak: int
    longest_streak: int
    sessions: int
    quality_adjusted_dose: float
    scored_coverage: float
    last_session_at: _timestamp_pb2.Timestamp
    monitoring_days: int
    occurrences: _containers.RepeatedCompositeFieldContainer[Occurrence]
    plan_version: int
    paused: bool
    freshness: Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., due: _Optional[int] = ..., started: _Optional[int] = ..., full: _Optional[int] = ..., exceeded: _Optional[int] = ..., started_ratio: _Optional[float] = ..., dose_ratio: _Optional[float] = ..., full_ratio: _Optional[float] = ..., weekly_frequency: _Optional[float] = ..., streak: _Optional[int] = ..., longest_streak: _Optional[int] = ..., sessions: _Optional[int] = ..., quality_adjusted_dose: _Optional[float] = ..., scored_coverage: _Optional[float] = ..., last_session_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., monitoring_days: _Optional[int] = ..., occurrences: _Optional[_Iterable[_Union[Occurrence, _Mapping]]] = ..., plan_version: _Optional[int] = ..., paused: bool = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class Occurrence(_message.Message):
    __slots__ = ("plan_version", "local_date", "slot", "starts_at", "ends_at", "dose_ratio", "raw_dose_ratio", "items", "session_ids")
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    STARTS_AT_FIELD_NUMBER: _ClassVar[int]
    ENDS_AT_FIELD_NUMBER: _ClassVar[int]
    DOSE_RATIO_FIELD_NUMBER: _ClassVar[int]
    RAW_DOSE_RATIO_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SESSION_IDS_FIELD_NUMBER: _ClassVar[int]
    plan_version: int
    local_date: str
    slot: str
    starts_at: _timestamp_pb2.Timestamp
    ends_at: _timestamp_pb2.Timestamp
    dose_ratio: float
    raw_dose_ratio: float
    items: _containers.RepeatedCompositeFieldContainer[OccurrenceItem]
    session_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, plan_version: _Optional[int] = ..., local_date: _Optional[str] = ..., slot: _Optional[str] = ..., starts_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ends_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., dose_ratio: _Optional[float] = ..., raw_dose_ratio: _Optional[float] = ..., items: _Optional[_Iterable[_Union[OccurrenceItem, _Mapping]]] = ..., session_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class OccurrenceItem(_message.Message):
    __slots__ = ("exercise_id", "side", "prescribed", "done", "unit")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    PRESCRIBED_FIELD_NUMBER: _ClassVar[int]
    DONE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    prescribed: float
    done: float
    unit: str
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., prescribed: _Optional[float] = ..., done: _Optional[float] = ..., unit: _Optional[str] = ...) -> None: ...

class GetQualityRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "exercise_id", "consistency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: Window
    as_of: _timestamp_pb2.Timestamp
    exercise_id: str
    consistency: Consistency
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., exercise_id: _Optional[str] = ..., consistency: _Optional[_Union[Consistency, _Mapping]] = ...) -> None: ...

class GetQualityResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "exercises", "pain", "freshness", "symmetries")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    EXERCISES_FIELD_NUMBER: _ClassVar[int]
    PAIN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    SYMMETRIES_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    exercises: _containers.RepeatedCompositeFieldContainer[ExerciseQuality]
    pain: PainSummary
    freshness: Freshness
    symmetries: _containers.RepeatedCompositeFieldContainer[JointSymmetry]
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., exercises: _Optional[_Iterable[_Union[ExerciseQuality, _Mapping]]] = ..., pain: _Optional[_Union[PainSummary, _Mapping]] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ..., symmetries: _Optional[_Iterable[_Union[JointSymmetry, _Mapping]]] = ...) -> None: ...

class JointSymmetry(_message.Message):
    __slots__ = ("exercise_id", "joint", "left_deg", "right_deg", "symmetry_pct", "left_reps", "right_reps")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    JOINT_FIELD_NUMBER: _ClassVar[int]
    LEFT_DEG_FIELD_NUMBER: _ClassVar[int]
    RIGHT_DEG_FIELD_NUMBER: _ClassVar[int]
    SYMMETRY_PCT_FIELD_NUMBER: _ClassVar[int]
    LEFT_REPS_FIELD_NUMBER: _ClassVar[int]
    RIGHT_REPS_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    joint: str
    left_deg: float
    right_deg: float
    symmetry_pct: float
    left_reps: int
    right_reps: int
    def __init__(self, exercise_id: _Optional[str] = ..., joint: _Optional[str] = ..., left_deg: _Optional[float] = ..., right_deg: _Optional[float] = ..., symmetry_pct: _Optional[float] = ..., left_reps: _Optional[int] = ..., right_reps: _Optional[int] = ...) -> None: ...

class ExerciseQuality(_message.Message):
    __slots__ = ("exercise_id", "side", "reps", "scored", "good", "median_score", "p90_rom_deg", "rom_target_pct", "median_duration_ms", "tempo_error", "median_symmetry_pct", "median_smoothness", "compensations", "fatigue_slope", "trend", "days", "joints", "trend_line")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    SCORED_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    P90_ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    ROM_TARGET_PCT_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    TEMPO_ERROR_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SYMMETRY_PCT_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SMOOTHNESS_FIELD_NUMBER: _ClassVar[int]
    COMPENSATIONS_FIELD_NUMBER: _ClassVar[int]
    FATIGUE_SLOPE_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    TREND_LINE_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    reps: int
    scored: int
    good: int
    median_score: float
    p90_rom_deg: float
    rom_target_pct: float
    median_duration_ms: float
    tempo_error: float
    median_symmetry_pct: float
    median_smoothness: float
    compensations: _containers.RepeatedCompositeFieldContainer[CompensationRate]
    fatigue_slope: float
    trend: float
    days: _containers.RepeatedCompositeFieldContainer[QualityDay]
    joints: _containers.RepeatedCompositeFieldContainer[JointQuality]
    trend_line: TrendLine
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., reps: _Optional[int] = ..., scored: _Optional[int] = ..., good: _Optional[int] = ..., median_score: _Optional[float] = ..., p90_rom_deg: _Optional[float] = ..., rom_target_pct: _Optional[float] = ..., median_duration_ms: _Optional[float] = ..., tempo_error: _Optional[float] = ..., median_symmetry_pct: _Optional[float] = ..., median_smoothness: _Optional[float] = ..., compensations: _Optional[_Iterable[_Union[CompensationRate, _Mapping]]] = ..., fatigue_slope: _Optional[float] = ..., trend: _Optional[float] = ..., days: _Optional[_Iterable[_Union[QualityDay, _Mapping]]] = ..., joints: _Optional[_Iterable[_Union[JointQuality, _Mapping]]] = ..., trend_line: _Optional[_Union[TrendLine, _Mapping]] = ...) -> None: ...

class TrendLine(_message.Message):
    __slots__ = ("slope_per_week", "low_per_week", "high_per_week", "days", "repeat_error", "change")
    SLOPE_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    LOW_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    HIGH_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    REPEAT_ERROR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    slope_per_week: float
    low_per_week: float
    high_per_week: float
    days: int
    repeat_error: float
    change: str
    def __init__(self, slope_per_week: _Optional[float] = ..., low_per_week: _Optional[float] = ..., high_per_week: _Optional[float] = ..., days: _Optional[int] = ..., repeat_error: _Optional[float] = ..., change: _Optional[str] = ...) -> None: ...

class CompensationRate(_message.Message):
    __slots__ = ("code", "rate", "median_magnitude_deg")
    CODE_FIELD_NUMBER: _ClassVar[int]
    RATE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_MAGNITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    code: str
    rate: float
    median_magnitude_deg: float
    def __init__(self, code: _Optional[str] = ..., rate: _Optional[float] = ..., median_magnitude_deg: _Optional[float] = ...) -> None: ...

class JointQuality(_message.Message):
    __slots__ = ("joint", "reps", "median_rom_deg", "p90_rom_deg", "min_deg", "max_deg")
    JOINT_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    P90_ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    MIN_DEG_FIELD_NUMBER: _ClassVar[int]
    MAX_DEG_FIELD_NUMBER: _ClassVar[int]
    joint: str
    reps: int
    median_rom_deg: float
    p90_rom_deg: float
    min_deg: float
    max_deg: float
    def __init__(self, joint: _Optional[str] = ..., reps: _Optional[int] = ..., median_rom_deg: _Optional[float] = ..., p90_rom_deg: _Optional[float] = ..., min_deg: _Optional[float] = ..., max_deg: _Optional[float] = ...) -> None: ...

class QualityDay(_message.Message):
    __slots__ = ("local_date", "reps", "scored", "median_score", "p90_rom_deg", "median_duration_ms")
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    SCORED_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    P90_ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    local_date: str
    reps: int
    scored: int
    median_score: float
    p90_rom_deg: float
    median_duration_ms: float
    def __init__(self, local_date: _Optional[str] = ..., reps: _Optional[int] = ..., scored: _Optional[int] = ..., median_score: _Optional[float] = ..., p90_rom_deg: _Optional[float] = ..., median_duration_ms: _Optional[float] = ...) -> None: ...

class PainSummary(_message.Message):
    __slots__ = ("reports", "latest", "latest_phase", "worst", "mean_pre", "mean_post", "mean_delta", "band", "days_since_last", "worst_24h")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    LATEST_FIELD_NUMBER: _ClassVar[int]
    LATEST_PHASE_FIELD_NUMBER: _ClassVar[int]
    WORST_FIELD_NUMBER: _ClassVar[int]
    MEAN_PRE_FIELD_NUMBER: _ClassVar[int]
    MEAN_POST_FIELD_NUMBER: _ClassVar[int]
    MEAN_DELTA_FIELD_NUMBER: _ClassVar[int]
    BAND_FIELD_NUMBER: _ClassVar[int]
    DAYS_SINCE_LAST_FIELD_NUMBER: _ClassVar[int]
    WORST_24H_FIELD_NUMBER: _ClassVar[int]
    reports: int
    latest: int
    latest_phase: _report_pb2.PainPhase
    worst: int
    mean_pre: float
    mean_post: float
    mean_delta: float
    band: str
    days_since_last: int
    worst_24h: int
    def __init__(self, reports: _Optional[int] = ..., latest: _Optional[int] = ..., latest_phase: _Optional[_Union[_report_pb2.PainPhase, str]] = ..., worst: _Optional[int] = ..., mean_pre: _Optional[float] = ..., mean_post: _Optional[float] = ..., mean_delta: _Optional[float] = ..., band: _Optional[str] = ..., days_since_last: _Optional[int] = ..., worst_24h: _Optional[int] = ...) -> None: ...

class ListSessionsRequest(_message.Message):
    __slots__ = ("patient_id", "page_size", "page_token", "consistency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    page_size: int
    page_token: str
    consistency: Consistency
    def __init__(self, patient_id: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., consistency: _Optional[_Union[Consistency, _Mapping]] = ...) -> None: ...

class ListSessionsResponse(_message.Message):
    __slots__ = ("sessions", "next_page_token", "freshness")
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    sessions: _containers.RepeatedCompositeFieldContainer[SessionSummary]
    next_page_token: str
    freshness: Freshness
    def __init__(self, sessions: _Optional[_Iterable[_Union[SessionSummary, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class SessionSummary(_message.Message):
    __slots__ = ("session_id", "started_at", "local_date", "status", "mode", "duration_s", "reps", "scored", "median_score", "pain_pre", "pain_post")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    SCORED_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    PAIN_PRE_FIELD_NUMBER: _ClassVar[int]
    PAIN_POST_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    started_at: _timestamp_pb2.Timestamp
    local_date: str
    status: str
    mode: _exercise_pb2.CaptureMode
    duration_s: float
    reps: int
    scored: int
    median_score: float
    pain_pre: int
    pain_post: int
    def __init__(self, session_id: _Optional[str] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., local_date: _Optional[str] = ..., status: _Optional[str] = ..., mode: _Optional[_Union[_exercise_pb2.CaptureMode, str]] = ..., duration_s: _Optional[float] = ..., reps: _Optional[int] = ..., scored: _Optional[int] = ..., median_score: _Optional[float] = ..., pain_pre: _Optional[int] = ..., pain_post: _Optional[int] = ...) -> None: ...

class WorkItem(_message.Message):
    __slots__ = ("item_id", "patient_id", "clinic_id", "therapist_id", "severity", "status", "reasons", "waiting_since", "due_at", "snoozed_until", "rank", "overdue", "age_s", "remaining_s")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    REASONS_FIELD_NUMBER: _ClassVar[int]
    WAITING_SINCE_FIELD_NUMBER: _ClassVar[int]
    DUE_AT_FIELD_NUMBER: _ClassVar[int]
    SNOOZED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    RANK_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    AGE_S_FIELD_NUMBER: _ClassVar[int]
    REMAINING_S_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    patient_id: str
    clinic_id: str
    therapist_id: str
    severity: _common_pb2.Severity
    status: WorkItemStatus
    reasons: _containers.RepeatedCompositeFieldContainer[WorkReason]
    waiting_since: _timestamp_pb2.Timestamp
    due_at: _timestamp_pb2.Timestamp
    snoozed_until: _timestamp_pb2.Timestamp
    rank: int
    overdue: bool
    age_s: int
    remaining_s: int
    def __init__(self, item_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., status: _Optional[_Union[WorkItemStatus, str]] = ..., reasons: _Optional[_Iterable[_Union[WorkReason, _Mapping]]] = ..., waiting_since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., due_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., snoozed_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rank: _Optional[int] = ..., overdue: bool = ..., age_s: _Optional[int] = ..., remaining_s: _Optional[int] = ...) -> None: ...

class WorkReason(_message.Message):
    __slots__ = ("code", "severity", "since", "event_ids", "rule")
    CODE_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    RULE_FIELD_NUMBER: _ClassVar[int]
    code: str
    severity: _common_pb2.Severity
    since: _timestamp_pb2.Timestamp
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    rule: str
    def __init__(self, code: _Optional[str] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., event_ids: _Optional[_Iterable[str]] = ..., rule: _Optional[str] = ...) -> None: ...

class ListWorkQueueRequest(_message.Message):
    __slots__ = ("clinic_id", "therapist_id", "status", "min_severity", "as_of", "page_size", "page_token", "consistency")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    therapist_id: str
    status: WorkItemStatus
    min_severity: _common_pb2.Severity
    as_of: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    consistency: Consistency
    def __init__(self, clinic_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., status: _Optional[_Union[WorkItemStatus, str]] = ..., min_severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., consistency: _Optional[_Union[Consistency, _Mapping]] = ...) -> None: ...

class ListWorkQueueResponse(_message.Message):
    __slots__ = ("items", "next_page_token", "freshness")
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    items: _containers.RepeatedCompositeFieldContainer[WorkItem]
    next_page_token: str
    freshness: Freshness
    def __init__(self, items: _Optional[_Iterable[_Union[WorkItem, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class WatchWorkQueueRequest(_message.Message):
    __slots__ = ("clinic_id", "therapist_id", "min_severity", "consistency")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    therapist_id: str
    min_severity: _common_pb2.Severity
    consistency: Consistency
    def __init__(self, clinic_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., min_severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., consistency: _Optional[_Union[Consistency, _Mapping]] = ...) -> None: ...

class WatchWorkQueueResponse(_message.Message):
    __slots__ = ("upserted", "removed_item_id", "listed", "unchanged")
    UPSERTED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    LISTED_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    upserted: WorkItem
    removed_item_id: str
    listed: Freshness
    unchanged: Freshness
    def __init__(self, upserted: _Optional[_Union[WorkItem, _Mapping]] = ..., removed_item_id: _Optional[str] = ..., listed: _Optional[_Union[Freshness, _Mapping]] = ..., unchanged: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class GetLagRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLagResponse(_message.Message):
    __slots__ = ("projections",)
    PROJECTIONS_FIELD_NUMBER: _ClassVar[int]
    projections: _containers.RepeatedCompositeFieldContainer[ProjectionLag]
    def __init__(self, projections: _Optional[_Iterable[_Union[ProjectionLag, _Mapping]]] = ...) -> None: ...

class ProjectionLag(_message.Message):
    __slots__ = ("name", "position", "head", "events", "oldest_unprocessed_ms", "lag_p50_ms", "lag_p99_ms", "parked", "status", "incarnation", "shard", "holder", "held_ms")
    NAME_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    HEAD_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    OLDEST_UNPROCESSED_MS_FIELD_NUMBER: _ClassVar[int]
    LAG_P50_MS_FIELD_NUMBER: _ClassVar[int]
    LAG_P99_MS_FIELD_NUMBER: _ClassVar[int]
    PARKED_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    HOLDER_FIELD_NUMBER: _ClassVar[int]
    HELD_MS_FIELD_NUMBER: _ClassVar[int]
    name: str
    position: int
    head: int
    events: int
    oldest_unprocessed_ms: int
    lag_p50_ms: float
    lag_p99_ms: float
    parked: int
    status: str
    incarnation: str
    shard: int
    holder: str
    held_ms: int
    def __init__(self, name: _Optional[str] = ..., position: _Optional[int] = ..., head: _Optional[int] = ..., events: _Optional[int] = ..., oldest_unprocessed_ms: _Optional[int] = ..., lag_p50_ms: _Optional[float] = ..., lag_p99_ms: _Optional[float] = ..., parked: _Optional[int] = ..., status: _Optional[str] = ..., incarnation: _Optional[str] = ..., shard: _Optional[int] = ..., holder: _Optional[str] = ..., held_ms: _Optional[int] = ...) -> None: ...

class WatchAdherenceRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: GetAdherenceRequest
    def __init__(self, asked: _Optional[_Union[GetAdherenceRequest, _Mapping]] = ...) -> None: ...

class WatchAdherenceResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: GetAdherenceResponse
    unchanged: Freshness
    def __init__(self, answer: _Optional[_Union[GetAdherenceResponse, _Mapping]] = ..., unchanged: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class WatchQualityRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: GetQualityRequest
    def __init__(self, asked: _Optional[_Union[GetQualityRequest, _Mapping]] = ...) -> None: ...

class WatchQualityResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: GetQualityResponse
    unchanged: Freshness
    def __init__(self, answer: _Optional[_Union[GetQualityResponse, _Mapping]] = ..., unchanged: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...

class WatchSessionsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListSessionsRequest
    def __init__(self, asked: _Optional[_Union[ListSessionsRequest, _Mapping]] = ...) -> None: ...

class WatchSessionsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListSessionsResponse
    unchanged: Freshness
    def __init__(self, answer: _Optional[_Union[ListSessionsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[Freshness, _Mapping]] = ...) -> None: ...
