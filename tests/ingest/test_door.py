"""What may come in, and what the refusal names."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Body, Event
from rehab.events.v1.kinds import KINDS
from rehab_ingest.domain.door import by_contract, refusal
from rehab_runtime.errors import (
    ConsentMissing,
    EventTooLarge,
    InvalidArgument,
    RehabError,
    UnknownKind,
)
from rehab_runtime.validation import violations
from tests.contract.golden import bodies
from tests.ingest.given import CLINIC, rep

LIMIT = 262_144


def refused(event: Event) -> RehabError:
    error = refusal(event, CLINIC, LIMIT)
    assert error is not None
    return error


def named(error: RehabError) -> set[tuple[str, str]]:
    return {(violation.field, violation.rule) for violation in error.violations}


def test_a_good_event_comes_in() -> None:
    assert refusal(rep(), CLINIC, LIMIT) is None


def change(path: str, value: object) -> Callable[[Event], None]:
    def apply(event: Event) -> None:
        target: object = event
        *parents, name = path.split(".")
        for parent in parents:
            target = getattr(target, parent)
        setattr(target, name, value)

    return apply


def far_future(event: Event) -> None:
    event.envelope.occurred_at.FromJsonString("2099-01-01T00:00:00Z")


def not_a_number(event: Event) -> None:
    event.body.rep_observation.reps[0].score = float("nan")


@pytest.mark.parametrize(
    ("spoil", "kind", "field", "rule"),
    [
        (change("envelope.kind", "telepathy"), UnknownKind, "envelope.kind", "kind.known"),
        (
            change("envelope.schema_version", 9),
            UnknownKind,
            "envelope.schema_version",
            "schema_version.known",
        ),
        (change("envelope.kind", "alert"), InvalidArgument, "envelope.kind", "kind.matches_body"),
        (
            change("envelope.consent_id", ""),
            ConsentMissing,
            "envelope.consent_id",
            "envelope.consent_id",
        ),
        (change("envelope.phi", False), InvalidArgument, "envelope.phi", "phi.kind"),
        (
            change("envelope.clinic_id", "clinic-2"),
            InvalidArgument,
            "envelope.clinic_id",
            "clinic.own",
        ),
        (
            change("envelope.subject_id", "audit-ingest-0"),
            InvalidArgument,
            "envelope.subject_id",
            "subject.patient",
        ),
        (change("envelope.event_id", "7"), InvalidArgument, "envelope.event_id", "string.pattern"),
        (far_future, InvalidArgument, "envelope.occurred_at", "timestamp.not_in_future"),
        (not_a_number, InvalidArgument, "body.rep_observation.reps[0].score", "double.finite"),
    ],
)
def test_a_bad_event_is_refused_by_field_and_rule(
    spoil: Callable[[Event], None], kind: type[RehabError], field: str, rule: str
) -> None:
    event = rep()
    spoil(event)
    error = refused(event)
    assert type(error) is kind
    assert (field, rule) in named(error)


def plan() -> Event:
    event = rep()
    event.envelope.kind = "plan"
    event.body.plan.plan_id, event.body.plan.version = "plan-1", 1
    prescribed = event.body.plan.prescribed
    prescribed.effective_from, prescribed.zone = "2026-02-01", "Europe/Berlin"
    item = prescribed.items.add(exercise_id="squat")
    item.schedule.times.append("09:00")
    item.schedule.window_h = 3
    item.reps.sets, item.reps.reps = 3, 10
    return event


def test_a_plan_that_can_be_followed_comes_in() -> None:
    assert refusal(plan(), CLINIC, LIMIT) is None


PRESCRIBED = "body.plan.prescribed"


@pytest.mark.parametrize(
    ("path", "value", "rule"),
    [
        (f"{PRESCRIBED}.effective_from", "2026-02-30", "date.exists"),
        (f"{PRESCRIBED}.effective_from", "2027-02-29", "date.exists"),
        (f"{PRESCRIBED}.effective_from", "2026-13-01", "string.pattern"),
        (f"{PRESCRIBED}.effective_until", "2026-01-31", "period.order"),
        (f"{PRESCRIBED}.zone", "Europe/Atlantis", "zone.known"),
        ("envelope.zone", "Mars", "zone.known"),
    ],
)
def test_a_day_or_zone_that_there_is_none_of_is_refused(path: str, value: str, rule: str) -> None:
    event = plan()
    change(path, value)(event)
    assert (path, rule) in named(refused(event))


@pytest.mark.parametrize("time", ["25:00", "24:00", "9:00", "12:60"])
def test_a_time_that_no_clock_shows_is_refused(time: str) -> None:
    event = plan()
    event.body.plan.prescribed.items[0].schedule.times[:] = [time]
    field = f"{PRESCRIBED}.items[0].schedule.times[0]"
    assert (field, "string.pattern") in named(refused(event))


def test_an_event_of_two_megabytes_is_too_large() -> None:
    event = rep()
    event.body.rep_observation.exercise_id = "x" * 2_000_000
    error = refused(event)
    assert isinstance(error, EventTooLarge)
    assert error.metadata["limit_bytes"] == str(LIMIT)


def test_a_refusal_never_quotes_the_value() -> None:
    event = rep()
    event.envelope.subject_id = "Jane Doe, born 1980"
    assert "Jane" not in refused(event).message


def spoiled(message: Message) -> None:
    """Each text and number that is there becomes one that most rules refuse."""
    real = (FieldDescriptor.CPPTYPE_DOUBLE, FieldDescriptor.CPPTYPE_FLOAT)
    for field, value in message.ListFields():
        if field.message_type is not None:
            if field.message_type.GetOptions().map_entry:
                continue
            for one in value if field.is_repeated else [value]:
                spoiled(one)
        elif not field.is_repeated and field.cpp_type == field.CPPTYPE_STRING:
            long = "\u2028?" * 3_000
            setattr(message, field.name, long if field.type == field.TYPE_STRING else long.encode())
        elif not field.is_repeated and field.cpp_type in real:
            setattr(message, field.name, float("nan"))


@pytest.mark.parametrize("kind", KINDS)
def test_an_event_is_checked_in_parts_as_it_is_as_a_whole(kind: str) -> None:
    found = 0
    for body in bodies(kind):
        good, wrong = rep(), rep()
        for event in (good, wrong):
            event.body.CopyFrom(body)
            event.envelope.kind = kind
        spoiled(wrong.body)
        nothing, nobody = Event(body=body), Event(envelope=good.envelope)
        wrong_envelope = Event(body=body, envelope=good.envelope)
        spoiled(wrong_envelope.envelope)
        for event in (good, wrong, nothing, nobody, wrong_envelope):
            assert by_contract(event) == violations(event)
        found += len(by_contract(wrong_envelope))
    assert found


def test_no_rule_of_an_event_is_left_out_when_its_parts_are_checked() -> None:
    """Of the event and of its body there are none but that they have what they are made of."""
    # number 1159, buf.validate's; of a field: 25, required
    rules, required = b"\xba\x48", b"\xba\x48\x03\xc8\x01\x01"
    for message in (Event.DESCRIPTOR, Body.DESCRIPTOR):
        assert rules not in message.GetOptions().SerializeToString()
    for field in Event.DESCRIPTOR.fields:
        assert field.GetOptions().SerializeToString() == required
    for field in Body.DESCRIPTOR.fields:
        assert rules not in field.GetOptions().SerializeToString()


def consent(seconds: int, nanos: int = 0) -> Event:
    event = rep()
    event.body.Clear()
    event.envelope.kind = "consent"
    event.body.consent.consent_id = "consent-1"
    granted = event.body.consent.granted
    granted.purpose = "treatment"
    granted.valid_from.seconds, granted.valid_from.nanos = seconds, nanos
    return event


@pytest.mark.parametrize("seconds", [2**62, -(2**62), 253_402_300_799, -62_135_596_800])
def test_a_time_in_a_body_that_nobody_reckons_with_is_refused(seconds: int) -> None:
    assert ("body.consent.granted.valid_from", "time.exists") in named(refused(consent(seconds)))
    assert ("body.consent.granted.valid_from", "time.exists") in named(refused(consent(0, -1)))
    assert refusal(consent(0), CLINIC, LIMIT) is None


def test_a_time_is_found_however_deep_it_is() -> None:
    event = rep()
    event.body.Clear()
    event.envelope.kind = "workout"
    event.body.workout.heart_rate.add().start.seconds = 1
    event.body.workout.heart_rate.add().end.seconds = 2**60
    assert ("body.workout.heart_rate.end", "time.exists") in named(refused(event))


@pytest.mark.parametrize("day", ["0001-01-01", "1899-12-31", "2200-01-01", "9999-12-31"])
def test_a_day_that_nobody_lives_is_refused(day: str) -> None:
    event = plan()
    event.body.plan.prescribed.effective_until = day
    assert (f"{PRESCRIBED}.effective_until", "date.exists") in named(refused(event))


def test_a_text_that_postgresql_cannot_keep_is_refused() -> None:
    event = plan()
    event.body.plan.prescribed.items[0].instructions = "slowly\0"
    assert (f"{PRESCRIBED}.items.instructions", "string.no_nul") in named(refused(event))
    event = rep()
    event.body.Clear()
    event.envelope.kind = "workout"
    event.body.workout.scalars["a\0"].unit = "m"
    event.body.workout.scalars["b"].unit = "m\0"
    fields = {field for field, rule in named(refused(event)) if rule == "string.no_nul"}
    assert fields == {"body.workout.scalars.key", "body.workout.scalars.value.unit"}
