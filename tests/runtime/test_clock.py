"""Time and ids."""

from __future__ import annotations

import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_runtime.clock import EPOCH, FixedClock, uuid7

START = datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_ids_rise_within_a_process_whoever_makes_them() -> None:
    made: list[list[int]] = [[] for _ in range(4)]

    def make(into: list[int]) -> None:
        into.extend(uuid7().int for _ in range(2000))

    threads = [threading.Thread(target=make, args=(one,)) for one in made]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert all(one == sorted(one) for one in made)
    everything = [id_ for one in made for id_ in one]
    assert len(set(everything)) == len(everything)


@given(st.integers(0, 250_000_000_000_000_000))
def test_an_id_tells_its_millisecond(microseconds: int) -> None:
    moment = EPOCH + timedelta(microseconds=microseconds)
    made = uuid7(moment)
    assert (made.version, made.variant) == (7, "specified in RFC 4122")
    assert made.int >> 80 == (moment - EPOCH) // timedelta(milliseconds=1)


def test_ids_of_one_told_millisecond_rise() -> None:
    made = [uuid7(START).int for _ in range(100)]
    assert made == sorted(made)


@pytest.mark.parametrize("wrong", [START.replace(tzinfo=None), datetime(1969, 1, 1, tzinfo=UTC)])
def test_an_id_needs_a_time_with_a_zone_after_1970(wrong: datetime) -> None:
    with pytest.raises(ValueError, match="now must"):
        uuid7(wrong)


def test_a_fixed_clock_moves_when_it_is_told_and_never_back() -> None:
    clock = FixedClock(START)
    clock.advance(1.5)
    assert (clock.now(), clock.monotonic()) == (START + timedelta(seconds=1.5), 1.5)
    with pytest.raises(ValueError, match="negative"):
        clock.advance(-1)
    clock.set_wrong(-3600)
    assert clock.now() < START
    assert clock.monotonic() == 1.5
