"""Pictures of real video files come in order with times that rise, and find their way back."""

from __future__ import annotations

import itertools
from pathlib import Path

import cv2
import numpy as np
import pytest

from rehab_edge.errors import Unreadable
from rehab_edge.sources.images import camera, camera_number, letterboxed, video


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
def test_a_letterbox_keeps_shapes_and_tells_the_way_back(shape: tuple[int, int]) -> None:
    picture = np.zeros((*shape, 3), dtype=np.uint8)
    top, left = shape[0] // 2, shape[1] // 4
    picture[top : top + 8, left : left + 8] = 255
    square, box = letterboxed(picture, 192)
    assert square.shape == (192, 192, 3)
    y, x = np.argwhere(square[..., 0] > 100).mean(axis=0)
    found = box.to_picture(np.array([x, y], dtype=np.float32))
    assert found == pytest.approx([left + 3.5, top + 3.5], abs=shape[1] / 100)
