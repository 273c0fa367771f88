import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import common_pb2 as _common_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class CareTeamAction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CARE_TEAM_ACTION_UNSPECIFIED: _ClassVar[CareTeamAction]
    CARE_TEAM_ACTION_ASSIGNED: _ClassVar[CareTeamAction]
    CARE_TEAM_ACTION_RELEASED: _ClassVar[CareTeamAction]

class MonitoringSystem(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MONITORING_SYSTEM_UNSPECIFIED: _ClassVar[MonitoringSystem]
    MONITORING_SYSTEM_MUSCULOSKELETAL: _ClassVar[MonitoringSystem]
    MONITORING_SYSTEM_RESPIRATORY: _ClassVar[MonitoringSystem]
    MONITORING_SYSTEM_CBT: _ClassVar[MonitoringSystem]
CARE_TEAM_ACTION_UNSPECIFIED: CareTeamAction
CARE_TEAM_ACTION_ASSIGNED: CareTeamAction
CARE_TEAM_ACTION_RELEASED: CareTeamAction
MONITORING_SYSTEM_UNSPECIFIED: MonitoringSystem
MONITORING_SYSTEM_MUSCULOSKELETAL: MonitoringSystem
MONITORING_SYSTEM_RESPIRATORY: MonitoringSystem
MONITORING_SYSTEM_CBT: MonitoringSystem

class Consent(_message.Message):
    __slots__ = ("consent_id", "granted", "revoked")
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    GRANTED_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    consent_id: str
    granted: ConsentGranted
    revoked: ConsentRevoked
    def __init__(self, consent_id: _Optional[str] = ..., granted: _Optional[_Union[ConsentGranted, _Mapping]] = ..., revoked: _Optional[_Union[ConsentRevoked, _Mapping]] = ...) -> None: ...

class ConsentGranted(_message.Message):
    __slots__ = ("purpose", "scope", "valid_from", "valid_until", "text_sha256", "text_version", "mode")
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_UNTIL_FIELD_NUMBER: _ClassVar[int]
    TEXT_SHA256_FIELD_NUMBER: _ClassVar[int]
    TEXT_VERSION_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    purpose: str
    scope: _containers.RepeatedScalarFieldContainer[str]
    valid_from: _timestamp_pb2.Timestamp
    valid_until: _timestamp_pb2.Timestamp
    text_sha256: bytes
    text_version: str
    mode: str
    def __init__(self, purpose: _Optional[str] = ..., scope: _Optional[_Iterable[str]] = ..., valid_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., valid_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., text_sha256: _Optional[bytes] = ..., text_version: _Optional[str] = ..., mode: _Optional[str] = ...) -> None: ...

class ConsentRevoked(_message.Message):
    __slots__ = ("effective_at",)
    EFFECTIVE_AT_FIELD_NUMBER: _ClassVar[int]
    effective_at: _timestamp_pb2.Timestamp
    def __init__(self, effective_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Enrolment(_message.Message):
    __slots__ = ("enrolled", "episode_opened", "episode_closed")
    ENROLLED_FIELD_NUMBER: _ClassVar[int]
    EPISODE_OPENED_FIELD_NUMBER: _ClassVar[int]
    EPISODE_CLOSED_FIELD_NUMBER: _ClassVar[int]
    enrolled: PatientEnrolled
    episode_opened: EpisodeOpened
    episode_closed: EpisodeClosed
    def __init__(self, enrolled: _Optional[_Union[PatientEnrolled, _Mapping]] = ..., episode_opened: _Optional[_Union[EpisodeOpened, _Mapping]] = ..., episode_closed: _Optional[_Union[EpisodeClosed, _Mapping]] = ...) -> None: ...

class PatientEnrolled(_message.Message):
    __slots__ = ("zone", "language")
    ZONE_FIELD_NUMBER: _ClassVar[int]
    LANGUAGE_FIELD_NUMBER: _ClassVar[int]
    zone: str
    language: str
    def __init__(self, zone: _Optional[str] = ..., language: _Optional[str] = ...) -> None: ...

class EpisodeOpened(_message.Message):
    __slots__ = ("episode_id", "condition", "side", "surgery_date")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    SIDE_FIELD_NUMBER: _ClassVar[int]
    SURGERY_DATE_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    condition: _common_pb2.Coding
    side: _common_pb2.Side
    surgery_date: str
    def __init__(self, episode_id: _Optional[str] = ..., condition: _Optional[_Union[_common_pb2.Coding, _Mapping]] = ..., side: _Optional[_Union[_common_pb2.Side, str]] = ..., surgery_date: _Optional[str] = ...) -> None: ...

class EpisodeClosed(_message.Message):
    __slots__ = ("episode_id", "reason")
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    episode_id: str
    reason: str
    def __init__(self, episode_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class CareTeam(_message.Message):
    __slots__ = ("therapist_id", "action", "primary")
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    PRIMARY_FIELD_NUMBER: _ClassVar[int]
    therapist_id: str
    action: CareTeamAction
    primary: bool
    def __init__(self, therapist_id: _Optional[str] = ..., action: _Optional[_Union[CareTeamAction, str]] = ..., primary: bool = ...) -> None: ...

class Monitoring(_message.Message):
    __slots__ = ("active", "system", "education_done", "device")
    ACTIVE_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EDUCATION_DONE_FIELD_NUMBER: _ClassVar[int]
    DEVICE_FIELD_NUMBER: _ClassVar[int]
    active: bool
    system: MonitoringSystem
    education_done: bool
    device: str
    def __init__(self, active: bool = ..., system: _Optional[_Union[MonitoringSystem, str]] = ..., education_done: bool = ..., device: _Optional[str] = ...) -> None: ...

class PlanOfCare(_message.Message):
    __slots__ = ("from_date", "to_date", "certifier_id", "discipline")
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    CERTIFIER_ID_FIELD_NUMBER: _ClassVar[int]
    DISCIPLINE_FIELD_NUMBER: _ClassVar[int]
    from_date: str
    to_date: str
    certifier_id: str
    discipline: str
    def __init__(self, from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., certifier_id: _Optional[str] = ..., discipline: _Optional[str] = ...) -> None: ...

class Goal(_message.Message):
    __slots__ = ("goal_id", "measure", "target", "assessed")
    GOAL_ID_FIELD_NUMBER: _ClassVar[int]
    MEASURE_FIELD_NUMBER: _ClassVar[int]
    TARGET_FIELD_NUMBER: _ClassVar[int]
    ASSESSED_FIELD_NUMBER: _ClassVar[int]
    goal_id: str
    measure: str
    target: _common_pb2.Quantity
    assessed: _common_pb2.Quantity
    def __init__(self, goal_id: _Optional[str] = ..., measure: _Optional[str] = ..., target: _Optional[_Union[_common_pb2.Quantity, _Mapping]] = ..., assessed: _Optional[_Union[_common_pb2.Quantity, _Mapping]] = ...) -> None: ...
