"""How what stands in the file is kept from who reads the disk."""

from __future__ import annotations

import enum
import os
import struct
from typing import Any, Protocol

from rehab_sdk.credentials import EXTRA
from rehab_sdk.errors import invalid
from rehab_sdk.spool.storage import SpoolError

KEY_BYTES, NONCE_BYTES = 32, 12
"""AES-256, and the nonce of GCM (NIST SP 800-38D, 8.2.2: random, for fewer than 2^32 events)."""

_MARK = b"rehab spool 1"
_NUMBERS = struct.Struct(">BQ")


class Sealing(Protocol):
    """`place` is bound in: sealed bytes opened for another place are refused."""

    def seal(self, data: bytes, place: bytes) -> bytes: ...

    def open(self, sealed: bytes, place: bytes) -> bytes:
        """Raises ValueError when it was altered, or sealed by another key or for another place."""
        ...


class Plain:
    """Sealed by nothing but the file's mode."""

    def seal(self, data: bytes, place: bytes) -> bytes:
        del place
        return data

    def open(self, sealed: bytes, place: bytes) -> bytes:
        del place
        return sealed


class AesGcm:
    """AES-256-GCM: nonce, ciphertext, tag."""

    def __init__(self, key: bytes) -> None:
        if len(key) != KEY_BYTES:
            raise invalid("spool_key", "aes_256", f"must be {KEY_BYTES} random bytes")
        try:
            from cryptography.exceptions import InvalidTag  # noqa: PLC0415 - an extra
            from cryptography.hazmat.primitives.ciphers.aead import AESGCM  # noqa: PLC0415
        except ImportError as missing:
            message = f"an encrypted spool needs {EXTRA}"
            raise invalid("spool_key", "extra.device", message) from missing
        self._cipher: Any = AESGCM(key)
        self._forged: type[Exception] = InvalidTag

    def seal(self, data: bytes, place: bytes) -> bytes:
        nonce = os.urandom(NONCE_BYTES)
        sealed: bytes = self._cipher.encrypt(nonce, data, place)
        return nonce + sealed

    def open(self, sealed: bytes, place: bytes) -> bytes:
        try:
            data: bytes = self._cipher.decrypt(sealed[:NONCE_BYTES], sealed[NONCE_BYTES:], place)
        except self._forged as forged:
            raise ValueError("not sealed by this key for this place") from forged
        return data


class Part(enum.IntEnum):
    """What a row's sealed bytes are."""

    KEY = 0
    EVENT = 1
    ASIDE = 2
    SAID = 3


class Vault:
    """Seals rows of one file, each for its own place in it. Raises SpoolError."""

    def __init__(self, sealing: Sealing, file_id: bytes) -> None:
        self._sealing = sealing
        self._file_id = file_id

    def seal(self, part: Part, number: int, data: bytes) -> bytes:
        return self._sealing.seal(data, self._place(part, number))

    def open(self, part: Part, number: int, sealed: bytes) -> bytes:
        try:
            return self._sealing.open(sealed, self._place(part, number))
        except ValueError as error:
            if part is Part.KEY:
                raise SpoolError("spool.key", "the spool was made with another key") from error
            raise SpoolError("spool.damaged", "the file is damaged") from error

    def _place(self, part: Part, number: int) -> bytes:
        return _MARK + self._file_id + _NUMBERS.pack(part, number)
