"""Devices whose clocks are wrong."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2 import Hello
from rehab_ingest.domain.clocks import skew_ms
from rehab_ingest.domain.door import refusal
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.embedded import Postgres
from tests.ingest.front import fronted
from tests.ingest.given import CLINIC, PATIENT, rep

NOW = datetime(2026, 3, 2, 12, tzinfo=UTC)
LIMIT = 262_144


def stamp(moment: datetime) -> Timestamp:
    made = Timestamp()
    made.FromDatetime(moment)
    return made


@pytest.mark.parametrize(
    ("ahead_s", "told_ms"),
    [(0, 0), (4, 0), (-4, 0), (600, 600_000), (-86_400, -86_400_000), (20 * 366 * 86_400, 0)],
)
def test_a_clock_that_is_off_by_more_than_a_slow_link_is_told(ahead_s: int, told_ms: int) -> None:
    assert skew_ms(Hello(device_time=stamp(NOW + timedelta(seconds=ahead_s))), NOW) == told_ms


def test_a_device_that_tells_no_time_has_no_skew() -> None:
    assert skew_ms(Hello(), NOW) == 0


def occurred(moment: datetime) -> Event:
    event = rep()
    event.envelope.occurred_at.CopyFrom(stamp(moment))
    return event


def test_what_a_clock_that_runs_ahead_puts_into_the_future_comes_in() -> None:
    now = datetime.now(UTC)
    event = occurred(now + timedelta(hours=3))
    before = event.SerializeToString()
    assert refusal(event, CLINIC, LIMIT) is not None
    assert refusal(event, CLINIC, LIMIT, skew_ms=3 * 3_600_000) is None
    assert event.SerializeToString() == before


def test_what_is_in_the_future_by_a_right_clock_stays_out() -> None:
    event = occurred(datetime.now(UTC) + timedelta(hours=3))
    error = refusal(event, CLINIC, LIMIT, skew_ms=3_600_000)
    assert error is not None
    assert error.violations[0].rule == "timestamp.not_in_future"


def test_an_event_without_a_time_is_refused_whatever_the_clock_says() -> None:
    event = rep()
    event.envelope.ClearField("occurred_at")
    error = refusal(event, CLINIC, LIMIT, skew_ms=3_600_000)
    assert error is not None
    assert error.violations[0].field == "envelope.occurred_at"
    assert not event.envelope.HasField("occurred_at")


async def test_the_log_keeps_the_devices_time_and_how_far_it_was_ahead(
    postgres: Postgres, nats_url: str
) -> None:
    async with fronted(postgres, nats_url) as front:
        device, ahead = front.device(), timedelta(hours=2)
        told = datetime.now(UTC) + ahead
        event = occurred(told)
        await device.hello(device_time=stamp(told))
        await device.send(1, event)
        await device.settled(1)
        assert not device.rejects
        (stored,) = await front.log.read_stream(PATIENT)
        assert stored.envelope.occurred_at == event.envelope.occurred_at
        assert abs(stored.envelope.clock_skew_ms - 7_200_000) < 60_000
        # over another link, with another estimate of the skew, it is the same event
        again = front.device()
        later = datetime.now(UTC) + ahead + timedelta(seconds=30)
        await again.hello(epoch=2, device_time=stamp(later))
        await again.send(1, occurred_again(event))
        await again.settled(1)
        assert not again.rejects
        assert len(await front.log.read_stream(PATIENT)) == 1


def occurred_again(event: Event) -> Event:
    made = Event()
    made.CopyFrom(event)
    return made


async def test_who_logs_by_single_calls_does_not_state_a_skew(
    postgres: Postgres, nats_url: str
) -> None:
    async with fronted(postgres, nats_url) as front:
        event = rep()
        event.envelope.clock_skew_ms = -86_400_000
        await front.stub.LogEvent(
            pb.LogEventRequest(event=event),
            metadata=(bearer(Principal(PATIENT, "patient", CLINIC)),),
            timeout=10,
        )
        (stored,) = await front.log.read_stream(PATIENT)
        assert stored.envelope.clock_skew_ms == 0
