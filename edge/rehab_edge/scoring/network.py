"""The two networks of one training, loaded for what runs them best here."""

from __future__ import annotations

import zipfile
from dataclasses import dataclass
from importlib.resources.abc import Traversable
from typing import Self

import numpy as np

from rehab_edge.errors import ModelRefused, NoRuntime
from rehab_edge.interpreter import Choice, choose, load, usable
from rehab_edge.scoring.channels import CHANNELS
from rehab_edge.scoring.scales import Inputs, Scales
from rehab_edge.scoring.window import MOMENTS, SUMMARY, Window
from rehab_edge.skeleton import Float32s

VARIANTS = ("float32", "int8")
TOLERANCE = 0.5
"""How far apart two variants' logarithms of odds may be on the example."""


@dataclass(frozen=True)
class Network:
    """`plain` without a baseline, `calibrated` with one."""

    scales: Scales
    plain: Choice
    calibrated: Choice

    @classmethod
    def load(
        cls, folder: Traversable, *, variant: str | None = None, runtime: str | None = None
    ) -> Self:
        """The fastest of those there are, or the asked one. Raises ModelRefused, NoRuntime."""
        try:
            scales = Scales.from_bytes((folder / "scales.npz").read_bytes())
        except (OSError, ValueError, KeyError, zipfile.BadZipFile) as error:
            raise ModelRefused("the model's scales cannot be read") from error
        return cls(
            scales,
            _chosen(folder, "plain", scales, variant, runtime),
            _chosen(folder, "calibrated", scales, variant, runtime),
        )

    def answer(self, seen: Window, movement: int, own: Window | None) -> float:
        """The logarithm of the odds that it was done well."""
        if own is None:
            inputs, choice = self.scales.plain(seen, movement), self.plain
        else:
            inputs, choice = self.scales.calibrated(seen, own, movement), self.calibrated
        return float(choice.interpreter.run(inputs.named())[0].ravel()[movement])


def example(scales: Scales, *, calibrated: bool) -> Inputs:
    """A made-up repetition one spread off the usual, and another half as far."""
    wave = np.sin(np.linspace(0, 2 * np.pi, MOMENTS, dtype=np.float32))[:, None]
    curve = scales.curve_mean[0] + wave * scales.curve_spread[0] * np.ones(CHANNELS, np.float32)
    seen = Window(curve, scales.summary_mean[0] + np.ones(SUMMARY, np.float32))
    if not calibrated:
        return scales.plain(seen, 0)
    own = Window((curve + scales.curve_mean[0]) / 2, scales.summary_mean[0])
    return scales.calibrated(seen, own, 0)


def _chosen(
    folder: Traversable, name: str, scales: Scales, variant: str | None, runtime: str | None
) -> Choice:
    models = {
        one: file.read_bytes()
        for one in (VARIANTS if variant is None else (variant,))
        if (file := folder / f"{name}.{one}.tflite").is_file()
    }
    if not models:
        raise ModelRefused(f"the model has no {name} network")
    runtimes = usable() if runtime is None else [runtime]
    inputs = example(scales, calibrated=name == "calibrated").named()
    return choose(
        models, inputs, _reference(models, inputs, runtimes), tolerance=TOLERANCE,
        runtimes=runtimes,
    )  # fmt: skip


def _reference(
    models: dict[str, bytes], inputs: dict[str, Float32s], runtimes: list[str]
) -> Float32s:
    """What the first variant gives on the first runtime that runs it; the others must agree."""
    for runtime in runtimes:
        try:
            return load(next(iter(models.values())), runtime).run(inputs)[0]
        except (NoRuntime, ModelRefused):
            continue
    return np.full(0, np.nan, dtype=np.float32)
