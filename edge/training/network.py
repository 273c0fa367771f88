"""The network: dilated convolutions over the window beside a dense look at its summary.

Three branches of the same form are trained side by side and their answers averaged: most of what an
ensemble gains for a fraction of its size. Each movement has an answer of its own from the shared
features.
"""

from __future__ import annotations

import keras
from keras import layers

BRANCHES = 3
FILTERS = 16
DENSE = 32
DROPOUT = 0.5


def network(
    curve: tuple[int, int],
    summary: int,
    movements: int,
    *,
    branches: int = BRANCHES,
    dropout: float = DROPOUT,
) -> keras.Model:
    """From the inputs named as in `Inputs` to [movements * branches] answers, a branch after the
    other. Without movements to tell apart (1) there is no such input."""
    inputs = [
        keras.Input(curve, name="curve"),
        keras.Input((summary,), name="summary"),
    ]
    if movements > 1:
        inputs.append(keras.Input((movements,), name="movement"))
    answers = [_branch(inputs, movements, dropout) for _ in range(branches)]
    return keras.Model(inputs, layers.Concatenate()(answers))


def averaged(trained: keras.Model, movements: int) -> keras.Model:
    """What is exported: [movements] answers, the branches' mean."""
    branches = trained.output_shape[-1] // movements
    split = layers.Reshape((branches, movements))(trained.output)
    mean = layers.GlobalAveragePooling1D()(split)
    return keras.Model(trained.inputs, mean)


def _branch(inputs: list[keras.KerasTensor], movements: int, dropout: float) -> keras.KerasTensor:
    curve, summary, *which = inputs
    seen = layers.SpatialDropout1D(0.2)(layers.GaussianNoise(0.2)(curve))
    seen = layers.Conv1D(FILTERS, 3, padding="same", activation="relu")(seen)
    seen = layers.Conv1D(FILTERS, 3, strides=2, padding="same", activation="relu")(seen)
    seen = layers.Conv1D(FILTERS, 3, dilation_rate=2, padding="same", activation="relu")(seen)
    told = layers.Dropout(0.3)(layers.GaussianNoise(0.3)(summary))
    told = layers.Dense(DENSE, activation="relu")(layers.Concatenate()([told, *which]))
    both = layers.Concatenate()(
        [
            layers.GlobalAveragePooling1D()(seen),
            layers.GlobalMaxPooling1D()(seen),
            told,
            *which,
        ]
    )
    hidden = layers.Dense(32, activation="relu")(layers.Dropout(dropout)(both))
    return layers.Dense(movements)(layers.Dropout(dropout * 0.6)(hidden))
