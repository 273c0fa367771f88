from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PatientFacts(_message.Message):
    __slots__ = ("clinic_id", "language", "zone", "enrolled_days", "local_hour", "local_weekday", "quiet", "consents", "therapist_id", "plan", "sessions", "adherence", "pain", "exercise", "alerts")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    ENROLLED_DAYS_FIELD_NUMBER: _ClassVar[int]
    LOCAL_HOUR_FIELD_NUMBER: _ClassVar[int]
    LOCAL_WEEKDAY_FIELD_NUMBER: _ClassVar[int]
    QUIET_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    ADHERENCE_FIELD_NUMBER: _ClassVar[int]
    PAIN_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_FIELD_NUMBER: _ClassVar[int]
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    language: str
    zone: str
    enrolled_days: float
    local_hour: int
    local_weekday: int
    quiet: bool
    consents: _containers.RepeatedScalarFieldContainer[str]
    therapist_id: str
    plan: PlanFacts
    sessions: SessionFacts
    adherence: AdherenceFacts
    pain: PainFacts
    exercise: ExerciseFacts
    alerts: AlertFacts
    def __init__(self, clinic_id: _Optional[str] = ..., language: _Optional[str] = ..., zone: _Optional[str] = ..., enrolled_days: _Optional[float] = ..., local_hour: _Optional[int] = ..., local_weekday: _Optional[int] = ..., quiet: bool = ..., consents: _Optional[_Iterable[str]] = ..., therapist_id: _Optional[str] = ..., plan: _Optional[_Union[PlanFacts, _Mapping]] = ..., sessions: _Optional[_Union[SessionFacts, _Mapping]] = ..., adherence: _Optional[_Union[AdherenceFacts, _Mapping]] = ..., pain: _Optional[_Union[PainFacts, _Mapping]] = ..., exercise: _Optional[_Union[ExerciseFacts, _Mapping]] = ..., alerts: _Optional[_Union[AlertFacts, _Mapping]] = ...) -> None: ...

class PlanFacts(_message.Message):
    __slots__ = ("active", "paused", "version", "days", "days_left", "sessions_per_week", "exercises", "hr_min_per_min", "hr_max_per_min")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    EXERCISES_FIELD_NUMBER: _ClassVar[int]
    HR_MIN_PER_MIN_FIELD_NUMBER: _ClassVar[int]
    HR_MAX_PER_MIN_FIELD_NUMBER: _ClassVar[int]
    active: bool
    paused: bool
    version: int
    days: float
    days_left: float
    sessions_per_week: int
    exercises: _containers.RepeatedScalarFieldContainer[str]
    hr_min_per_min: float
    hr_max_per_min: float
    def __init__(self, active: bool = ..., paused: bool = ..., version: _Optional[int] = ..., days: _Optional[float] = ..., days_left: _Optional[float] = ..., sessions_per_week: _Optional[int] = ..., exercises: _Optional[_Iterable[str]] = ..., hr_min_per_min: _Optional[float] = ..., hr_max_per_min: _Optional[float] = ...) -> None: ...

class SessionFacts(_message.Message):
    __slots__ = ("open_session_id", "days_since_last", "count_7d", "count_28d", "abandoned_in_a_row", "day_streak")
    OPEN_SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    DAYS_SINCE_LAST_FIELD_NUMBER: _ClassVar[int]
    COUNT_7D_FIELD_NUMBER: _ClassVar[int]
    COUNT_28D_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    DAY_STREAK_FIELD_NUMBER: _ClassVar[int]
    open_session_id: str
    days_since_last: float
    count_7d: int
    count_28d: int
    abandoned_in_a_row: int
    day_streak: int
    def __init__(self, open_session_id: _Optional[str] = ..., days_since_last: _Optional[float] = ..., count_7d: _Optional[int] = ..., count_28d: _Optional[int] = ..., abandoned_in_a_row: _Optional[int] = ..., day_streak: _Optional[int] = ...) -> None: ...

