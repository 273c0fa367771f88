"""What the key file seals: small secrets, each bound to its place.

`format (1 byte) | version of the key (4) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM. The
associated data binds the key file's id, the version and the context.
"""

from __future__ import annotations

import contextlib
import os
import struct
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime import keyfile
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Internal
from rehab_runtime.keyfile import KeyFile, KeyFileError

FORMAT = 1
NONCE_BYTES = 12
_HEAD = struct.Struct(">BI")
_LENGTH = struct.Struct(">I")


def joined(*parts: str) -> bytes:
    """Parts with their lengths, so that no two lists of parts look alike."""
    told = [part.encode() for part in parts]
    return b"".join(_LENGTH.pack(len(part)) + part for part in told)


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


class Box:
    """Seals with the newest version of the key file; opens with any that it has. `of` names the
    service whose secrets they are, and binds them to it."""

    of = "rehab"

    def __init__(self, path: Path) -> None:
        """Raises KeyFileError."""
        self._path = path
        self._load()

    @classmethod
    def open_or_make(cls, path: Path, clock: Clock) -> Self:
        """Raises KeyFileError."""
        keyfile.make_if_none(path, clock)
        return cls(path)

    def rotate(self, clock: Clock) -> int:
        """A new version, which seals from now on. Raises KeyFileError."""
        keyfile.rotate(self._path, clock)
        self._load()
        return self._file.newest

    def destroy_older(self) -> int:
        """Drop all versions but the newest, which is returned. Raises KeyFileError."""
        keyfile.destroy_older_than(self._path, self._current().newest)
        self._load()
        return self._file.newest

    def seal(self, secret: bytes, *context: str) -> bytes:
        self._current()
        head = _HEAD.pack(FORMAT, self._file.newest)
        nonce = os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self._file.newest]
        return head + nonce + cipher.encrypt(nonce, secret, self._bound(head, context))

    def open(self, sealed: bytes, *context: str) -> bytes:
        """Raises Internal for what was changed or moved, or sealed by a key that is not here."""
        head, rest = sealed[: _HEAD.size], sealed[_HEAD.size :]
        if len(head) < _HEAD.size or head[0] != FORMAT:
            raise Internal("a sealed secret has no known format")
        version = self.version(sealed)
        if version not in self._ciphers:
            self._reload()
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise Internal(f"the key file has no version {version}: restore it from its backup")
        try:
            nonce, text = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
            return cipher.decrypt(nonce, text, self._bound(head, context))
        except (InvalidTag, ValueError):
            raise Internal("a sealed secret was changed or moved") from None

    @staticmethod
    def version(sealed: bytes) -> int:
        """Of the key file, that sealed it."""
        return int(_HEAD.unpack_from(sealed)[1])

    @property
    def id(self) -> str:
        return self._file.id

    @property
    def versions(self) -> Sequence[int]:
        return sorted(self._current().versions)

    @property
    def newest(self) -> int:
        return self._current().newest

    def _current(self) -> KeyFile:
        """The file as it is now; while it cannot be read, as it was."""
        with contextlib.suppress(OSError, KeyFileError):
            if self._seen != _stamp(self._path):
                self._load()
        return self._file

    def _bound(self, head: bytes, context: tuple[str, ...]) -> bytes:
        return head + joined(f"{self.of} box", self._file.id, *context)

    def _reload(self) -> None:
        """It may have been rotated by somebody else."""
        try:
            self._load()
        except KeyFileError as error:
            raise Internal(error.line) from None

    def _load(self) -> None:
        seen = _stamp(self._path) if self._path.exists() else None
        self._file = keyfile.read(self._path)  # after that look: a change in between is seen again
        self._seen = seen
        self._ciphers = {number: AESGCM(one.key) for number, one in self._file.versions.items()}

    def __repr__(self) -> str:
        return f"Box({self._file.id})"
