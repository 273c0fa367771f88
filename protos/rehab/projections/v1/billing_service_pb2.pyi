import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import event_pb2 as _event_pb2
from rehab.events.v1 import patient_pb2 as _patient_pb2
from rehab.projections.v1 import projections_service_pb2 as _projections_service_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class WorksheetState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    WORKSHEET_STATE_UNSPECIFIED: _ClassVar[WorksheetState]
    WORKSHEET_STATE_OPEN: _ClassVar[WorksheetState]
    WORKSHEET_STATE_BLOCKED: _ClassVar[WorksheetState]
    WORKSHEET_STATE_READY: _ClassVar[WorksheetState]
    WORKSHEET_STATE_APPROVED: _ClassVar[WorksheetState]
    WORKSHEET_STATE_EXPORTED: _ClassVar[WorksheetState]
    WORKSHEET_STATE_REOPENED: _ClassVar[WorksheetState]
WORKSHEET_STATE_UNSPECIFIED: WorksheetState
WORKSHEET_STATE_OPEN: WorksheetState
WORKSHEET_STATE_BLOCKED: WorksheetState
WORKSHEET_STATE_READY: WorksheetState
WORKSHEET_STATE_APPROVED: WorksheetState
WORKSHEET_STATE_EXPORTED: WorksheetState
WORKSHEET_STATE_REOPENED: WorksheetState

class GetBillingEvidenceRequest(_message.Message):
    __slots__ = ("patient_id", "window", "as_of", "consistency", "clinic_zone", "payer")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    WINDOW_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ZONE_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    window: _projections_service_pb2.Window
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    clinic_zone: str
    payer: str
    def __init__(self, patient_id: _Optional[str] = ..., window: _Optional[_Union[_projections_service_pb2.Window, _Mapping]] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., clinic_zone: _Optional[str] = ..., payer: _Optional[str] = ...) -> None: ...

