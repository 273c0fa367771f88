import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BundleType(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BUNDLE_TYPE_UNSPECIFIED: _ClassVar[BundleType]
    BUNDLE_TYPE_TRANSACTION: _ClassVar[BundleType]
    BUNDLE_TYPE_BATCH: _ClassVar[BundleType]

class NotificationContent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NOTIFICATION_CONTENT_UNSPECIFIED: _ClassVar[NotificationContent]
    NOTIFICATION_CONTENT_EMPTY: _ClassVar[NotificationContent]
    NOTIFICATION_CONTENT_ID_ONLY: _ClassVar[NotificationContent]
    NOTIFICATION_CONTENT_FULL_RESOURCE: _ClassVar[NotificationContent]

class DeliveryState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_STATE_UNSPECIFIED: _ClassVar[DeliveryState]
    DELIVERY_STATE_PENDING: _ClassVar[DeliveryState]
    DELIVERY_STATE_HELD: _ClassVar[DeliveryState]
    DELIVERY_STATE_UNMATCHED: _ClassVar[DeliveryState]
    DELIVERY_STATE_DELIVERED: _ClassVar[DeliveryState]
    DELIVERY_STATE_DEAD: _ClassVar[DeliveryState]

class ExportFormat(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EXPORT_FORMAT_UNSPECIFIED: _ClassVar[ExportFormat]
    EXPORT_FORMAT_DOCUMENT: _ClassVar[ExportFormat]
    EXPORT_FORMAT_NDJSON: _ClassVar[ExportFormat]
BUNDLE_TYPE_UNSPECIFIED: BundleType
BUNDLE_TYPE_TRANSACTION: BundleType
BUNDLE_TYPE_BATCH: BundleType
NOTIFICATION_CONTENT_UNSPECIFIED: NotificationContent
NOTIFICATION_CONTENT_EMPTY: NotificationContent
NOTIFICATION_CONTENT_ID_ONLY: NotificationContent
NOTIFICATION_CONTENT_FULL_RESOURCE: NotificationContent
DELIVERY_STATE_UNSPECIFIED: DeliveryState
DELIVERY_STATE_PENDING: DeliveryState
DELIVERY_STATE_HELD: DeliveryState
DELIVERY_STATE_UNMATCHED: DeliveryState
DELIVERY_STATE_DELIVERED: DeliveryState
DELIVERY_STATE_DEAD: DeliveryState
EXPORT_FORMAT_UNSPECIFIED: ExportFormat
EXPORT_FORMAT_DOCUMENT: ExportFormat
EXPORT_FORMAT_NDJSON: ExportFormat

class Notify(_message.Message):
    __slots__ = ("content", "heartbeat_s")
    CONTENT_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_S_FIELD_NUMBER: _ClassVar[int]
    content: NotificationContent
    heartbeat_s: int
    def __init__(self, content: _Optional[_Union[NotificationContent, str]] = ..., heartbeat_s: _Optional[int] = ...) -> None: ...

class SmartBackend(_message.Message):
    __slots__ = ("client_id", "token_url", "scope")
    CLIENT_ID_FIELD_NUMBER: _ClassVar[int]
    TOKEN_URL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    client_id: str
    token_url: str
    scope: str
    def __init__(self, client_id: _Optional[str] = ..., token_url: _Optional[str] = ..., scope: _Optional[str] = ...) -> None: ...

class ClientCertificate(_message.Message):
    __slots__ = ("certificate_pem", "key_pem")
    CERTIFICATE_PEM_FIELD_NUMBER: _ClassVar[int]
    KEY_PEM_FIELD_NUMBER: _ClassVar[int]
    certificate_pem: str
    key_pem: str
    def __init__(self, certificate_pem: _Optional[str] = ..., key_pem: _Optional[str] = ...) -> None: ...

class Endpoint(_message.Message):
    __slots__ = ("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries", "requests_per_second", "concurrency", "patient_system", "rep_series", "authority_pem", "no_backfill", "paused", "entries_now", "auth", "warnings", "if_none_exist", "notify", "examined_at", "readings")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    BASE_URL_FIELD_NUMBER: _ClassVar[int]
    BUNDLE_TYPE_FIELD_NUMBER: _ClassVar[int]
    MOST_ENTRIES_FIELD_NUMBER: _ClassVar[int]
    REQUESTS_PER_SECOND_FIELD_NUMBER: _ClassVar[int]
    CONCURRENCY_FIELD_NUMBER: _ClassVar[int]
    PATIENT_SYSTEM_FIELD_NUMBER: _ClassVar[int]
    REP_SERIES_FIELD_NUMBER: _ClassVar[int]
    AUTHORITY_PEM_FIELD_NUMBER: _ClassVar[int]
    NO_BACKFILL_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_NOW_FIELD_NUMBER: _ClassVar[int]
    AUTH_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    IF_NONE_EXIST_FIELD_NUMBER: _ClassVar[int]
    NOTIFY_FIELD_NUMBER: _ClassVar[int]
    EXAMINED_AT_FIELD_NUMBER: _ClassVar[int]
    READINGS_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    clinic_id: str
    base_url: str
    bundle_type: BundleType
    most_entries: int
    requests_per_second: float
    concurrency: int
    patient_system: str
    rep_series: bool
    authority_pem: str
    no_backfill: bool
    paused: str
    entries_now: int
    auth: str
    warnings: _containers.RepeatedScalarFieldContainer[str]
    if_none_exist: str
    notify: Notify
    examined_at: _timestamp_pb2.Timestamp
    readings: bool
    def __init__(self, endpoint_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., base_url: _Optional[str] = ..., bundle_type: _Optional[_Union[BundleType, str]] = ..., most_entries: _Optional[int] = ..., requests_per_second: _Optional[float] = ..., concurrency: _Optional[int] = ..., patient_system: _Optional[str] = ..., rep_series: bool = ..., authority_pem: _Optional[str] = ..., no_backfill: bool = ..., paused: _Optional[str] = ..., entries_now: _Optional[int] = ..., auth: _Optional[str] = ..., warnings: _Optional[_Iterable[str]] = ..., if_none_exist: _Optional[str] = ..., notify: _Optional[_Union[Notify, _Mapping]] = ..., examined_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., readings: bool = ...) -> None: ...

class RegisterEndpointRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint", "bearer", "smart", "certificate")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    BEARER_FIELD_NUMBER: _ClassVar[int]
    SMART_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint: Endpoint
    bearer: str
    smart: SmartBackend
    certificate: ClientCertificate
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint: _Optional[_Union[Endpoint, _Mapping]] = ..., bearer: _Optional[str] = ..., smart: _Optional[_Union[SmartBackend, _Mapping]] = ..., certificate: _Optional[_Union[ClientCertificate, _Mapping]] = ...) -> None: ...

class RegisterEndpointResponse(_message.Message):
    __slots__ = ("endpoint", "pull_token", "fhir_base")
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    PULL_TOKEN_FIELD_NUMBER: _ClassVar[int]
    FHIR_BASE_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    pull_token: str
    fhir_base: str
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ..., pull_token: _Optional[str] = ..., fhir_base: _Optional[str] = ...) -> None: ...

