"""How long the scorer takes on one thread, whole and in parts."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from rehab_edge.evaluation.people import Row
from rehab_edge.exercises import EXERCISES
from rehab_edge.interpreter import usable
from rehab_edge.models import FORM
from rehab_edge.scoring.calibration import REPETITIONS, PatientBaseline
from rehab_edge.scoring.learned import LearnedScorer
from rehab_edge.scoring.network import VARIANTS, Network

_WARM_UP = 20


@dataclass(frozen=True)
class Speed:
    """Microseconds of `calls` calls: by the clock, and of the processor's time alone, which others
    on the machine lengthen less."""

    stage: str
    calls: int
    p50_us: float
    p99_us: float
    cpu_p50_us: float
    cpu_p99_us: float


def speeds(seen: Sequence[Row], calls: int) -> list[Speed]:
    """Of the recorded repetitions in turn, at least one: the scorer as it is used, its window, and
    each network in each variant on each runtime that works here."""
    gc.collect()
    gc.freeze()  # the recordings that are held here would be walked as no device's memory is
    scorer = LearnedScorer()
    scorer.warm_up()
    attempts = [one.attempt for one in seen]
    own = _baselines(seen)
    found = [
        _timed("window", seen, Row.window, calls),
        _timed("scorer", attempts, lambda one: scorer.score(one, None), calls),
        _timed(
            "scorer, calibrated",
            attempts,
            lambda one: scorer.score(one, own[one.exercise.id, one.right]),
            calls,
        ),
    ]
    windows = [(one.movement, one.window()) for one in seen]
    for runtime in usable():
        for variant in VARIANTS:
            network = Network.load(FORM, variant=variant, runtime=runtime)
            found += _networks(f"{runtime} {variant}", network, windows, calls)
    return found


def _networks(name: str, network: Network, windows: Sequence, calls: int) -> list[Speed]:
    plain = [network.scales.plain(one, movement).named() for movement, one in windows]
    paired = [
        network.scales.calibrated(one, windows[0][1], movement).named() for movement, one in windows
    ]
    return [
        _timed(f"network, {name}", plain, network.plain.interpreter.run, calls),
        _timed(f"network, calibrated, {name}", paired, network.calibrated.interpreter.run, calls),
    ]


def _baselines(seen: Sequence[Row]) -> Mapping[tuple[str, bool], PatientBaseline]:
    """Somebody's, for each exercise and side: the time does not depend on whose it is."""
    names = list(EXERCISES)
    return {
        (names[one.movement], one.right): PatientBaseline(
            names[one.movement], one.right, one.window(), REPETITIONS
        )
        for one in seen
    }


def _timed(stage: str, inputs: Sequence, once: Callable, calls: int) -> Speed:
    times = np.empty((2, calls))
    for call in range(-_WARM_UP, calls):
        one = inputs[call % len(inputs)]
        began, began_cpu = time.perf_counter_ns(), time.thread_time_ns()
        once(one)
        if call >= 0:
            times[:, call] = time.perf_counter_ns() - began, time.thread_time_ns() - began_cpu
    (p50, cpu_p50), (p99, cpu_p99) = np.percentile(times / 1000, [50, 99], axis=1)
    return Speed(stage, calls, float(p50), float(p99), float(cpu_p50), float(cpu_p99))
