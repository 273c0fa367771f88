"""Keys that sign access tokens."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from itertools import pairwise
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from joserfc import jwt
from joserfc.jwk import OKPKey

from rehab_runtime.access.tokens import ALGORITHMS, TYPE


@dataclass(frozen=True, slots=True)
class SigningKey:
    """`secret` is the private half, 32 bytes."""

    key_id: str
    created_at: datetime
    signs_from: datetime
    secret: bytes = field(repr=False)

    @classmethod
    def new(cls, created_at: datetime, signs_from: datetime) -> SigningKey:
        secret = Ed25519PrivateKey.generate().private_bytes_raw()
        return cls(os.urandom(8).hex(), created_at, signs_from, secret)

    @property
    def public(self) -> bytes:
        return Ed25519PrivateKey.from_private_bytes(self.secret).public_key().public_bytes_raw()

    def jwk(self) -> Mapping[str, Any]:
        """The public half (RFC 8037)."""
        told = {"kid": self.key_id, "use": "sig", "alg": ALGORITHMS[0]}
        return {**self._key().as_dict(private=False), **told}

    def sign(self, claims: Mapping[str, Any]) -> str:
        header = {"alg": ALGORITHMS[0], "typ": TYPE, "kid": self.key_id}
        return jwt.encode(header, dict(claims), self._key(), algorithms=list(ALGORITHMS))

    def _key(self) -> OKPKey:
        return OKPKey.import_key(Ed25519PrivateKey.from_private_bytes(self.secret))


def signing(keys: Sequence[SigningKey], now: datetime) -> SigningKey | None:
    """Of keys by when they begin to sign, the one that signs now."""
    begun = [key for key in keys if key.signs_from <= now]
    return begun[-1] if begun else None


def done(keys: Sequence[SigningKey], before: datetime) -> list[str]:
    """Ids of keys whose successor signed already before a time."""
    return [key.key_id for key, successor in pairwise(keys) if successor.signs_from < before]
