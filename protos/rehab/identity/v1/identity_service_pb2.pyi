import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import event_pb2 as _event_pb2
from rehab.identity.v1 import consent_service_pb2 as _consent_service_pb2
from rehab.identity.v1 import principal_pb2 as _principal_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class AccessOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ACCESS_OUTCOME_UNSPECIFIED: _ClassVar[AccessOutcome]
    ACCESS_OUTCOME_ALLOWED: _ClassVar[AccessOutcome]
    ACCESS_OUTCOME_DENIED: _ClassVar[AccessOutcome]
ACCESS_OUTCOME_UNSPECIFIED: AccessOutcome
ACCESS_OUTCOME_ALLOWED: AccessOutcome
ACCESS_OUTCOME_DENIED: AccessOutcome

class AuthorizeRequest(_message.Message):
    __slots__ = ("principal", "rpc", "patient_id", "clinic_id", "at")
    PRINCIPAL_FIELD_NUMBER: _ClassVar[int]
    RPC_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    principal: _principal_pb2.Principal
    rpc: str
    patient_id: str
    clinic_id: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, principal: _Optional[_Union[_principal_pb2.Principal, _Mapping]] = ..., rpc: _Optional[str] = ..., patient_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class AuthorizeResponse(_message.Message):
    __slots__ = ("allowed", "reason", "consent_id")
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    allowed: bool
    reason: str
    consent_id: str
    def __init__(self, allowed: bool = ..., reason: _Optional[str] = ..., consent_id: _Optional[str] = ...) -> None: ...

class GetPatientFactsRequest(_message.Message):
    __slots__ = ("patient_ids",)
    PATIENT_IDS_FIELD_NUMBER: _ClassVar[int]
    patient_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, patient_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class GetPatientFactsResponse(_message.Message):
    __slots__ = ("facts",)
    FACTS_FIELD_NUMBER: _ClassVar[int]
    facts: _containers.RepeatedCompositeFieldContainer[PatientFacts]
    def __init__(self, facts: _Optional[_Iterable[_Union[PatientFacts, _Mapping]]] = ...) -> None: ...

class PatientFacts(_message.Message):
    __slots__ = ("patient_id", "clinic_id", "erased", "team", "consents", "grants")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    TEAM_FIELD_NUMBER: _ClassVar[int]
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    clinic_id: str
    erased: bool
    team: _containers.RepeatedCompositeFieldContainer[_consent_service_pb2.Care]
    consents: _containers.RepeatedCompositeFieldContainer[_consent_service_pb2.Consent]
    grants: _containers.RepeatedCompositeFieldContainer[EmergencyAccess]
    def __init__(self, patient_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., erased: bool = ..., team: _Optional[_Iterable[_Union[_consent_service_pb2.Care, _Mapping]]] = ..., consents: _Optional[_Iterable[_Union[_consent_service_pb2.Consent, _Mapping]]] = ..., grants: _Optional[_Iterable[_Union[EmergencyAccess, _Mapping]]] = ...) -> None: ...

class WatchAccessRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class WatchAccessResponse(_message.Message):
    __slots__ = ("patient_ids", "revoked", "everything", "revocations")
    PATIENT_IDS_FIELD_NUMBER: _ClassVar[int]
    REVOKED_FIELD_NUMBER: _ClassVar[int]
    EVERYTHING_FIELD_NUMBER: _ClassVar[int]
    REVOCATIONS_FIELD_NUMBER: _ClassVar[int]
    patient_ids: _containers.RepeatedScalarFieldContainer[str]
    revoked: _containers.RepeatedScalarFieldContainer[str]
    everything: bool
    revocations: _containers.RepeatedCompositeFieldContainer[Revocation]
    def __init__(self, patient_ids: _Optional[_Iterable[str]] = ..., revoked: _Optional[_Iterable[str]] = ..., everything: bool = ..., revocations: _Optional[_Iterable[_Union[Revocation, _Mapping]]] = ...) -> None: ...

