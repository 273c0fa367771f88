"""What the learned scorer sees of a repetition."""

from __future__ import annotations

import numpy as np
import pytest

from rehab_edge import angles
from rehab_edge.scoring.channels import CHANNELS, NAMES, channels, mirrored
from rehab_edge.scoring.window import (
    MOMENTS,
    SUMMARY,
    at_times,
    running_median,
    window,
)
from rehab_edge.skeleton import Joint, Sequence
from tests.edge.recorded import some, turned


def test_a_window_has_one_shape_whatever_the_recording() -> None:
    for one in some()[:3]:
        seen = one.window()
        assert seen.curve.shape == (MOMENTS, CHANNELS)
        assert seen.summary.shape == (SUMMARY,)
        assert seen.seen == 1


@pytest.mark.parametrize("degrees", [30, 90, 180])
def test_where_a_person_stands_and_faces_changes_nothing(degrees: float) -> None:
    frames = some()[0].frames
    there = window(turned(frames, degrees), right=False)
    apart = np.abs(window(frames, right=False).curve - there.curve)
    assert apart.max() < 5  # the median of each coordinate is taken by itself
    assert np.median(apart) < 0.2


def test_a_taller_person_looks_the_same() -> None:
    frames = some()[0].frames
    taller = Sequence(frames.t_s, frames.xyz * np.float32(1.2), frames.visibility)
    here, there = (window(one, right=False).curve for one in (frames, taller))
    assert np.allclose(here, there, atol=0.05)


def test_the_mirror_image_done_with_the_other_side_looks_the_same() -> None:
    frames = some()[0].frames
    other = Sequence(frames.t_s, mirrored(frames.xyz), frames.visibility)
    here, there = window(frames, right=False).curve, window(other, right=True).curve
    assert np.allclose(here, there, atol=1e-3)


def test_working_with_the_other_side_looks_otherwise() -> None:
    frames = some()[0].frames
    here, there = window(frames, right=False).curve, window(frames, right=True).curve
    assert np.abs(here - there).max() > 1


def test_half_the_frame_rate_gives_nearly_the_same_curve() -> None:
    frames = some()[0].frames
    fewer = window(frames[::2], right=False).curve
    assert np.median(np.abs(window(frames, right=False).curve - fewer)) < 0.5


def test_a_lost_frame_is_bridged() -> None:
    frames = some()[0].frames
    kept = np.ones(len(frames), dtype=bool)
    kept[20:23] = False
    gaps = Sequence(frames.t_s[kept], frames.xyz[kept], frames.visibility[kept])
    here, there = window(frames, right=False).curve, window(gaps, right=False).curve
    assert np.median(np.abs(here - there)) < 0.2


def test_a_jump_of_two_frames_is_taken_out() -> None:
    frames = some()[0].frames
    xyz = frames.xyz.copy()
    xyz[30:32, Joint.WRIST_L] += 1
    jumped = window(Sequence(frames.t_s, xyz, frames.visibility), right=False)
    assert np.abs(window(frames, right=False).curve - jumped.curve).max() < 15


def test_an_unseen_joint_takes_only_its_own_channels_away() -> None:
    frames = some()[0].frames
    xyz = frames.xyz.copy()
    xyz[:, Joint.WRIST_L] = np.nan
    seen = window(Sequence(frames.t_s, xyz, frames.visibility), right=False)
    gone = {NAMES[at] for at in np.flatnonzero(np.isnan(seen.curve).any(axis=0))}
    assert gone == {"elbow_w", "fore_out_w", "fore_up_w", "fore_ahead_w"}
    assert 0.85 < seen.seen < 1


def test_a_joint_that_blinks_is_followed_through() -> None:
    frames = some()[0].frames
    xyz = frames.xyz.copy()
    xyz[::5, Joint.KNEE_L] = np.nan
    blinked = window(Sequence(frames.t_s, xyz, frames.visibility), right=False)
    assert np.isfinite(blinked.curve).all()
    assert np.median(np.abs(window(frames, right=False).curve - blinked.curve)) < 0.5


def test_the_angles_among_the_channels_are_those_of_the_angles_module() -> None:
    for one in (some(0)[0], some(6)[0]):
        frames = one.frames.xyz
        seen, all_angles = channels(frames, right=False), angles.of_positions(frames)
        for name in NAMES[:16]:
            other = name[:-1] + {"w": "l", "o": "r"}[name[-1]] if name[-2] == "_" else name
            expected = all_angles[:, angles.AT[other]]
            assert np.allclose(seen[:, NAMES.index(name)], expected, atol=0.05), name


def test_nothing_seen_gives_no_channels() -> None:
    frames = some()[0].frames
    xyz = np.full_like(frames.xyz, np.nan)
    assert np.isnan(channels(xyz, right=False)).all()


def test_the_median_of_five_is_numpys() -> None:
    values = np.random.default_rng(3).normal(size=(40, 7)).astype(np.float32)
    around = np.lib.stride_tricks.sliding_window_view(
        np.pad(values, ((2, 2), (0, 0)), mode="edge"), 5, axis=0
    )
    assert np.array_equal(running_median(values), np.median(around, axis=-1))


def test_a_column_seen_less_than_half_the_time_is_unknown() -> None:
    t_s = np.arange(10.0)
    values = np.stack([t_s, np.where(t_s < 6, np.nan, t_s)], axis=1).astype(np.float32)
    found = at_times(t_s, values, np.array([0.5, 8.5]))
    assert found[:, 0].tolist() == [0.5, 8.5]
    assert np.isnan(found[:, 1]).all()
