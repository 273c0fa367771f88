"""Small networks on the device: one facade over the two TFLite runtimes there are.

`tflite-runtime` ended with Python 3.11 and numpy 1; `ai-edge-litert` is its successor. Which one
is there, whether it works and which variant of a model runs faster on it is found out at start-up.
"""

from rehab_edge.interpreter.choice import Choice, Timing, choose
from rehab_edge.interpreter.facade import Interpreter, Tensor
from rehab_edge.interpreter.runtimes import RUNTIMES, SelfTest, load, self_test, usable

__all__ = [
    "RUNTIMES",
    "Choice",
    "Interpreter",
    "SelfTest",
    "Tensor",
    "Timing",
    "choose",
    "load",
    "self_test",
    "usable",
]