class AdherenceFacts(_message.Message):
    __slots__ = ("due_7d", "started_7d", "dose_7d", "full_7d", "due_28d", "started_28d", "dose_28d", "full_28d", "due_before", "dose_before", "missed_in_a_row", "started_in_a_row")
    DUE_7D_FIELD_NUMBER: _ClassVar[int]
    STARTED_7D_FIELD_NUMBER: _ClassVar[int]
    DOSE_7D_FIELD_NUMBER: _ClassVar[int]
    FULL_7D_FIELD_NUMBER: _ClassVar[int]
    DUE_28D_FIELD_NUMBER: _ClassVar[int]
    STARTED_28D_FIELD_NUMBER: _ClassVar[int]
    DOSE_28D_FIELD_NUMBER: _ClassVar[int]
    FULL_28D_FIELD_NUMBER: _ClassVar[int]
    DUE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DOSE_BEFORE_FIELD_NUMBER: _ClassVar[int]
    MISSED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    STARTED_IN_A_ROW_FIELD_NUMBER: _ClassVar[int]
    due_7d: int
    started_7d: int
    dose_7d: float
    full_7d: float
    due_28d: int
    started_28d: int
    dose_28d: float
    full_28d: float
    due_before: int
    dose_before: float
    missed_in_a_row: int
    started_in_a_row: int
    def __init__(self, due_7d: _Optional[int] = ..., started_7d: _Optional[int] = ..., dose_7d: _Optional[float] = ..., full_7d: _Optional[float] = ..., due_28d: _Optional[int] = ..., started_28d: _Optional[int] = ..., dose_28d: _Optional[float] = ..., full_28d: _Optional[float] = ..., due_before: _Optional[int] = ..., dose_before: _Optional[float] = ..., missed_in_a_row: _Optional[int] = ..., started_in_a_row: _Optional[int] = ...) -> None: ...

class PainFacts(_message.Message):
    __slots__ = ("last", "rise", "worst_24h", "worst_7d", "mean_7d", "mean_before", "count_7d", "count_before", "days_since_last", "session_change")
    LAST_FIELD_NUMBER: _ClassVar[int]
    RISE_FIELD_NUMBER: _ClassVar[int]
    WORST_24H_FIELD_NUMBER: _ClassVar[int]
    WORST_7D_FIELD_NUMBER: _ClassVar[int]
    MEAN_7D_FIELD_NUMBER: _ClassVar[int]
    MEAN_BEFORE_FIELD_NUMBER: _ClassVar[int]
    COUNT_7D_FIELD_NUMBER: _ClassVar[int]
    COUNT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    DAYS_SINCE_LAST_FIELD_NUMBER: _ClassVar[int]
    SESSION_CHANGE_FIELD_NUMBER: _ClassVar[int]
    last: int
    rise: int
    worst_24h: int
    worst_7d: int
    mean_7d: float
    mean_before: float
    count_7d: int
    count_before: int
    days_since_last: float
    session_change: float
    def __init__(self, last: _Optional[int] = ..., rise: _Optional[int] = ..., worst_24h: _Optional[int] = ..., worst_7d: _Optional[int] = ..., mean_7d: _Optional[float] = ..., mean_before: _Optional[float] = ..., count_7d: _Optional[int] = ..., count_before: _Optional[int] = ..., days_since_last: _Optional[float] = ..., session_change: _Optional[float] = ...) -> None: ...

class ExerciseFacts(_message.Message):
    __slots__ = ("exercise_id", "scored_days", "score_today", "score_7d", "trend", "slope_per_week", "repeat_error", "change", "rom_target_deg", "prescribed")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SCORED_DAYS_FIELD_NUMBER: _ClassVar[int]
    SCORE_TODAY_FIELD_NUMBER: _ClassVar[int]
    SCORE_7D_FIELD_NUMBER: _ClassVar[int]
    TREND_FIELD_NUMBER: _ClassVar[int]
    SLOPE_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    REPEAT_ERROR_FIELD_NUMBER: _ClassVar[int]
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    ROM_TARGET_DEG_FIELD_NUMBER: _ClassVar[int]
    PRESCRIBED_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    scored_days: int
    score_today: float
    score_7d: float
    trend: float
    slope_per_week: float
    repeat_error: float
    change: str
    rom_target_deg: float
    prescribed: bool
    def __init__(self, exercise_id: _Optional[str] = ..., scored_days: _Optional[int] = ..., score_today: _Optional[float] = ..., score_7d: _Optional[float] = ..., trend: _Optional[float] = ..., slope_per_week: _Optional[float] = ..., repeat_error: _Optional[float] = ..., change: _Optional[str] = ..., rom_target_deg: _Optional[float] = ..., prescribed: bool = ...) -> None: ...

class AlertFacts(_message.Message):
    __slots__ = ("open", "critical", "unacknowledged", "rules")
    OPEN_FIELD_NUMBER: _ClassVar[int]
    CRITICAL_FIELD_NUMBER: _ClassVar[int]
    UNACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    open: int
    critical: int
    unacknowledged: int
    rules: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, open: _Optional[int] = ..., critical: _Optional[int] = ..., unacknowledged: _Optional[int] = ..., rules: _Optional[_Iterable[str]] = ...) -> None: ...
