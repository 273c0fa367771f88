"""What may be lost first when a device is offline for longer than it has room."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from rehab.events.v1.event_pb2 import Event
from rehab_sdk.errors import invalid

SEVERE_PAIN = 8
"""Of 10, on the numeric rating scale, from which somebody has to look at it."""
CLOCK_WAS_SET = 1_577_836_800
"""2020-01-01: before it a device's clock was not set, and says nothing of age."""


class Rank(enum.IntEnum):
    """The lower goes first, and within a rank the older."""

    BULK = 0
    """Many and alike: samples, single repetitions, coaching that was given."""
    RECORD = 1
    """What a session was, what a patient answered."""
    SAFETY = 2
    """What somebody has to act upon: symptoms, falls, severe pain, alerts, withdrawn consent."""


_RANKS = {
    "rep_observation": Rank.BULK,
    "feedback": Rank.BULK,
    "health_samples": Rank.BULK,
    "route": Rank.BULK,
    "interaction": Rank.BULK,
    "nudge": Rank.BULK,
    "symptom_report": Rank.SAFETY,
    "alert": Rank.SAFETY,
    "consent": Rank.SAFETY,
    "break_glass": Rank.SAFETY,
}


@dataclass(frozen=True)
class Limits:
    """Of what waits to be sent. What is on its way is not counted; that is at most a window."""

    events: int = 100_000
    bytes: int = 64 * 1024 * 1024
    age_s: float = 90 * 86_400
    """Safety events have no age."""

    def __post_init__(self) -> None:
        for name in ("events", "bytes", "age_s"):
            if getattr(self, name) <= 0:
                raise invalid(f"limits.{name}", "positive", "must be more than 0")


def rank_of(event: Event) -> Rank:
    body = event.body
    if body.WhichOneof("kind") == "pain_report":
        return Rank.SAFETY if body.pain_report.nprs >= SEVERE_PAIN else Rank.RECORD
    return _RANKS.get(body.WhichOneof("kind") or "", Rank.RECORD)


def born_before(now: float, limits: Limits) -> float:
    """Seconds since 1970: what was kept before it, by a clock that was set, is too old."""
    return max(CLOCK_WAS_SET, now - limits.age_s)
