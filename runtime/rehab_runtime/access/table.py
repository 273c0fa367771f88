"""The access table: every RPC of the suite, and who may call it. What is not here nobody may.

A test holds it against the contract, and walks it cell by cell over the real servers;
`rehab access` prints it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType

from rehab_runtime.access.rules import Relation, Rule

OWN = frozenset({Relation.OWN})
CLINIC = frozenset({Relation.CLINIC})
TREATING = frozenset({Relation.CARE, Relation.GRANT})
GRANTED = frozenset({Relation.GRANT})
SUITE = frozenset({Relation.SUITE})
TREATMENT = "treatment"

RECORD = Rule(
    {
        "patient": OWN,
        "device": OWN,
        "therapist": TREATING,
        "emergency": GRANTED,
        "service": SUITE,
    },
    about="patient_id",
    purpose=TREATMENT,
    scope="read",
    traced=True,
)
"""Reads of a patient's record."""
BILLING = Rule(
    {"therapist": frozenset({Relation.CARE}), "service": SUITE},
    about="patient_id",
    purpose=TREATMENT,
    traced=True,
)
QUEUE = Rule(
    {"therapist": CLINIC, "service": SUITE},
    clinic="clinic_id",
    purpose=TREATMENT,
    scope="read",
    traced=True,
    per_item=True,
)
"""Reads over the patients of a clinic: of each patient who is shown, the purpose is asked."""
FIGURES = Rule({"therapist": CLINIC, "admin": CLINIC, "service": SUITE}, clinic="clinic_id")
"""Figures of a clinic in which no patient is named."""
INGEST = Rule(
    {"patient": OWN, "device": OWN, "therapist": TREATING, "service": SUITE},
    purpose=TREATMENT,
    scope="ingest",
    traced=True,
    per_item=True,
)
ANYBODY = Rule(
    {"patient": OWN, "device": OWN, "therapist": CLINIC, "admin": CLINIC, "emergency": CLINIC}
    | {"service": SUITE},
)
"""Whoever is let in at all."""
NOBODY_YET = Rule({}, open=True)
"""Whoever shows who they are by the request itself."""
ACCOUNTS = Rule({"admin": CLINIC, "service": SUITE}, clinic="clinic_id", traced=True)
OWN_ACCOUNT = Rule(
    {"patient": OWN, "therapist": OWN, "emergency": OWN, "admin": CLINIC, "service": SUITE},
    traced=True,
    per_item=True,
)
"""An account: one's own, or any of the clinic that an admin runs. The service knows whose it is."""
CONSENTS = Rule(
    {"patient": OWN, "therapist": TREATING, "admin": CLINIC, "service": SUITE},
    about="patient_id",
    traced=True,
)
"""What a patient agreed to, and who treats them. Without it nobody could be let in, so no purpose
is asked."""
ALERT = Rule(
    {"therapist": TREATING, "service": SUITE}, purpose=TREATMENT, traced=True, per_item=True
)
"""One alert: the service knows whose it is."""
RULES = Rule({"therapist": CLINIC, "admin": CLINIC, "service": SUITE})
RULE_CHANGES = Rule({"admin": CLINIC, "service": SUITE})
"""Which administrators may, the service is told."""
CARE = Rule({"admin": CLINIC, "service": SUITE}, about="patient_id", traced=True)
SHARING = Rule({"admin": CLINIC, "service": SUITE}, clinic="clinic_id", traced=True)
"""What a clinic shares with whom: states and ids, no patient's data."""
SHARED = Rule(
    {"therapist": TREATING, "service": SUITE}, about="patient_id", purpose=TREATMENT, traced=True
)
"""A patient's data on its way to a receiver, or from one."""


def _suite(*services: str) -> Rule:
    return Rule({"service": SUITE}, services=frozenset(services))


CONSUMERS = ("projections", "policy", "emr", "care", "identity", "cli")
WRITERS = ("ingest", "projections", "policy", "emr", "care", "identity", "eventstore", "cli")


def _of(service: str, rules: Mapping[str, Rule]) -> Iterable[tuple[str, Rule]]:
    return ((f"/{service}/{name}", rule) for name, rule in rules.items())


def _all(rule: Rule, *names: str) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


def _watched(rule: Rule) -> Rule:
    """Of a call that watches a read, whose request it holds as `asked`: the rule of the read, at
    every look."""
    about, clinic = (path and f"asked.{path}" for path in (rule.about, rule.clinic))
    return replace(rule, about=about, clinic=clinic)


_STORE = "rehab.eventstore.v1"
_READ = "rehab.projections.v1"
_WHO = "rehab.identity.v1"
_TELLS = "rehab.policy.v1"
_SHARES = "rehab.emr.v1"

