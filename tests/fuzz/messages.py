"""Good requests of every RPC of the contract, for whom the suite lets in: what is made wrong."""

from __future__ import annotations

import math
import random
import uuid
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from rehab.events.v1 import event_pb2, patient_pb2
from rehab.events.v1.event_pb2 import Body, Event, RecordedEvent
from rehab.events.v1.kinds import KINDS
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.ingest.v1 import ingest_service_pb2 as ingest_pb
from rehab_runtime.access.rules import Rule
from rehab_runtime.access.table import TABLE
from rehab_runtime.auth import Principal, service_principal
from tests.contract.golden import bodies, fill
from tests.support.contract import METHODS
from tests.support.hostile import TEXTS

CLINIC, PATIENT, CONSENT = "clinic_id", "patient_id", "consent_id"
"""As the fields are named: requests that are filled by name ask about them."""
CALLERS = (
    Principal(PATIENT, "patient", CLINIC, patient_id=PATIENT),
    Principal("therapist_id", "therapist", CLINIC),
    Principal("admin_id", "admin", CLINIC),
    Principal("emergency_id", "emergency", CLINIC),
)
SERVICES = ("cli", "projections", "identity", "ingest")
RARE = frozenset(
    {
        *("EraseSubject", "PrepareErasure", "RotateKek", "RewrapDataKeys", "RotateDataKey"),
        *("VerifyLog", "SignCheckpoint", "ArchiveEvents", "RestoreEvents", "ExportPatient"),
        *("Rebuild", "SwitchVersion", "DropVersion", "RotateSigningKey", "RewrapKeys"),
        *("CreateAccount", "SetPassword", "LogIn", "DestroyOldKeks"),
    }
)
EXAMPLES = {kind: bodies(kind) for kind in KINDS}


def event_id(pick: random.Random) -> str:
    """A UUIDv7 by its form."""
    made = pick.getrandbits(128) & ~(0xF << 76) | (7 << 76)
    return str(uuid.UUID(int=made & ~(3 << 62) | (2 << 62)))


def event(pick: random.Random, kind: str = "", patient: str = PATIENT) -> Event:
    """As a phone would tell it."""
    kind = kind or pick.choice(sorted(KINDS))
    made = Event(body=pick.choice(EXAMPLES[kind]))
    told = made.envelope
    told.event_id, told.kind, told.schema_version = event_id(pick), kind, 1
    told.clinic_id, told.subject_id = CLINIC, patient
    told.occurred_at.FromDatetime(datetime.now(UTC) - timedelta(hours=1))
    told.zone, told.device_id = "Europe/Berlin", "phone_id"
    told.actor.id, told.actor.role = patient, event_pb2.ROLE_PATIENT
    told.phi = KINDS[kind].phi
    told.consent_id = CONSENT if told.phi else ""
    return made


def recorded(made: Event, position: int) -> RecordedEvent:
    """As the log hands it out, opened."""
    stored = RecordedEvent(envelope=made.envelope, body=made.body.SerializeToString())
    stored.envelope.position = stored.envelope.stream_version = position
    stored.envelope.recorded_at.CopyFrom(made.envelope.occurred_at)
    return stored


def appended(events: Sequence[Event]) -> store_pb.AppendRequest:
    """Of one stream."""
    request = store_pb.AppendRequest(stream=events[0].envelope.subject_id)
    request.expected.any.SetInParent()
    for one in events:
        request.events.add(envelope=one.envelope, body=one.body.SerializeToString())
    return request


def admitted(patient: str, pick: random.Random) -> store_pb.AppendRequest:
    """What the log holds of a patient before anything else."""
    told = [
        Body(enrolment=patient_pb2.Enrolment(enrolled=patient_pb2.PatientEnrolled(zone="UTC"))),
        Body(consent=patient_pb2.Consent(consent_id=CONSENT)),
        Body(care_team=patient_pb2.CareTeam(therapist_id="therapist_id", action=1)),
    ]
    granted = told[1].consent.granted
    granted.purpose = "treatment"
    granted.valid_from.FromDatetime(datetime.now(UTC) - timedelta(days=9))
    made = [event(pick, kind, patient) for kind in ("enrolment", "consent", "care_team")]
    for one, body in zip(made, told, strict=True):
        one.body.CopyFrom(body)
    return appended(made)


