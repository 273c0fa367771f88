"""A device's eyes count what was done, and leave unjudged what they cannot see."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rehab_edge.exercises import exercise
from rehab_edge.eyes import eyes
from rehab_edge.observed import Observed
from rehab_edge.performing import Performance
from rehab_edge.recorded import Recorded, of_uiprmd
from rehab_edge.skeleton import Joint, Sequence
from tests.edge.bodies import whole_bodies

REPS = 5


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_bodies(tmp_path_factory.mktemp("recordings"), reps=REPS)


@pytest.fixture(scope="module")
def squat(recordings: Path) -> Recorded:
    return next(of_uiprmd(recordings, ["m01"]))


def watched(movement: str, frames: Sequence) -> list[Observed]:
    performance = Performance(eyes(exercise(movement)))
    for number in range(len(frames)):
        performance.frame(frames.pose(number))
    performance.end()
    return performance.reps


@pytest.mark.parametrize("movement", ["m01", "m07", "m09"])
def test_every_repetition_is_counted_once(recordings: Path, movement: str) -> None:
    for one in of_uiprmd(recordings, [movement]):
        reps = watched(movement, one.frames)
        assert [rep.index for rep in reps] == list(range(1, REPS + 1)), one.name
        starts = [rep.start_s for rep in reps]
        ends = [rep.end_s for rep in reps]
        assert all(start < end for start, end in zip(starts, ends, strict=True))
        assert all(end <= start for end, start in zip(ends, starts[1:], strict=False))


def test_a_repetitions_range_is_what_was_bent(squat: Recorded) -> None:
    deep = watched("m01", squat.frames)
    assert all(70 < (rep.rom_deg or 0) < 130 for rep in deep)
    assert all(rep.side == "both" for rep in deep)
    assert {"knee_left", "knee_right", "trunk"} <= set(deep[0].joints)


@pytest.mark.parametrize("every", [2, 3])
def test_other_frame_rates_count_the_same(squat: Recorded, every: int) -> None:
    frames = squat.frames
    fewer = Sequence(frames.t_s[::every], frames.xyz[::every], frames.visibility[::every])
    assert len(watched("m01", fewer)) == REPS


def test_noise_and_dropped_frames_count_the_same(squat: Recorded) -> None:
    chance = np.random.default_rng(1)
    kept = np.sort(chance.permutation(len(squat.frames))[: len(squat.frames) * 7 // 10])
    noise = chance.normal(0, 0.01, squat.frames.xyz.shape).astype(np.float32)
    xyz, visibility = (squat.frames.xyz + noise)[kept], squat.frames.visibility[kept]
    assert len(watched("m01", Sequence(squat.frames.t_s[kept], xyz, visibility))) == REPS


def test_a_turned_body_counts_the_same(squat: Recorded) -> None:
    turn = np.array([[0.0, 0, 1], [0, 1, 0], [-1, 0, 0]], dtype=np.float32)
    frames = squat.frames
    assert len(watched("m01", Sequence(frames.t_s, frames.xyz @ turn.T, frames.visibility))) == REPS


def test_the_arm_that_works_is_told(recordings: Path) -> None:
    sides = {
        one.person: {rep.side for rep in watched("m07", one.frames)}
        for one in of_uiprmd(recordings, ["m07"])
    }
    assert sides == {91: {"right"}, 92: {"left"}}


def test_nobody_in_view_is_no_repetition(squat: Recorded) -> None:
    frames = squat.frames
    nobody = Sequence(frames.t_s, np.full_like(frames.xyz, np.nan), 0 * frames.visibility)
    assert watched("m01", nobody) == []


def test_what_is_hardly_seen_is_counted_and_not_judged(squat: Recorded) -> None:
    xyz, visibility = squat.frames.xyz.copy(), squat.frames.visibility.copy()
    hidden = [one for one in Joint if one.name[:3] not in ("HIP", "KNE", "ANK", "MID")]
    xyz[:, hidden], visibility[:, hidden] = np.nan, 0
    reps = watched("m01", Sequence(squat.frames.t_s, xyz, visibility))
    assert len(reps) == REPS
    assert {(rep.score, rep.unscored) for rep in reps} == {(None, "occluded")}


def test_a_standing_body_is_no_repetition(squat: Recorded) -> None:
    still = np.repeat(squat.frames.xyz[:1], 300, axis=0)
    noise = np.random.default_rng(2).normal(0, 0.005, still.shape).astype(np.float32)
    frames = Sequence(np.arange(300) / 30, still + noise, np.ones(still.shape[:2], np.float32))
    assert watched("m01", frames) == []
