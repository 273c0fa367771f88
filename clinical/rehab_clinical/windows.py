"""The span of local days a question is about."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, timedelta
from enum import IntEnum

DEFAULT_DAYS = 28
LONGEST_DAYS = 3660


@dataclass(frozen=True, slots=True)
class Days:
    """That many days, the last of them today."""

    count: int = DEFAULT_DAYS


@dataclass(frozen=True, slots=True)
class WholePlan:
    """Everything since the first prescription, at most LONGEST_DAYS."""


@dataclass(frozen=True, slots=True)
class DateRange:
    """Local days, both included."""

    first: date
    last: date


class Unit(IntEnum):
    """As in rehab.projections.v1.CalendarUnit."""

    DAY = 1
    WEEK = 2
    MONTH = 3


@dataclass(frozen=True, slots=True)
class Calendar:
    """Today, its week (Monday to Sunday) or its month."""

    unit: Unit


Window = Days | WholePlan | DateRange | Calendar


def bounds(window: Window, today: date, first_day: date | None) -> tuple[date, date]:
    """First and last local day; `first_day` is that of the first prescription, None without."""
    match window:
        case Days(count):
            return today - timedelta(days=count - 1), today
        case WholePlan():
            earliest = today - timedelta(days=LONGEST_DAYS - 1)
            return max(earliest, min(first_day or today, today)), today
        case DateRange(first, last):
            return first, last
        case Calendar(unit):
            return _calendar(unit, today)


def _calendar(unit: Unit, today: date) -> tuple[date, date]:
    match unit:
        case Unit.DAY:
            return today, today
        case Unit.WEEK:
            monday = monday_of(today)
            return monday, monday + timedelta(days=6)
        case Unit.MONTH:
            first = today.replace(day=1)
            return first, (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)


def monday_of(day: date) -> date:
    return day - timedelta(days=day.weekday())
