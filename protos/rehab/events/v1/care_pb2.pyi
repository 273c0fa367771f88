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

class BillingStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BILLING_STAGE_UNSPECIFIED: _ClassVar[BillingStage]
    BILLING_STAGE_PROPOSED: _ClassVar[BillingStage]
    BILLING_STAGE_APPROVED: _ClassVar[BillingStage]
    BILLING_STAGE_EXPORTED: _ClassVar[BillingStage]
    BILLING_STAGE_WITHDRAWN: _ClassVar[BillingStage]

class DeliveryOutcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DELIVERY_OUTCOME_UNSPECIFIED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_PUSHED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_ACCEPTED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_REJECTED: _ClassVar[DeliveryOutcome]
    DELIVERY_OUTCOME_PULLED: _ClassVar[DeliveryOutcome]
BILLING_STAGE_UNSPECIFIED: BillingStage
BILLING_STAGE_PROPOSED: BillingStage
BILLING_STAGE_APPROVED: BillingStage
BILLING_STAGE_EXPORTED: BillingStage
BILLING_STAGE_WITHDRAWN: BillingStage
DELIVERY_OUTCOME_UNSPECIFIED: DeliveryOutcome
DELIVERY_OUTCOME_PUSHED: DeliveryOutcome
DELIVERY_OUTCOME_ACCEPTED: DeliveryOutcome
DELIVERY_OUTCOME_REJECTED: DeliveryOutcome
DELIVERY_OUTCOME_PULLED: DeliveryOutcome

class Message(_message.Message):
    __slots__ = ("message_id", "sent", "read")
    MESSAGE_ID_FIELD_NUMBER: _ClassVar[int]
    SENT_FIELD_NUMBER: _ClassVar[int]
    READ_FIELD_NUMBER: _ClassVar[int]
    message_id: str
    sent: MessageSent
    read: MessageRead
    def __init__(self, message_id: _Optional[str] = ..., sent: _Optional[_Union[MessageSent, _Mapping]] = ..., read: _Optional[_Union[MessageRead, _Mapping]] = ...) -> None: ...

