"""Days that exist and zones that are known: what a pattern of the contract cannot say."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from datetime import date
from zoneinfo import available_timezones

from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Event
from rehab_runtime.errors import Violation

_ZONES = ("envelope.zone", "body.enrolment.enrolled.zone", "body.plan.prescribed.zone")
_DAYS = (
    "body.enrolment.episode_opened.surgery_date",
    "body.plan.prescribed.effective_from",
    "body.plan.prescribed.effective_until",
    "body.plan_of_care.from_date",
    "body.plan_of_care.to_date",
    "body.exercise_session.started.occurrence.local_date",
    "body.exercise_session.self_reported.occurrence.local_date",
)
_PERIODS = (
    ("body.plan.prescribed.effective_from", "body.plan.prescribed.effective_until"),
    ("body.plan_of_care.from_date", "body.plan_of_care.to_date"),
)


def impossible(event: Event) -> Iterator[Violation]:
    """Each field that names a day or a zone there is none of, or a period that ends before it
    begins. Zones are those of the IANA time zone database."""
    zones, days, periods = _named_by(event.body.WhichOneof("kind") or "")
    for path in zones:
        zone = _value(event, path)
        if zone and zone not in _known_zones():
            yield Violation(path, "zone.known", "must be a zone of the IANA database")
    wrong = [path for path in days if not _exists(_value(event, path))]
    for path in wrong:
        yield Violation(path, "date.exists", "must be a day of the calendar, YYYY-MM-DD")
    for first, last in periods:
        ends = _value(event, last)
        if ends and ends < _value(event, first) and not {first, last} & {*wrong}:
            yield Violation(last, "period.order", "must not be before the first day")


@functools.cache
def _named_by(kind: str) -> tuple[tuple[str, ...], tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Paths of zones, days and periods that an event of the kind may name."""

    def may(path: str) -> bool:
        return path.startswith(("envelope.", f"body.{kind}."))

    return (
        tuple(filter(may, _ZONES)),
        tuple(filter(may, _DAYS)),
        tuple(period for period in _PERIODS if may(period[0])),
    )


@functools.cache
def _known_zones() -> frozenset[str]:
    return frozenset(available_timezones())


def _exists(day: str) -> bool:
    try:
        return not day or bool(date.fromisoformat(day))
    except ValueError:
        return False


def _value(event: Event, path: str) -> str:
    """The text at a path; empty where another step is told."""
    message: Message = event
    *steps, last = path.split(".")
    for name in steps:
        if not message.HasField(name):
            return ""
        message = getattr(message, name)
    return str(getattr(message, last))
