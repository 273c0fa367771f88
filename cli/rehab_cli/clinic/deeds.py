"""What the simulation did, in its own words: the record that the read models are held against."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from rehab_cli.clinic.prescription import Plan

WindowKey = tuple[date, str]


@dataclass(frozen=True, slots=True)
class Prescribed:
    plan: Plan


@dataclass(frozen=True, slots=True)
class Paused:
    """`until` is None when the end is not yet known."""

    since: datetime
    until: datetime | None


@dataclass(frozen=True, slots=True)
class Resumed:
    at: datetime


@dataclass(frozen=True, slots=True)
class SessionBegun:
    """`window` is the due window it was meant for, None for exercise of one's own accord."""

    session_id: str
    at: datetime
    window: WindowKey | None


@dataclass(frozen=True, slots=True)
class SetDone:
    """A set as it was done. `amount` in repetitions or milliseconds."""

    session_id: str
    exercise_id: str
    side: int
    amount: int


@dataclass(frozen=True, slots=True)
class RepsSeen:
    """Repetitions as the device saw them; a score or range is None where there is none."""

    session_id: str
    exercise_id: str
    side: int
    at: datetime
    scores: tuple[float | None, ...]
    roms_deg: tuple[float | None, ...]


@dataclass(frozen=True, slots=True)
class PainFelt:
    at: datetime
    nprs: int


Deed = Prescribed | Paused | Resumed | SessionBegun | SetDone | RepsSeen | PainFelt
