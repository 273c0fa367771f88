"""What a client may show to be let in, beside a token it already has."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehab_sdk.errors import invalid

ASSERTION_LIFE_S = 60
"""Of a device's statement; the contract allows no more."""
ASSERTION_AUDIENCE = "rehab"
EXTRA = "pip install 'rehab-sdk[device]'"
KEY_BYTES = 32
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True)
class Password:
    """An account's password."""

    clinic: str
    email: str
    password: str = field(repr=False)

    @property
    def owner(self) -> str:
        return _owner("password", self.clinic, self.email)


@dataclass(frozen=True)
class DeviceKey:
    """An enrolled device's key: the 32 bytes of an Ed25519 private key (signing takes the extra
    `rehab-sdk[device]`), or a function that signs with a key that stays in a key store."""

    device_id: str
    key: bytes | Sign = field(repr=False)
    clinic_id: str = ""
    patient_id: str = ""
    """Whom the device acts for."""

    @property
    def owner(self) -> str:
        return _owner("device", self.device_id)

    def assertion(self, now: datetime) -> str:
        """A statement that lets the device in once, within a minute: a JWT (RFC 7519) signed with
        Ed25519 (RFC 8037, RFC 9864). Raises Invalid."""
        issued = int(now.timestamp())
        claims = {
            "iss": self.device_id,
            "sub": self.device_id,
            "aud": ASSERTION_AUDIENCE,
            "iat": issued,
            "exp": issued + ASSERTION_LIFE_S,
            "jti": secrets.token_urlsafe(16),
        }
        signed = f"{_part({'alg': 'Ed25519', 'typ': 'JWT'})}.{_part(claims)}"
        sign = self.key if callable(self.key) else signer(self.key)
        return f"{signed}.{_base64(sign(signed.encode()))}"


@dataclass(frozen=True)
class RefreshToken:
    """A refresh token that the program was handed. Each is used once: keep the newest with a
    TokenStore when the program is to start again."""

    token: str = field(repr=False)

    @property
    def owner(self) -> str:
        return _owner("refresh", self.token)


@dataclass(frozen=True)
class ApiKey:
    """A program's key, rk_<id>_<secret>. It is sent as it is and needs no refreshing."""

    key: str = field(repr=False)


Renewable = Password | DeviceKey | RefreshToken
Credentials = Renewable | ApiKey


def new_key() -> tuple[bytes, bytes]:
    """A private and its public Ed25519 key, 32 bytes each. Raises Invalid without the extra."""
    ed25519 = _ed25519()
    made = ed25519.Ed25519PrivateKey.generate()
    return made.private_bytes_raw(), made.public_key().public_bytes_raw()


def signer(key: bytes) -> Sign:
    """Signs with an Ed25519 private key of 32 bytes. Raises Invalid."""
    if len(key) != KEY_BYTES:
        raise invalid("key", "ed25519", f"must be {KEY_BYTES} bytes, an Ed25519 private key")
    sign: Sign = _ed25519().Ed25519PrivateKey.from_private_bytes(key).sign
    return sign


def _ed25519() -> Any:
    try:
        from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415 - an extra
    except ImportError as missing:
        raise invalid("key", "extra.device", f"a device's key needs {EXTRA}") from missing
    return ed25519


def _owner(*parts: str) -> str:
    """Names whose refresh token a store keeps, and tells nobody who that is."""
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def _part(content: dict[str, Any]) -> str:
    return _base64(json.dumps(content, separators=(",", ":")).encode())


def _base64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
