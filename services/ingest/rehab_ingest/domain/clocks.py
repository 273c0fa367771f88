"""Devices' clocks, which are wrong. Times stay as the device told them, and beside them how far its
clock was ahead; readers correct by that (`Envelope.clock_skew_ms`)."""

from __future__ import annotations

from datetime import datetime

from rehab.ingest.v1.ingest_service_pb2 import Hello

TOLERATED_MS = 5_000
"""What a slow link looks like. A clock that is off by no more counts as right."""
FARTHEST_MS = 10 * 366 * 86_400_000
"""A clock that is off by more than ten years says nothing: such times are refused."""


def skew_ms(hello: Hello, now: datetime) -> int:
    """How far the device's clock is ahead, in ms; 0 for one that is right, unknown or senseless."""
    if not hello.HasField("device_time"):
        return 0
    told = hello.device_time
    # not ToMilliseconds, which raises for a time that there is none of
    ahead = told.seconds * 1000 + told.nanos // 1_000_000 - round(now.timestamp() * 1000)
    return ahead if TOLERATED_MS < abs(ahead) <= FARTHEST_MS else 0
