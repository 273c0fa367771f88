"""A person's own words stand where they are sealed, and nowhere else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rehab.events.v1 import event_pb2
from rehab.events.v1.kinds import KINDS, blank_free_text, is_free_text
from rehab_runtime.validation import violations
from tests.contract.golden import bodies
from tests.suite.patients_data import TEXT, filled

OPEN_KINDS = sorted(name for name, kind in KINDS.items() if not kind.phi)


def texts(message: Message) -> Iterator[tuple[Message, FieldDescriptor]]:
    """Every string of a message that is set."""
    for field, value in message.ListFields():
        if field.type == FieldDescriptor.TYPE_STRING:
            yield message, field
        elif field.message_type is not None and not field.message_type.GetOptions().map_entry:
            for part in (value,) if isinstance(value, Message) else value:
                yield from texts(part)


def put(message: Message, field: FieldDescriptor, text: str) -> None:
    value = getattr(message, field.name)
    if isinstance(value, str):
        setattr(message, field.name, text)
    else:
        value[:] = [text]


@pytest.mark.parametrize("kind", OPEN_KINDS)
def test_no_field_of_a_kind_that_is_not_sealed_takes_a_sentence(kind: str) -> None:
    assert not KINDS[kind].free_text
    for body in bodies(kind):
        for message, field in texts(body):
            wrong = event_pb2.Body()
            wrong.CopyFrom(body)
            (place,) = [
                one
                for one, (own, named) in zip(texts(wrong), texts(body), strict=True)
                if own is message and named.name == field.name
            ]
            put(*place, TEXT)
            assert violations(wrong), f"{message.DESCRIPTOR.name}.{field.name}"


def test_headers_of_an_import_take_no_sentence() -> None:
    (body,) = bodies("import_receipt")
    body.import_receipt.headers["automation-id"] = "A1B2"
    assert not violations(body)
    for name, value in (("automation-id", TEXT), (TEXT, "A1B2")):
        wrong = event_pb2.Body()
        wrong.CopyFrom(body)
        wrong.import_receipt.headers[name] = value
        assert violations(wrong)


def test_no_field_of_the_envelope_takes_a_sentence() -> None:
    envelope = event_pb2.Envelope(source=event_pb2.Source(), actor=event_pb2.Actor())
    for message in (envelope, envelope.source, envelope.actor):
        before = len(violations(message))
        for field in message.DESCRIPTOR.fields:
            if field.type == FieldDescriptor.TYPE_STRING:
                setattr(message, field.name, TEXT)
                told = [one for one in violations(message) if one.field == field.name]
                assert told, field.full_name
                message.ClearField(field.name)
        assert len(violations(message)) == before


@pytest.mark.parametrize("kind", sorted(name for name, one in KINDS.items() if one.free_text))
def test_words_are_taken_out_and_nothing_else(kind: str) -> None:
    places = 0
    for body in bodies(kind):
        plain = event_pb2.Body()
        plain.CopyFrom(body)
        blank_free_text(plain)
        places += filled(body)
        blank_free_text(body)
        assert body == plain
        assert not any(is_free_text(field) for _, field in texts(body))
        assert body.WhichOneof("kind") == kind
    assert places
