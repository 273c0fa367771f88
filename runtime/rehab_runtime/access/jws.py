"""Signed tokens, read strictly: what a token says of its own verification counts for nothing."""

from __future__ import annotations

import base64
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Any

from cryptography.exceptions import UnsupportedAlgorithm
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import ECKey, OctKey, OKPKey, RSAKey, import_key

from rehab_runtime.errors import Unauthenticated

PublicKey = OKPKey | RSAKey | ECKey
KEY_TYPES = frozenset({"OKP", "RSA", "EC"})
LEAST_RSA_BYTES = 256
"""NIST SP 800-131A: 2048 bits."""
_PRIVATE = frozenset({"d", "p", "q", "dp", "dq", "qi", "k"})
_HEADERS = frozenset({"alg", "typ", "kid"})
"""No jwk, jku, x5u, x5c, crit, b64, zip: a token that names more is refused (ASVS 9.1.3)."""


@dataclass(frozen=True, slots=True)
class Header:
    """What a token says of itself, believed by nobody yet."""

    alg: str
    typ: str
    kid: str


def header_of(token: str) -> Header:
    """Raises Unauthenticated for what is no token, or says more than it should."""
    told = _part(token, 0)
    if not set(told) <= _HEADERS or not all(isinstance(value, str) for value in told.values()):
        raise Unauthenticated("a token with headers that are not read")
    return Header(told.get("alg", ""), told.get("typ", ""), told.get("kid", ""))


def unverified(token: str, claim: str) -> str:
    """A claim of a token, only to choose whose keys to verify it by."""
    told = _part(token, 1).get(claim, "")
    return told if isinstance(told, str) else ""


def _part(token: str, index: int) -> dict[str, Any]:
    try:
        parts = token.split(".")
        if len(parts) != 3 or not token.isascii():
            raise ValueError
        text = parts[index]
        told = json.loads(base64.urlsafe_b64decode(text + "=" * (-len(text) % 4)))
    except (ValueError, RecursionError):
        raise Unauthenticated("no signed token") from None
    if not isinstance(told, dict):
        raise Unauthenticated("no signed token")
    return told


def verified(token: str, key: PublicKey, algorithms: Collection[str]) -> dict[str, Any]:
    """The claims of a token that the key has signed. Raises Unauthenticated."""
    if header_of(token).alg not in algorithms:
        raise Unauthenticated("a token of another algorithm")
    try:
        claims = jwt.decode(token, key, algorithms=list(algorithms)).claims
    except (JoseError, ValueError, TypeError, AttributeError, RecursionError):
        raise Unauthenticated("a token that the key has not signed") from None
    if not isinstance(claims, dict):
        raise Unauthenticated("a token without claims")
    return claims


def number(claims: Mapping[str, Any], name: str) -> float:
    """A time of the claims, in seconds since 1970. Raises Unauthenticated."""
    value = claims.get(name)
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e11:
        raise Unauthenticated(f"a token without a sound {name}")
    return float(value)


def text(claims: Mapping[str, Any], name: str) -> str:
    """Raises Unauthenticated unless the claim is a text that is not empty."""
    value = claims.get(name)
    if not isinstance(value, str) or not value:
        raise Unauthenticated(f"a token without a sound {name}")
    return value


def require_audience(claims: Mapping[str, Any], audience: str) -> None:
    """Raises Unauthenticated unless the token is for us, and for us alone unless `azp` says so."""
    told = claims.get("aud")
    names = [told] if isinstance(told, str) else told if isinstance(told, list) else []
    if audience not in names or (len(names) > 1 and claims.get("azp") != audience):
        raise Unauthenticated("a token for somebody else")


def require_time(claims: Mapping[str, Any], now: float, skew_s: float) -> None:
    """Raises Unauthenticated unless iat and nbf are past and exp is not."""
    if number(claims, "exp") <= now - skew_s:
        raise Unauthenticated("a token that has expired")
    early = [number(claims, "iat"), number(claims, "nbf") if "nbf" in claims else 0]
    if max(early) > now + skew_s:
        raise Unauthenticated("a token of the future")


def public_keys(jwks: Mapping[str, Any]) -> dict[str, PublicKey]:
    """The usable keys of a key set (RFC 7517) by their id; secret and weak ones are none."""
    told = jwks.get("keys")
    if not isinstance(told, list):
        raise TypeError("a key set without keys")
    found = {}
    for one in told:
        if not isinstance(one, dict) or one.get("kty") not in KEY_TYPES or _PRIVATE & set(one):
            continue
        if one.get("use", "sig") != "sig" or not isinstance(one.get("kid"), str):
            continue
        key = _imported(one)
        if key is not None:
            found[one["kid"]] = key
    return found


def _imported(told: dict[str, Any]) -> PublicKey | None:
    if told["kty"] == "RSA" and len(str(told.get("n", ""))) * 3 // 4 < LEAST_RSA_BYTES:
        return None
    try:
        key = import_key(told)
        key.public_key  # noqa: B018 - made when it is first asked for, and may be impossible
    except (JoseError, UnsupportedAlgorithm, ValueError, TypeError, LookupError, AttributeError):
        return None
    return None if isinstance(key, OctKey) else key
