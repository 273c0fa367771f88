"""The keys of a box in a key file: for development, tests, and a clinic on one machine."""

from __future__ import annotations

import contextlib
from pathlib import Path

from rehab_runtime import keyfile
from rehab_runtime.box.box import BoxKeys
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Internal
from rehab_runtime.keyfile import KeyFileError


class OfFile:
    """A file that was rotated by somebody else is read again; while it cannot be read, what is
    known holds."""

    def __init__(self, path: Path, clock: Clock) -> None:
        """The file is made if there is none. Raises KeyFileError."""
        keyfile.make_if_none(path, clock)
        self._path = path
        self._clock = clock
        self._load()

    def current(self) -> BoxKeys:
        with contextlib.suppress(OSError, KeyFileError):
            if self._seen != _stamp(self._path):
                self._load()
        return self._keys

    def again(self) -> BoxKeys:
        try:
            self._load()
        except KeyFileError as error:
            raise Internal(error.line) from None
        return self._keys

    async def rotate(self) -> int:
        keyfile.rotate(self._path, self._clock)
        self._load()
        return self._keys.newest

    async def destroy_older(self) -> int:
        newest = self.current().newest
        keyfile.destroy_older_than(self._path, newest)
        self._load()
        return newest

    async def rewrap(self) -> None:
        """Nothing wraps them."""

    def _load(self) -> None:
        seen = _stamp(self._path) if self._path.exists() else None
        self._keys = read(self._path)  # after that look: a change in between is seen again
        self._seen = seen


def read(path: Path) -> BoxKeys:
    """What a key file holds. Raises KeyFileError."""
    file = keyfile.read(path)
    versions = {number: one.key for number, one in file.versions.items()}
    return BoxKeys(file.id, file.newest, versions)


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size
