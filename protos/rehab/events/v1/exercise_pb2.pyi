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

class CaptureMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CAPTURE_MODE_UNSPECIFIED: _ClassVar[CaptureMode]
    CAPTURE_MODE_CAMERA: _ClassVar[CaptureMode]
    CAPTURE_MODE_SENSOR: _ClassVar[CaptureMode]
    CAPTURE_MODE_MANUAL: _ClassVar[CaptureMode]

class UnscoredReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    UNSCORED_REASON_UNSPECIFIED: _ClassVar[UnscoredReason]
    UNSCORED_REASON_LOW_CONFIDENCE: _ClassVar[UnscoredReason]
    UNSCORED_REASON_OCCLUDED: _ClassVar[UnscoredReason]
    UNSCORED_REASON_NO_MODEL: _ClassVar[UnscoredReason]
    UNSCORED_REASON_TOO_FEW_FRAMES: _ClassVar[UnscoredReason]
CAPTURE_MODE_UNSPECIFIED: CaptureMode
CAPTURE_MODE_CAMERA: CaptureMode
CAPTURE_MODE_SENSOR: CaptureMode
CAPTURE_MODE_MANUAL: CaptureMode
UNSCORED_REASON_UNSPECIFIED: UnscoredReason
UNSCORED_REASON_LOW_CONFIDENCE: UnscoredReason
UNSCORED_REASON_OCCLUDED: UnscoredReason
UNSCORED_REASON_NO_MODEL: UnscoredReason
UNSCORED_REASON_TOO_FEW_FRAMES: UnscoredReason

class OccurrenceRef(_message.Message):
    __slots__ = ("plan_id", "plan_version", "local_date", "slot")
    PLAN_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    SLOT_FIELD_NUMBER: _ClassVar[int]
    plan_id: str
    plan_version: int
    local_date: str
    slot: str
    def __init__(self, plan_id: _Optional[str] = ..., plan_version: _Optional[int] = ..., local_date: _Optional[str] = ..., slot: _Optional[str] = ...) -> None: ...

class ExerciseSession(_message.Message):
    __slots__ = ("session_id", "started", "set_completed", "exercise_skipped", "completed", "abandoned", "self_reported")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    SET_COMPLETED_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_SKIPPED_FIELD_NUMBER: _ClassVar[int]
    COMPLETED_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_FIELD_NUMBER: _ClassVar[int]
    SELF_REPORTED_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    started: SessionStarted
    set_completed: SetCompleted
    exercise_skipped: ExerciseSkipped
    completed: SessionCompleted
    abandoned: SessionAbandoned
    self_reported: SessionSelfReported
    def __init__(self, session_id: _Optional[str] = ..., started: _Optional[_Union[SessionStarted, _Mapping]] = ..., set_completed: _Optional[_Union[SetCompleted, _Mapping]] = ..., exercise_skipped: _Optional[_Union[ExerciseSkipped, _Mapping]] = ..., completed: _Optional[_Union[SessionCompleted, _Mapping]] = ..., abandoned: _Optional[_Union[SessionAbandoned, _Mapping]] = ..., self_reported: _Optional[_Union[SessionSelfReported, _Mapping]] = ...) -> None: ...

class SessionStarted(_message.Message):
    __slots__ = ("occurrence", "mode", "environment_ok")
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    ENVIRONMENT_OK_FIELD_NUMBER: _ClassVar[int]
    occurrence: OccurrenceRef
    mode: CaptureMode
    environment_ok: bool
    def __init__(self, occurrence: _Optional[_Union[OccurrenceRef, _Mapping]] = ..., mode: _Optional[_Union[CaptureMode, str]] = ..., environment_ok: bool = ...) -> None: ...

