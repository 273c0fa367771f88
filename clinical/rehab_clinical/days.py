"""Local days: everything clinical is counted in the patient's zone, never in UTC."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

UTC_ZONE = ZoneInfo("UTC")
ONE_DAY = timedelta(days=1)


@lru_cache(maxsize=1024)
def zone_named(name: str) -> ZoneInfo | None:
    """The IANA zone, None when the name is empty or this machine's zone data lacks it."""
    if not name:
        return None
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return None


def first_zone(*names: str) -> ZoneInfo:
    """The first name that is a known zone, UTC when none is."""
    for name in names:
        found = zone_named(name)
        if found is not None:
            return found
    return UTC_ZONE


def local_date(instant: datetime, zone: ZoneInfo) -> date:
    return instant.astimezone(zone).date()


@lru_cache(maxsize=16_384)
def instant_of(day: date, at: time, zone: ZoneInfo) -> datetime:
    """The instant of a local time. The same few are asked for of every patient: they are kept.

    A time that a clock change skips is moved on by the length of the gap; of a time that comes
    twice the first is meant (PEP 495, fold 0).
    """
    return datetime.combine(day, at, zone).astimezone(UTC)


def day_start(day: date, zone: ZoneInfo) -> datetime:
    return instant_of(day, time.min, zone)


def day_end(day: date, zone: ZoneInfo) -> datetime:
    return day_start(day + ONE_DAY, zone)


def days_between(first: date, last: date) -> Iterator[date]:
    """Every day from the first to the last, both included."""
    for offset in range((last - first).days + 1):
        yield first + timedelta(days=offset)
