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

class AlertStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_STATUS_UNSPECIFIED: _ClassVar[AlertStatus]
    ALERT_STATUS_OPEN: _ClassVar[AlertStatus]
    ALERT_STATUS_ACKNOWLEDGED: _ClassVar[AlertStatus]
    ALERT_STATUS_RESOLVED: _ClassVar[AlertStatus]

class AlertRoute(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ALERT_ROUTE_UNSPECIFIED: _ClassVar[AlertRoute]
    ALERT_ROUTE_IMMEDIATE: _ClassVar[AlertRoute]
    ALERT_ROUTE_GROUPED: _ClassVar[AlertRoute]
    ALERT_ROUTE_DIGEST: _ClassVar[AlertRoute]
ALERT_STATUS_UNSPECIFIED: AlertStatus
ALERT_STATUS_OPEN: AlertStatus
ALERT_STATUS_ACKNOWLEDGED: AlertStatus
ALERT_STATUS_RESOLVED: AlertStatus
ALERT_ROUTE_UNSPECIFIED: AlertRoute
ALERT_ROUTE_IMMEDIATE: AlertRoute
ALERT_ROUTE_GROUPED: AlertRoute
ALERT_ROUTE_DIGEST: AlertRoute

class RaisedAlert(_message.Message):
    __slots__ = ("alert_id", "clinic_id", "patient_id", "therapist_id", "rule_id", "rule_version", "severity", "channel", "emergency", "message_key", "status", "route", "grouped_with", "raised_at", "deadline", "acknowledged_at", "acknowledged_by", "resolved_at", "resolved_by", "outcome", "useful", "times", "last_at")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    EMERGENCY_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_KEY_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    GROUPED_WITH_FIELD_NUMBER: _ClassVar[int]
    RAISED_AT_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_AT_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_BY_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    USEFUL_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    LAST_AT_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    clinic_id: str
    patient_id: str
    therapist_id: str
    rule_id: str
    rule_version: int
    severity: _common_pb2.Severity
    channel: str
    emergency: bool
    message_key: str
    status: AlertStatus
    route: AlertRoute
    grouped_with: str
    raised_at: _timestamp_pb2.Timestamp
    deadline: _timestamp_pb2.Timestamp
    acknowledged_at: _timestamp_pb2.Timestamp
    acknowledged_by: str
    resolved_at: _timestamp_pb2.Timestamp
    resolved_by: str
    outcome: str
    useful: bool
    times: int
    last_at: _timestamp_pb2.Timestamp
    def __init__(self, alert_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., patient_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., rule_id: _Optional[str] = ..., rule_version: _Optional[int] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., channel: _Optional[str] = ..., emergency: bool = ..., message_key: _Optional[str] = ..., status: _Optional[_Union[AlertStatus, str]] = ..., route: _Optional[_Union[AlertRoute, str]] = ..., grouped_with: _Optional[str] = ..., raised_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., acknowledged_by: _Optional[str] = ..., resolved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., resolved_by: _Optional[str] = ..., outcome: _Optional[str] = ..., useful: bool = ..., times: _Optional[int] = ..., last_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class ListAlertsRequest(_message.Message):
    __slots__ = ("clinic_id", "only_patient_id", "therapist_id", "status", "min_severity", "route", "page_size", "page_token")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    ONLY_PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    MIN_SEVERITY_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    only_patient_id: str
    therapist_id: str
    status: AlertStatus
    min_severity: _common_pb2.Severity
    route: AlertRoute
    page_size: int
    page_token: str
    def __init__(self, clinic_id: _Optional[str] = ..., only_patient_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., status: _Optional[_Union[AlertStatus, str]] = ..., min_severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., route: _Optional[_Union[AlertRoute, str]] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListAlertsResponse(_message.Message):
    __slots__ = ("alerts", "next_page_token")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[RaisedAlert]
    next_page_token: str
    def __init__(self, alerts: _Optional[_Iterable[_Union[RaisedAlert, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class ListDigestRequest(_message.Message):
    __slots__ = ("clinic_id", "therapist_id", "local_date")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    LOCAL_DATE_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    therapist_id: str
    local_date: str
    def __init__(self, clinic_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., local_date: _Optional[str] = ...) -> None: ...

class ListDigestResponse(_message.Message):
    __slots__ = ("alerts", "budget")
    ALERTS_FIELD_NUMBER: _ClassVar[int]
    BUDGET_FIELD_NUMBER: _ClassVar[int]
    alerts: _containers.RepeatedCompositeFieldContainer[RaisedAlert]
    budget: int
    def __init__(self, alerts: _Optional[_Iterable[_Union[RaisedAlert, _Mapping]]] = ..., budget: _Optional[int] = ...) -> None: ...

class WatchAlertsRequest(_message.Message):
    __slots__ = ("clinic_id", "therapist_id", "after", "from_now")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    AFTER_FIELD_NUMBER: _ClassVar[int]
    FROM_NOW_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    therapist_id: str
    after: int
    from_now: bool
    def __init__(self, clinic_id: _Optional[str] = ..., therapist_id: _Optional[str] = ..., after: _Optional[int] = ..., from_now: bool = ...) -> None: ...

class WatchAlertsResponse(_message.Message):
    __slots__ = ("step", "up_to")
    STEP_FIELD_NUMBER: _ClassVar[int]
    UP_TO_FIELD_NUMBER: _ClassVar[int]
    step: AlertStep
    up_to: int
    def __init__(self, step: _Optional[_Union[AlertStep, _Mapping]] = ..., up_to: _Optional[int] = ...) -> None: ...

class AlertStep(_message.Message):
    __slots__ = ("seq", "kind", "alert")
    SEQ_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    seq: int
    kind: str
    alert: RaisedAlert
    def __init__(self, seq: _Optional[int] = ..., kind: _Optional[str] = ..., alert: _Optional[_Union[RaisedAlert, _Mapping]] = ...) -> None: ...

class AcknowledgeAlertRequest(_message.Message):
    __slots__ = ("alert_id",)
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    def __init__(self, alert_id: _Optional[str] = ...) -> None: ...

class AcknowledgeAlertResponse(_message.Message):
    __slots__ = ("alert",)
    ALERT_FIELD_NUMBER: _ClassVar[int]
    alert: RaisedAlert
    def __init__(self, alert: _Optional[_Union[RaisedAlert, _Mapping]] = ...) -> None: ...

class ResolveAlertRequest(_message.Message):
    __slots__ = ("alert_id", "outcome", "useful")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    USEFUL_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    outcome: str
    useful: bool
    def __init__(self, alert_id: _Optional[str] = ..., outcome: _Optional[str] = ..., useful: bool = ...) -> None: ...

class ResolveAlertResponse(_message.Message):
    __slots__ = ("alert",)
    ALERT_FIELD_NUMBER: _ClassVar[int]
    alert: RaisedAlert
    def __init__(self, alert: _Optional[_Union[RaisedAlert, _Mapping]] = ...) -> None: ...

class ExplainRequest(_message.Message):
    __slots__ = ("alert_id",)
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    def __init__(self, alert_id: _Optional[str] = ...) -> None: ...

class ExplainResponse(_message.Message):
    __slots__ = ("alert", "condition", "rationale", "facts", "events", "source", "owner", "review", "also", "reproduced")
    ALERT_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    ALSO_FIELD_NUMBER: _ClassVar[int]
    REPRODUCED_FIELD_NUMBER: _ClassVar[int]
    alert: RaisedAlert
    condition: str
    rationale: str
    facts: _containers.RepeatedCompositeFieldContainer[Fact]
    events: _containers.RepeatedCompositeFieldContainer[InputEvent]
    source: str
    owner: str
    review: bool
    also: _containers.RepeatedScalarFieldContainer[str]
    reproduced: bool
    def __init__(self, alert: _Optional[_Union[RaisedAlert, _Mapping]] = ..., condition: _Optional[str] = ..., rationale: _Optional[str] = ..., facts: _Optional[_Iterable[_Union[Fact, _Mapping]]] = ..., events: _Optional[_Iterable[_Union[InputEvent, _Mapping]]] = ..., source: _Optional[str] = ..., owner: _Optional[str] = ..., review: bool = ..., also: _Optional[_Iterable[str]] = ..., reproduced: bool = ...) -> None: ...

class Fact(_message.Message):
    __slots__ = ("name", "value", "unit", "source")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: str
    unit: str
    source: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[str] = ..., unit: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class InputEvent(_message.Message):
    __slots__ = ("event_id", "kind", "recorded_at")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    kind: str
    recorded_at: _timestamp_pb2.Timestamp
    def __init__(self, event_id: _Optional[str] = ..., kind: _Optional[str] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetLagRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetLagResponse(_message.Message):
    __slots__ = ("shards", "failures")
    SHARDS_FIELD_NUMBER: _ClassVar[int]
    FAILURES_FIELD_NUMBER: _ClassVar[int]
    shards: _containers.RepeatedCompositeFieldContainer[RulesLag]
    failures: _containers.RepeatedCompositeFieldContainer[RuleFailure]
    def __init__(self, shards: _Optional[_Iterable[_Union[RulesLag, _Mapping]]] = ..., failures: _Optional[_Iterable[_Union[RuleFailure, _Mapping]]] = ...) -> None: ...

class RulesLag(_message.Message):
    __slots__ = ("shard", "position", "oldest_unprocessed_ms")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    OLDEST_UNPROCESSED_MS_FIELD_NUMBER: _ClassVar[int]
    shard: int
    position: int
    oldest_unprocessed_ms: int
    def __init__(self, shard: _Optional[int] = ..., position: _Optional[int] = ..., oldest_unprocessed_ms: _Optional[int] = ...) -> None: ...

class RuleFailure(_message.Message):
    __slots__ = ("name", "what", "times")
    NAME_FIELD_NUMBER: _ClassVar[int]
    WHAT_FIELD_NUMBER: _ClassVar[int]
    TIMES_FIELD_NUMBER: _ClassVar[int]
    name: str
    what: str
    times: int
    def __init__(self, name: _Optional[str] = ..., what: _Optional[str] = ..., times: _Optional[int] = ...) -> None: ...