TABLE: Mapping[str, Rule] = MappingProxyType(
    dict(
        [
            *_of(
                f"{_STORE}.EventStoreService",
                {
                    **_all(_suite(*WRITERS), "Append", "BatchAppend", "AppendAtomic"),
                    **_all(
                        _suite(*CONSUMERS, "ingest", "eventstore"),
                        *("ReadStream", "ReadAll", "Subscribe", "GetHead"),
                    ),
                },
            ),
            *_of(
                f"{_STORE}.ArchiveService",
                _all(_suite("cli"), "ArchiveEvents", "RestoreEvents", "ListSegments"),
            ),
            *_of(
                f"{_STORE}.ErasureService",
                _all(
                    _suite("cli", "identity"),
                    *("PrepareErasure", "EraseSubject", "PlaceLegalHold", "ReleaseLegalHold"),
                    *("ListLegalHolds", "GetErasureReport"),
                ),
            ),
            *_of(
                f"{_STORE}.KeyAdminService",
                _all(_suite("cli"), "GetKeyStatus", "RotateKek", "RotateDataKey", "RewrapDataKeys"),
            ),
            *_of(f"{_STORE}.KeyService", _all(_suite(*CONSUMERS), "GetDataKeys")),
            *_of(
                f"{_STORE}.ProofService",
                _all(_suite("cli"), "VerifyLog", "ListCheckpoints", "SignCheckpoint"),
            ),
            *_of(
                f"{_STORE}.SnapshotService",
                _all(_suite(*CONSUMERS), "SaveSnapshot", "LoadSnapshot"),
            ),
            *_of(
                "rehab.ingest.v1.IngestService",
                _all(INGEST, "StreamObservations", "LogEvent", "LogEvents"),
            ),
            *_of(
                f"{_READ}.ProjectionsService",
                {
                    **_all(RECORD, "GetAdherence", "GetQuality", "ListSessions"),
                    **_all(_watched(RECORD), "WatchAdherence", "WatchQuality", "WatchSessions"),
                    **_all(QUEUE, "ListWorkQueue", "WatchWorkQueue"),
                    "GetLag": ANYBODY,
                },
            ),
            *_of(
                f"{_READ}.ProgressService",
                {
                    **_all(
                        RECORD,
                        *("ListAdherenceWeeks", "ListMissedSessions", "GetSession", "ListReps"),
                        "GetPainAgainstQuality",
                    ),
                    **_all(
                        _watched(RECORD),
                        *("WatchAdherenceWeeks", "WatchMissedSessions", "WatchSession"),
                        *("WatchReps", "WatchPainAgainstQuality"),
                    ),
                },
            ),
            *_of(
                f"{_READ}.VitalsService",
                {
                    **_all(
                        RECORD, "ListVitalMetrics", "ListReadings", "ListVitalDays", "ListNights"
                    ),
                    **_all(
                        _watched(RECORD),
                        *("WatchVitalMetrics", "WatchReadings", "WatchVitalDays", "WatchNights"),
                    ),
                },
            ),
            *_of(
                f"{_READ}.BillingService",
                {
                    "GetBillingEvidence": BILLING,
                    "WatchBillingEvidence": _watched(BILLING),
                    "ListBillingGaps": QUEUE,
                    "WatchBillingGaps": _watched(QUEUE),
                },
            ),
            *_of(
                f"{_READ}.WorkService",
                {
                    **_all(FIGURES, "ListTherapistLoads", "ListWorkDays"),
                    **_all(_watched(FIGURES), "WatchTherapistLoads", "WatchWorkDays"),
                    "ListWorkTemplates": Rule({"therapist": CLINIC, "service": SUITE}),
                },
            ),
            *_of(
                f"{_READ}.ProjectionsAdminService",
                _all(
                    _suite("cli"),
                    *("Rebuild", "ListVersions", "SwitchVersion", "DropVersion"),
                    *("ListParked", "RetryParked", "SkipParked"),
                ),
            ),
            *_of(
                f"{_TELLS}.PolicyService",
                {
                    **_all(QUEUE, "ListAlerts", "ListDigest", "WatchAlerts"),
                    **_all(ALERT, "AcknowledgeAlert", "ResolveAlert", "Explain"),
                    "GetLag": _suite("cli"),
                },
            ),
            *_of(
                f"{_TELLS}.RuleService",
                {
                    **_all(RULES, "ListRuleSets", "ListRules"),
                    **_all(
                        RULE_CHANGES,
                        "GetRuleSet",
                        "PutRuleSet",
                        "ApproveRuleSet",
                        "TransitionRuleSet",
                    ),
                    "Backtest": Rule({"admin": CLINIC, "service": SUITE}, clinic="clinic_id"),
                    "GetRuleReport": FIGURES,
                },
            ),
            *_of(
                f"{_SHARES}.EmrService",
                {
                    **_all(SHARING, "RegisterEndpoint", "ListEndpoints", "Pause", "Resume"),
                    **_all(SHARING, "ListDeliveries", "Replay", "GetStatus", "WatchDeliveries"),
                    **_all(SHARING, "GetSubscription", "RotatePullToken"),
                    **_all(SHARED, "TestEndpoint", "GetOutcome", "ImportCarePlan"),
                    "LinkPatient": CARE,
                    "ListDisclosures": Rule(
                        {"patient": OWN, "admin": CLINIC, "service": SUITE},
                        about="patient_id",
                        traced=True,
                    ),
                    "ExportPatient": Rule(
                        {"patient": OWN, "service": SUITE}, about="patient_id", traced=True
                    ),
                },
            ),
            *_of(
                f"{_WHO}.AccountService",
                {
                    **_all(ACCOUNTS, "CreateAccount", "ListAccounts"),
                    **_all(OWN_ACCOUNT, "GetAccount", "UpdateProfile", "SetPassword"),
                    **_all(
                        Rule({"admin": CLINIC, "service": SUITE}, traced=True, per_item=True),
                        *("SetAccountStatus", "LinkIssuer"),
                    ),
                },
            ),
            *_of(
                f"{_WHO}.SessionService",
                {
                    **_all(
                        NOBODY_YET,
                        *("LogIn", "LogInDevice", "CreateNonce", "ExchangeToken"),
                        *("RefreshSession", "GetJwks"),
                    ),
                    "EndSession": ANYBODY,
                    "ListSessions": OWN_ACCOUNT,
                    "RotateSigningKey": _suite("cli"),
                },
            ),
            *_of(
                f"{_WHO}.DeviceService",
                {
                    "CreateEnrolmentCode": CONSENTS,
                    "EnrolDevice": NOBODY_YET,
                    "ListDevices": CONSENTS,
                    "RevokeDevice": OWN_ACCOUNT,
                },
            ),
            *_of(
                f"{_WHO}.ApiKeyService",
                {
                    **_all(
                        OWN_ACCOUNT, "CreateApiKey", "ListApiKeys", "RotateApiKey", "RevokeApiKey"
                    ),
                    "VerifyApiKey": _suite(),
                },
            ),
            *_of(
                f"{_WHO}.KeyAdminService",
                _all(_suite("cli"), "GetKeyStatus", "RotateKek", "RewrapKeys", "DestroyOldKeks"),
            ),
            *_of(
                f"{_WHO}.ConsentService",
                {
                    **_all(CONSENTS, "ListConsents", "ListCareTeam"),
                    **_all(
                        Rule(
                            {"patient": OWN, "admin": CLINIC, "service": SUITE},
                            about="patient_id",
                            traced=True,
                        ),
                        *("GrantConsent", "RevokeConsent"),
                    ),
                    **_all(CARE, "AssignTherapist", "ReleaseTherapist"),
                },
            ),
            *_of(
                f"{_WHO}.IdentityService",
                {
                    **_all(_suite(), "Authorize", "GetPatientFacts", "WatchAccess"),
                    "TakeEmergencyAccess": Rule(
                        {"therapist": CLINIC, "emergency": CLINIC}, about="patient_id", traced=True
                    ),
                    "EndEmergencyAccess": Rule(
                        {"therapist": OWN, "emergency": OWN, "admin": CLINIC},
                        traced=True,
                        per_item=True,
                    ),
                    "ReviewEmergencyAccess": Rule({"admin": CLINIC}, traced=True, per_item=True),
                    "ListEmergencyAccess": Rule(
                        {"admin": CLINIC, "service": SUITE}, clinic="clinic_id", traced=True
                    ),
                    "WatchEmergencyAccess": Rule(
                        {"therapist": CLINIC, "admin": CLINIC, "service": SUITE},
                        clinic="clinic_id",
                        traced=True,
                    ),
                    "ListAccess": Rule(
                        {"patient": OWN, "admin": CLINIC, "service": SUITE},
                        about="patient_id",
                        traced=True,
                    ),
                    "SearchAccess": Rule(
                        {"admin": CLINIC, "service": SUITE}, clinic="clinic_id", traced=True
                    ),
                    "ExportPatient": Rule(
                        {"patient": OWN, "service": SUITE}, about="patient_id", traced=True
                    ),
                },
            ),
        ]
    )
)


def rule_of(method: str) -> Rule | None:
    """The rule of "/package.Service/Method"; None for what nobody may call."""
    return TABLE.get(method)
