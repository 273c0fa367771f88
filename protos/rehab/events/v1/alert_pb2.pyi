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

class NudgeStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NUDGE_STAGE_UNSPECIFIED: _ClassVar[NudgeStage]
    NUDGE_STAGE_DECIDED: _ClassVar[NudgeStage]
    NUDGE_STAGE_SENT: _ClassVar[NudgeStage]
    NUDGE_STAGE_SUPPRESSED: _ClassVar[NudgeStage]
    NUDGE_STAGE_OPENED: _ClassVar[NudgeStage]
NUDGE_STAGE_UNSPECIFIED: NudgeStage
NUDGE_STAGE_DECIDED: NudgeStage
NUDGE_STAGE_SENT: NudgeStage
NUDGE_STAGE_SUPPRESSED: NudgeStage
NUDGE_STAGE_OPENED: NudgeStage

class Alert(_message.Message):
    __slots__ = ("alert_id", "raised", "escalated", "acknowledged", "resolved", "snoozed", "recurred")
    ALERT_ID_FIELD_NUMBER: _ClassVar[int]
    RAISED_FIELD_NUMBER: _ClassVar[int]
    ESCALATED_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    RESOLVED_FIELD_NUMBER: _ClassVar[int]
    SNOOZED_FIELD_NUMBER: _ClassVar[int]
    RECURRED_FIELD_NUMBER: _ClassVar[int]
    alert_id: str
    raised: AlertRaised
    escalated: AlertEscalated
    acknowledged: AlertAcknowledged
    resolved: AlertResolved
    snoozed: AlertSnoozed
    recurred: AlertRecurred
    def __init__(self, alert_id: _Optional[str] = ..., raised: _Optional[_Union[AlertRaised, _Mapping]] = ..., escalated: _Optional[_Union[AlertEscalated, _Mapping]] = ..., acknowledged: _Optional[_Union[AlertAcknowledged, _Mapping]] = ..., resolved: _Optional[_Union[AlertResolved, _Mapping]] = ..., snoozed: _Optional[_Union[AlertSnoozed, _Mapping]] = ..., recurred: _Optional[_Union[AlertRecurred, _Mapping]] = ...) -> None: ...

class AlertRaised(_message.Message):
    __slots__ = ("rule_id", "rule_version", "severity", "input_event_ids", "channel", "deadline", "message_key", "emergency")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    INPUT_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    DEADLINE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_KEY_FIELD_NUMBER: _ClassVar[int]
    EMERGENCY_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    rule_version: int
    severity: _common_pb2.Severity
    input_event_ids: _containers.RepeatedScalarFieldContainer[str]
    channel: str
    deadline: _timestamp_pb2.Timestamp
    message_key: str
    emergency: bool
    def __init__(self, rule_id: _Optional[str] = ..., rule_version: _Optional[int] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ..., input_event_ids: _Optional[_Iterable[str]] = ..., channel: _Optional[str] = ..., deadline: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., message_key: _Optional[str] = ..., emergency: bool = ...) -> None: ...

class AlertRecurred(_message.Message):
    __slots__ = ("times", "rule_version", "input_event_ids")
    TIMES_FIELD_NUMBER: _ClassVar[int]
    RULE_VERSION_FIELD_NUMBER: _ClassVar[int]
    INPUT_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    times: int
    rule_version: int
    input_event_ids: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, times: _Optional[int] = ..., rule_version: _Optional[int] = ..., input_event_ids: _Optional[_Iterable[str]] = ...) -> None: ...

class AlertEscalated(_message.Message):
    __slots__ = ("level", "to")
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    level: int
    to: str
    def __init__(self, level: _Optional[int] = ..., to: _Optional[str] = ...) -> None: ...

class AlertAcknowledged(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class AlertResolved(_message.Message):
    __slots__ = ("outcome", "useful")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    USEFUL_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    useful: bool
    def __init__(self, outcome: _Optional[str] = ..., useful: bool = ...) -> None: ...

class AlertSnoozed(_message.Message):
    __slots__ = ("until",)
    UNTIL_FIELD_NUMBER: _ClassVar[int]
    until: _timestamp_pb2.Timestamp
    def __init__(self, until: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class Nudge(_message.Message):
    __slots__ = ("nudge_id", "stage", "rule_id", "template", "arm", "reason", "trial")
    NUDGE_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    nudge_id: str
    stage: NudgeStage
    rule_id: str
    template: str
    arm: str
    reason: str
    trial: str
    def __init__(self, nudge_id: _Optional[str] = ..., stage: _Optional[_Union[NudgeStage, str]] = ..., rule_id: _Optional[str] = ..., template: _Optional[str] = ..., arm: _Optional[str] = ..., reason: _Optional[str] = ..., trial: _Optional[str] = ...) -> None: ...

class Review(_message.Message):
    __slots__ = ("item_id", "opened", "assigned", "snoozed", "closed")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    OPENED_FIELD_NUMBER: _ClassVar[int]
    ASSIGNED_FIELD_NUMBER: _ClassVar[int]
    SNOOZED_FIELD_NUMBER: _ClassVar[int]
    CLOSED_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    opened: ReviewOpened
    assigned: ReviewAssigned
    snoozed: AlertSnoozed
    closed: ReviewClosed
    def __init__(self, item_id: _Optional[str] = ..., opened: _Optional[_Union[ReviewOpened, _Mapping]] = ..., assigned: _Optional[_Union[ReviewAssigned, _Mapping]] = ..., snoozed: _Optional[_Union[AlertSnoozed, _Mapping]] = ..., closed: _Optional[_Union[ReviewClosed, _Mapping]] = ...) -> None: ...

class ReviewOpened(_message.Message):
    __slots__ = ("reason", "severity")
    REASON_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    reason: str
    severity: _common_pb2.Severity
    def __init__(self, reason: _Optional[str] = ..., severity: _Optional[_Union[_common_pb2.Severity, str]] = ...) -> None: ...

class ReviewAssigned(_message.Message):
    __slots__ = ("therapist_id",)
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    therapist_id: str
    def __init__(self, therapist_id: _Optional[str] = ...) -> None: ...

class ReviewClosed(_message.Message):
    __slots__ = ("outcome", "note")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    outcome: str
    note: str
    def __init__(self, outcome: _Optional[str] = ..., note: _Optional[str] = ...) -> None: ...
