"""Events of every schema version ever shipped, as they were stored and as they were meant.

python -m tests.contract.golden     writes what is missing, and never touches what is there
"""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.json_format import MessageToDict
from google.protobuf.message import Message

from rehab.events.v1.admin_pb2 import ERASURE_STAGE_DONE
from rehab.events.v1.event_pb2 import PROVENANCE_SENSOR, ROLE_PATIENT, Body, RecordedEvent
from rehab.events.v1.kinds import KINDS, Kind
from rehab_runtime import sealed

FOLDER = Path(__file__).with_name("golden")
KEY_ID = "golden"
CIPHER = AESGCM(sha256(b"golden: a key that seals nobody's data").digest())
DEEPEST = 4
RECORDED_S = 1_772_445_600
"""2026-03-02T10:00:00Z"""

# What the rules of the contract ask for where a field's own name or number breaks them.
VALID: dict[str, Any] = {
    "AdherenceRating.items": 4,
    "Appointment.status": "booked",
    "Archive.first_hash": sha256(b"first").digest(),
    "Archive.incarnation": "01959a2b-0000-7000-8000-00000000cafe",
    "Archive.last_hash": sha256(b"last").digest(),
    "Archive.segment": "0.0000-0063.1-20000.5f3a9c2e71d4",
    "Archive.sha256": sha256(b"object").digest(),
    "Benefit.movement": "consumed",
    "Difficulty.rating": 4,
    "EmrDelivery.resource_type": "Observation",
    "EpisodeOpened.surgery_date": "2026-02-16",
    "Erasure.stage": ERASURE_STAGE_DONE,
    "FormFeedback.rep_event_id": "01959a2b-0000-7000-8000-00000000cafe",
    "Interaction.mode": "video",
    "ModelDrift.p_value": 0.5,
    "Notification.status": "sent",
    "OccurrenceRef.local_date": "2026-03-02",
    "OccurrenceRef.slot": "08:00",
    "PainReport.nprs": 7,
    "PlanItem.rpe_cap": 8.5,
    "PlanOfCare.discipline": "GP",
    "PlanOfCare.from_date": "2026-03-01",
    "PlanOfCare.to_date": "2026-05-30",
    "PlanPrescribed.effective_from": "2026-03-01",
    "PlanPrescribed.effective_until": "2026-05-30",
    "Questionnaire.instrument_version": "2.0",
    "QuarantineHeld.reason": "ERROR_REASON_UNKNOWN_KIND",
    "QuarantineReleased.outcome": "replayed",
    "Rep.confidence": 0.75,
    "Rep.phases_ms": [801, 202, 903, 304],
    "Rep.smoothness": -2.5,
    "SafetyLimits.pain_stop": 6,
    "Schedule.times": ["08:00", "18:30"],
    "Schedule.weekdays": [1, 3, 5],
}


def path_of(kind: str, version: int) -> Path:
    return FOLDER / f"{kind}.v{version}.json"


def wanted(kinds: Mapping[str, Kind]) -> set[Path]:
    """A file of every version of every kind."""
    return {
        path_of(name, version)
        for name, kind in kinds.items()
        for version in range(1, kind.schema_version + 1)
    }


def meant(body: Body) -> dict[str, Any]:
    """What a body says, by names: numbers of fields and choices are what must not change."""
    told: dict[str, Any] = MessageToDict(body, preserving_proto_field_name=True)
    return told


def fill(message: Message, choice: int, depth: int = 0) -> int:
    """Give every field a value of its own, so that no two can be taken for each other. `choice`
    says which of exclusive fields is set; how many there are to choose from is returned."""
    choices = 1
    for field in message.DESCRIPTOR.fields:
        oneof = field.containing_oneof
        if oneof is not None:
            choices = max(choices, len(oneof.fields))
            if oneof.fields[choice % len(oneof.fields)].name != field.name:
                continue
        if field.message_type is None:
            _set(message, field)
        elif depth < DEEPEST and not field.message_type.GetOptions().map_entry:
            inner = getattr(message, field.name)
            inner = inner.add() if field.is_repeated else inner
            inner.SetInParent()
            choices = max(choices, fill(inner, choice, depth + 1))
    return choices


def _set(message: Message, field: FieldDescriptor) -> None:
    name = f"{message.DESCRIPTOR.name}.{field.name}"
    value = VALID.get(name, _value(field))
    if field.is_repeated:
        getattr(message, field.name).extend(value if isinstance(value, list) else [value])
    else:
        setattr(message, field.name, value)


def _value(field: FieldDescriptor) -> Any:
    number = field.number
    match field.cpp_type:
        case FieldDescriptor.CPPTYPE_STRING:
            return field.name.encode() if field.type == FieldDescriptor.TYPE_BYTES else field.name
        case FieldDescriptor.CPPTYPE_BOOL:
            return True
        case FieldDescriptor.CPPTYPE_ENUM:
            values = field.enum_type.values
            return values[min(number, len(values) - 1)].number
        case FieldDescriptor.CPPTYPE_DOUBLE | FieldDescriptor.CPPTYPE_FLOAT:
            return number + 0.5
    return number + 10


def bodies(kind: str) -> list[Body]:
    """One for each way to choose among exclusive fields."""
    made: list[Body] = []
    choices = 1
    while len(made) < choices:
        body = Body()
        content = getattr(body, kind)
        content.SetInParent()
        choices = max(choices, fill(content, len(made)))
        made.append(body)
    return made


def stored(kind: str, version: int, number: int, body: Body) -> RecordedEvent:
    """The event as the log would keep it: sealed where it holds patient data."""
    event = RecordedEvent(body=body.SerializeToString(deterministic=True))
    told = event.envelope
    digest = sha256(f"{kind}.v{version}.{number}".encode()).hexdigest()
    told.event_id = f"01959a2b-{digest[:4]}-7{digest[4:7]}-8{digest[7:10]}-{digest[10:22]}"
    told.clinic_id, told.subject_id = "clinic-1", "patient-1"
    told.kind, told.schema_version = kind, version
    told.occurred_at.seconds = RECORDED_S - 60
    told.recorded_at.seconds = RECORDED_S
    told.zone, told.utc_offset_min = "Europe/Berlin", 60
    told.actor.id, told.actor.role = "patient-1", ROLE_PATIENT
    told.provenance = PROVENANCE_SENSOR
    told.position = told.stream_version = number + 1
    if KINDS[kind].phi:
        told.phi, told.consent_id = True, "consent-1"
        event.key_id = KEY_ID
        # a nonce is never chosen like this but where nothing is secret
        nonce = sha256(told.event_id.encode()).digest()[: sealed.NONCE_BYTES]
        bound = sealed.Bound(told.event_id, told.subject_id, kind, version)
        closed = CIPHER.encrypt(nonce, event.body, bound.associated())
        event.body = bytes([sealed.VERSION]) + nonce + closed
    return event


def made(kind: str, version: int) -> str:
    examples = [
        {
            "stored": b64encode(
                stored(kind, version, number, body).SerializeToString(deterministic=True)
            ).decode(),
            "meant": meant(body),
        }
        for number, body in enumerate(bodies(kind))
    ]
    told = {"kind": kind, "schema_version": version, "examples": examples}
    return json.dumps(told, indent=1, sort_keys=True) + "\n"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for name, kind in KINDS.items():
        path = path_of(name, kind.schema_version)
        if not path.exists():
            path.write_text(made(name, kind.schema_version))


if __name__ == "__main__":
    main()
