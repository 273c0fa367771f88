"""What an event must be to come in, as ingest has it: the rules of the contract where protovalidate
is installed (the extra `rehab-sdk[testing]`), and those that stand beside them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_sdk.errors import Violation
from rehab_sdk.testing.refusals import Refusal, broken

MAX_EVENT_BYTES = 262_144
CONSENT_RULE = "envelope.consent_id"
Rules = Callable[[Message], list[Violation]]


def refusal(event: Event, clinic_id: str) -> Refusal | None:
    """Why the event may not come in; None when it may."""
    size = event.ByteSize()
    if size > MAX_EVENT_BYTES:
        limit = f"the event must be at most {MAX_EVENT_BYTES} bytes"
        return broken(
            "EVENT_TOO_LARGE",
            "body",
            "event.max_bytes",
            limit,
            limit_bytes=str(MAX_EVENT_BYTES),
            bytes=str(size),
        )
    envelope = event.envelope
    kind = KINDS.get(envelope.kind)
    if kind is None and envelope.kind:
        known = "must be a kind of the contract"
        return broken("UNKNOWN_KIND", "envelope.kind", "kind.known", known)
    if kind is not None and envelope.schema_version > kind.schema_version:
        newest = f"must be at most {kind.schema_version}"
        return broken("UNKNOWN_KIND", "envelope.schema_version", "schema_version.known", newest)
    found = [*violations(event), *_own_rules(event, clinic_id)]
    if found and all(one.rule == CONSENT_RULE for one in found):
        return broken("CONSENT_MISSING", CONSENT_RULE, CONSENT_RULE, found[0].message)
    return Refusal("INVALID_ARGUMENT", violations=found) if found else None


def _own_rules(event: Event, clinic_id: str) -> list[Violation]:
    envelope, found = event.envelope, []
    named = kind_of(event.body)
    if named is not None and envelope.kind != named:
        found.append(
            Violation("envelope.kind", "kind.matches_body", "must be the kind of the body")
        )
    elif named is not None and envelope.phi != KINDS[named].phi:
        stated = "true" if KINDS[named].phi else "false"
        found.append(Violation("envelope.phi", "phi.kind", f"must be {stated} for this kind"))
    if envelope.clinic_id != clinic_id:
        found.append(Violation("envelope.clinic_id", "clinic.own", "must be the caller's clinic"))
    return found


def _rules() -> Rules:
    try:
        import protovalidate  # noqa: PLC0415 - an extra
    except ImportError:
        return lambda _: []
    validator = protovalidate.Validator()

    def check(message: Message) -> list[Violation]:
        return [
            Violation(_path(found.proto), found.proto.rule_id, found.proto.message)
            for found in validator.collect_violations(message)
        ]

    return check


def _path(violation: Any) -> str:
    parts = []
    for element in violation.field.elements if violation.field is not None else ():
        index = element.subscript
        if index is None:
            parts.append(element.field_name)
        elif index.field == "index":
            parts.append(f"{element.field_name}[{index.value}]")
        else:
            parts.append(f"{element.field_name}[…]")
    return ".".join(parts)


violations = _rules()
