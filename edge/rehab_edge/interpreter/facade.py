"""One loaded model: real numbers in and out, whatever the tensors hold.

Names, types and shapes are read from the model. A quantised tensor has a scale and a zero point:
real = scale (stored - zero point) (Jacob et al. 2018, doi 10.1109/CVPR.2018.00286, equation 1).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rehab_edge.errors import ModelRefused
from rehab_edge.skeleton import Float32s

_SIGNATURE = "serving_default_"


@dataclass(frozen=True)
class Tensor:
    """`scale` is 0 where the tensor is not quantised."""

    name: str
    index: int
    shape: tuple[int, ...]
    dtype: np.dtype
    scale: float = 0.0
    zero_point: int = 0

    def stored(self, value: NDArray) -> NDArray:
        """As the tensor holds it. A batch's axis of one may be missing.
        Raises ModelRefused for another size."""
        if value.size != int(np.prod(self.shape)):
            raise ModelRefused(f"{self.name} takes {self.shape}, not {value.shape}")
        whole = value.reshape(self.shape)
        if not self.scale:
            return np.ascontiguousarray(whole, dtype=self.dtype)
        limits = np.iinfo(self.dtype)
        held = np.rint(whole / self.scale) + self.zero_point
        return np.clip(held, limits.min, limits.max).astype(self.dtype)

    def real(self, held: NDArray) -> Float32s:
        if not self.scale:
            return held.astype(np.float32)
        return ((held.astype(np.float32) - self.zero_point) * np.float32(self.scale)).astype(
            np.float32
        )


class Interpreter:
    """Over the `Interpreter` that both runtimes have. Not for several threads at once."""

    def __init__(self, runtime: str, inner: Any) -> None:
        inner.allocate_tensors()
        self.runtime = runtime
        self.inputs = {one.name: one for one in map(_tensor, inner.get_input_details())}
        self.outputs = tuple(_tensor(one) for one in inner.get_output_details())
        self._inner = inner

    @property
    def dtype(self) -> str:
        """Of what comes in: float32, int8, uint8, int32."""
        return str(next(iter(self.inputs.values())).dtype)

    def run(self, values: Mapping[str, NDArray]) -> tuple[Float32s, ...]:
        """By the inputs' names. Raises ModelRefused when one is missing or of another shape."""
        for name, tensor in self.inputs.items():
            if name not in values:
                raise ModelRefused(f"the model takes {name}, which was not given")
            self._inner.set_tensor(tensor.index, tensor.stored(values[name]))
        self._inner.invoke()
        return tuple(one.real(self._inner.get_tensor(one.index)) for one in self.outputs)


def _tensor(told: Mapping[str, Any]) -> Tensor:
    scale, zero_point = told["quantization"]
    return Tensor(
        name=str(told["name"]).removeprefix(_SIGNATURE).split(":", maxsplit=1)[0],
        index=int(told["index"]),
        shape=tuple(int(size) for size in told["shape"]),
        dtype=np.dtype(told["dtype"]),
        scale=float(scale),
        zero_point=int(zero_point),
    )
