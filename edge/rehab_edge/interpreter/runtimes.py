"""Which runtimes are there, and whether they work.

That one can be imported says little: tflite-runtime 2.14 imports beside numpy 2 and fails when an
interpreter is built. So a runtime counts as usable once it has run a model and given what the model
is known to give.
"""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata, resources

import numpy as np

from rehab_edge.errors import ModelRefused, NoRuntime
from rehab_edge.interpreter.facade import Interpreter

RUNTIMES: Mapping[str, str] = {
    "ai-edge-litert": "ai_edge_litert.interpreter",
    "tflite-runtime": "tflite_runtime.interpreter",
}
"""Distribution and module, the newer one first."""
_PROBE = "probe.tflite"
_INPUT = np.array([1, 2, 3, 4], dtype=np.float32)
_ANSWER = np.array([5, 3], dtype=np.float32)
"""Of four numbers a, b, c, d the probe gives a + d and 2c - a - b; training/probe.py has it."""


@dataclass(frozen=True)
class SelfTest:
    """`problem` is empty when all is well."""

    name: str
    version: str
    problem: str = ""

    @property
    def ok(self) -> bool:
        return not self.problem


def load(model: bytes, runtime: str) -> Interpreter:
    """On one thread. Raises NoRuntime, ModelRefused."""
    module = RUNTIMES.get(runtime)
    if module is None or importlib.util.find_spec(module.split(".")[0]) is None:
        raise NoRuntime(f"{runtime} is not installed")
    try:
        build = importlib.import_module(module).Interpreter
        return Interpreter(runtime, build(model_content=model, num_threads=1))
    except (ImportError, AttributeError, SystemError) as error:
        raise NoRuntime(f"{runtime} cannot be used: {type(error).__name__}") from error
    except (ValueError, RuntimeError) as error:
        raise ModelRefused(f"{runtime} refuses the model: {error}") from error


@cache
def self_test(runtime: str) -> SelfTest:
    """Runs a model whose answer is known. Once a process."""
    try:
        version = metadata.version(runtime)
    except metadata.PackageNotFoundError:
        return SelfTest(runtime, "", "not installed")
    try:
        probe = (resources.files("rehab_edge.models") / _PROBE).read_bytes()
        (answer,) = load(probe, runtime).run({"numbers": _INPUT})
    except (NoRuntime, ModelRefused) as error:
        return SelfTest(runtime, version, str(error))
    if not np.allclose(answer.ravel(), _ANSWER, atol=1e-4):
        return SelfTest(runtime, version, "gives a wrong answer to a known sum")
    return SelfTest(runtime, version)


def usable() -> list[str]:
    """Those that work here, the newer one first; possibly none."""
    return [name for name in RUNTIMES if self_test(name).ok]
