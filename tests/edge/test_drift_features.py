"""What is watched of the sensor changes with the sensor, and not with the person."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rehab_edge.drift import FEATURES, sample
from rehab_edge.drift.features import SENSOR
from rehab_edge.observed import Observed
from rehab_edge.recorded import of_uiprmd
from rehab_edge.skeleton import Joint, Sequence
from tests.edge.bodies import whole_bodies

REP = Observed(1, 0.0, 3.0, "both", rom_deg=100.0, joints={"trunk": (2.0, 22.0)}, score=80.0)


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("recordings")
    return whole_bodies(folder, subjects=(91,), reps=1)


@pytest.fixture(scope="module")
def squat(recordings: Path) -> Sequence:
    return next(of_uiprmd(recordings, ["m01"])).frames


def seen(frames: Sequence) -> dict[str, float]:
    found = sample(frames, REP)
    return {one.name: value for one, value in zip(FEATURES, found, strict=True)}


def changed(one: dict[str, float], other: dict[str, float], *, by: float = 0.25) -> set[str]:
    """Sensor features that differ by more than a quarter."""
    return {
        name for name in SENSOR if abs(one[name] - other[name]) > by * max(abs(one[name]), 1e-3)
    }


def noisy(frames: Sequence, metres: float) -> Sequence:
    noise = np.random.default_rng(3).normal(0, metres, frames.xyz.shape).astype(np.float32)
    return Sequence(frames.t_s, frames.xyz + noise, frames.visibility)


def test_a_body_that_is_turned_and_stands_elsewhere_changes_nothing(squat: Sequence) -> None:
    turn = np.array([[0.6, 0, 0.8], [0, 1, 0], [-0.8, 0, 0.6]], dtype=np.float32)
    moved = Sequence(squat.t_s, squat.xyz @ turn.T + np.float32(0.7), squat.visibility)
    assert not changed(seen(squat), seen(moved), by=0.01)


def test_noise_shows_as_noise_of_its_size(squat: Sequence) -> None:
    before, after = seen(noisy(squat, 0.02)), seen(noisy(squat, 0.06))
    assert {"shake"} <= changed(before, after) <= {"shake", "bone_spread"}
    for found, metres in ((before, 0.02), (after, 0.06)):
        # the median length of three such coordinates is 1.54 deviations
        assert found["shake"] * found["trunk_length"] == pytest.approx(1.54 * metres, rel=0.15)


def test_a_person_who_moves_faster_shakes_no_camera(squat: Sequence) -> None:
    brisk = Sequence(squat.t_s[::2] / 2, squat.xyz[::2], squat.visibility[::2])
    one, other = seen(noisy(squat, 0.003)), seen(noisy(brisk, 0.003))
    assert not changed(one, other)


def test_frames_that_are_dropped_show_in_their_times(squat: Sequence) -> None:
    kept = np.sort(np.random.default_rng(4).permutation(len(squat))[: len(squat) * 3 // 5])
    dropped = Sequence(squat.t_s[kept], squat.xyz[kept], squat.visibility[kept])
    assert "frame_jitter" in changed(seen(squat), seen(dropped))


def test_a_hidden_leg_shows_as_unseen_and_a_joint_that_no_such_sensor_knows_does_not(
    squat: Sequence,
) -> None:
    xyz, visibility = squat.xyz.copy(), squat.visibility.copy()
    hidden = [Joint.KNEE_L, Joint.ANKLE_L]
    half = len(squat) // 2
    xyz[:half, hidden] = np.nan
    visibility[:half, hidden] = 0
    before, after = seen(squat), seen(Sequence(squat.t_s, xyz, visibility))
    assert before["unseen"] == 0  # a Kinect knows no heels
    assert after["unseen"] == pytest.approx(2 / 18 / 2, rel=0.05)
    assert after["visibility"] < before["visibility"]


def test_what_was_not_measured_is_no_number(squat: Sequence) -> None:
    bare = sample(squat[:3], Observed(1, 0.0, 1.0))
    told = {one.name for one, value in zip(FEATURES, bare, strict=True) if np.isfinite(value)}
    assert told == {"duration_s"}
    nothing = Sequence(squat.t_s, np.full_like(squat.xyz, np.nan), 0 * squat.visibility)
    assert seen(nothing)["unseen"] == 1
    assert seen(nothing)["rom_deg"] == 100
    assert seen(nothing)["trunk_rom_deg"] == 20


def test_every_recorded_repetition_has_all_of_a_sensors_features(recordings: Path) -> None:
    for one in of_uiprmd(recordings):
        assert np.isfinite(sample(one.frames, REP)[: len(SENSOR)]).all()
