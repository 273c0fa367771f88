"""Days and times that exist and zones that are known: what a pattern of the contract cannot say.
Folds reckon with them, and one that no fold can reckon with would hold a patient's stream back."""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from zoneinfo import available_timezones

from google.protobuf.descriptor import FieldDescriptor
from google.protobuf.message import Message
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Body, Event
from rehab_ingest.domain.paths import Path, paths, shown, values
from rehab_runtime.errors import Violation

FIRST_YEAR, LAST_YEAR = 1900, 2199
"""Of days and times in a body: whoever lives has no others, and reckoning never leaves the years
that Python and PostgreSQL know."""
_YEARS = f"from {FIRST_YEAR} to {LAST_YEAR}"
_FIRST_S = int(datetime(FIRST_YEAR, 1, 1, tzinfo=UTC).timestamp())
_LAST_S = int(datetime(LAST_YEAR + 1, 1, 1, tzinfo=UTC).timestamp())

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


def _is_stamp(field: FieldDescriptor) -> bool:
    return field.message_type is Timestamp.DESCRIPTOR


_TIMES: Mapping[str, tuple[Path, ...]] = {
    field.name: tuple(paths(field.message_type, _is_stamp)) for field in Body.DESCRIPTOR.fields
}


def impossible(event: Event) -> Iterator[Violation]:
    """Each field that names a day, a time or a zone there is none of, or a period that ends before
    it begins. Zones are those of the IANA time zone database."""
    kind = event.body.WhichOneof("kind") or ""
    zones, days, periods = _named_by(kind)
    for path in zones:
        zone = _value(event, path)
        if zone and zone not in _known_zones():
            yield Violation(path, "zone.known", "must be a zone of the IANA database")
    for times in _TIMES.get(kind, ()):
        if not all(map(_is_time, values(getattr(event.body, kind), times))):
            path = f"body.{kind}.{shown(times)}"
            yield Violation(path, "time.exists", f"must be a time {_YEARS}")
    wrong = [path for path in days if not _exists(_value(event, path))]
    for path in wrong:
        yield Violation(path, "date.exists", f"must be a day YYYY-MM-DD {_YEARS}")
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
        return not day or FIRST_YEAR <= date.fromisoformat(day).year <= LAST_YEAR
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


def _is_time(told: Timestamp) -> bool:
    return _FIRST_S <= told.seconds < _LAST_S and 0 <= told.nanos < 1_000_000_000
