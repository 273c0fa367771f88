import datetime

from google.protobuf import timestamp_pb2 as _timestamp_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RuleSetStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RULE_SET_STATUS_UNSPECIFIED: _ClassVar[RuleSetStatus]
    RULE_SET_STATUS_DRAFT: _ClassVar[RuleSetStatus]
    RULE_SET_STATUS_SHADOW: _ClassVar[RuleSetStatus]
    RULE_SET_STATUS_APPROVED: _ClassVar[RuleSetStatus]
    RULE_SET_STATUS_LIVE: _ClassVar[RuleSetStatus]
    RULE_SET_STATUS_RETIRED: _ClassVar[RuleSetStatus]
RULE_SET_STATUS_UNSPECIFIED: RuleSetStatus
RULE_SET_STATUS_DRAFT: RuleSetStatus
RULE_SET_STATUS_SHADOW: RuleSetStatus
RULE_SET_STATUS_APPROVED: RuleSetStatus
RULE_SET_STATUS_LIVE: RuleSetStatus
RULE_SET_STATUS_RETIRED: RuleSetStatus

class RuleSet(_message.Message):
    __slots__ = ("version", "status", "sha256", "author", "created_at", "approved_by", "approved_at", "shadow_from", "live_from", "ended_at", "rules", "note", "files")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    APPROVED_BY_FIELD_NUMBER: _ClassVar[int]
    APPROVED_AT_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FROM_FIELD_NUMBER: _ClassVar[int]
    LIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    ENDED_AT_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    FILES_FIELD_NUMBER: _ClassVar[int]
    version: int
    status: RuleSetStatus
    sha256: bytes
    author: str
    created_at: _timestamp_pb2.Timestamp
    approved_by: str
    approved_at: _timestamp_pb2.Timestamp
    shadow_from: _timestamp_pb2.Timestamp
    live_from: _timestamp_pb2.Timestamp
    ended_at: _timestamp_pb2.Timestamp
    rules: int
    note: str
    files: _containers.RepeatedCompositeFieldContainer[RuleFile]
    def __init__(self, version: _Optional[int] = ..., status: _Optional[_Union[RuleSetStatus, str]] = ..., sha256: _Optional[bytes] = ..., author: _Optional[str] = ..., created_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., approved_by: _Optional[str] = ..., approved_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., shadow_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., live_from: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., ended_at: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ..., rules: _Optional[int] = ..., note: _Optional[str] = ..., files: _Optional[_Iterable[_Union[RuleFile, _Mapping]]] = ...) -> None: ...

class RuleFile(_message.Message):
    __slots__ = ("name", "text")
    NAME_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    name: str
    text: str
    def __init__(self, name: _Optional[str] = ..., text: _Optional[str] = ...) -> None: ...

class RuleFiles(_message.Message):
    __slots__ = ("files",)
    FILES_FIELD_NUMBER: _ClassVar[int]
    files: _containers.RepeatedCompositeFieldContainer[RuleFile]
    def __init__(self, files: _Optional[_Iterable[_Union[RuleFile, _Mapping]]] = ...) -> None: ...

class PutRuleSetRequest(_message.Message):
    __slots__ = ("book", "note")
    BOOK_FIELD_NUMBER: _ClassVar[int]
    NOTE_FIELD_NUMBER: _ClassVar[int]
    book: RuleFiles
    note: str
    def __init__(self, book: _Optional[_Union[RuleFiles, _Mapping]] = ..., note: _Optional[str] = ...) -> None: ...

class PutRuleSetResponse(_message.Message):
    __slots__ = ("rule_set",)
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class ListRuleSetsRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListRuleSetsResponse(_message.Message):
    __slots__ = ("rule_sets",)
    RULE_SETS_FIELD_NUMBER: _ClassVar[int]
    rule_sets: _containers.RepeatedCompositeFieldContainer[RuleSet]
    def __init__(self, rule_sets: _Optional[_Iterable[_Union[RuleSet, _Mapping]]] = ...) -> None: ...

class GetRuleSetRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class GetRuleSetResponse(_message.Message):
    __slots__ = ("rule_set",)
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class ListRulesRequest(_message.Message):
    __slots__ = ("version",)
    VERSION_FIELD_NUMBER: _ClassVar[int]
    version: int
    def __init__(self, version: _Optional[int] = ...) -> None: ...

class ListRulesResponse(_message.Message):
    __slots__ = ("version", "rules", "limits_to_review")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    LIMITS_TO_REVIEW_FIELD_NUMBER: _ClassVar[int]
    version: int
    rules: _containers.RepeatedCompositeFieldContainer[Rule]
    limits_to_review: _containers.RepeatedCompositeFieldContainer[RuleLimit]
    def __init__(self, version: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[Rule, _Mapping]]] = ..., limits_to_review: _Optional[_Iterable[_Union[RuleLimit, _Mapping]]] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("rule_id", "triggers", "condition", "action", "severity", "emergency", "owner", "rationale", "source", "version", "enabled", "shadow", "review", "trial", "holdout", "merge")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    TRIGGERS_FIELD_NUMBER: _ClassVar[int]
    CONDITION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    SEVERITY_FIELD_NUMBER: _ClassVar[int]
    EMERGENCY_FIELD_NUMBER: _ClassVar[int]
    OWNER_FIELD_NUMBER: _ClassVar[int]
    RATIONALE_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ENABLED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    REVIEW_FIELD_NUMBER: _ClassVar[int]
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    HOLDOUT_FIELD_NUMBER: _ClassVar[int]
    MERGE_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    triggers: _containers.RepeatedScalarFieldContainer[str]
    condition: str
    action: str
    severity: str
    emergency: bool
    owner: str
    rationale: str
    source: str
    version: int
    enabled: bool
    shadow: bool
    review: bool
    trial: str
    holdout: int
    merge: bool
    def __init__(self, rule_id: _Optional[str] = ..., triggers: _Optional[_Iterable[str]] = ..., condition: _Optional[str] = ..., action: _Optional[str] = ..., severity: _Optional[str] = ..., emergency: bool = ..., owner: _Optional[str] = ..., rationale: _Optional[str] = ..., source: _Optional[str] = ..., version: _Optional[int] = ..., enabled: bool = ..., shadow: bool = ..., review: bool = ..., trial: _Optional[str] = ..., holdout: _Optional[int] = ..., merge: bool = ...) -> None: ...

class RuleLimit(_message.Message):
    __slots__ = ("name", "value", "unit", "source")
    NAME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    UNIT_FIELD_NUMBER: _ClassVar[int]
    SOURCE_FIELD_NUMBER: _ClassVar[int]
    name: str
    value: float
    unit: str
    source: str
    def __init__(self, name: _Optional[str] = ..., value: _Optional[float] = ..., unit: _Optional[str] = ..., source: _Optional[str] = ...) -> None: ...

class ApproveRuleSetRequest(_message.Message):
    __slots__ = ("version", "sha256")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    SHA256_FIELD_NUMBER: _ClassVar[int]
    version: int
    sha256: bytes
    def __init__(self, version: _Optional[int] = ..., sha256: _Optional[bytes] = ...) -> None: ...

class ApproveRuleSetResponse(_message.Message):
    __slots__ = ("rule_set",)
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class TransitionRuleSetRequest(_message.Message):
    __slots__ = ("version", "status")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    version: int
    status: RuleSetStatus
    def __init__(self, version: _Optional[int] = ..., status: _Optional[_Union[RuleSetStatus, str]] = ...) -> None: ...

class TransitionRuleSetResponse(_message.Message):
    __slots__ = ("rule_set",)
    RULE_SET_FIELD_NUMBER: _ClassVar[int]
    rule_set: RuleSet
    def __init__(self, rule_set: _Optional[_Union[RuleSet, _Mapping]] = ...) -> None: ...

