"""Pictures from a video file or a camera, each with its time (OpenCV, an extra)."""

from __future__ import annotations

import importlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehab_edge.errors import EdgeError, Unreadable

Image = NDArray[np.uint8]
USUAL_FRAMES_PER_S = 30.0
"""Of a file that does not tell."""
CAMERA = "camera"


@dataclass(frozen=True)
class Picture:
    """`rgb` is [height, width, 3]; `t_ns` counts from the recording's start, or is of a monotonic
    clock."""

    t_ns: int
    rgb: Image


def camera_number(source: str) -> int | None:
    """Which camera a source names: "camera" is the first, "camera:1" the next. None for others."""
    name, _, number = source.partition(":")
    if name != CAMERA or (number and not number.isdecimal()):
        return None
    return int(number or 0)


@contextmanager
def video(path: Path) -> Iterator[tuple[Iterator[Picture], float]]:
    """With its duration in seconds as the file tells it, 0 where it does not. Raises Unreadable, or
    EdgeError without the extra."""
    if not path.is_file():
        raise Unreadable(f"{path} is not there")
    with _capture(str(path)) as capture:
        if capture is None:
            raise Unreadable(f"{path} is no video that can be read here")
        yield _of_file(capture), _duration_s(capture)


@contextmanager
def camera(
    number: int, clock: Callable[[], int] = time.monotonic_ns
) -> Iterator[Iterator[Picture]]:
    """Raises Unreadable, or EdgeError without the extra."""
    with _capture(number) as capture:
        if capture is None:
            raise Unreadable(f"camera {number} is not there, or another program has it")
        yield _of_camera(capture, clock)


@contextmanager
def _capture(what: str | int) -> Iterator[Any]:
    """None when there is nothing to read."""
    opencv = _opencv()
    capture = opencv.VideoCapture(what)
    try:
        yield capture if capture.isOpened() else None
    finally:
        capture.release()


def _opencv() -> Any:
    """Quiet: it would write into the live view. Raises EdgeError without the extra."""
    try:
        opencv: Any = importlib.import_module("cv2")
    except ImportError:
        raise EdgeError("videos and cameras need pip install 'rehab-edge[video]'") from None
    opencv.utils.logging.setLogLevel(opencv.utils.logging.LOG_LEVEL_SILENT)
    return opencv


def _of_file(capture: Any) -> Iterator[Picture]:
    """Times are the file's own where they rise; else by its frame rate, else by the usual one."""
    opencv = _opencv()
    period_ns = round(1e9 / _rate(capture))
    last_ns = -period_ns
    while True:
        read, picture = capture.read()
        if not read:
            return
        t_ns = round(1e6 * float(capture.get(opencv.CAP_PROP_POS_MSEC)))
        last_ns = t_ns if t_ns > last_ns else last_ns + period_ns
        yield Picture(last_ns, _rgb(picture))


def _rate(capture: Any) -> float:
    told = float(capture.get(_opencv().CAP_PROP_FPS))
    return told if 1 <= told <= 1000 else USUAL_FRAMES_PER_S


def _duration_s(capture: Any) -> float:
    return max(0.0, float(capture.get(_opencv().CAP_PROP_FRAME_COUNT))) / _rate(capture)


def _of_camera(capture: Any, clock: Callable[[], int]) -> Iterator[Picture]:
    while True:
        read, picture = capture.read()
        if not read:
            return
        yield Picture(clock(), _rgb(picture))


def _rgb(bgr: Any) -> Image:
    rgb: Image = np.ascontiguousarray(bgr[..., ::-1])
    return rgb


@dataclass(frozen=True)
class Letterbox:
    """How a picture lies in a model's square: scaled by `scale`, then moved by these pixels."""

    scale: float
    left: float
    top: float
    side: int

    def to_picture(self, xy: NDArray[np.float32]) -> NDArray[np.float32]:
        """[..., 2] of x and y in the square's pixels, in the picture's."""
        offset = np.array([self.left, self.top], dtype=np.float32)
        return (xy - offset) / np.float32(self.scale)


def letterboxed(rgb: Image, side: int) -> tuple[Image, Letterbox]:
    """The whole picture within a square, its shape kept, the rest black."""
    opencv = _opencv()
    height, width = rgb.shape[:2]
    scale = side / max(height, width)
    inner = max(1, round(width * scale)), max(1, round(height * scale))
    left, top = (side - inner[0]) // 2, (side - inner[1]) // 2
    square = np.zeros((side, side, 3), dtype=np.uint8)
    square[top : top + inner[1], left : left + inner[0]] = opencv.resize(
        rgb, inner, interpolation=opencv.INTER_AREA if scale < 1 else opencv.INTER_LINEAR
    )
    return square, Letterbox(scale, left, top, side)
