"""What happens, before it is an event: when, what, who says so."""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import Enum
from typing import NamedTuple

from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic.deeds import Deed


class Author(Enum):
    """Who tells it, and how the data came to be."""

    CLINICIAN = "clinician"
    SEEN = "seen"
    """By the patient's phone, on its own."""
    TOLD = "told"
    """By the patient, into the phone."""


class Happening(NamedTuple):
    at: datetime
    author: Author
    body: Body
    deeds: tuple[Deed, ...] = ()
    session_id: str = ""
    plan_version: int = 0


def later(at: datetime, seconds: float) -> datetime:
    """To the millisecond, as devices tell times."""
    return at + timedelta(milliseconds=round(1000 * seconds))
