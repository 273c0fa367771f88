"""The clock that a replica goes by, as the settings say."""

from __future__ import annotations

from pathlib import Path

from rehab_eventstore.settings import Settings
from rehab_runtime.clock import Clock, SystemClock, WrongClock
from rehab_runtime.startup import StartupError


def clock_of(settings: Settings) -> Clock:
    if not settings.clock_offset_file:
        return SystemClock()
    if settings.environment == "production":
        raise StartupError(
            "a wrong clock is told, and this is production", "unset EVENTSTORE_CLOCK_OFFSET_FILE"
        )
    try:
        return WrongClock(Path(settings.clock_offset_file))
    except (OSError, ValueError):
        raise StartupError(
            "the file of the clock's offset cannot be read",
            "unset EVENTSTORE_CLOCK_OFFSET_FILE, or write 8 bytes there",
        ) from None