class ListEndpointsRequest(_message.Message):
    __slots__ = ("clinic_id",)
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    def __init__(self, clinic_id: _Optional[str] = ...) -> None: ...

class ListEndpointsResponse(_message.Message):
    __slots__ = ("endpoints",)
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[Endpoint]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[Endpoint, _Mapping]]] = ...) -> None: ...

class TestEndpointRequest(_message.Message):
    __slots__ = ("patient_id", "endpoint_id")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    endpoint_id: str
    def __init__(self, patient_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class TestEndpointResponse(_message.Message):
    __slots__ = ("bundle_json", "problems")
    BUNDLE_JSON_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    bundle_json: bytes
    problems: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, bundle_json: _Optional[bytes] = ..., problems: _Optional[_Iterable[str]] = ...) -> None: ...

class Person(_message.Message):
    __slots__ = ("family", "given", "birth_date", "gender")
    FAMILY_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    BIRTH_DATE_FIELD_NUMBER: _ClassVar[int]
    GENDER_FIELD_NUMBER: _ClassVar[int]
    family: str
    given: _containers.RepeatedScalarFieldContainer[str]
    birth_date: str
    gender: str
    def __init__(self, family: _Optional[str] = ..., given: _Optional[_Iterable[str]] = ..., birth_date: _Optional[str] = ..., gender: _Optional[str] = ...) -> None: ...

