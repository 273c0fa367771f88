"""Landmarks of every convention become the same skeleton."""

from __future__ import annotations

import gzip
import json
from pathlib import Path

import numpy as np
import pytest

from rehab_edge.angles import AT, angles
from rehab_edge.errors import Unreadable
from rehab_edge.pose import BLAZEPOSE, KINECT, MOVENET, Convention, pose_of
from rehab_edge.skeleton import MIRROR, Joint
from rehab_edge.sources import keraal
from tests.support.recordings import REPOSITORY

RECORDED = REPOSITORY.parent / "shared" / "data" / "keraal"
CONVENTIONS = [MOVENET, BLAZEPOSE, KINECT]


def standing(convention: Convention) -> np.ndarray:
    """A body upright, facing the camera, both arms held out to the sides, in the source's axes."""
    places = {
        Joint.HEAD: (0, 1.6), Joint.NECK: (0, 1.45), Joint.CHEST: (0, 1.2),
        Joint.MID_HIP: (0, 0.95),
        Joint.SHOULDER_L: (0.2, 1.45), Joint.ELBOW_L: (0.45, 1.45), Joint.WRIST_L: (0.7, 1.45),
        Joint.HIP_L: (0.1, 0.95), Joint.KNEE_L: (0.1, 0.5), Joint.ANKLE_L: (0.1, 0.1),
        Joint.HEEL_L: (0.1, 0.05), Joint.TOE_L: (0.1, 0.05),
    }  # fmt: skip
    both = {**places, **{MIRROR[joint]: (-x, y) for joint, (x, y) in places.items()}}
    points = np.zeros((convention.count, 3), dtype=np.float32)
    for joint, of in convention.points.items():
        for one in of:
            points[one] = (*both[joint], 0)
    return points * np.array(convention.axes, dtype=np.float32)


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.name)
def test_a_standing_body_has_the_angles_of_one(convention: Convention) -> None:
    pose = pose_of(5, standing(convention), None, convention)
    assert pose.t_ns == 5
    found = angles(pose)
    for name, expected in {"knee_l": 0, "hip_r": 0, "shoulder_l": 90, "elbow_r": 0}.items():
        assert found[AT[name]] == pytest.approx(expected, abs=3), name
    assert pose.xyz[Joint.WRIST_L, 0] > pose.xyz[Joint.WRIST_R, 0]
    assert pose.xyz[Joint.HEAD, 1] > pose.xyz[Joint.ANKLE_L, 1]


@pytest.mark.parametrize("convention", CONVENTIONS, ids=lambda one: one.name)
def test_every_joint_is_made_of_points_that_there_are(convention: Convention) -> None:
    assert all(0 <= one < convention.count for of in convention.points.values() for one in of)
    for joint in convention.points:
        assert MIRROR[joint] in convention.points


def test_a_point_that_is_a_guess_makes_its_joints_unseen() -> None:
    score = np.full(17, 0.9, dtype=np.float32)
    score[5] = 0.1
    pose = pose_of(0, standing(MOVENET), score, MOVENET)
    assert np.isnan(pose.xyz[Joint.SHOULDER_L]).all()
    assert np.isnan(pose.xyz[Joint.NECK]).all()
    assert pose.visibility[Joint.SHOULDER_L] == pytest.approx(0.1)
    assert pose.visibility[Joint.SHOULDER_R] == pytest.approx(0.9)
    assert pose.visibility[Joint.HEEL_L] == 0


def test_a_point_that_is_no_number_is_unseen() -> None:
    points = standing(KINECT)
    points[5] = np.nan
    pose = pose_of(0, points, None, KINECT)
    assert pose.visibility[Joint.ELBOW_L] == 0
    assert np.isfinite(pose.xyz[Joint.WRIST_L]).all()


def test_what_is_no_recording_is_refused_with_its_fault(tmp_path: Path) -> None:
    faults = {
        "a.json": ("{}", "no landmarks"),
        "b.json": (json.dumps({"positions": {"1.0": {"Nose": [0, 0, 0]}}}), "33 landmarks"),
        "c.txt": ("1 2 3\n", "175 values"),
        "d.txt": (" ".join(["x"] * 175), "not numbers"),
    }
    for name, (text, fault) in faults.items():
        path = tmp_path / name
        path.write_text(text)
        with pytest.raises(Unreadable, match=fault):
            keraal.read(path)
    cut = tmp_path / "e.json.gz"
    cut.write_bytes(gzip.compress(b"{}" * 500)[:20])
    with pytest.raises(Unreadable, match="cannot be read"):
        keraal.read(cut)


def test_a_frame_without_a_body_is_unseen(tmp_path: Path) -> None:
    body = {str(number): [0.5, number / 40, 0] for number in range(33)}
    path = tmp_path / "a.json"
    path.write_text(json.dumps({"positions": {"2.0": {}, "1.0": body}}))
    found = keraal.read(path)
    assert found.visibility[0].max() == 1
    assert found.visibility[1].max() == 0
    assert np.isnan(found.xyz[1]).all()


@pytest.mark.skipif(not RECORDED.is_dir(), reason="the recordings are not here")
@pytest.mark.parametrize("exercise", ["CTK", "ELK", "RTK"])
def test_two_sensors_that_saw_the_same_person_agree(exercise: str) -> None:
    name = f"{exercise}-P1T1-Unknown-C-0"
    camera = keraal.read(RECORDED / f"G3-BP-{name}.json.gz")
    kinect = keraal.read(RECORDED / f"G3-Kinect-{name}.txt.gz")
    assert abs(len(camera) - len(kinect)) <= 2
    count = min(len(camera), len(kinect))
    # a Kinect's pictures are mirrored, its joints are not
    for left, right in (("l", "r"), ("r", "l")):
        seen = angles(camera)[:count, AT[f"shoulder_{left}"]]
        held = angles(kinect)[:count, AT[f"shoulder_{right}"]]
        assert np.corrcoef(seen, held)[0, 1] > 0.75
        assert np.ptp(seen) == pytest.approx(np.ptp(held), rel=0.25)
    for one in (camera, kinect):
        upright = one.xyz[:, Joint.HEAD, 1] - one.xyz[:, Joint.MID_HIP, 1]
        assert (upright > 0).all()