class MessageSent(_message.Message):
    __slots__ = ("to", "text")
    TO_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    to: str
    text: str
    def __init__(self, to: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class MessageRead(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class Interaction(_message.Message):
    __slots__ = ("mode", "start", "end", "participants")
    MODE_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    PARTICIPANTS_FIELD_NUMBER: _ClassVar[int]
    mode: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    participants: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, mode: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., participants: _Optional[_Iterable[str]] = ...) -> None: ...

class RtmTime(_message.Message):
    __slots__ = ("entry_id", "logged", "voided")
    ENTRY_ID_FIELD_NUMBER: _ClassVar[int]
    LOGGED_FIELD_NUMBER: _ClassVar[int]
    VOIDED_FIELD_NUMBER: _ClassVar[int]
    entry_id: str
    logged: RtmTimeLogged
    voided: RtmTimeVoided
    def __init__(self, entry_id: _Optional[str] = ..., logged: _Optional[_Union[RtmTimeLogged, _Mapping]] = ..., voided: _Optional[_Union[RtmTimeVoided, _Mapping]] = ...) -> None: ...

class RtmTimeLogged(_message.Message):
    __slots__ = ("activity", "start", "end", "note")
    ACTIVITY_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    activity: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    note: str
    def __init__(self, activity: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class RtmTimeVoided(_message.Message):
    __slots__ = ("reason",)
    REASON_FIELD_NUMBER: _ClassVar[int]
    reason: str
    def __init__(self, reason: _Optional[str] = ...) -> None: ...

class Note(_message.Message):
    __slots__ = ("note_id", "text", "signature")
    NOTE_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    note_id: str
    text: str
    signature: bytes
    def __init__(self, note_id: _Optional[str] = ..., text: _Optional[str] = ..., signature: _Optional[bytes] = ...) -> None: ...

class BillingItem(_message.Message):
    __slots__ = ("item_id", "stage", "codes", "evidence_event_ids", "policy_version")
    ITEM_ID_FIELD_NUMBER: _ClassVar[int]
    STAGE_FIELD_NUMBER: _ClassVar[int]
    CODES_FIELD_NUMBER: _ClassVar[int]
    EVIDENCE_EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    POLICY_VERSION_FIELD_NUMBER: _ClassVar[int]
    item_id: str
    stage: BillingStage
    codes: _containers.RepeatedScalarFieldContainer[str]
    evidence_event_ids: _containers.RepeatedScalarFieldContainer[str]
    policy_version: str
    def __init__(self, item_id: _Optional[str] = ..., stage: _Optional[_Union[BillingStage, str]] = ..., codes: _Optional[_Iterable[str]] = ..., evidence_event_ids: _Optional[_Iterable[str]] = ..., policy_version: _Optional[str] = ...) -> None: ...

class EmrDelivery(_message.Message):
    __slots__ = ("delivery_id", "endpoint_id", "resource_type", "remote_id", "outcome", "consent_id", "resource_id", "event_ids", "purpose", "resource_kind")
    DELIVERY_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_TYPE_FIELD_NUMBER: _ClassVar[int]
    REMOTE_ID_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_IDS_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    RESOURCE_KIND_FIELD_NUMBER: _ClassVar[int]
    delivery_id: str
    endpoint_id: str
    resource_type: str
    remote_id: str
    outcome: DeliveryOutcome
    consent_id: str
    resource_id: str
    event_ids: _containers.RepeatedScalarFieldContainer[str]
    purpose: str
    resource_kind: str
    def __init__(self, delivery_id: _Optional[str] = ..., endpoint_id: _Optional[str] = ..., resource_type: _Optional[str] = ..., remote_id: _Optional[str] = ..., outcome: _Optional[_Union[DeliveryOutcome, str]] = ..., consent_id: _Optional[str] = ..., resource_id: _Optional[str] = ..., event_ids: _Optional[_Iterable[str]] = ..., purpose: _Optional[str] = ..., resource_kind: _Optional[str] = ...) -> None: ...

class Appointment(_message.Message):
    __slots__ = ("appointment_id", "status", "start", "end", "therapist_id", "reason")
    APPOINTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    appointment_id: str
    status: str
    start: _timestamp_pb2.Timestamp
    end: _timestamp_pb2.Timestamp
    therapist_id: str
    reason: str
    def __init__(self, appointment_id: _Optional[str] = ..., status: _Optional[str] = ..., start: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., end: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., therapist_id: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class Benefit(_message.Message):
    __slots__ = ("authorisation_id", "movement", "units", "appointment_id")
    AUTHORISATION_ID_FIELD_NUMBER: _ClassVar[int]
    MOVEMENT_FIELD_NUMBER: _ClassVar[int]
    UNITS_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_ID_FIELD_NUMBER: _ClassVar[int]
    authorisation_id: str
    movement: str
    units: _common_pb2.Quantity
    appointment_id: str
    def __init__(self, authorisation_id: _Optional[str] = ..., movement: _Optional[str] = ..., units: _Optional[_Union[_common_pb2.Quantity, _Mapping]] = ..., appointment_id: _Optional[str] = ...) -> None: ...

class Notification(_message.Message):
    __slots__ = ("notification_id", "channel", "template", "status", "not_before")
    NOTIFICATION_ID_FIELD_NUMBER: _ClassVar[int]
    CHANNEL_FIELD_NUMBER: _ClassVar[int]
    TEMPLATE_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    NOT_BEFORE_FIELD_NUMBER: _ClassVar[int]
    notification_id: str
    channel: str
    template: str
    status: str
    not_before: _timestamp_pb2.Timestamp
    def __init__(self, notification_id: _Optional[str] = ..., channel: _Optional[str] = ..., template: _Optional[str] = ..., status: _Optional[str] = ..., not_before: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...
