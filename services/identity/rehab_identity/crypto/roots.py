"""What is derived from the service's own secrets: blind indexes, and hashes of credentials."""

from __future__ import annotations

import hmac
from dataclasses import dataclass, field
from functools import lru_cache
from hashlib import sha256

from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from rehab_identity.domain.normal import normal
from rehab_runtime.box import joined

ROOT_BYTES = 32


def _derived(root: bytes, *purpose: str) -> bytes:
    return HKDF(SHA256(), ROOT_BYTES, salt=None, info=joined("rehab identity", *purpose)).derive(
        root
    )


@dataclass(frozen=True, slots=True)
class Roots:
    """`index` finds what is sealed, `pepper` hashes credentials. Neither is the key that wraps
    data keys: who holds one of them opens nothing."""

    index: bytes = field(repr=False)
    pepper: bytes = field(repr=False)

    def blind_index(self, clinic_id: str, name: str, text: str) -> bytes:
        """Equal for texts with the same normal form, in one field of one clinic only."""
        key = _index_key(self.index, clinic_id, name)
        return hmac.digest(key, normal(text).encode(), sha256)

    def hashed(self, purpose: str, *parts: str) -> bytes:
        """Of a credential, an address or a code; comparable within its purpose only."""
        return hmac.digest(_pepper_key(self.pepper, purpose), joined(*parts), sha256)

    @property
    def checksum_key(self) -> bytes:
        return _pepper_key(self.pepper, "api key checksum")


@lru_cache(maxsize=4096)
def _index_key(root: bytes, clinic_id: str, name: str) -> bytes:
    return _derived(root, "index", clinic_id, name)


@lru_cache(maxsize=64)
def _pepper_key(root: bytes, purpose: str) -> bytes:
    return _derived(root, "pepper", purpose)