class Revocation(_message.Message):
    __slots__ = ("id", "at")
    ID_FIELD_NUMBER: _ClassVar[int]
    AT_FIELD_NUMBER: _ClassVar[int]
    id: str
    at: _timestamp_pb2.Timestamp
    def __init__(self, id: _Optional[str] = ..., at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class EmergencyAccess(_message.Message):
    __slots__ = ("grant_id", "principal_id", "patient_id", "reason", "taken_at", "expires_at", "reviewed_at", "reviewed_by", "finding")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    PRINCIPAL_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TAKEN_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_AT_FIELD_NUMBER: _ClassVar[int]
    REVIEWED_BY_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    principal_id: str
    patient_id: str
    reason: str
    taken_at: _timestamp_pb2.Timestamp
    expires_at: _timestamp_pb2.Timestamp
    reviewed_at: _timestamp_pb2.Timestamp
    reviewed_by: str
    finding: str
    def __init__(self, grant_id: _Optional[str] = ..., principal_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., reason: _Optional[str] = ..., taken_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., expires_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reviewed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., reviewed_by: _Optional[str] = ..., finding: _Optional[str] = ...) -> None: ...

class TakeEmergencyAccessRequest(_message.Message):
    __slots__ = ("patient_id", "reason", "minutes")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    reason: str
    minutes: int
    def __init__(self, patient_id: _Optional[str] = ..., reason: _Optional[str] = ..., minutes: _Optional[int] = ...) -> None: ...

class TakeEmergencyAccessResponse(_message.Message):
    __slots__ = ("grant",)
    GRANT_FIELD_NUMBER: _ClassVar[int]
    grant: EmergencyAccess
    def __init__(self, grant: _Optional[_Union[EmergencyAccess, _Mapping]] = ...) -> None: ...

class EndEmergencyAccessRequest(_message.Message):
    __slots__ = ("grant_id",)
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    def __init__(self, grant_id: _Optional[str] = ...) -> None: ...

class EndEmergencyAccessResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ReviewEmergencyAccessRequest(_message.Message):
    __slots__ = ("grant_id", "finding")
    GRANT_ID_FIELD_NUMBER: _ClassVar[int]
    FINDING_FIELD_NUMBER: _ClassVar[int]
    grant_id: str
    finding: str
    def __init__(self, grant_id: _Optional[str] = ..., finding: _Optional[str] = ...) -> None: ...

class ReviewEmergencyAccessResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEmergencyAccessRequest(_message.Message):
    __slots__ = ("clinic_id", "unreviewed", "page_size", "page_token")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    UNREVIEWED_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    unreviewed: bool
    page_size: int
    page_token: str
    def __init__(self, clinic_id: _Optional[str] = ..., unreviewed: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListEmergencyAccessResponse(_message.Message):
    __slots__ = ("grants", "next_page_token")
    GRANTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    grants: _containers.RepeatedCompositeFieldContainer[EmergencyAccess]
    next_page_token: str
    def __init__(self, grants: _Optional[_Iterable[_Union[EmergencyAccess, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchEmergencyAccessRequest(_message.Message):
    __slots__ = ("clinic_id", "after")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    after: int
    def __init__(self, clinic_id: _Optional[str] = ..., after: _Optional[int] = ...) -> None: ...

class WatchEmergencyAccessResponse(_message.Message):
    __slots__ = ("seq", "notice")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    NOTICE_FIELD_NUMBER: _ClassVar[int]
    seq: int
    notice: EmergencyNotice
    def __init__(self, seq: _Optional[int] = ..., notice: _Optional[_Union[EmergencyNotice, _Mapping]] = ...) -> None: ...

class EmergencyNotice(_message.Message):
    __slots__ = ("grant", "clinic_id", "recipients")
    GRANT_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    RECIPIENTS_FIELD_NUMBER: _ClassVar[int]
    grant: EmergencyAccess
    clinic_id: str
    recipients: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, grant: _Optional[_Union[EmergencyAccess, _Mapping]] = ..., clinic_id: _Optional[str] = ..., recipients: _Optional[_Iterable[str]] = ...) -> None: ...

class ListAccessRequest(_message.Message):
    __slots__ = ("patient_id", "since", "until", "page_size", "page_token")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    page_size: int
    page_token: str
    def __init__(self, patient_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAccessResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AccessEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AccessEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class AccessEntry(_message.Message):
    __slots__ = ("at", "actor_id", "role", "rpc", "allowed", "reason", "purpose", "consent_id", "event_id", "covered_until", "patient_id", "clinic_id")
    AT_FIELD_NUMBER: _ClassVar[int]
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    RPC_FIELD_NUMBER: _ClassVar[int]
    ALLOWED_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    COVERED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    at: _timestamp_pb2.Timestamp
    actor_id: str
    role: _event_pb2.Role
    rpc: str
    allowed: bool
    reason: str
    purpose: str
    consent_id: str
    event_id: str
    covered_until: _timestamp_pb2.Timestamp
    patient_id: str
    clinic_id: str
    def __init__(self, at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., actor_id: _Optional[str] = ..., role: _Optional[_Union[_event_pb2.Role, str]] = ..., rpc: _Optional[str] = ..., allowed: bool = ..., reason: _Optional[str] = ..., purpose: _Optional[str] = ..., consent_id: _Optional[str] = ..., event_id: _Optional[str] = ..., covered_until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., patient_id: _Optional[str] = ..., clinic_id: _Optional[str] = ...) -> None: ...

class SearchAccessRequest(_message.Message):
    __slots__ = ("clinic_id", "filter", "oldest_first", "page_size", "page_token")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    FILTER_FIELD_NUMBER: _ClassVar[int]
    OLDEST_FIRST_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    filter: AccessFilter
    oldest_first: bool
    page_size: int
    page_token: str
    def __init__(self, clinic_id: _Optional[str] = ..., filter: _Optional[_Union[AccessFilter, _Mapping]] = ..., oldest_first: bool = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class AccessFilter(_message.Message):
    __slots__ = ("patient_id", "actor_id", "rpc", "since", "until", "outcome", "emergency")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACTOR_ID_FIELD_NUMBER: _ClassVar[int]
    RPC_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    EMERGENCY_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    actor_id: str
    rpc: str
    since: _timestamp_pb2.Timestamp
    until: _timestamp_pb2.Timestamp
    outcome: AccessOutcome
    emergency: bool
    def __init__(self, patient_id: _Optional[str] = ..., actor_id: _Optional[str] = ..., rpc: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., outcome: _Optional[_Union[AccessOutcome, str]] = ..., emergency: bool = ...) -> None: ...

class SearchAccessResponse(_message.Message):
    __slots__ = ("entries", "next_page_token")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AccessEntry]
    next_page_token: str
    def __init__(self, entries: _Optional[_Iterable[_Union[AccessEntry, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ExportPatientRequest(_message.Message):
    __slots__ = ("patient_id",)
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    def __init__(self, patient_id: _Optional[str] = ...) -> None: ...

class ExportPatientResponse(_message.Message):
    __slots__ = ("lines",)
    LINES_FIELD_NUMBER: _ClassVar[int]
    lines: str
    def __init__(self, lines: _Optional[str] = ...) -> None: ...
