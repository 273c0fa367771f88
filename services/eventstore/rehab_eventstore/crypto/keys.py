"""A patient's data keys, opened. They are never printed, pickled or compared by content."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Never, Self

from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.hmac import HMAC
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

SEALING_BYTES = 32
FINGERPRINT_BYTES = 32
SECRET_BYTES = SEALING_BYTES + FINGERPRINT_BYTES
_FINGERPRINT_INFO = b"rehab eventstore fingerprint 1"


class DataKey:
    """One version of a patient's key, ready for use.

    Its secret is two halves of 32 random bytes: one seals bodies; from the other the key of
    fingerprints is derived (HKDF-SHA-256, RFC 5869). Rotation renews the first and carries the
    second over, so that fingerprints stay comparable for the life of a patient's keys, and die
    with the last of them.
    """

    __slots__ = ("_secret", "cipher", "key_id", "mac")

    def __init__(self, key_id: str, secret: bytes) -> None:
        """ValueError unless the secret is 64 bytes."""
        if len(secret) != SECRET_BYTES:
            raise ValueError(f"secret must be {SECRET_BYTES} bytes")
        self.key_id = key_id
        self._secret = bytes(secret)
        # made once: the key schedules cost more than sealing a small body
        self.cipher = AESGCM(self._secret[:SEALING_BYTES])
        derive = HKDF(SHA256(), FINGERPRINT_BYTES, salt=None, info=_FINGERPRINT_INFO)
        self.mac = HMAC(derive.derive(self._secret[SEALING_BYTES:]), SHA256())

    @classmethod
    def new(cls, key_id: str) -> Self:
        """A patient's first key."""
        return cls(key_id, os.urandom(SECRET_BYTES))

    def rotated(self, key_id: str) -> Self:
        """The key after this one: seals anew, gives the same fingerprints."""
        return type(self)(key_id, os.urandom(SEALING_BYTES) + self._secret[SEALING_BYTES:])

    def expose(self) -> bytes:
        """The secret, to be wrapped and for nothing else."""
        return self._secret

    def opening(self) -> bytes:
        """The half that opens bodies, for a service that may read them."""
        return self._secret[:SEALING_BYTES]

    def __repr__(self) -> str:
        return f"DataKey({self.key_id!r}, **********)"

    def __reduce__(self) -> Never:
        raise TypeError("a data key leaves the process wrapped or not at all")


@dataclass(frozen=True, slots=True)
class KeyUse:
    """How long a key has sealed, in seconds, and how many events at most, when it was opened."""

    age_s: float = 0.0
    events: int = 0


UNUSED = KeyUse()


@dataclass(frozen=True, slots=True)
class Keyring:
    """All living keys of one patient, and the use of the newest. ValueError when the newest is
    not among them."""

    patient: str
    newest: DataKey
    keys: Mapping[str, DataKey]
    use: KeyUse = UNUSED

    def __post_init__(self) -> None:
        if self.keys.get(self.newest.key_id) is not self.newest:
            raise ValueError("newest must be one of keys")
        object.__setattr__(self, "keys", MappingProxyType(dict(self.keys)))

    @classmethod
    def of(cls, patient: str, *keys: DataKey, use: KeyUse = UNUSED) -> Self:
        """Keys from the oldest to the newest."""
        return cls(patient, keys[-1], {key.key_id: key for key in keys}, use)


def key_context(stream: str, key_id: str) -> str:
    """What a data key is bound to: its patient's stream and its own id, unambiguously."""
    return f"{len(stream)}:{stream}/{key_id}"
