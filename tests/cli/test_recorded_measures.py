"""Measures of a repetition: known paths give their own ranges and tempos, bad ones are refused."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab_edge.metrics.measures import measure, symmetry_pct
from rehab_edge.metrics.smoothing import LEAST_FRAMES, Unmeasurable, smoothed
from rehab_edge.metrics.smoothing import RATE_HZ as FRAMES_PER_S
from rehab_edge.skeleton import Floats

FRAME_S = 1 / FRAMES_PER_S
RANGES = st.floats(15, 170)
RESTS = st.floats(-90, 170)
WAYS = st.floats(0.6, 3)
PAUSES = st.floats(0, 2)


def one_cycle(range_deg: float, seconds: float, rest_deg: float = 10) -> Floats:
    """A sine from rest to rest."""
    share = np.arange(round(seconds * FRAMES_PER_S)) * FRAME_S / seconds
    return rest_deg + range_deg * (1 - np.cos(2 * np.pi * share)) / 2


def repetition(
    range_deg: float, out_s: float, hold_s: float, back_s: float, rest_s: float, rest_deg: float = 8
) -> Floats:
    """Rest, out along half a sine, a pause, back, rest."""

    def way(seconds: float) -> Floats:
        share = np.arange(round(seconds * FRAMES_PER_S)) * FRAME_S / seconds
        return (1 - np.cos(np.pi * share)) / 2

    def still(seconds: float, at: float) -> Floats:
        return np.full(round(seconds * FRAMES_PER_S), at)

    parts = (still(rest_s / 2, 0), way(out_s), still(hold_s, 1), 1 - way(back_s))
    return rest_deg + range_deg * np.concatenate([*parts, still(rest_s / 2 + 2 * FRAME_S, 0)])


@given(range_deg=RANGES, seconds=st.floats(1.5, 6), rest_deg=RESTS)
def test_a_sine_has_its_range_and_goes_out_as_long_as_back(
    range_deg: float, seconds: float, rest_deg: float
) -> None:
    found = measure(one_cycle(range_deg, seconds, rest_deg))
    assert found.rom_deg == pytest.approx(range_deg, rel=0.02)
    assert found.peak_deg == pytest.approx(rest_deg + range_deg, abs=0.02 * range_deg)
    assert found.peak_velocity_deg_s == pytest.approx(math.pi * range_deg / seconds, rel=0.06)
    assert found.tempo is not None
    assert found.tempo.out_s == pytest.approx(found.tempo.back_s, abs=3 * FRAME_S)
    assert found.tempo.out_s + found.tempo.hold_s / 2 == pytest.approx(seconds / 2, rel=0.12)


@given(range_deg=RANGES, out_s=WAYS, hold_s=PAUSES, back_s=WAYS, rest_s=PAUSES)
def test_phases_of_a_repetition_are_found(
    range_deg: float, out_s: float, hold_s: float, back_s: float, rest_s: float
) -> None:
    found = measure(repetition(range_deg, out_s, hold_s, back_s, rest_s))
    assert found.tempo is not None
    # The first and last slow frames of a way count as standing still: about 6 % of it each, and
    # the median's and the fit's windows blur an end by up to three frames.
    blur_s = 3 * FRAME_S
    assert found.tempo.out_s == pytest.approx(out_s, abs=0.15 * out_s + blur_s)
    assert found.tempo.back_s == pytest.approx(back_s, abs=0.15 * back_s + blur_s)
    assert found.tempo.hold_s == pytest.approx(hold_s, abs=0.1 * (out_s + back_s) + blur_s)


@given(range_deg=RANGES, out_s=WAYS, hold_s=PAUSES, back_s=WAYS, rest_s=PAUSES)
def test_the_phases_are_the_whole_repetition(
    range_deg: float, out_s: float, hold_s: float, back_s: float, rest_s: float
) -> None:
    path = repetition(range_deg, out_s, hold_s, back_s, rest_s)
    found = measure(path)
    assert found.duration_s == pytest.approx(len(path) * FRAME_S)
    assert found.tempo is not None
    phases = (found.tempo.out_s, found.tempo.hold_s, found.tempo.back_s, found.tempo.rest_s)
    assert min(phases) >= 0
    assert sum(phases) == pytest.approx(found.duration_s)


@given(range_deg=RANGES, out_s=WAYS, back_s=WAYS, hold_s=PAUSES)
def test_the_sign_of_an_angle_changes_neither_range_nor_tempo(
    range_deg: float, out_s: float, back_s: float, hold_s: float
) -> None:
    path = repetition(range_deg, out_s, hold_s, back_s, 0.5)
    there, mirrored = measure(path), measure(-path)
    assert mirrored.rom_deg == pytest.approx(there.rom_deg)
    assert mirrored.peak_deg == pytest.approx(-there.peak_deg)
    assert mirrored.tempo == there.tempo


@given(range_deg=RANGES, out_s=WAYS, back_s=WAYS, hold_s=PAUSES)
def test_played_backwards_the_way_out_is_the_way_back(
    range_deg: float, out_s: float, back_s: float, hold_s: float
) -> None:
    path = repetition(range_deg, out_s, hold_s, back_s, 0.5)
    forward, backward = measure(path).tempo, measure(path[::-1].copy()).tempo
    assert forward is not None
    assert backward is not None
    assert backward.out_s == pytest.approx(forward.back_s, abs=1.5 * FRAME_S)
    assert backward.back_s == pytest.approx(forward.out_s, abs=1.5 * FRAME_S)


@settings(max_examples=40)
@given(seed=st.integers(0, 2**32 - 1), range_deg=st.floats(40, 160))
def test_noise_moves_the_range_by_no_more_than_itself(seed: int, range_deg: float) -> None:
    noise_deg = 1.5
    chance = np.random.default_rng(seed)
    path = repetition(range_deg, 1.0, 0.3, 1.0, 0.4)
    found = measure(path + chance.uniform(-noise_deg, noise_deg, len(path)))
    assert abs(found.rom_deg - range_deg) <= 2 * noise_deg + 0.02 * range_deg
    assert found.tempo is not None
    assert found.tempo.out_s == pytest.approx(1.0, abs=0.3)
    assert found.tempo.back_s == pytest.approx(1.0, abs=0.3)


@given(at=st.integers(5, 70), jump_deg=st.floats(-180, 180), frames=st.integers(1, 2))
def test_a_jump_of_the_tracker_for_two_frames_moves_the_range_by_little(
    at: int, jump_deg: float, frames: int
) -> None:
    path = repetition(90, 1.0, 0.3, 1.0, 0.4)
    jumped = path.copy()
    jumped[at : at + frames] += jump_deg
    assert measure(jumped).rom_deg == pytest.approx(measure(path).rom_deg, abs=9)


def test_an_angle_that_passes_180_degrees_goes_on() -> None:
    path = one_cycle(60, 3, rest_deg=150)
    wrapped = (path + 180) % 360 - 180
    assert np.ptp(wrapped) > 300
    assert measure(wrapped).rom_deg == pytest.approx(60, rel=0.02)


def test_power_is_halved_at_the_cut_off_the_module_names() -> None:
    at = np.arange(400) / FRAMES_PER_S
    passed, _ = smoothed(np.sin(2 * np.pi * 0.5 * at)[:, None])
    assert np.abs(passed[50:-50]).max() > 0.98
    weights = smoothed_impulse()
    response = abs((weights * np.exp(-2j * np.pi * 4.8 * np.arange(len(weights)) / 30)).sum())
    assert response == pytest.approx(math.sqrt(0.5), abs=0.01)


def smoothed_impulse() -> Floats:
    """The weights of the fit: the response to a step, differenced. A step passes the running median
    unchanged, an impulse does not."""
    step = np.zeros(60)
    step[30:] = 1
    return np.diff(smoothed(step[:, None])[0][:, 0])


def test_who_stands_still_has_no_tempo() -> None:
    found = measure(np.full(60, 33.0))
    assert found.rom_deg == pytest.approx(0, abs=1e-9)
    assert found.peak_velocity_deg_s == pytest.approx(0, abs=1e-9)
    assert found.tempo is None
    assert found.duration_s == 2


@pytest.mark.parametrize("frames", [0, 1, LEAST_FRAMES - 1])
def test_a_path_that_is_too_short_is_refused(frames: int) -> None:
    with pytest.raises(Unmeasurable, match="at least"):
        measure(np.zeros(frames))


def test_the_shortest_path_is_measured() -> None:
    assert measure(np.linspace(0, 6, LEAST_FRAMES)).rom_deg == pytest.approx(6, abs=1.5)


@pytest.mark.parametrize("hole", [math.nan, math.inf])
def test_a_path_with_a_hole_is_refused(hole: float) -> None:
    path = one_cycle(90, 3)
    path[20] = hole
    with pytest.raises(Unmeasurable, match="missing"):
        measure(path)


def test_symmetry_is_the_difference_in_percent_of_the_mean() -> None:
    assert symmetry_pct(110, 90) == pytest.approx(20)
    assert symmetry_pct(90, 110) == pytest.approx(-20)
    assert symmetry_pct(0, 0) is None
