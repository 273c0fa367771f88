"""From a trained network to .tflite: float32, and int8 throughout.

Dynamic-range quantisation is not used: it writes an operator version that tflite-runtime 2.14 does
not know.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import keras
import numpy as np
import tensorflow as tf
from tensorflow.python.framework.convert_to_constants import convert_variables_to_constants_v2


def float32(model: keras.Model) -> bytes:
    return bytes(_converter(model).convert())


def int8(model: keras.Model, examples: Sequence[np.ndarray]) -> bytes:
    """`examples`: for each input some of what it will see, row by row."""

    def seen() -> Iterator[list[np.ndarray]]:
        for row in zip(*examples, strict=True):
            yield [value[None].astype(np.float32) for value in row]

    converter = _converter(model)
    converter.optimizations = [tf.lite.Optimize.DEFAULT]
    converter.representative_dataset = seen
    converter.target_spec.supported_ops = [tf.lite.OpsSet.TFLITE_BUILTINS_INT8]
    converter.inference_input_type = converter.inference_output_type = tf.int8
    return bytes(converter.convert())


def _converter(model: keras.Model) -> tf.lite.TFLiteConverter:
    """Of the model with its weights as constants: as variables the quantiser cannot run them."""
    specs = [tf.TensorSpec((1, *one.shape[1:]), tf.float32, name=one.name) for one in model.inputs]
    function = tf.function(lambda *values: model(list(values), training=False), specs)
    frozen = convert_variables_to_constants_v2(function.get_concrete_function())
    return tf.lite.TFLiteConverter.from_concrete_functions([frozen])
