"""Excursions of a signal are found whatever its rate, drift and size."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab_edge.segment.turns import Excursion, Turns

LEAST = 15.0


def found(signal: np.ndarray, rate_hz: float, usual: float | None = None) -> list[Excursion]:
    turns = Turns(LEAST, usual)
    told = [turns.push(frame / rate_hz, value) for frame, value in enumerate(signal.tolist())]
    return [one for one in [*told, turns.finish()] if one is not None]


def excursions(
    sizes: list[float], seconds: list[float], rest_s: float, rate_hz: float, drift: float
) -> np.ndarray:
    """One after the other, with rests; rest itself drifts by so much each time."""
    parts, rest = [np.zeros(round(0.5 * rate_hz))], 0.0
    for size, long_s in zip(sizes, seconds, strict=True):
        share = np.linspace(0, 2 * np.pi, max(6, round(long_s * rate_hz)))
        parts.append(rest + size * (1 - np.cos(share)) / 2 + drift * share / (2 * np.pi))
        rest += drift
        parts.append(np.full(round(rest_s * rate_hz), rest))
    return np.concatenate(parts)


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.tuples(st.floats(0.75, 1.25), st.floats(0.9, 6)), min_size=1, max_size=12),
    st.floats(20, 150),
    st.floats(0.0, 3.0),
    st.sampled_from([15.0, 24.0, 30.0, 60.0]),
    st.floats(-0.05, 0.05),
)
def test_every_excursion_is_found_once_and_in_order(
    each: list[tuple[float, float]], size: float, rest_s: float, rate_hz: float, drift: float
) -> None:
    sizes = [share * max(size, 1.4 * LEAST) for share, _ in each]
    signal = excursions(sizes, [s for _, s in each], rest_s, rate_hz, drift * size)
    told = found(signal, rate_hz)
    assert len(told) == len(each)
    for one, size_of in zip(told, sizes, strict=True):
        assert one.start_s < one.far_s < one.end_s
        assert one.amplitude == pytest.approx(size_of, rel=0.15)
    assert all(a.end_s <= b.start_s + 1e-9 for a, b in pairwise(told))


def test_what_is_small_beside_the_usual_is_none() -> None:
    signal = excursions([90, 90, 90, 30, 90], [2] * 5, 0.5, 30, 0)
    assert len(found(signal, 30)) == 4


def test_thresholds_follow_a_person_who_moves_little_and_later_more() -> None:
    signal = excursions([20] * 4 + [30, 45, 60, 60], [2] * 8, 0.5, 30, 0)
    assert len(found(signal, 30)) == 8


def test_a_known_person_is_counted_by_what_is_usual_from_the_first_on() -> None:
    signal = excursions([25, 90, 90], [2] * 3, 0.5, 30, 0)
    assert len(found(signal, 30)) == 3
    assert len(found(signal, 30, usual=90)) == 2


def test_who_stands_still_has_no_excursions() -> None:
    chance = np.random.default_rng(1)
    assert found(chance.normal(0, 1.5, 3000), 30) == []


def test_an_excursion_that_the_end_cuts_counts_once_it_turned() -> None:
    whole = excursions([90, 90], [2, 2], 0, 30, 0)
    turned, before = whole[:-20], whole[:-35]
    assert (len(found(turned, 30)), len(found(before, 30))) == (2, 1)


def test_a_signal_that_begins_far_from_rest_has_not_begun_an_excursion() -> None:
    whole = excursions([90, 90, 90], [2] * 3, 0.5, 30, 0)
    assert len(found(whole[45:], 30)) == 2
