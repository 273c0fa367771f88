"""The training loop: AdamW (Loshchilov and Hutter 2019, arXiv 1711.05101) under a cosine, a fixed
number of epochs. Nothing stops early on the people or repetitions that are reported.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import keras
import numpy as np
import tensorflow as tf

Batch = Sequence[np.ndarray]
Loss = Callable[[tf.Tensor, tf.Tensor], tf.Tensor]


@dataclass(frozen=True)
class Course:
    epochs: int
    batch: int
    rate: float = 2e-3
    decay: float = 2e-2


def fit(
    model: keras.Model, course: Course, rows: int, epoch: Callable[[], Batch], loss: Loss
) -> None:
    """`epoch` gives the model's inputs and then the targets, shuffled, anew for each epoch; `loss`
    takes targets and all answers."""
    batches = rows // course.batch
    rates = keras.optimizers.schedules.CosineDecay(course.rate, course.epochs * batches)
    optimizer = keras.optimizers.AdamW(rates, weight_decay=course.decay)
    optimizer.build(model.trainable_variables)

    @tf.function
    def whole(*held: tf.Tensor) -> None:
        for number in tf.range(batches):
            here = [one[number * course.batch : (number + 1) * course.batch] for one in held]
            with tf.GradientTape() as tape:
                cost = loss(here[-1], model(here[:-1], training=True))
            gradients = tape.gradient(cost, model.trainable_variables)
            optimizer.apply_gradients(zip(gradients, model.trainable_variables, strict=True))

    for _ in range(course.epochs):
        whole(*(tf.constant(one) for one in epoch()))
