import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from rehab.events.v1 import options_pb2 as _options_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CompletionPolicy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COMPLETION_POLICY_UNSPECIFIED: _ClassVar[CompletionPolicy]
    COMPLETION_POLICY_DURING_WINDOW: _ClassVar[CompletionPolicy]
    COMPLETION_POLICY_SAME_DAY: _ClassVar[CompletionPolicy]
    COMPLETION_POLICY_AFTER_START: _ClassVar[CompletionPolicy]
    COMPLETION_POLICY_ANYTIME: _ClassVar[CompletionPolicy]
COMPLETION_POLICY_UNSPECIFIED: CompletionPolicy
COMPLETION_POLICY_DURING_WINDOW: CompletionPolicy
COMPLETION_POLICY_SAME_DAY: CompletionPolicy
COMPLETION_POLICY_AFTER_START: CompletionPolicy
COMPLETION_POLICY_ANYTIME: CompletionPolicy

class Plan(_message.Message):
    __slots__ = ("plan_id", "version", "prescribed", "paused", "resumed", "ended")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    PRESCRIBED_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    RESUMED_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    version: int
    prescribed: PlanPrescribed
    paused: PlanPaused
    resumed: PlanResumed
    ended: PlanEnded
    def __init__(self, plan_id: _Optional[str] = ..., version: _Optional[int] = ..., prescribed: _Optional[_Union[PlanPrescribed, _Mapping]] = ..., paused: _Optional[_Union[PlanPaused, _Mapping]] = ..., resumed: _Optional[_Union[PlanResumed, _Mapping]] = ..., ended: _Optional[_Union[PlanEnded, _Mapping]] = ...) -> None: ...

class PlanPrescribed(_message.Message):
    __slots__ = ("effective_from", "effective_until", "zone", "items", "sessions_per_week", "limits")
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_PER_WEEK_FIELD_NUMBER: _ClassVar[int]
    LIMITS_FIELD_NUMBER: _ClassVar[int]
    effective_from: str
    effective_until: str
    zone: str
    items: _containers.RepeatedCompositeFieldContainer[PlanItem]
    sessions_per_week: int
    limits: SafetyLimits
    def __init__(self, effective_from: _Optional[str] = ..., effective_until: _Optional[str] = ..., zone: _Optional[str] = ..., items: _Optional[_Iterable[_Union[PlanItem, _Mapping]]] = ..., sessions_per_week: _Optional[int] = ..., limits: _Optional[_Union[SafetyLimits, _Mapping]] = ...) -> None: ...

class PlanItem(_message.Message):
    __slots__ = ("exercise_id", "side", "reps", "hold", "duration", "tempo_s", "rest_s", "load_kg", "band", "rom_target_deg", "rpe_cap", "schedule", "progression", "instructions")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    HOLD_FIELD_NUMBER: _ClassVar[int]
    DURATION_FIELD_NUMBER: _ClassVar[int]
    TEMPO_S_FIELD_NUMBER: _ClassVar[int]
    REST_S_FIELD_NUMBER: _ClassVar[int]
    LOAD_KG_FIELD_NUMBER: _ClassVar[int]
    BAND_FIELD_NUMBER: _ClassVar[int]
    ROM_TARGET_DEG_FIELD_NUMBER: _ClassVar[int]
    RPE_CAP_FIELD_NUMBER: _ClassVar[int]
    SCHEDULE_FIELD_NUMBER: _ClassVar[int]
    PROGRESSION_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    reps: RepsDose
    hold: HoldDose
    duration: DurationDose
    tempo_s: _containers.RepeatedScalarFieldContainer[float]
    rest_s: float
    load_kg: float
    band: str
    rom_target_deg: float
    rpe_cap: float
    schedule: Schedule
    progression: str
    instructions: str
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., reps: _Optional[_Union[RepsDose, _Mapping]] = ..., hold: _Optional[_Union[HoldDose, _Mapping]] = ..., duration: _Optional[_Union[DurationDose, _Mapping]] = ..., tempo_s: _Optional[_Iterable[float]] = ..., rest_s: _Optional[float] = ..., load_kg: _Optional[float] = ..., band: _Optional[str] = ..., rom_target_deg: _Optional[float] = ..., rpe_cap: _Optional[float] = ..., schedule: _Optional[_Union[Schedule, _Mapping]] = ..., progression: _Optional[str] = ..., instructions: _Optional[str] = ...) -> None: ...

class RepsDose(_message.Message):
    __slots__ = ("sets", "reps")
    SETS_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    sets: int
    reps: int
    def __init__(self, sets: _Optional[int] = ..., reps: _Optional[int] = ...) -> None: ...

class HoldDose(_message.Message):
    __slots__ = ("sets", "hold_s")
    SETS_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    sets: int
    hold_s: int
    def __init__(self, sets: _Optional[int] = ..., hold_s: _Optional[int] = ...) -> None: ...

class DurationDose(_message.Message):
    __slots__ = ("minutes",)
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    minutes: int
    def __init__(self, minutes: _Optional[int] = ...) -> None: ...

class Schedule(_message.Message):
    __slots__ = ("weekdays", "times", "window_h", "policy")
    WEEKDAYS_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    WINDOW_H_FIELD_NUMBER: _ClassVar[int]
    POLICY_FIELD_NUMBER: _ClassVar[int]
    weekdays: _containers.RepeatedScalarFieldContainer[int]
    times: _containers.RepeatedScalarFieldContainer[str]
    window_h: int
    policy: CompletionPolicy
    def __init__(self, weekdays: _Optional[_Iterable[int]] = ..., times: _Optional[_Iterable[str]] = ..., window_h: _Optional[int] = ..., policy: _Optional[_Union[CompletionPolicy, str]] = ...) -> None: ...

class SafetyLimits(_message.Message):
    __slots__ = ("hr_min_per_min", "hr_max_per_min", "pain_stop")
    HR_MIN_PER_MIN_FIELD_NUMBER: _ClassVar[int]
    HR_MAX_PER_MIN_FIELD_NUMBER: _ClassVar[int]
    PAIN_STOP_FIELD_NUMBER: _ClassVar[int]
    hr_min_per_min: int
    hr_max_per_min: int
    pain_stop: int
    def __init__(self, hr_min_per_min: _Optional[int] = ..., hr_max_per_min: _Optional[int] = ..., pain_stop: _Optional[int] = ...) -> None: ...

class PlanPaused(_message.Message):
    __slots__ = ("reason", "until")
    REASON_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    reason: str
    until: _timestamp_pb2.Timestamp
    def __init__(self, reason: _Optional[str] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class PlanResumed(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class PlanEnded(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...