class BacktestRequest(_message.Message):
    __slots__ = ("version", "book", "baseline", "clinic_id", "since")
    VERSION_FIELD_NUMBER: _ClassVar[int]
    BOOK_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    version: int
    book: RuleFiles
    baseline: int
    clinic_id: str
    since: _timestamp_pb2.Timestamp
    def __init__(self, version: _Optional[int] = ..., book: _Optional[_Union[RuleFiles, _Mapping]] = ..., baseline: _Optional[int] = ..., clinic_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class BacktestResponse(_message.Message):
    __slots__ = ("progress", "result")
    PROGRESS_FIELD_NUMBER: _ClassVar[int]
    RESULT_FIELD_NUMBER: _ClassVar[int]
    progress: BacktestProgress
    result: BacktestResult
    def __init__(self, progress: _Optional[_Union[BacktestProgress, _Mapping]] = ..., result: _Optional[_Union[BacktestResult, _Mapping]] = ...) -> None: ...

class BacktestProgress(_message.Message):
    __slots__ = ("folded", "total")
    FOLDED_FIELD_NUMBER: _ClassVar[int]
    TOTAL_FIELD_NUMBER: _ClassVar[int]
    folded: int
    total: int
    def __init__(self, folded: _Optional[int] = ..., total: _Optional[int] = ...) -> None: ...

class BacktestResult(_message.Message):
    __slots__ = ("events", "patients", "rules", "patients_changed", "therapists", "trials")
    EVENTS_FIELD_NUMBER: _ClassVar[int]
    PATIENTS_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    PATIENTS_CHANGED_FIELD_NUMBER: _ClassVar[int]
    THERAPISTS_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    events: int
    patients: int
    rules: _containers.RepeatedCompositeFieldContainer[RuleDifference]
    patients_changed: _containers.RepeatedCompositeFieldContainer[PatientDifference]
    therapists: _containers.RepeatedCompositeFieldContainer[TherapistAlertLoad]
    trials: _containers.RepeatedCompositeFieldContainer[TrialArm]
    def __init__(self, events: _Optional[int] = ..., patients: _Optional[int] = ..., rules: _Optional[_Iterable[_Union[RuleDifference, _Mapping]]] = ..., patients_changed: _Optional[_Iterable[_Union[PatientDifference, _Mapping]]] = ..., therapists: _Optional[_Iterable[_Union[TherapistAlertLoad, _Mapping]]] = ..., trials: _Optional[_Iterable[_Union[TrialArm, _Mapping]]] = ...) -> None: ...

class RuleDifference(_message.Message):
    __slots__ = ("rule_id", "action", "baseline", "candidate", "added", "removed", "merged")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    BASELINE_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    action: str
    baseline: int
    candidate: int
    added: int
    removed: int
    merged: int
    def __init__(self, rule_id: _Optional[str] = ..., action: _Optional[str] = ..., baseline: _Optional[int] = ..., candidate: _Optional[int] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ..., merged: _Optional[int] = ...) -> None: ...

class PatientDifference(_message.Message):
    __slots__ = ("patient_id", "added", "removed")
    PATIENT_ID_FIELD_NUMBER: _ClassVar[int]
    ADDED_FIELD_NUMBER: _ClassVar[int]
    REMOVED_FIELD_NUMBER: _ClassVar[int]
    patient_id: str
    added: int
    removed: int
    def __init__(self, patient_id: _Optional[str] = ..., added: _Optional[int] = ..., removed: _Optional[int] = ...) -> None: ...

class TherapistAlertLoad(_message.Message):
    __slots__ = ("therapist_id", "baseline_per_day", "candidate_per_day", "candidate_most")
    THERAPIST_ID_FIELD_NUMBER: _ClassVar[int]
    BASELINE_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_PER_DAY_FIELD_NUMBER: _ClassVar[int]
    CANDIDATE_MOST_FIELD_NUMBER: _ClassVar[int]
    therapist_id: str
    baseline_per_day: float
    candidate_per_day: float
    candidate_most: int
    def __init__(self, therapist_id: _Optional[str] = ..., baseline_per_day: _Optional[float] = ..., candidate_per_day: _Optional[float] = ..., candidate_most: _Optional[int] = ...) -> None: ...

class GetRuleReportRequest(_message.Message):
    __slots__ = ("clinic_id", "since")
    CLINIC_ID_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    clinic_id: str
    since: _timestamp_pb2.Timestamp
    def __init__(self, clinic_id: _Optional[str] = ..., since: _Optional[_Union[datetime.datetime, _timestamp_pb2.Timestamp, _Mapping]] = ...) -> None: ...

class GetRuleReportResponse(_message.Message):
    __slots__ = ("rules", "trials")
    RULES_FIELD_NUMBER: _ClassVar[int]
    TRIALS_FIELD_NUMBER: _ClassVar[int]
    rules: _containers.RepeatedCompositeFieldContainer[RuleReport]
    trials: _containers.RepeatedCompositeFieldContainer[TrialArm]
    def __init__(self, rules: _Optional[_Iterable[_Union[RuleReport, _Mapping]]] = ..., trials: _Optional[_Iterable[_Union[TrialArm, _Mapping]]] = ...) -> None: ...

class TrialArm(_message.Message):
    __slots__ = ("trial", "arm", "firings", "followed", "patients", "patients_followed")
    TRIAL_FIELD_NUMBER: _ClassVar[int]
    ARM_FIELD_NUMBER: _ClassVar[int]
    FIRINGS_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    PATIENTS_FIELD_NUMBER: _ClassVar[int]
    PATIENTS_FOLLOWED_FIELD_NUMBER: _ClassVar[int]
    trial: str
    arm: str
    firings: int
    followed: int
    patients: int
    patients_followed: int
    def __init__(self, trial: _Optional[str] = ..., arm: _Optional[str] = ..., firings: _Optional[int] = ..., followed: _Optional[int] = ..., patients: _Optional[int] = ..., patients_followed: _Optional[int] = ...) -> None: ...

class RuleReport(_message.Message):
    __slots__ = ("rule_id", "version", "action", "fired", "shadow", "acknowledged", "useful", "not_useful", "precision", "digested", "withheld", "merged")
    RULE_ID_FIELD_NUMBER: _ClassVar[int]
    VERSION_FIELD_NUMBER: _ClassVar[int]
    ACTION_FIELD_NUMBER: _ClassVar[int]
    FIRED_FIELD_NUMBER: _ClassVar[int]
    SHADOW_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_FIELD_NUMBER: _ClassVar[int]
    USEFUL_FIELD_NUMBER: _ClassVar[int]
    NOT_USEFUL_FIELD_NUMBER: _ClassVar[int]
    PRECISION_FIELD_NUMBER: _ClassVar[int]
    DIGESTED_FIELD_NUMBER: _ClassVar[int]
    WITHHELD_FIELD_NUMBER: _ClassVar[int]
    MERGED_FIELD_NUMBER: _ClassVar[int]
    rule_id: str
    version: int
    action: str
    fired: int
    shadow: int
    acknowledged: int
    useful: int
    not_useful: int
    precision: float
    digested: int
    withheld: int
    merged: int
    def __init__(self, rule_id: _Optional[str] = ..., version: _Optional[int] = ..., action: _Optional[str] = ..., fired: _Optional[int] = ..., shadow: _Optional[int] = ..., acknowledged: _Optional[int] = ..., useful: _Optional[int] = ..., not_useful: _Optional[int] = ..., precision: _Optional[float] = ..., digested: _Optional[int] = ..., withheld: _Optional[int] = ..., merged: _Optional[int] = ...) -> None: ...
