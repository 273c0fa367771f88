"""Credentials of programs: `rk_<id>_<secret>` and `rt_<session>_<secret>`.

An API key's secret ends with a keyed checksum: a key that was mistyped, or made up by somebody who
knows an id, is refused before anything is looked up or hashed.
"""

from __future__ import annotations

import base64
import hmac
import re
import secrets
from dataclasses import dataclass, field
from hashlib import sha256

API_KEY = re.compile(r"rk_([a-z2-7]{12})_([A-Za-z0-9]{52})([a-z2-7]{8})")
REFRESH = re.compile(r"rt_([a-z2-7]{24})_([a-z2-7]{52})")

_ID = re.compile(r"[a-z2-7]{24}")


@dataclass(frozen=True, slots=True)
class ApiKeySecret:
    key_id: str
    secret: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class RefreshSecret:
    session_id: str
    secret: str = field(repr=False)


def _text(data: bytes) -> str:
    return base64.b32encode(data).decode().rstrip("=").lower()


def new_key_id() -> str:
    """12 characters: 60 bits."""
    return _text(secrets.token_bytes(8))[:12]


def new_id() -> str:
    """24 characters: 120 bits. Ids are no secrets, but not to be guessed either."""
    return _text(secrets.token_bytes(15))


def is_id(told: str) -> bool:
    """Whether it could be one of `new_id`."""
    return _ID.fullmatch(told) is not None


def new_secret() -> str:
    """52 characters: 256 bits."""
    return _text(secrets.token_bytes(32))


def _checksum(key: bytes, key_id: str, secret: str) -> str:
    digest = hmac.digest(key, f"rehab api key checksum 1\0{key_id}\0{secret}".encode(), sha256)
    return _text(digest[:5])


def api_key(key: bytes, key_id: str, secret: str) -> str:
    """The whole API key as it is sent; `key` keys its checksum."""
    return f"rk_{key_id}_{secret}{_checksum(key, key_id, secret)}"


def read_api_key(key: bytes, told: str) -> ApiKeySecret | None:
    """None for what was never given out."""
    found = API_KEY.fullmatch(told)
    if found is None:
        return None
    key_id, secret, checksum = found.groups()
    if not hmac.compare_digest(checksum, _checksum(key, key_id, secret)):
        return None
    return ApiKeySecret(key_id, secret)


def refresh_token(session_id: str, secret: str) -> str:
    return f"rt_{session_id}_{secret}"


def read_refresh_token(told: str) -> RefreshSecret | None:
    found = REFRESH.fullmatch(told)
    return RefreshSecret(found[1], found[2]) if found is not None else None
