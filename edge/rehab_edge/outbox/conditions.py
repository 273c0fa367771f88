"""When to send: pure decisions from what the device tells of itself."""

from __future__ import annotations

import enum
from dataclasses import dataclass

LOW_BATTERY_PCT = 20.0
"""Below it, and not charging, the radio stays off but for what concerns safety."""
METERED_WAIT_S = 3600.0
"""How old the oldest event may grow on a network that is paid by volume."""


class Network(enum.Enum):
    NONE = "none"
    METERED = "metered"
    UNMETERED = "unmetered"


@dataclass(frozen=True)
class Conditions:
    """`battery_pct` is None where there is no battery, or nobody knows."""

    network: Network = Network.UNMETERED
    charging: bool = False
    battery_pct: float | None = None

    @property
    def saving(self) -> bool:
        low = self.battery_pct is not None and self.battery_pct < LOW_BATTERY_PCT
        return low and not self.charging


ALWAYS = Conditions()
"""A device that says nothing of itself sends whenever somebody answers."""


@dataclass(frozen=True)
class Waiting:
    """What waits to be sent: how many events, the age of the oldest in seconds, whether one of them
    concerns safety and was not told yet, and whether a session is under way."""

    events: int = 0
    oldest_s: float = 0.0
    urgent: bool = False
    in_session: bool = False


class Sending(enum.Enum):
    NOTHING = "nothing"
    URGENT = "urgent"
    """What concerns safety, ahead of all others, in a call of its own."""
    EVERYTHING = "everything"
    """The stream stands: what waits goes out in order, and coaching comes in."""


def sending(conditions: Conditions, waiting: Waiting) -> Sending:
    """Safety on any network and any battery. The rest at once where volume costs nothing; else when
    the session is over, in one go, or when it has waited long enough."""
    if conditions.network is Network.NONE:
        return Sending.NOTHING
    modest = Sending.URGENT if waiting.urgent else Sending.NOTHING
    if conditions.saving:
        return modest
    if conditions.network is Network.UNMETERED:
        return Sending.EVERYTHING
    due = not waiting.in_session or waiting.oldest_s >= METERED_WAIT_S
    return Sending.EVERYTHING if waiting.events and due else modest