class Identifier(_message.Message):
    __slots__ = ("system", "value")
    SYSTEM_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    system: str
    value: str
    def __init__(self, system: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class LinkPatientRequest(_message.Message):
    __slots__ = ("patient_id", "endpoint_id", "remote_id", "identifier", "person")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ID_FIELD_NUMBER: _ClassVar[int]
    IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    PERSON_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    endpoint_id: str
    remote_id: str
    identifier: Identifier
    person: Person
    def __init__(self, patient_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., remote_id: _Optional[str] = ..., identifier: _Optional[_Union[Identifier, _Mapping]] = ..., person: _Optional[_Union[Person, _Mapping]] = ...) -> None: ...

class LinkPatientResponse(_message.Message):
    __slots__ = ("waiting",)
    WAITING_FIELD_NUMBER: _ClassVar[int]
    waiting: int
    def __init__(self, waiting: _Optional[int] = ...) -> None: ...

class Delivery(_message.Message):
    __slots__ = ("endpoint_id", "patient_id", "kind", "resource_id", "position", "state", "reason", "attempts", "remote", "remote_version", "changed_at", "next_at")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    ATTEMPTS_FIELD_NUMBER: _ClassVar[int]
    REMOTE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_VERSION_FIELD_NUMBER: _ClassVar[int]
    CHANGED_AT_FIELD_NUMBER: _ClassVar[int]
    NEXT_AT_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    patient_id: str
    kind: str
    resource_id: str
    position: int
    state: DeliveryState
    reason: str
    attempts: int
    remote: str
    remote_version: str
    changed_at: _timestamp_pb2.Timestamp
    next_at: _timestamp_pb2.Timestamp
    def __init__(self, endpoint_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., kind: _Optional[str] = ..., resource_id: _Optional[str] = ..., position: _Optional[int] = ..., state: _Optional[_Union[DeliveryState, str]] = ..., reason: _Optional[str] = ..., attempts: _Optional[int] = ..., remote: _Optional[str] = ..., remote_version: _Optional[str] = ..., changed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., next_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListDeliveriesRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id", "only_patient_id", "state", "page_size", "page_token")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    ONLY_PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    only_patient_id: str
    state: DeliveryState
    page_size: int
    page_token: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., only_patient_id: _Optional[str] = ..., state: _Optional[_Union[DeliveryState, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListDeliveriesResponse(_message.Message):
    __slots__ = ("deliveries", "next_page_token")
    DELIVERIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    deliveries: _containers.RepeatedCompositeFieldContainer[Delivery]
    next_page_token: str
    def __init__(self, deliveries: _Optional[_Iterable[_Union[Delivery, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class GetOutcomeRequest(_message.Message):
    __slots__ = ("patient_id", "endpoint_id", "kind", "resource_id")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    endpoint_id: str
    kind: str
    resource_id: str
    def __init__(self, patient_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., kind: _Optional[str] = ..., resource_id: _Optional[str] = ...) -> None: ...

class GetOutcomeResponse(_message.Message):
    __slots__ = ("delivery", "outcome_json")
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_JSON_FIELD_NUMBER: _ClassVar[int]
    delivery: Delivery
    outcome_json: bytes
    def __init__(self, delivery: _Optional[_Union[Delivery, _Mapping]] = ..., outcome_json: _Optional[bytes] = ...) -> None: ...

class ReplayRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id", "only_patient_id", "only_kind", "from_position", "until_position", "delivered")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    ONLY_PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ONLY_KIND_FIELD_NUMBER: _ClassVar[int]
    FROM_POSITION_FIELD_NUMBER: _ClassVar[int]
    UNTIL_POSITION_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    only_patient_id: str
    only_kind: str
    from_position: int
    until_position: int
    delivered: bool
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., only_patient_id: _Optional[str] = ..., only_kind: _Optional[str] = ..., from_position: _Optional[int] = ..., until_position: _Optional[int] = ..., delivered: bool = ...) -> None: ...

class ReplayResponse(_message.Message):
    __slots__ = ("replayed",)
    REPLAYED_FIELD_NUMBER: _ClassVar[int]
    replayed: int
    def __init__(self, replayed: _Optional[int] = ...) -> None: ...

class PauseRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class PauseResponse(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ...) -> None: ...

class ResumeRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class ResumeResponse(_message.Message):
    __slots__ = ("endpoint",)
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    endpoint: Endpoint
    def __init__(self, endpoint: _Optional[_Union[Endpoint, _Mapping]] = ...) -> None: ...

class GetStatusRequest(_message.Message):
    __slots__ = ("clinic_id",)
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    def __init__(self, clinic_id: _Optional[str] = ...) -> None: ...

class EndpointStatus(_message.Message):
    __slots__ = ("endpoint_id", "paused", "breaker", "pending", "held", "unmatched", "delivered", "dead", "oldest_pending_s", "warnings", "examined_at")
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    PAUSED_FIELD_NUMBER: _ClassVar[int]
    BREAKER_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    HELD_FIELD_NUMBER: _ClassVar[int]
    UNMATCHED_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_FIELD_NUMBER: _ClassVar[int]
    DEAD_FIELD_NUMBER: _ClassVar[int]
    OLDEST_PENDING_S_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    EXAMINED_AT_FIELD_NUMBER: _ClassVar[int]
    endpoint_id: str
    paused: str
    breaker: str
    pending: int
    held: int
    unmatched: int
    delivered: int
    dead: int
    oldest_pending_s: float
    warnings: _containers.RepeatedScalarFieldContainer[str]
    examined_at: _timestamp_pb2.Timestamp
    def __init__(self, endpoint_id: _Optional[str] = ..., paused: _Optional[str] = ..., breaker: _Optional[str] = ..., pending: _Optional[int] = ..., held: _Optional[int] = ..., unmatched: _Optional[int] = ..., delivered: _Optional[int] = ..., dead: _Optional[int] = ..., oldest_pending_s: _Optional[float] = ..., warnings: _Optional[_Iterable[str]] = ..., examined_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetStatusResponse(_message.Message):
    __slots__ = ("endpoints",)
    ENDPOINTS_FIELD_NUMBER: _ClassVar[int]
    endpoints: _containers.RepeatedCompositeFieldContainer[EndpointStatus]
    def __init__(self, endpoints: _Optional[_Iterable[_Union[EndpointStatus, _Mapping]]] = ...) -> None: ...

class WatchDeliveriesRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class WatchDeliveriesResponse(_message.Message):
    __slots__ = ("delivery",)
    DELIVERY_FIELD_NUMBER: _ClassVar[int]
    delivery: Delivery
    def __init__(self, delivery: _Optional[_Union[Delivery, _Mapping]] = ...) -> None: ...

class GetSubscriptionRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class GetSubscriptionResponse(_message.Message):
    __slots__ = ("url", "topic", "status", "events", "accepted", "accepted_at")
    URL_FIELD_NUMBER: _ClassVar[int]
    TOPIC_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    url: str
    topic: str
    status: str
    events: int
    accepted: int
    accepted_at: _timestamp_pb2.Timestamp
    def __init__(self, url: _Optional[str] = ..., topic: _Optional[str] = ..., status: _Optional[str] = ..., events: _Optional[int] = ..., accepted: _Optional[int] = ..., accepted_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class RotatePullTokenRequest(_message.Message):
    __slots__ = ("clinic_id", "endpoint_id")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    endpoint_id: str
    def __init__(self, clinic_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ...) -> None: ...

class RotatePullTokenResponse(_message.Message):
    __slots__ = ("pull_token",)
    PULL_TOKEN_FIELD_NUMBER: _ClassVar[int]
    pull_token: str
    def __init__(self, pull_token: _Optional[str] = ...) -> None: ...

class ListDisclosuresRequest(_message.Message):
    __slots__ = ("patient_id",)
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    def __init__(self, patient_id: _Optional[str] = ...) -> None: ...

class Disclosure(_message.Message):
    __slots__ = ("disclosed_at", "endpoint_id", "resource_type", "resource_id", "event_ids", "purpose", "consent_id", "outcome", "remote_id")
    DISCLOSED_AT_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ID_FIELD_NUMBER: _ClassVar[int]
    disclosed_at: _timestamp_pb2.Timestamp
    endpoint_id: str
    resource_type: str
    resource_id: str
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    consent_id: str
    outcome: str
    remote_id: str
    def __init__(self, disclosed_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., endpoint_id: _Optional[str] = ..., resource_type: _Optional[str] = ..., resource_id: _Optional[str] = ..., event_ids: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., consent_id: _Optional[str] = ..., outcome: _Optional[str] = ..., remote_id: _Optional[str] = ...) -> None: ...

class ListDisclosuresResponse(_message.Message):
    __slots__ = ("disclosures",)
    DISCLOSURES_FIELD_NUMBER: _ClassVar[int]
    disclosures: _containers.RepeatedCompositeFieldContainer[Disclosure]
    def __init__(self, disclosures: _Optional[_Iterable[_Union[Disclosure, _Mapping]]] = ...) -> None: ...

class ExportPatientRequest(_message.Message):
    __slots__ = ("patient_id", "format")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    FORMAT_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    format: ExportFormat
    def __init__(self, patient_id: _Optional[str] = ..., format: _Optional[_Union[ExportFormat, str]] = ...) -> None: ...

class ExportPatientResponse(_message.Message):
    __slots__ = ("file", "data")
    FILE_FIELD_NUMBER: _ClassVar[int]
    DATA_FIELD_NUMBER: _ClassVar[int]
    file: str
    data: bytes
    def __init__(self, file: _Optional[str] = ..., data: _Optional[bytes] = ...) -> None: ...

class ImportCarePlanRequest(_message.Message):
    __slots__ = ("patient_id", "resource_json")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_JSON_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    resource_json: bytes
    def __init__(self, patient_id: _Optional[str] = ..., resource_json: _Optional[bytes] = ...) -> None: ...

class ImportCarePlanResponse(_message.Message):
    __slots__ = ("event_ids", "assumptions")
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ASSUMPTIONS_FIELD_NUMBER: _ClassVar[int]
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    assumptions: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, event_ids: _Optional[_Iterable[str]] = ..., assumptions: _Optional[_Iterable[str]] = ...) -> None: ...
