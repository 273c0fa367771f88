import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from rehab.events.v1 import admin_pb2 as _admin_pb2
from rehab.events.v1 import alert_pb2 as _alert_pb2
from rehab.events.v1 import care_pb2 as _care_pb2
from rehab.events.v1 import exercise_pb2 as _exercise_pb2
from rehab.events.v1 import health_pb2 as _health_pb2
from rehab.events.v1 import options_pb2 as _options_pb2
from rehab.events.v1 import patient_pb2 as _patient_pb2
from rehab.events.v1 import plan_pb2 as _plan_pb2
from rehab.events.v1 import report_pb2 as _report_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Role(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ROLE_UNSPECIFIED: _ClassVar[Role]
    ROLE_PATIENT: _ClassVar[Role]
    ROLE_THERAPIST: _ClassVar[Role]
    ROLE_ADMIN: _ClassVar[Role]
    ROLE_EMERGENCY: _ClassVar[Role]
    ROLE_SERVICE: _ClassVar[Role]
    ROLE_DEVICE: _ClassVar[Role]

class Provenance(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROVENANCE_UNSPECIFIED: _ClassVar[Provenance]
    PROVENANCE_SENSOR: _ClassVar[Provenance]
    PROVENANCE_CAMERA: _ClassVar[Provenance]
    PROVENANCE_SELF_REPORT: _ClassVar[Provenance]
    PROVENANCE_CLINICIAN: _ClassVar[Provenance]
    PROVENANCE_IMPORT: _ClassVar[Provenance]
    PROVENANCE_SYSTEM: _ClassVar[Provenance]
ROLE_UNSPECIFIED: Role
ROLE_PATIENT: Role
ROLE_THERAPIST: Role
ROLE_ADMIN: Role
ROLE_EMERGENCY: Role
ROLE_SERVICE: Role
ROLE_DEVICE: Role
PROVENANCE_UNSPECIFIED: Provenance
PROVENANCE_SENSOR: Provenance
PROVENANCE_CAMERA: Provenance
PROVENANCE_SELF_REPORT: Provenance
PROVENANCE_CLINICIAN: Provenance
PROVENANCE_IMPORT: Provenance
PROVENANCE_SYSTEM: Provenance

class Actor(_message.Message):
    __slots__ = ("id", "role", "credential")
    ID_FIELD_NUMBER: _ClassVar[int]
    ROLE_FIELD_NUMBER: _ClassVar[int]
    CREDENTIAL_FIELD_NUMBER: _ClassVar[int]
    id: str
    role: Role
    credential: str
    def __init__(self, id: _Optional[str] = ..., role: _Optional[_Union[Role, str]] = ..., credential: _Optional[str] = ...) -> None: ...

class Source(_message.Message):
    __slots__ = ("app", "app_version", "device_model", "os", "model_id")
    APP_FIELD_NUMBER: _ClassVar[int]
    APP_VERSION_FIELD_NUMBER: _ClassVar[int]
    DEVICE_MODEL_FIELD_NUMBER: _ClassVar[int]
    OS_FIELD_NUMBER: _ClassVar[int]
    MODEL_ID_FIELD_NUMBER: _ClassVar[int]
    app: str
    app_version: str
    device_model: str
    os: str
    model_id: str
    def __init__(self, app: _Optional[str] = ..., app_version: _Optional[str] = ..., device_model: _Optional[str] = ..., os: _Optional[str] = ..., model_id: _Optional[str] = ...) -> None: ...

class Envelope(_message.Message):
    __slots__ = ("event_id", "clinic_id", "subject_id", "kind", "schema_version", "occurred_at", "recorded_at", "zone", "utc_offset_min", "clock_skew_ms", "actor", "device_id", "source", "provenance", "episode_id", "plan_version", "correlation_id", "causation_id", "device_epoch", "device_seq", "phi", "consent_id", "consent_purpose", "position", "stream_version", "corrects")
    EVENT_ID_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    SCHEMA_VERSION_FIELD_NUMBER: _ClassVar[int]
    OCCURRED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    ZONE_FIELD_NUMBER: _ClassVar[int]
    UTC_OFFSET_MIN_FIELD_NUMBER: _ClassVar[int]
    CLOCK_SKEW_MS_FIELD_NUMBER: _ClassVar[int]
    ACTOR_FIELD_NUMBER: _ClassVar[int]
    DEVICE_ID_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    PROVENANCE_FIELD_NUMBER: _ClassVar[int]
    EPISODE_ID_FIELD_NUMBER: _ClassVar[int]
    PLAN_VERSION_FIELD_NUMBER: _ClassVar[int]
    CORRELATION_ID_FIELD_NUMBER: _ClassVar[int]
    CAUSATION_ID_FIELD_NUMBER: _ClassVar[int]
    DEVICE_EPOCH_FIELD_NUMBER: _ClassVar[int]
    DEVICE_SEQ_FIELD_NUMBER: _ClassVar[int]
    PHI_FIELD_NUMBER: _ClassVar[int]
    CONSENT_ID_FIELD_NUMBER: _ClassVar[int]
    CONSENT_PURPOSE_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    STREAM_VERSION_FIELD_NUMBER: _ClassVar[int]
    CORRECTS_FIELD_NUMBER: _ClassVar[int]
    event_id: str
    clinic_id: str
    subject_id: str
    kind: str
    schema_version: int
    occurred_at: _timestamp_pb2.Timestamp
    recorded_at: _timestamp_pb2.Timestamp
    zone: str
    utc_offset_min: int
    clock_skew_ms: int
    actor: Actor
    device_id: str
    source: Source
    provenance: Provenance
    episode_id: str
    plan_version: int
    correlation_id: str
    causation_id: str
    device_epoch: int
    device_seq: int
    phi: bool
    consent_id: str
    consent_purpose: str
    position: int
    stream_version: int
    corrects: str
    def __init__(self, event_id: _Optional[str] = ..., clinic_id: _Optional[str] = ..., subject_id: _Optional[str] = ..., kind: _Optional[str] = ..., schema_version: _Optional[int] = ..., occurred_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., recorded_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., zone: _Optional[str] = ..., utc_offset_min: _Optional[int] = ..., clock_skew_ms: _Optional[int] = ..., actor: _Optional[_Union[Actor, _Mapping]] = ..., device_id: _Optional[str] = ..., source: _Optional[_Union[Source, _Mapping]] = ..., provenance: _Optional[_Union[Provenance, str]] = ..., episode_id: _Optional[str] = ..., plan_version: _Optional[int] = ..., correlation_id: _Optional[str] = ..., causation_id: _Optional[str] = ..., device_epoch: _Optional[int] = ..., device_seq: _Optional[int] = ..., phi: bool = ..., consent_id: _Optional[str] = ..., consent_purpose: _Optional[str] = ..., position: _Optional[int] = ..., stream_version: _Optional[int] = ..., corrects: _Optional[str] = ...) -> None: ...

class Body(_message.Message):
    __slots__ = ("exercise_session", "rep_observation", "feedback", "alert", "consent", "plan", "care_team", "pain_report", "symptom_report", "questionnaire", "adherence_rating", "enrolment", "monitoring", "plan_of_care", "goal", "health_samples", "sleep", "workout", "route", "import_receipt", "nudge", "message", "interaction", "review", "rtm_time", "note", "billing_item", "emr_delivery", "appointment", "benefit", "notification", "access", "break_glass", "export", "erasure", "model_drift", "policy_change", "archive", "quarantine")
    EXERCISE_SESSION_FIELD_NUMBER: _ClassVar[int]
    REP_OBSERVATION_FIELD_NUMBER: _ClassVar[int]
    FEEDBACK_FIELD_NUMBER: _ClassVar[int]
    ALERT_FIELD_NUMBER: _ClassVar[int]
    CONSENT_FIELD_NUMBER: _ClassVar[int]
    PLAN_FIELD_NUMBER: _ClassVar[int]
    CARE_TEAM_FIELD_NUMBER: _ClassVar[int]
    PAIN_REPORT_FIELD_NUMBER: _ClassVar[int]
    SYMPTOM_REPORT_FIELD_NUMBER: _ClassVar[int]
    QUESTIONNAIRE_FIELD_NUMBER: _ClassVar[int]
    ADHERENCE_RATING_FIELD_NUMBER: _ClassVar[int]
    ENROLMENT_FIELD_NUMBER: _ClassVar[int]
    MONITORING_FIELD_NUMBER: _ClassVar[int]
    PLAN_OF_CARE_FIELD_NUMBER: _ClassVar[int]
    GOAL_FIELD_NUMBER: _ClassVar[int]
    HEALTH_SAMPLES_FIELD_NUMBER: _ClassVar[int]
    SLEEP_FIELD_NUMBER: _ClassVar[int]
    WORKOUT_FIELD_NUMBER: _ClassVar[int]
    ROUTE_FIELD_NUMBER: _ClassVar[int]
    IMPORT_RECEIPT_FIELD_NUMBER: _ClassVar[int]
    NUDGE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    INTERACTION_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    RTM_TIME_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    BILLING_ITEM_FIELD_NUMBER: _ClassVar[int]
    EMR_DELIVERY_FIELD_NUMBER: _ClassVar[int]
    APPOINTMENT_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    NOTIFICATION_FIELD_NUMBER: _ClassVar[int]
    ACCESS_FIELD_NUMBER: _ClassVar[int]
    BREAK_GLASS_FIELD_NUMBER: _ClassVar[int]
    EXPORT_FIELD_NUMBER: _ClassVar[int]
    ERASURE_FIELD_NUMBER: _ClassVar[int]
    MODEL_DRIFT_FIELD_NUMBER: _ClassVar[int]
    POLICY_CHANGE_FIELD_NUMBER: _ClassVar[int]
    ARCHIVE_FIELD_NUMBER: _ClassVar[int]
    QUARANTINE_FIELD_NUMBER: _ClassVar[int]
    exercise_session: _exercise_pb2.ExerciseSession
    rep_observation: _exercise_pb2.RepObservation
    feedback: _exercise_pb2.Feedback
    alert: _alert_pb2.Alert
    consent: _patient_pb2.Consent
    plan: _plan_pb2.Plan
    care_team: _patient_pb2.CareTeam
    pain_report: _report_pb2.PainReport
    symptom_report: _report_pb2.SymptomReport
    questionnaire: _report_pb2.Questionnaire
    adherence_rating: _report_pb2.AdherenceRating
    enrolment: _patient_pb2.Enrolment
    monitoring: _patient_pb2.Monitoring
    plan_of_care: _patient_pb2.PlanOfCare
    goal: _patient_pb2.Goal
    health_samples: _health_pb2.HealthSamples
    sleep: _health_pb2.Sleep
    workout: _health_pb2.Workout
    route: _health_pb2.Route
    import_receipt: _health_pb2.ImportReceipt
    nudge: _alert_pb2.Nudge
    message: _care_pb2.Message
    interaction: _care_pb2.Interaction
    review: _alert_pb2.Review
    rtm_time: _care_pb2.RtmTime
    note: _care_pb2.Note
    billing_item: _care_pb2.BillingItem
    emr_delivery: _care_pb2.EmrDelivery
    appointment: _care_pb2.Appointment
    benefit: _care_pb2.Benefit
    notification: _care_pb2.Notification
    access: _admin_pb2.Access
    break_glass: _admin_pb2.BreakGlass
    export: _admin_pb2.Export
    erasure: _admin_pb2.Erasure
    model_drift: _admin_pb2.ModelDrift
    policy_change: _admin_pb2.PolicyChange
    archive: _admin_pb2.Archive
    quarantine: _admin_pb2.Quarantine
    def __init__(self, exercise_session: _Optional[_Union[_exercise_pb2.ExerciseSession, _Mapping]] = ..., rep_observation: _Optional[_Union[_exercise_pb2.RepObservation, _Mapping]] = ..., feedback: _Optional[_Union[_exercise_pb2.Feedback, _Mapping]] = ..., alert: _Optional[_Union[_alert_pb2.Alert, _Mapping]] = ..., consent: _Optional[_Union[_patient_pb2.Consent, _Mapping]] = ..., plan: _Optional[_Union[_plan_pb2.Plan, _Mapping]] = ..., care_team: _Optional[_Union[_patient_pb2.CareTeam, _Mapping]] = ..., pain_report: _Optional[_Union[_report_pb2.PainReport, _Mapping]] = ..., symptom_report: _Optional[_Union[_report_pb2.SymptomReport, _Mapping]] = ..., questionnaire: _Optional[_Union[_report_pb2.Questionnaire, _Mapping]] = ..., adherence_rating: _Optional[_Union[_report_pb2.AdherenceRating, _Mapping]] = ..., enrolment: _Optional[_Union[_patient_pb2.Enrolment, _Mapping]] = ..., monitoring: _Optional[_Union[_patient_pb2.Monitoring, _Mapping]] = ..., plan_of_care: _Optional[_Union[_patient_pb2.PlanOfCare, _Mapping]] = ..., goal: _Optional[_Union[_patient_pb2.Goal, _Mapping]] = ..., health_samples: _Optional[_Union[_health_pb2.HealthSamples, _Mapping]] = ..., sleep: _Optional[_Union[_health_pb2.Sleep, _Mapping]] = ..., workout: _Optional[_Union[_health_pb2.Workout, _Mapping]] = ..., route: _Optional[_Union[_health_pb2.Route, _Mapping]] = ..., import_receipt: _Optional[_Union[_health_pb2.ImportReceipt, _Mapping]] = ..., nudge: _Optional[_Union[_alert_pb2.Nudge, _Mapping]] = ..., message: _Optional[_Union[_care_pb2.Message, _Mapping]] = ..., interaction: _Optional[_Union[_care_pb2.Interaction, _Mapping]] = ..., review: _Optional[_Union[_alert_pb2.Review, _Mapping]] = ..., rtm_time: _Optional[_Union[_care_pb2.RtmTime, _Mapping]] = ..., note: _Optional[_Union[_care_pb2.Note, _Mapping]] = ..., billing_item: _Optional[_Union[_care_pb2.BillingItem, _Mapping]] = ..., emr_delivery: _Optional[_Union[_care_pb2.EmrDelivery, _Mapping]] = ..., appointment: _Optional[_Union[_care_pb2.Appointment, _Mapping]] = ..., benefit: _Optional[_Union[_care_pb2.Benefit, _Mapping]] = ..., notification: _Optional[_Union[_care_pb2.Notification, _Mapping]] = ..., access: _Optional[_Union[_admin_pb2.Access, _Mapping]] = ..., break_glass: _Optional[_Union[_admin_pb2.BreakGlass, _Mapping]] = ..., export: _Optional[_Union[_admin_pb2.Export, _Mapping]] = ..., erasure: _Optional[_Union[_admin_pb2.Erasure, _Mapping]] = ..., model_drift: _Optional[_Union[_admin_pb2.ModelDrift, _Mapping]] = ..., policy_change: _Optional[_Union[_admin_pb2.PolicyChange, _Mapping]] = ..., archive: _Optional[_Union[_admin_pb2.Archive, _Mapping]] = ..., quarantine: _Optional[_Union[_admin_pb2.Quarantine, _Mapping]] = ...) -> None: ...

class Event(_message.Message):
    __slots__ = ("envelope", "body")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    envelope: Envelope
    body: Body
    def __init__(self, envelope: _Optional[_Union[Envelope, _Mapping]] = ..., body: _Optional[_Union[Body, _Mapping]] = ...) -> None: ...

class RecordedEvent(_message.Message):
    __slots__ = ("envelope", "body", "key_id", "hash", "erased")
    ENVELOPE_FIELD_NUMBER: _ClassVar[int]
    BODY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    ERASED_FIELD_NUMBER: _ClassVar[int]
    envelope: Envelope
    body: bytes
    key_id: str
    hash: bytes
    erased: bool
    def __init__(self, envelope: _Optional[_Union[Envelope, _Mapping]] = ..., body: _Optional[bytes] = ..., key_id: _Optional[str] = ..., hash: _Optional[bytes] = ..., erased: bool = ...) -> None: ...

class LogPosition(_message.Message):
    __slots__ = ("shard", "position")
    SHARD_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    shard: int
    position: int
    def __init__(self, shard: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class LogMessage(_message.Message):
    __slots__ = ("incarnation", "shard", "events")
    INCARNATION_FIELD_NUMBER: _ClassVar[int]
    SHARD_FIELD_NUMBER: _ClassVar[int]
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    incarnation: str
    shard: int
    events: _containers.RepeatedCompositeFieldContainer[RecordedEvent]
    def __init__(self, incarnation: _Optional[str] = ..., shard: _Optional[int] = ..., events: _Optional[_Iterable[_Union[RecordedEvent, _Mapping]]] = ...) -> None: ...
