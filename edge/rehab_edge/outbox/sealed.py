"""A small document on disk that only the device's key opens, replaced whole."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rehab_edge.errors import EdgeError
from rehab_edge.outbox.key import MODE, sync_folder
from rehab_sdk.spool.sealing import AesGcm


class DamagedFile(EdgeError):
    """It was altered, or sealed with another key."""


class SealedFile:
    """One JSON object. A process that dies while it saves leaves the one before."""

    def __init__(self, path: Path, key: bytes) -> None:
        self._path = path
        self._sealing = AesGcm(key)
        self._place = b"rehab edge 1 " + path.name.encode()

    def load(self) -> dict[str, Any]:
        """Empty when nothing was saved yet. Raises DamagedFile."""
        try:
            sealed = self._path.read_bytes()
        except FileNotFoundError:
            return {}
        try:
            held: dict[str, Any] = json.loads(self._sealing.open(sealed, self._place))
        except ValueError:
            raise DamagedFile(f"{self._path} was altered, or is another device's") from None
        return held

    def save(self, held: Mapping[str, Any]) -> None:
        sealed = self._sealing.seal(json.dumps(held).encode(), self._place)
        draft = self._path.with_name(f"{self._path.name}.new")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, MODE)
        with os.fdopen(descriptor, "wb") as file:
            file.write(sealed)
            file.flush()
            os.fsync(file.fileno())
        draft.replace(self._path)
        sync_folder(self._path.parent)
