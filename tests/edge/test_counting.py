"""Repetitions are counted by the movement alone, on bodies seen well and badly."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from rehab_edge.evaluation.counting import counting
from rehab_edge.evaluation.following import takes
from rehab_edge.exercises import exercise
from rehab_edge.segment import Counter, segment
from rehab_edge.skeleton import MIRROR, Joint, Sequence
from rehab_edge.sources.uiprmd import Take, joined, read
from tests.edge.bodies import whole_bodies
from tests.edge.recorded import turned
from tests.support.recordings import real_recordings

Change = Callable[[Sequence], Sequence]


def mirrored(of: Sequence) -> Sequence:
    flipped = of.xyz[:, list(MIRROR)] * np.array([-1, 1, 1], dtype=np.float32)
    return Sequence(of.t_s, flipped, of.visibility)


def noisy(of: Sequence) -> Sequence:
    chance = np.random.default_rng(3)
    shaken = of.xyz + chance.normal(0, 0.015, of.xyz.shape).astype(np.float32)
    return Sequence(of.t_s, shaken, of.visibility)


def with_frames_lost(of: Sequence) -> Sequence:
    kept = np.random.default_rng(4).random(len(of)) > 0.3
    return Sequence(of.t_s[kept], of.xyz[kept], of.visibility[kept])


def with_joints_unseen(of: Sequence) -> Sequence:
    chance = np.random.default_rng(5)
    xyz = of.xyz.copy()
    xyz[chance.random(xyz.shape[:2]) < 0.08] = np.nan
    return Sequence(of.t_s, xyz, np.isfinite(xyz).all(axis=-1).astype(np.float32))


def slower(of: Sequence) -> Sequence:
    return Sequence(of.t_s[::2], of.xyz[::2], of.visibility[::2])


def with_jumps(of: Sequence) -> Sequence:
    """The tracker loses the body for a frame or two, and finds it elsewhere."""
    chance = np.random.default_rng(6)
    xyz = of.xyz.copy()
    for frame in chance.integers(0, len(of) - 2, len(of) // 60):
        xyz[frame : frame + 2] += chance.normal(0, 0.3, (1, *xyz.shape[1:])).astype(np.float32)
    return Sequence(of.t_s, xyz, of.visibility)


CHANGES: dict[str, Change] = {
    "as it is": lambda of: of,
    "mirrored": mirrored,
    "turned": lambda of: turned(of, 70),
    "noisy": noisy,
    "frames lost": with_frames_lost,
    "joints unseen": with_joints_unseen,
    "half the rate": slower,
    "jumps": with_jumps,
}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_bodies(tmp_path_factory.mktemp("recordings"), reps=6)


@pytest.mark.parametrize("change", CHANGES)
def test_all_repetitions_are_counted_however_the_body_is_seen(made: Path, change: str) -> None:
    for one in takes(made):
        found = segment(CHANGES[change](one.frames), exercise(one.movement))
        assert len(found) == one.repetitions, (one.movement, one.subject, one.take)


def test_repetitions_are_cut_where_they_were(made: Path) -> None:
    for take in Take:
        recording = read(made, exercise("m01"), take)
        own = [one for one in recording.repetitions if one.subject == 91]
        ends = np.cumsum([len(one.angles_deg) / one.frames_per_s for one in own])
        found = segment(joined(own), exercise("m01"))
        for rep, start_s, end_s in zip(found, [0, *ends[:-1]], ends, strict=True):
            assert rep.start_s == pytest.approx(start_s, abs=0.5)
            assert rep.end_s == pytest.approx(end_s, abs=0.5)
            assert rep.frames.t_s[0] == rep.start_s
            assert rep.frames.t_s[-1] == rep.end_s


def test_a_body_of_which_the_working_joints_are_never_seen_is_not_counted(made: Path) -> None:
    one = next(takes(made, ["m01"]))
    xyz = one.frames.xyz.copy()
    xyz[:, [Joint.KNEE_L, Joint.KNEE_R]] = np.nan
    hidden = Sequence(one.frames.t_s, xyz, one.frames.visibility)
    assert segment(hidden, exercise("m01")) == []


def test_frames_that_come_late_or_twice_are_left_out(made: Path) -> None:
    one = next(takes(made, ["m01"]))
    counter, count = Counter(exercise("m01")), 0
    for number in range(len(one.frames)):
        for pose in (one.frames.pose(number), one.frames.pose(max(0, number - 3))):
            count += counter.push(pose) is not None
    count += counter.finish() is not None
    assert count == one.repetitions


def test_long_sessions_are_counted_with_bounded_memory(made: Path) -> None:
    one = next(takes(made, ["m01"]))
    counter, count, at_s = Counter(exercise("m01")), 0, 0.0
    for _ in range(12):
        for number in range(len(one.frames)):
            pose = one.frames.pose(number)
            at_s += 1 / 30
            count += (
                counter.push(type(pose)(round(1e9 * at_s), pose.xyz, pose.visibility)) is not None
            )
    count += counter.finish() is not None
    assert count == 12 * one.repetitions
    assert len(counter._times) < 200 * 30


@pytest.mark.skipif(real_recordings() is None, reason="the recordings are not here")
def test_real_people_are_counted_exactly() -> None:
    folder = real_recordings()
    assert folder is not None
    off = [
        (one.movement, one.subject, one.take)
        for one in takes(folder, ["m01", "m05", "m07", "m10"])
        if one.subject in (2, 6)
        and len(segment(one.frames, exercise(one.movement))) != one.repetitions
    ]
    assert off == []


def test_the_table_is_of_every_movement_and_of_all(made: Path) -> None:
    rows = counting(made, lambda frames, of: len(segment(frames, of)))
    assert [one.movement for one in rows] == ["m01", "m07", "m09", "all"]
    assert all(one.exact == 1.0 and one.mean_error == 0 for one in rows)
