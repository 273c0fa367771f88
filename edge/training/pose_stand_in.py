"""Pose models for tests: the tensors of MoveNet and BlazePose, and a body about what is white.

They find the middle of what is white in a picture and put a standing body around it, so that the
way from a picture to joints and back can be checked. `python -m training.pose_stand_in FOLDER` in
`edge/` writes them (TensorFlow)."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import tensorflow as tf

WHITE = 0.7
ENOUGH = 20.0
"""White pixels from which on somebody is there."""
COCO = np.array(
    [(-9, 0), (-9.5, 0.5), (-9.5, -0.5), (-9, 1), (-9, -1), (-6, 2), (-6, -2), (-3, 2.5),
     (-3, -2.5), (0, 2.5), (0, -2.5), (0, 1), (0, -1), (4, 1), (4, -1), (8, 1), (8, -1)],
    dtype=np.float32,
) / 100  # fmt: skip
"""y and x from the middle, as shares of the picture; the body's left is to the right."""
OF_COCO = [0, 1, 1, 1, 2, 2, 2, 3, 4, 0, 0, 5, 6, 7, 8, 9, 10, 9, 10, 9, 10, 9, 10, 11, 12, 13, 14,
           15, 16, 15, 16, 15, 16, 11, 0, 5, 6, 11, 12]  # fmt: skip
"""Which of COCO's points stands for each of BlazePose's 39."""


def middle(picture: Any, side: int) -> tuple[Any, Any]:
    """y and x as shares, and whether somebody is there (0 or 1)."""
    white = tf.nn.relu(tf.reduce_mean(picture, axis=-1) - WHITE)
    at = tf.constant((np.arange(side, dtype=np.float32) + 0.5) / side)
    total = tf.reduce_sum(white, axis=[1, 2]) + 1e-6
    y = tf.reduce_sum(tf.reduce_sum(white, axis=2) * at, axis=1) / total
    x = tf.reduce_sum(tf.reduce_sum(white, axis=1) * at, axis=1) / total
    return tf.stack([y, x], axis=-1), tf.minimum(total / (ENOUGH * (1 - WHITE)), 1.0)


def movenet(side: int = 192) -> tf.function:
    @tf.function(input_signature=[tf.TensorSpec([1, side, side, 3], tf.float32, name="input")])
    def model(picture: Any) -> Any:
        yx, there = middle(picture / 255.0, side)
        points = yx[:, None, :] + COCO[None]
        score = tf.ones([1, 17, 1]) * there[:, None, None] * 0.9
        return tf.reshape(tf.concat([points, score], axis=-1), [1, 1, 17, 3])

    return model


def blazepose(side: int = 256) -> tf.function:
    own = COCO[OF_COCO]

    @tf.function(input_signature=[tf.TensorSpec([1, side, side, 3], tf.float32, name="input_1")])
    def model(picture: Any) -> Any:
        yx, there = middle(picture, side)
        points = (yx[:, None, :] + own[None]) * float(side)
        logit = tf.ones([1, 39, 2]) * (there[:, None, None] * 12.0 - 6.0)
        marks = tf.concat([points[..., 1:], points[..., :1], 0 * points[..., :1], logit], axis=-1)
        metres = np.column_stack([own[:, 1], own[:, 0], 0.1 + 0 * own[:, 0]]) * 10.0
        world = tf.constant(metres.astype(np.float32))[None] * tf.ones([1, 39, 3]) * there[:, None]
        return tf.reshape(marks, [1, 195]), there[:, None], tf.reshape(world, [1, 117])

    return model


def main(folder: Path) -> None:
    for name, model in (("movenet", movenet()), ("blazepose", blazepose())):
        concrete = model.get_concrete_function()
        converter = tf.lite.TFLiteConverter.from_concrete_functions([concrete], model)
        (folder / f"{name}.tflite").write_bytes(converter.convert())


if __name__ == "__main__":
    main(Path(sys.argv[1]))
