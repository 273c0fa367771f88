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

class PainPhase(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PAIN_PHASE_UNSPECIFIED: _ClassVar[PainPhase]
    PAIN_PHASE_PRE: _ClassVar[PainPhase]
    PAIN_PHASE_DURING: _ClassVar[PainPhase]
    PAIN_PHASE_POST: _ClassVar[PainPhase]
    PAIN_PHASE_24H: _ClassVar[PainPhase]

class AdherenceScale(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ADHERENCE_SCALE_UNSPECIFIED: _ClassVar[AdherenceScale]
    ADHERENCE_SCALE_SIRAS: _ClassVar[AdherenceScale]
    ADHERENCE_SCALE_EARS: _ClassVar[AdherenceScale]
PAIN_PHASE_UNSPECIFIED: PainPhase
PAIN_PHASE_PRE: PainPhase
PAIN_PHASE_DURING: PainPhase
PAIN_PHASE_POST: PainPhase
PAIN_PHASE_24H: PainPhase
ADHERENCE_SCALE_UNSPECIFIED: AdherenceScale
ADHERENCE_SCALE_SIRAS: AdherenceScale
ADHERENCE_SCALE_EARS: AdherenceScale

class PainReport(_message.Message):
    __slots__ = ("nprs", "phase", "site", "side", "quality", "session_id", "exercise_id")
    NPRS_FIELD_NUMBER: _ClassVar[int]
    PHASE_FIELD_NUMBER: _ClassVar[int]
    SITE_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    QUALITY_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    EXERCISE_ID_FIELD_NUMBER: _ClassVar[int]
    nprs: int
    phase: PainPhase
    site: str
    side: _common_pb2.Side
    quality: str
    session_id: str
    exercise_id: str
    def __init__(self, nprs: _Optional[int] = ..., phase: _Optional[_Union[PainPhase, str]] = ..., site: _Optional[str] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., quality: _Optional[str] = ..., session_id: _Optional[str] = ..., exercise_id: _Optional[str] = ...) -> None: ...

class SymptomReport(_message.Message):
    __slots__ = ("symptom", "fall", "session_id")
    SYMPTOM_FIELD_NUMBER: _ClassVar[int]
    FALL_FIELD_NUMBER: _ClassVar[int]
    SESSION_ID_FIELD_NUMBER: _ClassVar[int]
    symptom: Symptom
    fall: Fall
    session_id: str
    def __init__(self, symptom: _Optional[_Union[Symptom, _Mapping]] = ..., fall: _Optional[_Union[Fall, _Mapping]] = ..., session_id: _Optional[str] = ...) -> None: ...

class Symptom(_message.Message):
    __slots__ = ("code", "text", "severity")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    code: str
    text: str
    severity: _common_pb2.Severity
    def __init__(self, code: _Optional[str] = ..., text: _Optional[str] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ...) -> None: ...

class Fall(_message.Message):
    __slots__ = ("near", "injury", "text")
    NEAR_FIELD_NUMBER: _ClassVar[int]
    INJURY_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    near: bool
    injury: bool
    text: str
    def __init__(self, near: bool = ..., injury: bool = ..., text: _Optional[str] = ...) -> None: ...

class Questionnaire(_message.Message):
    __slots__ = ("instrument", "instrument_version", "answers", "score", "notified_at")
    INSTRUMENT_FIELD_NUMBER: _ClassVar[int]
    INSTRUMENT_VERSION_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    SCORE_FIELD_NUMBER: _ClassVar[int]
    NOTIFIED_AT_FIELD_NUMBER: _ClassVar[int]
    instrument: str
    instrument_version: str
    answers: _containers.RepeatedCompositeFieldContainer[Answer]
    score: float
    notified_at: _timestamp_pb2.Timestamp
    def __init__(self, instrument: _Optional[str] = ..., instrument_version: _Optional[str] = ..., answers: _Optional[_Iterable[_Union[Answer, _Mapping]]] = ..., score: _Optional[float] = ..., notified_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Answer(_message.Message):
    __slots__ = ("question", "value", "started_at", "ended_at")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    STARTED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    question: str
    value: float
    started_at: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    def __init__(self, question: _Optional[str] = ..., value: _Optional[float] = ..., started_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AdherenceRating(_message.Message):
    __slots__ = ("scale", "items")
    SCALE_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    scale: AdherenceScale
    items: _containers.RepeatedScalarFieldContainer[int]
    def __init__(self, scale: _Optional[_Union[AdherenceScale, str]] = ..., items: _Optional[_Iterable[int]] = ...) -> None: ...
