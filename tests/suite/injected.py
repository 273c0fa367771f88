"""Hostile text in every field that takes text: of every kind of event, and of every request."""

from __future__ import annotations

import itertools
import random
from collections.abc import Iterator
from dataclasses import dataclass

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Event
from rehab.events.v1.kinds import KINDS
from rehab.events.v1.tellers import SUITE_ONLY
from tests.fuzz.messages import EXAMPLES, NAMES, event, request_message
from tests.support.hostile import TEXTS

SOME = 4
"""Texts at each field of a request; which ones changes from field to field."""


@dataclass(frozen=True)
class Injected:
    """A message with one field set to a text, and where."""

    message: Message
    field: str
    text: str


def texts_of(message: Message, path: str = "") -> Iterator[tuple[Message, FieldDescriptor, str]]:
    """Every text in it, by the message that holds it and its path."""
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        if field.message_type is not None and field.message_type.GetOptions().map_entry:
            continue
        if field.message_type is not None:
            for number, one in enumerate(value if field.is_repeated else (value,)):
                place = f"{name}[{number}]." if field.is_repeated else f"{name}."
                yield from texts_of(one, place)
        elif field.type == FieldDescriptor.TYPE_STRING:
            yield message, field, name


def _each(message: Message, known: set[str], texts: int) -> Iterator[Injected]:
    """It with so many of the texts at each of its fields that is not known yet, one at a time."""
    nasty = itertools.cycle(TEXTS.values())
    for holder, field, path in list(texts_of(message)):
        if path in known:
            continue
        known.add(path)
        before = list(getattr(holder, field.name)) if field.is_repeated else None
        kept = getattr(holder, field.name)
        for text in itertools.islice(nasty, texts):
            if before is not None:
                kept[:] = [text]
            else:
                setattr(holder, field.name, text)
            copy = type(message).FromString(message.SerializeToString())
            yield Injected(copy, path, text)
        if before is not None:
            kept[:] = before
        else:
            setattr(holder, field.name, kept)


def events() -> Iterator[Injected]:
    pick = random.Random("injected")
    for kind in sorted(KINDS.keys() - SUITE_ONLY):
        known: set[str] = set()
        for body in EXAMPLES[kind]:
            made = event(pick, kind, "injected")
            made.body.CopyFrom(body)
            for one in _each(made, known, len(TEXTS)):
                told = one.message
                assert isinstance(told, Event)
                if one.field != "envelope.event_id":
                    told.envelope.event_id = event(pick, kind).envelope.event_id
                yield one


def requests() -> Iterator[tuple[str, Injected]]:
    """Of every RPC that takes one, by its name."""
    pick = random.Random("injected")
    for name in NAMES:
        for one in _each(request_message(name, pick), set(), SOME):
            yield name, one
