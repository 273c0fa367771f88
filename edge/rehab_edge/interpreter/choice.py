"""Which runtime and which variant of a model to use here: the fastest of those that agree.

Whether int8 is faster than float32 depends on the runtime and the processor: the same network takes
a third of the time on one and four times on another. So it is measured, at start-up.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rehab_edge.errors import ModelRefused, NoRuntime
from rehab_edge.interpreter.facade import Interpreter
from rehab_edge.interpreter.runtimes import load, usable

ROUNDS = 30
_WARM_UP = 3


@dataclass(frozen=True)
class Timing:
    """Of one candidate; `median_us` of a call. `problem` says why it is out."""

    runtime: str
    variant: str
    median_us: float = 0.0
    problem: str = ""


@dataclass(frozen=True)
class Choice:
    interpreter: Interpreter
    runtime: str
    variant: str
    timings: Sequence[Timing]


def choose(
    variants: Mapping[str, bytes],
    example: Mapping[str, NDArray],
    expected: NDArray,
    *,
    tolerance: float,
    runtimes: Sequence[str] | None = None,
) -> Choice:
    """`expected` is the first output for `example`; whoever is farther off than `tolerance` is
    out. Raises NoRuntime when nobody is left."""
    timings, loaded = [], {}
    for runtime in usable() if runtimes is None else runtimes:
        for variant, model in variants.items():
            timing, interpreter = _tried(runtime, variant, model, example, expected, tolerance)
            timings.append(timing)
            if interpreter:
                loaded[timing] = interpreter
    if not loaded:
        why = "; ".join(f"{one.runtime} {one.variant}: {one.problem}" for one in timings)
        raise NoRuntime(f"no runtime runs the model ({why or 'none is installed'})")
    best = min(loaded, key=lambda one: one.median_us)
    return Choice(loaded[best], best.runtime, best.variant, timings)


def _tried(
    runtime: str,
    variant: str,
    model: bytes,
    example: Mapping[str, NDArray],
    expected: NDArray,
    tolerance: float,
) -> tuple[Timing, Interpreter | None]:
    try:
        interpreter = load(model, runtime)
        answer = interpreter.run(example)[0]
    except (NoRuntime, ModelRefused) as error:
        return Timing(runtime, variant, problem=str(error)), None
    off = float(np.abs(answer.ravel() - expected.ravel()).max())
    if not off <= tolerance:
        return Timing(runtime, variant, problem=f"off by {off:.3g}"), None
    return Timing(runtime, variant, _median_us(interpreter, example)), interpreter


def _median_us(interpreter: Interpreter, example: Mapping[str, NDArray]) -> float:
    times = []
    for _ in range(_WARM_UP + ROUNDS):
        began = time.perf_counter_ns()
        interpreter.run(example)
        times.append((time.perf_counter_ns() - began) / 1000)
    return statistics.median(times[_WARM_UP:])
