"""The shipped sensor: a camera of this device with a pose model of the user's."""

from __future__ import annotations

import importlib.util
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import ClassVar

from rehab_edge.errors import EdgeError
from rehab_edge.interpreter import usable
from rehab_edge.sensors import API_VERSION, Capability, SensorFrame
from rehab_edge.sources.images import Picture, camera
from rehab_edge.sources.seeing import PoseModel


class Camera:
    """Settings: `pose`, the model's file, and `number` of the camera, from 0."""

    api_version: ClassVar[int] = API_VERSION
    id = "camera"
    capabilities = frozenset({Capability.LANDMARKS})

    def __init__(self) -> None:
        self._stack = ExitStack()
        self._model: PoseModel | None = None
        self._pictures: Iterator[Picture] = iter(())

    def self_test(self) -> str:
        if importlib.util.find_spec("cv2") is None:
            return "needs rehab-edge[video]"
        return "" if usable() else "needs a TFLite runtime: rehab-edge[litert]"

    def open(self, settings: Mapping[str, str]) -> None:
        """Raises EdgeError."""
        if not settings.get("pose"):
            raise EdgeError("a camera needs a pose model of yours: --pose FILE.tflite")
        self._model = PoseModel(Path(settings["pose"]))
        number = int(settings.get("number", "0"))
        self._pictures = self._stack.enter_context(camera(number))

    def frames(self) -> Iterator[SensorFrame]:
        for picture in self._pictures:
            if self._model is not None:
                yield SensorFrame(picture.t_ns, self._model.pose(picture))

    def close(self) -> None:
        self._stack.close()
