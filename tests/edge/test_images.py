"""Pictures of real video files come in order with times that rise, and find their way back."""

from __future__ import annotations

import itertools
from importlib import resources
from pathlib import Path

import cv2
import numpy as np
import pytest

from rehab_edge.errors import EdgeError, ModelRefused, Unreadable
from rehab_edge.skeleton import Joint
from rehab_edge.sources.images import Picture, Square, camera, camera_number, cropped, video, whole
from rehab_edge.sources.opening import opened
from rehab_edge.sources.seeing import PoseModel

DATA = Path(__file__).parent / "data"
"""Stand-ins for pose models, made by edge/training/pose_stand_in.py."""


def make_video(path: Path, *, frames: int = 20, rate: float = 25.0) -> Path:
    """A white square that wanders to the right, on red."""
    writer = cv2.VideoWriter(str(path), cv2.VideoWriter.fourcc(*"mp4v"), rate, (160, 120))
    assert writer.isOpened()
    for number in range(frames):
        picture = np.zeros((120, 160, 3), dtype=np.uint8)
        picture[..., 2] = 200  # OpenCV writes blue, green, red
        picture[50:70, 4 * number : 4 * number + 20] = 255
        writer.write(picture)
    writer.release()
    return path


def test_a_video_is_read_to_its_end_in_its_own_time(tmp_path: Path) -> None:
    with video(make_video(tmp_path / "walk.mp4")) as (pictures, duration_s):
        seen = list(pictures)
    assert duration_s == pytest.approx(0.8)
    times = [picture.t_ns for picture in seen]
    assert times == pytest.approx([number * 40e6 for number in range(20)], abs=2e6)
    assert [np.sign(b - a) for a, b in itertools.pairwise(times)] == [1] * 19
    red, green, _ = seen[0].rgb[10, 100]
    assert red > 150 > green
    centres = [float(np.argwhere(one.rgb[..., 1] > 128)[:, 1].mean()) for one in seen]
    assert centres == sorted(centres)


@pytest.mark.parametrize("content", [None, b"", b"no video at all"])
def test_what_is_no_video_is_told_by_name(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "walk.mp4"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(Unreadable, match=r"walk\.mp4"), video(path):
        pass


def test_a_camera_that_is_not_there_is_told_by_number() -> None:
    with pytest.raises(Unreadable, match="camera 63"), camera(63):
        pass


@pytest.mark.parametrize(
    ("source", "number"),
    [("camera", 0), ("camera:2", 2), ("camera:x", None), ("walk.mp4", None), ("camera.mp4", None)],
)
def test_cameras_have_numbers(source: str, number: int | None) -> None:
    assert camera_number(source) == number


@pytest.mark.parametrize("shape", [(120, 160), (160, 120), (50, 50), (720, 1280)])
@pytest.mark.parametrize("part", [None, Square(-10, 5, 60), Square(20.5, 10.25, 30)])
def test_what_a_model_looks_at_tells_the_way_back(
    shape: tuple[int, int], part: Square | None
) -> None:
    picture = np.zeros((*shape, 3), dtype=np.uint8)
    top, left = (shape[0] // 2, shape[1] // 4) if part is None else (22, 30)
    picture[top : top + 8, left : left + 8] = 255
    square = part or whole(picture)
    small = cropped(picture, square, 192)
    assert small.shape == (192, 192, 3)
    weight = small[..., 0].astype(float)
    y, x = (np.average(at + 0.5, weights=weight) for at in np.indices(weight.shape))
    found = square.to_picture(np.array([x, y], dtype=np.float32) / 192)
    assert found == pytest.approx([left + 4, top + 4], abs=shape[1] / 200)


def white_at(x: int, y: int, t_ns: int = 0) -> Picture:
    picture = np.zeros((480, 640, 3), dtype=np.uint8)
    picture[y - 12 : y + 12, x - 12 : x + 12] = 255
    return Picture(t_ns, picture)


def test_movenets_points_become_joints_where_they_are_in_the_picture() -> None:
    model = PoseModel(DATA / "movenet.tflite")
    pose = model.pose(white_at(400, 200, 7))
    # the stand-in puts a body about what is white: hips at its height, 1 % to each side
    assert pose.t_ns == 7
    hip = pose.xyz[Joint.MID_HIP]
    assert hip[:2] == pytest.approx([400 / 480, -200 / 480], abs=0.01)
    assert pose.xyz[Joint.HIP_L][0] > hip[0] > pose.xyz[Joint.HIP_R][0]
    assert pose.xyz[Joint.ANKLE_L][1] < pose.xyz[Joint.KNEE_L][1] < hip[1]
    assert np.isnan(pose.xyz[Joint.HEEL_L]).all()
    assert pose.visibility[Joint.HEEL_L] == 0
    assert pose.visibility[Joint.NECK] == pytest.approx(0.9, abs=0.01)


def test_a_body_is_followed_and_found_again_when_it_was_lost() -> None:
    model = PoseModel(DATA / "movenet.tflite")
    for number in range(12):
        x = 200 + 8 * number
        found = model.pose(white_at(x, 240)).xyz[Joint.MID_HIP]
        assert found[:2] == pytest.approx([x / 480, -240 / 480], abs=0.01)
    nobody = Picture(0, np.zeros((480, 640, 3), dtype=np.uint8))
    assert np.isnan(model.pose(nobody).xyz).all()
    found = model.pose(white_at(560, 100)).xyz[Joint.MID_HIP]
    assert found[:2] == pytest.approx([560 / 480, -100 / 480], abs=0.02)


def test_blazeposes_metres_become_joints_with_heels_and_toes() -> None:
    model = PoseModel(DATA / "blazepose.tflite")
    pose = model.pose(white_at(320, 240))
    assert np.isfinite(pose.xyz).all()
    assert pose.xyz[Joint.ANKLE_L][1] < pose.xyz[Joint.HIP_L][1] < pose.xyz[Joint.SHOULDER_L][1]
    assert pose.xyz[Joint.SHOULDER_L][0] > pose.xyz[Joint.SHOULDER_R][0]
    assert pose.xyz[Joint.MID_HIP][2] == pytest.approx(-1.0)  # it says a metre behind
    assert (pose.visibility > 0.99).all()
    nobody = model.pose(Picture(0, np.zeros((480, 640, 3), dtype=np.uint8)))
    assert np.isnan(nobody.xyz).all()
    assert (nobody.visibility < 0.01).all()


def test_what_is_no_pose_model_is_refused(tmp_path: Path) -> None:
    (tmp_path / "none.tflite").write_bytes(b"no model")
    with pytest.raises(EdgeError):
        PoseModel(tmp_path / "none.tflite")
    with pytest.raises(Unreadable, match=r"away\.tflite"):
        PoseModel(tmp_path / "away.tflite")
    with pytest.raises(ModelRefused, match="square picture"):
        PoseModel(Path(str(resources.files("rehab_edge.models"))) / "probe.tflite")


def test_a_video_is_a_source_of_poses_when_there_is_a_model(tmp_path: Path) -> None:
    path = make_video(tmp_path / "walk.mp4")
    with opened(str(path), "m01", DATA / "movenet.tflite") as source:
        poses = list(source.poses)
    assert (source.live, len(poses)) == (False, 20)
    across = [float(pose.xyz[Joint.MID_HIP][0]) for pose in poses]
    assert across == sorted(across)
    assert across[-1] - across[0] == pytest.approx(4 * 19 / 120, rel=0.1)
    with pytest.raises(EdgeError, match="--pose"), opened(str(path), "m01"):
        pass