class GetBillingEvidenceResponse(_message.Message):
    __slots__ = ("patient_id", "from_date", "to_date", "zone", "clinic_zone", "periods", "months", "freshness")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ZONE_FIELD_NUMBER: _ClassVar[int]
    PERIODS_FIELD_NUMBER: _ClassVar[int]
    MONTHS_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    from_date: str
    to_date: str
    zone: str
    clinic_zone: str
    periods: _containers.RepeatedCompositeFieldContainer[DevicePeriod]
    months: _containers.RepeatedCompositeFieldContainer[ManagementMonth]
    freshness: _projections_service_pb2.Freshness
    def __init__(self, patient_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., zone: _Optional[str] = ..., clinic_zone: _Optional[str] = ..., periods: _Optional[_Iterable[_Union[DevicePeriod, _Mapping]]] = ..., months: _Optional[_Iterable[_Union[ManagementMonth, _Mapping]]] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class Evidence(_message.Message):
    __slots__ = ("at", "event_id")
    AT_FIELD_NUMBER: _ClassVar[int]
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    at: _event_pb2.LogPosition
    event_id: str
    def __init__(self, at: _Optional[_Union[_event_pb2.LogPosition, _Mapping]] = ..., event_id: _Optional[str] = ...) -> None: ...

class BillingCode(_message.Message):
    __slots__ = ("code", "units")
    CODE_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    code: str
    units: int
    def __init__(self, code: _Optional[str] = ..., units: _Optional[int] = ...) -> None: ...

class WorksheetRow(_message.Message):
    __slots__ = ("item_id", "from_date", "to_date", "state", "proposed", "blocked_by", "evidence", "policy_version", "inputs_sha256", "approved_by", "approved_codes", "added_event_ids", "removed_event_ids")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_DATE_FIELD_NUMBER: _ClassVar[int]
    TO_DATE_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSED_FIELD_NUMBER: _ClassVar[int]
    BLOCKED_BY_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUTS_SHA256_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_CODES_FIELD_NUMBER: _ClassVar[int]
    ADDED_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    REMOVED_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    from_date: str
    to_date: str
    state: WorksheetState
    proposed: _containers.RepeatedCompositeFieldContainer[BillingCode]
    blocked_by: _containers.RepeatedScalarFieldContainer[str]
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    policy_version: str
    inputs_sha256: bytes
    approved_by: str
    approved_codes: _containers.RepeatedScalarFieldContainer[str]
    added_event_ids: _containers.RepeatedScalarFieldContainer[str]
    removed_event_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, item_id: _Optional[str] = ..., from_date: _Optional[str] = ..., to_date: _Optional[str] = ..., state: _Optional[_Union[WorksheetState, str]] = ..., proposed: _Optional[_Iterable[_Union[BillingCode, _Mapping]]] = ..., blocked_by: _Optional[_Iterable[str]] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ..., policy_version: _Optional[str] = ..., inputs_sha256: _Optional[bytes] = ..., approved_by: _Optional[str] = ..., approved_codes: _Optional[_Iterable[str]] = ..., added_event_ids: _Optional[_Iterable[str]] = ..., removed_event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class DevicePeriod(_message.Message):
    __slots__ = ("row", "system", "episode_id", "monitored_until", "days", "started", "days_missing", "days_left")
    ROW_FIELD_NUMBER: _ClassVar[int]
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    MONITORED_UNTIL_FIELD_NUMBER: _ClassVar[int]
    DAYS_FIELD_NUMBER: _ClassVar[int]
    STARTED_FIELD_NUMBER: _ClassVar[int]
    DAYS_MISSING_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    row: WorksheetRow
    system: _patient_pb2.MonitoringSystem
    episode_id: str
    monitored_until: str
    days: _containers.RepeatedCompositeFieldContainer[DataDay]
    started: Evidence
    days_missing: int
    days_left: int
    def __init__(self, row: _Optional[_Union[WorksheetRow, _Mapping]] = ..., system: _Optional[_Union[_patient_pb2.MonitoringSystem, str]] = ..., episode_id: _Optional[str] = ..., monitored_until: _Optional[str] = ..., days: _Optional[_Iterable[_Union[DataDay, _Mapping]]] = ..., started: _Optional[_Union[Evidence, _Mapping]] = ..., days_missing: _Optional[int] = ..., days_left: _Optional[int] = ...) -> None: ...

class DataDay(_message.Message):
    __slots__ = ("local_date", "evidence")
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    local_date: str
    evidence: _containers.RepeatedCompositeFieldContainer[Evidence]
    def __init__(self, local_date: _Optional[str] = ..., evidence: _Optional[_Iterable[_Union[Evidence, _Mapping]]] = ...) -> None: ...

class ManagementMonth(_message.Message):
    __slots__ = ("row", "minutes", "clinicians", "live", "modifiers", "minutes_missing")
    ROW_FIELD_NUMBER: _ClassVar[int]
    MINUTES_FIELD_NUMBER: _ClassVar[int]
    CLINICIANS_FIELD_NUMBER: _ClassVar[int]
    LIVE_FIELD_NUMBER: _ClassVar[int]
    MODIFIERS_FIELD_NUMBER: _ClassVar[int]
    MINUTES_MISSING_FIELD_NUMBER: _ClassVar[int]
    row: WorksheetRow
    minutes: int
    clinicians: _containers.RepeatedCompositeFieldContainer[ClinicianTime]
    live: _containers.RepeatedCompositeFieldContainer[LiveInteraction]
    modifiers: _containers.RepeatedScalarFieldContainer[str]
    minutes_missing: int
    def __init__(self, row: _Optional[_Union[WorksheetRow, _Mapping]] = ..., minutes: _Optional[int] = ..., clinicians: _Optional[_Iterable[_Union[ClinicianTime, _Mapping]]] = ..., live: _Optional[_Iterable[_Union[LiveInteraction, _Mapping]]] = ..., modifiers: _Optional[_Iterable[str]] = ..., minutes_missing: _Optional[int] = ...) -> None: ...

class ClinicianTime(_message.Message):
    __slots__ = ("clinician_id", "credential", "seconds", "entries")
    CLINICIAN_ID_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    SECONDS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    clinician_id: str
    credential: str
    seconds: int
    entries: _containers.RepeatedCompositeFieldContainer[TimeEntry]
    def __init__(self, clinician_id: _Optional[str] = ..., credential: _Optional[str] = ..., seconds: _Optional[int] = ..., entries: _Optional[_Iterable[_Union[TimeEntry, _Mapping]]] = ...) -> None: ...

class TimeEntry(_message.Message):
    __slots__ = ("entry_id", "activity", "start", "end", "evidence")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    activity: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    evidence: Evidence
    def __init__(self, entry_id: _Optional[str] = ..., activity: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ...) -> None: ...

class LiveInteraction(_message.Message):
    __slots__ = ("mode", "start", "end", "evidence")
    MODE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    mode: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    evidence: Evidence
    def __init__(self, mode: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., evidence: _Optional[_Union[Evidence, _Mapping]] = ...) -> None: ...

class ListBillingGapsRequest(_message.Message):
    __slots__ = ("clinic_id", "as_of", "consistency", "page_size", "page_token", "clinic_zone", "payer")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    CONSISTENCY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ZONE_FIELD_NUMBER: _ClassVar[int]
    PAYER_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    as_of: _timestamp_pb2.Timestamp
    consistency: _projections_service_pb2.Consistency
    page_size: int
    page_token: str
    clinic_zone: str
    payer: str
    def __init__(self, clinic_id: _Optional[str] = ..., as_of: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., consistency: _Optional[_Union[_projections_service_pb2.Consistency, _Mapping]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ..., clinic_zone: _Optional[str] = ..., payer: _Optional[str] = ...) -> None: ...

class ListBillingGapsResponse(_message.Message):
    __slots__ = ("gaps", "next_page_token", "freshness")
    GAPS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FRESHNESS_FIELD_NUMBER: _ClassVar[int]
    gaps: _containers.RepeatedCompositeFieldContainer[BillingGap]
    next_page_token: str
    freshness: _projections_service_pb2.Freshness
    def __init__(self, gaps: _Optional[_Iterable[_Union[BillingGap, _Mapping]]] = ..., next_page_token: _Optional[str] = ..., freshness: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class BillingGap(_message.Message):
    __slots__ = ("patient_id", "code", "missing", "days_left", "deadline", "item_id")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    DAYS_LEFT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    code: str
    missing: int
    days_left: int
    deadline: str
    item_id: str
    def __init__(self, patient_id: _Optional[str] = ..., code: _Optional[str] = ..., missing: _Optional[int] = ..., days_left: _Optional[int] = ..., deadline: _Optional[str] = ..., item_id: _Optional[str] = ...) -> None: ...

class WatchBillingEvidenceRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: GetBillingEvidenceRequest
    def __init__(self, asked: _Optional[_Union[GetBillingEvidenceRequest, _Mapping]] = ...) -> None: ...

class WatchBillingEvidenceResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: GetBillingEvidenceResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[GetBillingEvidenceResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...

class WatchBillingGapsRequest(_message.Message):
    __slots__ = ("asked",)
    ASKED_FIELD_NUMBER: _ClassVar[int]
    asked: ListBillingGapsRequest
    def __init__(self, asked: _Optional[_Union[ListBillingGapsRequest, _Mapping]] = ...) -> None: ...

class WatchBillingGapsResponse(_message.Message):
    __slots__ = ("answer", "unchanged")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    UNCHANGED_FIELD_NUMBER: _ClassVar[int]
    answer: ListBillingGapsResponse
    unchanged: _projections_service_pb2.Freshness
    def __init__(self, answer: _Optional[_Union[ListBillingGapsResponse, _Mapping]] = ..., unchanged: _Optional[_Union[_projections_service_pb2.Freshness, _Mapping]] = ...) -> None: ...
