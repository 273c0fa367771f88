"""The kinematic model: its closed forms hold against its own paths, and bodies tire and recover."""

from __future__ import annotations

import random
from statistics import fmean, median

import numpy as np
import pytest

from rehab_cli.clinic.kinematics import Limb, Path

STEP_S = 0.0005


def limb(**more: float) -> Limb:
    told = {"reach": 0.9, "pace": 1.0, "fatigue": 0.006, "tremor_deg": 0.05, **more}
    return Limb(
        joints=("knee_left", "knee_right"),
        rest_deg=5,
        target_deg=90,
        tempo_s=(2, 1, 2, 1),
        scored=True,
        **told,
    )


def sampled(path: Path) -> np.ndarray:
    times = np.arange(0, path.duration_s, STEP_S)
    return np.array([path.angle_deg(at) for at in times])


@pytest.mark.parametrize(
    "path",
    [
        Path(90, 2, 1, 2, 1, 0.0),
        Path(90, 2, 1, 2, 1, 0.1),
        Path(30, 0.8, 0.2, 1.6, 0.4, 0.3),
        Path(140, 3, 0, 1.2, 0.5, 0.05),
    ],
)
def test_peak_velocity_and_smoothness_are_those_of_the_sampled_path(path: Path) -> None:
    angle = sampled(path)
    velocity = np.gradient(angle, STEP_S)
    jerk = np.gradient(np.gradient(velocity, STEP_S), STEP_S)
    inside = slice(3, -3)  # one-sided differences at the ends are not derivatives
    peak = np.abs(velocity).max()
    told = -np.log(path.duration_s**3 / peak**2 * np.sum(jerk[inside] ** 2) * STEP_S)
    assert path.peak_velocity_deg_s == pytest.approx(peak, rel=0.05)
    assert path.smoothness == pytest.approx(told, abs=0.1)


def test_a_single_minimum_jerk_movement_has_the_published_smoothness() -> None:
    """ln(204.8), as for one submovement in Balasubramanian et al. 2012; out and back are two of
    them in twice the time."""
    two = Path(60, 1.5, 0, 1.5, 0, 0.0)
    assert two.smoothness == pytest.approx(-np.log(2**4 * 204.8))


def test_tremor_makes_a_movement_less_smooth() -> None:
    assert Path(90, 2, 1, 2, 1, 0.3).smoothness < Path(90, 2, 1, 2, 1, 0.03).smoothness


def test_a_set_tires_range_and_score_fall_and_compensation_grows() -> None:
    chance = random.Random(3)
    tired = limb(fatigue=0.01)
    sets = [[tired.repetition(chance, index) for index in range(12)] for _ in range(60)]
    first, last = [reps[0] for reps in sets], [reps[-1] for reps in sets]
    assert fmean(r.rom_deg or 0 for r in last) < fmean(r.rom_deg or 90 for r in first) - 5
    assert median(r.score for r in last if r.score) < median(r.score for r in first if r.score) - 5
    assert fmean(r.compensation_deg for r in last) > fmean(r.compensation_deg for r in first) + 3


def test_who_reaches_farther_scores_higher() -> None:
    chance = random.Random(4)

    def score(reach: float) -> float:
        reps = [limb(reach=reach).repetition(chance, 0) for _ in range(100)]
        return median(rep.score for rep in reps if rep.score is not None)

    assert score(0.6) < score(0.8) < score(1.0)


def test_phases_add_up_and_joints_hold_the_range() -> None:
    chance = random.Random(5)
    for index in range(200):
        rep = limb().repetition(chance, index % 12)
        assert sum(rep.phases_ms) == rep.duration_ms
        joints = {name: (low, high) for name, low, high in rep.joints}
        assert set(joints) == {"knee_left", "knee_right"}
        if rep.rom_deg is not None:
            assert joints["knee_left"] == (5, pytest.approx(5 + rep.rom_deg, abs=0.11))


def test_symmetry_is_left_minus_right_whichever_side_is_affected() -> None:
    chance = random.Random(6)
    left = limb()
    right = Limb(**{**vars(left), "joints": ("knee_right", "knee_left")})
    for body in (left, right):
        for _ in range(50):
            rep = body.repetition(chance, 0)
            reach = {name: high - low for name, low, high in rep.joints}
            told = 200 * (reach["knee_left"] - reach["knee_right"]) / sum(reach.values())
            assert rep.symmetry_pct == pytest.approx(told, abs=0.3)
