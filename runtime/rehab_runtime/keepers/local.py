"""Data keys wrapped by a key file: for development, tests, and a clinic on one machine.

AES-256-GCM; `nonce (12 bytes) | ciphertext | tag (16 bytes)`, bound to the KEK's id and version and
to the key's context.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from rehab_runtime import keyfile
from rehab_runtime.clock import Clock
from rehab_runtime.keepers.wrapper import Kek, KeyRefused, KeysUnavailable, Unwrapped, Wrapped
from rehab_runtime.keyfile import KeyFile, KeyFileError

NONCE_BYTES = 12
CAUTION = (
    "DATA KEYS ARE PROTECTED BY A FILE ONLY: whoever copies it with the database reads every "
    "patient's data, and whoever loses it loses them"
)
REMEDY = "use Vault transit or AWS KMS; until then keep the file apart from the database's backups"


class LocalKeys:
    """A KeyWrapper upon a key file. A file that was rotated meanwhile is read again."""

    def __init__(self, path: Path) -> None:
        """Raises KeyFileError."""
        self._path = path
        self._load()

    @classmethod
    def open(cls, path: Path, clock: Clock) -> Self:
        """The key file, made if there is none. Raises KeyFileError."""
        keyfile.make_if_none(path, clock)
        return cls(path)

    def caution(self, *, production: bool) -> str | None:
        """What is to be logged loudly, with REMEDY, if this is production."""
        return CAUTION if production else None

    async def newest(self) -> Kek:
        return self._newest(self._current())

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        file = self._current()
        kek = self._newest(file)
        cipher = self._ciphers[kek.version]
        return [_wrap(cipher, kek, key) for key in keys]

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        file = self._current()
        return [self._unwrap(file, key) for key in keys]

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        file = self._current()
        kek = self._newest(file)
        opened = [self._unwrap(file, key) for key in keys]
        return [
            key if isinstance(key, KeyRefused) else _wrap(self._ciphers[kek.version], kek, key)
            for key in opened
        ]

    @staticmethod
    def _newest(file: KeyFile) -> Kek:
        return Kek(file.id, str(file.newest))

    def _unwrap(self, file: KeyFile, key: Wrapped) -> Unwrapped | KeyRefused:
        if key.kek.id != file.id:
            return KeyRefused(
                f"a data key is wrapped by {key.kek.id}, not by the key file in use",
                "set the key file back to the one that wrapped it",
            )
        cipher = self._ciphers.get(key.kek.version)
        if cipher is None:
            return KeyRefused(
                f"the key file has no version {key.kek.version}",
                "restore it from a backup in which it has, unless it was destroyed on purpose",
            )
        nonce, rest = key.blob[:NONCE_BYTES], key.blob[NONCE_BYTES:]
        try:
            return Unwrapped(key.context, cipher.decrypt(nonce, rest, _bound(key.kek, key.context)))
        except (InvalidTag, ValueError):  # ValueError: cut below the length of a nonce
            return KeyRefused(
                "a wrapped data key was changed or moved", "restore the table of keys"
            )

    def _current(self) -> KeyFile:
        try:
            if self._seen != _stamp(self._path):
                self._load()
        except (OSError, KeyFileError) as error:
            line = error.line if isinstance(error, KeyFileError) else "the key file is gone"
            remedy = error.remedy if isinstance(error, KeyFileError) else "restore it"
            trouble = KeysUnavailable(line, remedy)
        else:
            return self._file
        raise trouble

    def _load(self) -> None:
        seen = _stamp_or_none(self._path)  # before reading: a change in between is seen again
        self._file = keyfile.read(self._path)
        self._seen = seen
        self._ciphers = {str(n): AESGCM(one.key) for n, one in self._file.versions.items()}

    def __repr__(self) -> str:
        return f"LocalKeys({self._file.id})"


def _wrap(cipher: AESGCM, kek: Kek, key: Unwrapped) -> Wrapped:
    nonce = os.urandom(NONCE_BYTES)
    blob = nonce + cipher.encrypt(nonce, key.secret, _bound(kek, key.context))
    return Wrapped(key.context, kek, blob)


def _bound(kek: Kek, context: str) -> bytes:
    return b"\0".join((b"rehab wrapped key 1", *(part.encode() for part in kek), context.encode()))


def _stamp(path: Path) -> tuple[int, int, int]:
    found = path.stat()
    return found.st_ino, found.st_mtime_ns, found.st_size


def _stamp_or_none(path: Path) -> tuple[int, int, int] | None:
    try:
        return _stamp(path)
    except OSError:
        return None
