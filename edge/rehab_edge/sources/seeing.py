"""Landmarks of a picture by a pose model that the user brings; none is shipped.

Two families are known, told apart by their outputs: MoveNet SinglePose ([1, 1, 17, 3]: y, x and
score of COCO's joints as shares of the picture; pixels go in as 0 to 255) and BlazePose's landmarks
([1, 195]: x, y, z, visibility and presence of 39 points in the input's pixels, and [1, 117]: the
same points in metres about the hips; pixels go in as 0 to 1). A quantised input takes pixels as
they are.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rehab_edge.errors import ModelRefused, NoRuntime, Unreadable
from rehab_edge.interpreter import Interpreter, Tensor, load, usable
from rehab_edge.pose import BLAZEPOSE, MOVENET, pose_of
from rehab_edge.pose.conventions import SEEN
from rehab_edge.skeleton import Float32s, Pose
from rehab_edge.sources.images import Image, Picture, Square, cropped, whole

MARGIN = 1.5
"""Side of the square that is looked at next, to the body's largest extent in this picture."""
LEAST_SEEN = 6
"""Joints without which nobody was found, and the whole picture is looked at again."""
LEAST_SIDE = 0.2
"""Of the picture's longer side: nobody is followed into a smaller square."""

BODY = 33
"""Of BlazePose's points; six more are for its own use."""
MOVENET_VALUES, BLAZEPOSE_VALUES, BLAZEPOSE_METRES = 51, 195, 117


@dataclass(frozen=True)
class Points:
    """`xy` are shares of the square that was looked at, y downward; `metres` are there where the
    model knows any, y downward and z away from the camera."""

    xy: Float32s
    score: Float32s
    metres: Float32s | None


class PoseModel:
    """One person, who is followed from picture to picture."""

    def __init__(self, path: Path) -> None:
        """Raises Unreadable, NoRuntime, ModelRefused."""
        self._interpreter = _loaded(path)
        self._input = _picture_input(self._interpreter, path)
        sizes = {int(np.prod(one.shape)) for one in self._interpreter.outputs}
        self._blazepose = BLAZEPOSE_VALUES in sizes
        if not self._blazepose and MOVENET_VALUES not in sizes:
            raise ModelRefused(f"{path.name} gives no landmarks of MoveNet or BlazePose")
        self._convention = BLAZEPOSE if self._blazepose else MOVENET
        self._square: Square | None = None

    def pose(self, picture: Picture) -> Pose:
        """Joints that the model does not see are unseen. The unit is a metre where the model knows
        it, else the picture's height."""
        square = self._square or whole(picture.rgb)
        points = self._points(cropped(picture.rgb, square, self._input.shape[1]))
        pixels = square.to_picture(points.xy)
        self._square = _followed(pixels[points.score >= SEEN], picture.rgb)
        placed = pixels / np.float32(picture.rgb.shape[0])
        if points.metres is not None:
            placed = points.metres
        return pose_of(picture.t_ns, placed, points.score, self._convention)

    def _points(self, square: Image) -> Points:
        found = self._interpreter.run({self._input.name: self._values(square)})
        by_size = {one.size: one.ravel() for one in found}
        if not self._blazepose:
            y, x, score = by_size[MOVENET_VALUES].reshape(-1, 3).T
            return Points(np.column_stack([x, y]), score, None)
        marks = by_size[BLAZEPOSE_VALUES].reshape(-1, 5)[:BODY]
        logit = np.minimum(marks[:, 3], marks[:, 4])
        sure = (1 / (1 + np.exp(-logit))).astype(np.float32)
        metres = by_size.get(BLAZEPOSE_METRES)
        if metres is not None:
            metres = metres.reshape(-1, 3)[:BODY]
        return Points(marks[:, :2] / np.float32(self._input.shape[1]), sure, metres)

    def _values(self, square: Image) -> NDArray:
        """In the model's own numbers, which the interpreter stores as the tensor holds them."""
        if self._input.scale:
            held = square.astype(np.float32) + (-128 if self._input.dtype == np.int8 else 0)
            return (held - self._input.zero_point) * np.float32(self._input.scale)
        return square / np.float32(255) if self._blazepose else square


def _loaded(path: Path) -> Interpreter:
    try:
        model = path.read_bytes()
    except OSError as error:
        raise Unreadable(f"{path}: {error.strerror}") from None
    there = usable()
    if not there:
        raise NoRuntime("a pose model needs ai-edge-litert, or tflite-runtime with numpy 1")
    return load(model, there[0])


def _picture_input(interpreter: Interpreter, path: Path) -> Tensor:
    for one in interpreter.inputs.values():
        if len(one.shape) == 4 and one.shape[1] == one.shape[2] > 1 and one.shape[3] == 3:
            return one
    raise ModelRefused(f"{path.name} takes no square picture")


def _followed(pixels: Float32s, rgb: Image) -> Square | None:
    """Around the body, for the next picture; None to look at all of it."""
    if len(pixels) < LEAST_SEEN:
        return None
    low, high = pixels.min(axis=0), pixels.max(axis=0)
    longer = max(rgb.shape[:2])
    side = float(max(MARGIN * (high - low).max(), LEAST_SIDE * longer))
    if side >= longer:
        return None
    left, top = (low + high) / 2 - side / 2
    return Square(float(left), float(top), side)
