"""Measures of a repetition are those of a path that is known."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_edge.exercises import Out
from rehab_edge.hysteresis import Hysteresis
from rehab_edge.measuring import measured, symmetry_pct


def path(rate: float = 30.0, *, still: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Still, 1.5 s out to 100 degrees, 1 s there, 0.8 s back, still."""
    t_s = np.arange(0, 2 * still + 3.3, 1 / rate)
    out = np.clip((t_s - still) / 1.5, 0, 1)
    back = np.clip((t_s - still - 2.5) / 0.8, 0, 1)
    way = (1 - np.cos(np.pi * out)) / 2 - (1 - np.cos(np.pi * back)) / 2
    return t_s, 5 + 100 * way


@pytest.mark.parametrize("rate", [15.0, 30.0, 60.0])
@pytest.mark.parametrize("upside_down", [False, True])
def test_range_speed_and_tempo_are_the_paths(rate: float, upside_down: bool) -> None:
    t_s, angle = path(rate)
    found = measured(t_s, -angle if upside_down else angle, Out.ECCENTRIC)
    assert found is not None
    assert found.rom_deg == pytest.approx(100, abs=1)
    assert found.peak_velocity_deg_s == pytest.approx(100 * np.pi / 2 / 0.8, rel=0.05)
    # a cosine is beyond 90 % of its way for a fifth of its time, on either side of the pause
    eccentric, pause, concentric, still = found.phases_s
    assert eccentric == pytest.approx(1.5 * 0.6, abs=0.08)
    assert pause == pytest.approx(1 + 2.3 * 0.2, abs=0.08)
    assert concentric == pytest.approx(0.8 * 0.6, abs=0.08)
    assert sum(found.phases_s) == pytest.approx(t_s[-1], abs=0.01)
    assert still > 1


def test_raising_a_limb_is_concentric_on_the_way_out() -> None:
    one, other = (measured(*path(), out) for out in (Out.ECCENTRIC, Out.CONCENTRIC))
    assert one is not None
    assert other is not None
    assert other.phases_s == (*one.phases_s[2:], *one.phases_s[:2])
    neither = measured(*path(), Out.NEITHER)
    assert neither is not None
    assert neither.phases_s == ()


def test_a_trembling_limb_is_less_smooth() -> None:
    t_s, angle = path()
    calm = measured(t_s, angle, Out.ECCENTRIC)
    trembling = measured(t_s, angle + 3 * np.sin(2 * np.pi * 3 * t_s), Out.ECCENTRIC)
    assert calm is not None
    assert trembling is not None
    assert calm.smoothness is not None
    assert trembling.smoothness is not None
    assert trembling.smoothness < calm.smoothness - 1 < 0


def test_a_gap_in_the_path_is_bridged_and_too_little_of_it_is_not_measured() -> None:
    t_s, angle = path()
    angle[20:26] = np.nan
    found = measured(t_s, angle, Out.ECCENTRIC)
    assert found is not None
    assert found.rom_deg == pytest.approx(100, abs=1)
    angle[7:] = np.nan
    assert measured(t_s, angle, Out.ECCENTRIC) is None


def test_symmetry_is_of_the_mean() -> None:
    assert symmetry_pct(90, 110) == pytest.approx(-20)
    assert symmetry_pct(0, 0) is None


def counted(t_s: np.ndarray, angle: np.ndarray) -> list[tuple[float, float]]:
    counter = Hysteresis()
    found = [counter.push(float(t), float(a)) for t, a in zip(t_s, angle, strict=True)]
    return [one for one in (*found, counter.finish()) if one is not None]


@pytest.mark.parametrize("sign", [1, -1])
def test_a_repetition_is_found_from_rest_to_rest(sign: int) -> None:
    _, angle = path(still=1.0)
    whole = np.concatenate([angle] * 3)
    reps = counted(np.arange(len(whole)) / 30, sign * whole)
    assert len(reps) == 3
    for number, (start, end) in enumerate(reps):
        assert start - number * len(angle) / 30 == pytest.approx(1.15, abs=0.2)
        assert end - number * len(angle) / 30 == pytest.approx(4.2, abs=0.2)


def test_a_half_way_attempt_and_a_trackers_leap_are_no_repetitions() -> None:
    _, angle = path()
    attempt = 5 + 0.4 * (angle - 5)
    leap = np.full(60, 5.0)
    leap[30] = 80
    whole = np.concatenate([angle, attempt, angle, leap, angle])
    assert len(counted(np.arange(len(whole)) / 30, whole)) == 3
