"""What the key file seals: endpoints' secrets, links, receivers' answers, each bound to its place.

`format (1 byte) | version of the key (4) | nonce (12) | ciphertext | tag (16)`, AES-256-GCM. The
associated data binds the key file's id, the version and the context.
"""

from __future__ import annotations

import os
import struct
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime import keyfile
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Internal
from rehab_runtime.keyfile import KeyFileError

FORMAT = 1
NONCE_BYTES = 12
_HEAD = struct.Struct(">BI")
_LENGTH = struct.Struct(">I")


class Box:
    """Seals with the newest version of the key file as it was read; opens with any that it has."""

    def __init__(self, path: Path) -> None:
        """Raises KeyFileError."""
        self._path = path
        self._load()

    @classmethod
    def open_or_make(cls, path: Path, clock: Clock) -> Box:
        """Raises KeyFileError."""
        keyfile.make_if_none(path, clock)
        return cls(path)

    def seal(self, secret: bytes, *context: str) -> bytes:
        head, nonce = _HEAD.pack(FORMAT, self._file.newest), os.urandom(NONCE_BYTES)
        cipher = self._ciphers[self._file.newest]
        return head + nonce + cipher.encrypt(nonce, secret, self._bound(head, context))

    def open(self, sealed: bytes, *context: str) -> bytes:
        """Raises Internal for what was changed or moved, or sealed by a key that is not here."""
        head, rest = sealed[: _HEAD.size], sealed[_HEAD.size :]
        if len(head) < _HEAD.size or head[0] != FORMAT:
            raise Internal("a sealed secret has no known format")
        version = int(_HEAD.unpack(head)[1])
        if version not in self._ciphers:
            self._again()
        cipher = self._ciphers.get(version)
        if cipher is None:
            raise Internal(f"the key file has no version {version}: restore it from its backup")
        try:
            nonce, text = rest[:NONCE_BYTES], rest[NONCE_BYTES:]
            return cipher.decrypt(nonce, text, self._bound(head, context))
        except (InvalidTag, ValueError):
            raise Internal("a sealed secret was changed or moved") from None

    def _again(self) -> None:
        """Somebody else may have rotated it."""
        try:
            self._load()
        except KeyFileError as error:
            raise Internal(error.line) from None

    def _load(self) -> None:
        self._file = keyfile.read(self._path)
        self._ciphers = {number: AESGCM(one.key) for number, one in self._file.versions.items()}

    def _bound(self, head: bytes, context: tuple[str, ...]) -> bytes:
        parts = [part.encode() for part in ("rehab emr", self._file.id, *context)]
        # with their lengths no two lists of parts look alike
        return head + b"".join(_LENGTH.pack(len(part)) + part for part in parts)

    def __repr__(self) -> str:
        return f"Box({self._file.id})"
