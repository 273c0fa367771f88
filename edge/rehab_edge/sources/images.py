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
from rehab_edge.skeleton import Float32s

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
class Square:
    """A part of a picture that a model looks at, in the picture's pixels. It may reach over the
    picture's edges, where it is black."""

    left: float
    top: float
    side: float

    def to_picture(self, xy: Float32s) -> Float32s:
        """[..., 2] of x and y as shares of the square, in the picture's pixels."""
        offset = np.array([self.left, self.top], dtype=np.float32)
        found: Float32s = offset + xy * np.float32(self.side)
        return found


def whole(rgb: Image) -> Square:
    """The smallest square with all of the picture in its middle."""
    height, width = rgb.shape[:2]
    side = float(max(height, width))
    return Square((width - side) / 2, (height - side) / 2, side)


def cropped(rgb: Image, square: Square, pixels: int) -> Image:
    """[pixels, pixels, 3] of the square, its shape kept."""
    opencv = _opencv()
    scale = pixels / square.side
    # pixel centres lie at halves (as in cv2.resize): 0.5 of the one is 0.5 of the other, scaled
    shift = 0.5 * scale - 0.5
    matrix = np.array(
        [[scale, 0, shift - square.left * scale], [0, scale, shift - square.top * scale]]
    )
    found: Image = opencv.warpAffine(
        _thinned(rgb, scale), matrix, (pixels, pixels), flags=opencv.INTER_LINEAR
    )
    return found


def _thinned(rgb: Image, scale: float) -> Image:
    """Blurred first where it is made much smaller: a thin limb would fall between the samples."""
    size = 2 * round(0.5 / scale) + 1
    if scale > 0.5:
        return rgb
    found: Image = _opencv().blur(rgb, (size, size))
    return found