class SetCompleted(_message.Message):
    __slots__ = ("exercise_id", "side", "set_index", "reps", "good_reps", "hold_s", "duration_s", "load_kg", "rpe")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SET_INDEX_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    GOOD_REPS_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    LOAD_KG_FIELD_NUMBER: _ClassVar[int]
    RPE_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    set_index: int
    reps: int
    good_reps: int
    hold_s: float
    duration_s: float
    load_kg: float
    rpe: float
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., set_index: _Optional[int] = ..., reps: _Optional[int] = ..., good_reps: _Optional[int] = ..., hold_s: _Optional[float] = ..., duration_s: _Optional[float] = ..., load_kg: _Optional[float] = ..., rpe: _Optional[float] = ...) -> None: ...

class ExerciseSkipped(_message.Message):
    __slots__ = ("exercise_id", "reason")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    reason: str
    def __init__(self, exercise_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class SessionCompleted(_message.Message):
    __slots__ = ("duration_s",)
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    duration_s: float
    def __init__(self, duration_s: _Optional[float] = ...) -> None: ...

class SessionAbandoned(_message.Message):
    __slots__ = ("reason", "duration_s")
    REASON_FIELD_NUMBER: _ClassVar[int]
    DURATION_S_FIELD_NUMBER: _ClassVar[int]
    reason: str
    duration_s: float
    def __init__(self, reason: _Optional[str] = ..., duration_s: _Optional[float] = ...) -> None: ...

class SessionSelfReported(_message.Message):
    __slots__ = ("started_at", "sets", "occurrence")
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    SETS_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    started_at: _timestamp_pb2.Timestamp
    sets: _containers.RepeatedCompositeFieldContainer[SetCompleted]
    occurrence: OccurrenceRef
    def __init__(self, started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., sets: _Optional[_Iterable[_Union[SetCompleted, _Mapping]]] = ..., occurrence: _Optional[_Union[OccurrenceRef, _Mapping]] = ...) -> None: ...

class RepObservation(_message.Message):
    __slots__ = ("session_id", "exercise_id", "side", "set_index", "reps")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SET_INDEX_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    exercise_id: str
    side: _common_pb2.Side
    set_index: int
    reps: _containers.RepeatedCompositeFieldContainer[Rep]
    def __init__(self, session_id: _Optional[str] = ..., exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., set_index: _Optional[int] = ..., reps: _Optional[_Iterable[_Union[Rep, _Mapping]]] = ...) -> None: ...

class Rep(_message.Message):
    __slots__ = ("index", "start_ms", "duration_ms", "phases_ms", "rom_deg", "peak_velocity_deg_s", "smoothness", "symmetry_pct", "compensations", "score", "confidence", "usable_frames_pct", "unscored_reason", "joints")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    START_MS_FIELD_NUMBER: _ClassVar[int]
    DURATION_MS_FIELD_NUMBER: _ClassVar[int]
    PHASES_MS_FIELD_NUMBER: _ClassVar[int]
    ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    PEAK_VELOCITY_DEG_S_FIELD_NUMBER: _ClassVar[int]
    SMOOTHNESS_FIELD_NUMBER: _ClassVar[int]
    SYMMETRY_PCT_FIELD_NUMBER: _ClassVar[int]
    COMPENSATIONS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    CONFIDENCE_FIELD_NUMBER: _ClassVar[int]
    USABLE_FRAMES_PCT_FIELD_NUMBER: _ClassVar[int]
    UNSCORED_REASON_FIELD_NUMBER: _ClassVar[int]
    JOINTS_FIELD_NUMBER: _ClassVar[int]
    index: int
    start_ms: int
    duration_ms: int
    phases_ms: _containers.RepeatedScalarFieldContainer[int]
    rom_deg: float
    peak_velocity_deg_s: float
    smoothness: float
    symmetry_pct: float
    compensations: _containers.RepeatedCompositeFieldContainer[Compensation]
    score: float
    confidence: float
    usable_frames_pct: float
    unscored_reason: UnscoredReason
    joints: _containers.RepeatedCompositeFieldContainer[JointMotion]
    def __init__(self, index: _Optional[int] = ..., start_ms: _Optional[int] = ..., duration_ms: _Optional[int] = ..., phases_ms: _Optional[_Iterable[int]] = ..., rom_deg: _Optional[float] = ..., peak_velocity_deg_s: _Optional[float] = ..., smoothness: _Optional[float] = ..., symmetry_pct: _Optional[float] = ..., compensations: _Optional[_Iterable[_Union[Compensation, _Mapping]]] = ..., score: _Optional[float] = ..., confidence: _Optional[float] = ..., usable_frames_pct: _Optional[float] = ..., unscored_reason: _Optional[_Union[UnscoredReason, str]] = ..., joints: _Optional[_Iterable[_Union[JointMotion, _Mapping]]] = ...) -> None: ...

class JointMotion(_message.Message):
    __slots__ = ("joint", "min_deg", "max_deg", "rom_deg")
    JOINT_FIELD_NUMBER: _ClassVar[int]
    MIN_DEG_FIELD_NUMBER: _ClassVar[int]
    MAX_DEG_FIELD_NUMBER: _ClassVar[int]
    ROM_DEG_FIELD_NUMBER: _ClassVar[int]
    joint: str
    min_deg: float
    max_deg: float
    rom_deg: float
    def __init__(self, joint: _Optional[str] = ..., min_deg: _Optional[float] = ..., max_deg: _Optional[float] = ..., rom_deg: _Optional[float] = ...) -> None: ...

class Compensation(_message.Message):
    __slots__ = ("code", "magnitude_deg", "frames")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MAGNITUDE_DEG_FIELD_NUMBER: _ClassVar[int]
    FRAMES_FIELD_NUMBER: _ClassVar[int]
    code: str
    magnitude_deg: float
    frames: int
    def __init__(self, code: _Optional[str] = ..., magnitude_deg: _Optional[float] = ..., frames: _Optional[int] = ...) -> None: ...

class Feedback(_message.Message):
    __slots__ = ("session_id", "exercise_id", "form", "exertion", "difficulty")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    FORM_FIELD_NUMBER: _ClassVar[int]
    EXERTION_FIELD_NUMBER: _ClassVar[int]
    DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    exercise_id: str
    form: FormFeedback
    exertion: Exertion
    difficulty: Difficulty
    def __init__(self, session_id: _Optional[str] = ..., exercise_id: _Optional[str] = ..., form: _Optional[_Union[FormFeedback, _Mapping]] = ..., exertion: _Optional[_Union[Exertion, _Mapping]] = ..., difficulty: _Optional[_Union[Difficulty, _Mapping]] = ...) -> None: ...

class FormFeedback(_message.Message):
    __slots__ = ("cue", "latency_ms", "heeded", "rep_event_id", "text", "stop")
    CUE_FIELD_NUMBER: _ClassVar[int]
    LATENCY_MS_FIELD_NUMBER: _ClassVar[int]
    HEEDED_FIELD_NUMBER: _ClassVar[int]
    REP_EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STOP_FIELD_NUMBER: _ClassVar[int]
    cue: str
    latency_ms: int
    heeded: bool
    rep_event_id: str
    text: str
    stop: bool
    def __init__(self, cue: _Optional[str] = ..., latency_ms: _Optional[int] = ..., heeded: bool = ..., rep_event_id: _Optional[str] = ..., text: _Optional[str] = ..., stop: bool = ...) -> None: ...

class Exertion(_message.Message):
    __slots__ = ("cr10",)
    CR10_FIELD_NUMBER: _ClassVar[int]
    cr10: float
    def __init__(self, cr10: _Optional[float] = ...) -> None: ...

class Difficulty(_message.Message):
    __slots__ = ("rating",)
    RATING_FIELD_NUMBER: _ClassVar[int]
    rating: int
    def __init__(self, rating: _Optional[int] = ...) -> None: ...
