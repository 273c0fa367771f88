import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from rehab.events.v1 import exercise_pb2 as _exercise_pb2
from rehab.projections.v1 import projections_service_pb2 as _projections_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAdherenceWeeksRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency", "page_size", "page_token")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAdherenceWeeksResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "weeks", "next_page_token", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    WEEKS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    weeks: _containers.RepeatedCompositeFieldContainer[AdherenceWeek]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., weeks: _Optional[_Iterable[_Union[AdherenceWeek, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class AdherenceWeek(_message.Message):
    __slots__ = ("monday", "sunday", "ended", "due", "started", "full", "exceeded", "missed", "started_ratio", "dose_ratio", "full_ratio", "frequency", "sessions", "monitoring_days", "worst_pain")
    MONDAY_FIELD_NUMBER: _ClassVar[int]
    SUNDAY_FIELD_NUMBER: _ClassVar[int]
    ENDED_FIELD_NUMBER: _ClassVar[int]
    DUE_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    FULL_FIELD_NUMBER: _ClassVar[int]
    EXCEEDED_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    STARTED_RATIO_FIELD_NUMBER: _ClassVar[int]
    DOSE_RATIO_FIELD_NUMBER: _ClassVar[int]
    FULL_RATIO_FIELD_NUMBER: _ClassVar[int]
    FREQUENCY_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    MONITORING_DAYS_FIELD_NUMBER: _ClassVar[int]
    WORST_PAIN_FIELD_NUMBER: _ClassVar[int]
    monday: str
    sunday: str
    ended: bool
    due: int
    started: int
    full: int
    exceeded: int
    missed: int
    started_ratio: float
    dose_ratio: float
    full_ratio: float
    frequency: float
    sessions: int
    monitoring_days: int
    worst_pain: int
    def __init__(self, monday: _Optional[str] = ..., sunday: _Optional[str] = ..., ended: bool = ..., due: _Optional[int] = ..., started: _Optional[int] = ..., full: _Optional[int] = ..., exceeded: _Optional[int] = ..., missed: _Optional[int] = ..., started_ratio: _Optional[float] = ..., dose_ratio: _Optional[float] = ..., full_ratio: _Optional[float] = ..., frequency: _Optional[float] = ..., sessions: _Optional[int] = ..., monitoring_days: _Optional[int] = ..., worst_pain: _Optional[int] = ...) -> None: ...

class ListMissedSessionsRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency", "page_size", "page_token", "include_incomplete")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    include_incomplete: bool
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., include_incomplete: bool = ...) -> None: ...

class ListMissedSessionsResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "missed", "next_page_token", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    MISSED_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    missed: _containers.RepeatedCompositeFieldContainer[MissedSession]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., missed: _Optional[_Iterable[_Union[MissedSession, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class MissedSession(_message.Message):
    __slots__ = ("occurrence", "incomplete")
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    INCOMPLETE_FIELD_NUMBER: _ClassVar[int]
    occurrence: _projections_service_pb2.Occurrence
    incomplete: bool
    def __init__(self, occurrence: _Optional[_Union[_projections_service_pb2.Occurrence, _Mapping]] = ..., incomplete: bool = ...) -> None: ...

class GetSessionRequest(_message.Message):
    __slots__ = ("patient_id", "session_id", "consistency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    session_id: str
    consistency: _projections_service_pb2.Consistency
    def __init__(self, patient_id: _Optional[str] = ..., session_id: _Optional[str] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ...) -> None: ...

class GetSessionResponse(_message.Message):
    __slots__ = ("patient_id", "summary", "exercises", "symmetries", "sets", "occurrence", "pain", "exertion", "difficulty", "skipped", "cues", "abandoned_for", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    EXERCISES_FIELD_NUMBER: _ClassVar[int]
    SYMMETRIES_FIELD_NUMBER: _ClassVar[int]
    SETS_FIELD_NUMBER: _ClassVar[int]
    OCCURRENCE_FIELD_NUMBER: _ClassVar[int]
    PAIN_FIELD_NUMBER: _ClassVar[int]
    EXERTION_FIELD_NUMBER: _ClassVar[int]
    DIFFICULTY_FIELD_NUMBER: _ClassVar[int]
    SKIPPED_FIELD_NUMBER: _ClassVar[int]
    CUES_FIELD_NUMBER: _ClassVar[int]
    ABANDONED_FOR_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    summary: _projections_service_pb2.SessionSummary
    exercises: _containers.RepeatedCompositeFieldContainer[_projections_service_pb2.ExerciseQuality]
    symmetries: _containers.RepeatedCompositeFieldContainer[_projections_service_pb2.JointSymmetry]
    sets: _containers.RepeatedCompositeFieldContainer[SetAnalysis]
    occurrence: _projections_service_pb2.Occurrence
    pain: _containers.RepeatedCompositeFieldContainer[SessionPain]
    exertion: _containers.RepeatedCompositeFieldContainer[ExerciseRating]
    difficulty: _containers.RepeatedCompositeFieldContainer[ExerciseRating]
    skipped: _containers.RepeatedCompositeFieldContainer[SkippedExercise]
    cues: _containers.RepeatedCompositeFieldContainer[CueCount]
    abandoned_for: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., summary: _Optional[_Union[_projections_service_pb2.SessionSummary, _Mapping]] = ..., exercises: _Optional[_Iterable[_Union[_projections_service_pb2.ExerciseQuality, _Mapping]]] = ..., symmetries: _Optional[_Iterable[_Union[_projections_service_pb2.JointSymmetry, _Mapping]]] = ..., sets: _Optional[_Iterable[_Union[SetAnalysis, _Mapping]]] = ..., occurrence: _Optional[_Union[_projections_service_pb2.Occurrence, _Mapping]] = ..., pain: _Optional[_Iterable[_Union[SessionPain, _Mapping]]] = ..., exertion: _Optional[_Iterable[_Union[ExerciseRating, _Mapping]]] = ..., difficulty: _Optional[_Iterable[_Union[ExerciseRating, _Mapping]]] = ..., skipped: _Optional[_Iterable[_Union[SkippedExercise, _Mapping]]] = ..., cues: _Optional[_Iterable[_Union[CueCount, _Mapping]]] = ..., abandoned_for: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class SetAnalysis(_message.Message):
    __slots__ = ("exercise_id", "side", "set_index", "reps_seen", "reps_told", "reps", "hold_s", "active_s", "scored", "good", "median_score", "fatigue_slope", "velocity_loss_pct")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SET_INDEX_FIELD_NUMBER: _ClassVar[int]
    REPS_SEEN_FIELD_NUMBER: _ClassVar[int]
    REPS_TOLD_FIELD_NUMBER: _ClassVar[int]
    REPS_FIELD_NUMBER: _ClassVar[int]
    HOLD_S_FIELD_NUMBER: _ClassVar[int]
    ACTIVE_S_FIELD_NUMBER: _ClassVar[int]
    SCORED_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    FATIGUE_SLOPE_FIELD_NUMBER: _ClassVar[int]
    VELOCITY_LOSS_PCT_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    set_index: int
    reps_seen: int
    reps_told: int
    reps: int
    hold_s: float
    active_s: float
    scored: int
    good: int
    median_score: float
    fatigue_slope: float
    velocity_loss_pct: float
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., set_index: _Optional[int] = ..., reps_seen: _Optional[int] = ..., reps_told: _Optional[int] = ..., reps: _Optional[int] = ..., hold_s: _Optional[float] = ..., active_s: _Optional[float] = ..., scored: _Optional[int] = ..., good: _Optional[int] = ..., median_score: _Optional[float] = ..., fatigue_slope: _Optional[float] = ..., velocity_loss_pct: _Optional[float] = ...) -> None: ...

class SessionPain(_message.Message):
    __slots__ = ("nprs", "phase", "at")
    NPRS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    nprs: int
    phase: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, nprs: _Optional[int] = ..., phase: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ExerciseRating(_message.Message):
    __slots__ = ("exercise_id", "rating")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    RATING_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    rating: float
    def __init__(self, exercise_id: _Optional[str] = ..., rating: _Optional[float] = ...) -> None: ...

class SkippedExercise(_message.Message):
    __slots__ = ("exercise_id", "reason")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    reason: str
    def __init__(self, exercise_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CueCount(_message.Message):
    __slots__ = ("cue", "given", "known", "heeded")
    CUE_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    KNOWN_FIELD_NUMBER: _ClassVar[int]
    HEEDED_FIELD_NUMBER: _ClassVar[int]
    cue: str
    given: int
    known: int
    heeded: int
    def __init__(self, cue: _Optional[str] = ..., given: _Optional[int] = ..., known: _Optional[int] = ..., heeded: _Optional[int] = ...) -> None: ...

class ListRepsRequest(_message.Message):
    __slots__ = ("patient_id", "session_id", "exercise_id", "consistency", "page_size", "page_token")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    session_id: str
    exercise_id: str
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    def __init__(self, patient_id: _Optional[str] = ..., session_id: _Optional[str] = ..., exercise_id: _Optional[str] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListRepsResponse(_message.Message):
    __slots__ = ("reps", "next_page_token", "freshness")
    REPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    reps: _containers.RepeatedCompositeFieldContainer[RepAnalysis]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, reps: _Optional[_Iterable[_Union[RepAnalysis, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class RepAnalysis(_message.Message):
    __slots__ = ("exercise_id", "side", "set_index", "rep", "good", "score_from_median", "tempo_error", "rom_target_pct")
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SET_INDEX_FIELD_NUMBER: _ClassVar[int]
    REP_FIELD_NUMBER: _ClassVar[int]
    GOOD_FIELD_NUMBER: _ClassVar[int]
    SCORE_FROM_MEDIAN_FIELD_NUMBER: _ClassVar[int]
    TEMPO_ERROR_FIELD_NUMBER: _ClassVar[int]
    ROM_TARGET_PCT_FIELD_NUMBER: _ClassVar[int]
    exercise_id: str
    side: _common_pb2.Side
    set_index: int
    rep: _exercise_pb2.Rep
    good: bool
    score_from_median: float
    tempo_error: float
    rom_target_pct: float
    def __init__(self, exercise_id: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., set_index: _Optional[int] = ..., rep: _Optional[_Union[_exercise_pb2.Rep, _Mapping]] = ..., good: bool = ..., score_from_median: _Optional[float] = ..., tempo_error: _Optional[float] = ..., rom_target_pct: _Optional[float] = ...) -> None: ...

class GetPainAgainstQualityRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency", "exercise_id")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    exercise_id: str
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., exercise_id: _Optional[str] = ...) -> None: ...

class GetPainAgainstQualityResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "sessions", "tau", "p_value", "association", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    SESSIONS_FIELD_NUMBER: _ClassVar[int]
    TAU_FIELD_NUMBER: _ClassVar[int]
    P_VALUE_FIELD_NUMBER: _ClassVar[int]
    ASSOCIATION_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    sessions: _containers.RepeatedCompositeFieldContainer[PainAndQuality]
    tau: float
    p_value: float
    association: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., sessions: _Optional[_Iterable[_Union[PainAndQuality, _Mapping]]] = ..., tau: _Optional[float] = ..., p_value: _Optional[float] = ..., association: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class PainAndQuality(_message.Message):
    __slots__ = ("session_id", "local_date", "median_score", "worst_pain", "pain_delta")
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_SCORE_FIELD_NUMBER: _ClassVar[int]
    WORST_PAIN_FIELD_NUMBER: _ClassVar[int]
    PAIN_DELTA_FIELD_NUMBER: _ClassVar[int]
    session_id: str
    local_date: str
    median_score: float
    worst_pain: int
    pain_delta: int
    def __init__(self, session_id: _Optional[str] = ..., local_date: _Optional[str] = ..., median_score: _Optional[float] = ..., worst_pain: _Optional[int] = ..., pain_delta: _Optional[int] = ...) -> None: ...

class WatchAdherenceWeeksRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListAdherenceWeeksRequest
    def __init__(self, asked: _Optional[_Union[ListAdherenceWeeksRequest, _Mapping]] = ...) -> None: ...

class WatchAdherenceWeeksResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListAdherenceWeeksResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListAdherenceWeeksResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchMissedSessionsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListMissedSessionsRequest
    def __init__(self, asked: _Optional[_Union[ListMissedSessionsRequest, _Mapping]] = ...) -> None: ...

class WatchMissedSessionsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListMissedSessionsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListMissedSessionsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchSessionRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: GetSessionRequest
    def __init__(self, asked: _Optional[_Union[GetSessionRequest, _Mapping]] = ...) -> None: ...

class WatchSessionResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: GetSessionResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[GetSessionResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchRepsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListRepsRequest
    def __init__(self, asked: _Optional[_Union[ListRepsRequest, _Mapping]] = ...) -> None: ...

class WatchRepsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListRepsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListRepsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchPainAgainstQualityRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: GetPainAgainstQualityRequest
    def __init__(self, asked: _Optional[_Union[GetPainAgainstQualityRequest, _Mapping]] = ...) -> None: ...

class WatchPainAgainstQualityResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: GetPainAgainstQualityResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[GetPainAgainstQualityResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...