def _requests(name: str, pick: random.Random) -> Message | None:
    """Of RPCs that take events."""
    match name.rsplit("/", 1)[1]:
        case "LogEvent":
            return ingest_pb.LogEventRequest(event=event(pick))
        case "LogEvents":
            return ingest_pb.LogEventsRequest(events=[event(pick) for _ in range(3)])
        case "Append":
            return appended([event(pick, patient=f"fuzz-{pick.randrange(50)}")])
        case "BatchAppend":
            patients = (f"fuzz-{pick.randrange(50)}" for _ in range(3))
            appends = [appended([event(pick, patient=one)]) for one in patients]
            return store_pb.BatchAppendRequest(appends=appends)
        case "AppendAtomic":
            return store_pb.AppendAtomicRequest(
                appends=[appended([event(pick, patient=f"fuzz-{pick.randrange(50)}")])]
            )
    return None


def request_message(name: str, pick: random.Random) -> Message:
    """A request of "/package.Service/Method" that the service understands."""
    made = _requests(name, pick)
    if made is None:
        made = GetMessageClass(METHODS[name].input_type)()
        fill(made, pick.randrange(8))
    return made


def request(name: str, pick: random.Random) -> bytes:
    return request_message(name, pick).SerializeToString()


def caller(name: str, pick: random.Random) -> Principal:
    """Mostly one who may call it."""
    rule: Rule = TABLE[name]
    if pick.random() < 0.1:
        return pick.choice(CALLERS)
    able = [one for one in CALLERS if one.role in rule.who]
    if "service" in rule.who and (not able or pick.random() < 0.3):
        return service_principal(pick.choice(sorted(rule.services) or SERVICES))
    return pick.choice(able or CALLERS)


def asked(pick: random.Random) -> str:
    """One of the RPCs that take one request; what is dear is asked rarely."""
    while True:
        name = pick.choice(NAMES)
        if name.rsplit("/", 1)[1] not in RARE or pick.random() < 1 / 50:
            return name


NAMES = sorted(name for name, method in METHODS.items() if not method.client_streaming)


def service_of(name: str) -> str:
    return name.split(".")[1]


WILD = {
    FieldDescriptor.CPPTYPE_BOOL: (True, False),
    FieldDescriptor.CPPTYPE_INT32: (0, 1, -1, 2**31 - 1, -(2**31)),
    FieldDescriptor.CPPTYPE_INT64: (0, 1, -1, 2**53, 2**63 - 1, -(2**63), 253_402_300_800),
    FieldDescriptor.CPPTYPE_UINT32: (0, 1, 2**31, 2**32 - 1),
    FieldDescriptor.CPPTYPE_UINT64: (0, 1, 2**63 - 1, 2**63, 2**64 - 1),
    FieldDescriptor.CPPTYPE_ENUM: (0, 1, 2, 99, 2**31 - 1),
    **dict.fromkeys(
        (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT),
        (0.0, -0.0, 1e308, -1e308, 5e-324, math.inf, -math.inf, math.nan),
    ),
}
DAYS = ("0001-01-01", "9999-12-31", "2026-02-29", "1900-01-01", "2199-12-31")


def make_wild(message: Message, pick: random.Random) -> None:
    """One field, somewhere, at the end of what its type can say, missing, or many times there."""
    told = message.ListFields()
    if not told:
        return
    field, value = pick.choice(told)
    if field.message_type is not None and pick.random() < 0.9:
        if field.is_repeated:
            make_wild(pick.choice(list(value)), pick)
        else:
            make_wild(value, pick)
        return
    if field.message_type is not None or pick.random() < 0.1:
        message.ClearField(field.name)
        return
    if field.is_repeated and pick.random() < 0.3:
        value.extend(list(value) * pick.choice((1, 20)))
        return
    wild = _wild(field, pick)
    try:
        if field.is_repeated:
            value[pick.randrange(len(value))] = wild
        else:
            setattr(message, field.name, wild)
    except (ValueError, OverflowError, TypeError):
        message.ClearField(field.name)


def _wild(field: FieldDescriptor, pick: random.Random) -> object:
    if field.cpp_type != FieldDescriptor.CPPTYPE_STRING:
        return pick.choice(WILD[field.cpp_type])
    text = pick.choice((*TEXTS.values(), *DAYS, "", "x"))
    text = text if pick.random() < 0.3 else text[:24]
    return text.encode() if field.type == FieldDescriptor.TYPE_BYTES else text
