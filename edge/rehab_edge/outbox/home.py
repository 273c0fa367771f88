"""Where a device keeps its things: key, spool, and what it remembers between runs."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

from rehab_edge.errors import EdgeError
from rehab_edge.outbox.key import device_key
from rehab_edge.outbox.sealed import SealedFile

DEVICE_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}")


@dataclass(frozen=True)
class Home:
    """A folder with one key, and a folder in it for each device id. Raises EdgeError."""

    folder: Path
    device_id: str

    def __post_init__(self) -> None:
        if DEVICE_ID.fullmatch(self.device_id) is None:
            raise EdgeError("a device id is 1 to 64 of A-Z, a-z, 0-9, _, ., : and -")
        try:
            self._own.mkdir(parents=True, exist_ok=True, mode=0o700)
        except OSError as error:
            raise EdgeError(f"{self._own}: {error.strerror}") from None

    @property
    def _own(self) -> Path:
        return self.folder / self.device_id

    @property
    def spool(self) -> Path:
        return self._own / "spool"

    def key(self) -> bytes:
        return device_key(self.folder / "device.key")

    def remembered(self, what: str) -> SealedFile:
        """Such as "sessions"."""
        return SealedFile(self._own / what, self.key())
