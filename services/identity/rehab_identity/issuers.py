"""External OpenID Connect issuers: whom they vouch for."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import httpx

from rehab_identity.settings import Issuer
from rehab_runtime.access import jws
from rehab_runtime.access.keysets import Fetch, KeySet
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Unauthenticated, Unavailable
from rehab_runtime.startup import StartupError

TIMEOUT_S = 3.0
MAX_BYTES = 262_144
FRESH_S = 3600.0
REFETCH_S = 10.0
TYPES = frozenset({"", "JWT"})
"""An access token of the issuer is no ID token."""


@dataclass(frozen=True, slots=True)
class Vouched:
    """Somebody, as an issuer names them."""

    issuer: str
    subject: str
    nonce: str | None
    """None where it is not asked for."""


class Issuers:
    def __init__(
        self,
        told: Sequence[Issuer],
        client: httpx.AsyncClient,
        clock: Clock,
        skew_s: float,
        *,
        refetch_s: float = REFETCH_S,
    ) -> None:
        self._issuers = {one.issuer: one for one in told}
        self._keys = {
            one.issuer: KeySet(_fetch(one, client), clock, fresh_s=FRESH_S, refetch_s=refetch_s)
            for one in told
        }
        self._clock = clock
        self._skew_s = skew_s

    def __contains__(self, issuer: object) -> bool:
        return issuer in self._issuers

    async def vouched(self, id_token: str) -> Vouched:
        """Raises Unauthenticated, and Unavailable when the issuer's keys cannot be had."""
        issuer = self._issuers.get(jws.unverified(id_token, "iss"))
        if issuer is None:
            raise Unauthenticated("a token of an issuer that is not configured")
        header = jws.header_of(id_token)
        if header.alg not in issuer.algorithms or header.typ not in TYPES:
            raise Unauthenticated("a token of another kind")
        key = await self._keys[issuer.issuer].key(header.kid)
        claims = jws.verified(id_token, key, issuer.algorithms)
        if claims.get("iss") != issuer.issuer:
            raise Unauthenticated("a token of another issuer")
        jws.require_audience(claims, issuer.audience)
        jws.require_time(claims, self._clock.now().timestamp(), self._skew_s)
        nonce = jws.text(claims, "nonce") if issuer.nonce == "required" else None
        return Vouched(issuer.issuer, jws.text(claims, "sub"), nonce)


def http_client() -> httpx.AsyncClient:
    """Follows nobody elsewhere and reads no proxy from the environment."""
    return httpx.AsyncClient(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False)


def require_safe(issuers: Sequence[Issuer], *, production: bool) -> None:
    """Raises StartupError."""
    for one in issuers:
        if production and one.jwks_uri.startswith("http:"):
            raise StartupError(
                "IDENTITY_ISSUERS: keys are fetched without TLS", "use an https:// jwks_uri"
            )


def _fetch(issuer: Issuer, client: httpx.AsyncClient) -> Fetch:
    async def fetched() -> Mapping[str, Any]:
        if issuer.jwks is not None:
            return issuer.jwks
        try:
            return _parsed(await _got(client, issuer.jwks_uri))
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"an issuer's keys: {type(error).__name__}") from None

    return fetched


async def _got(client: httpx.AsyncClient, url: str) -> bytes:
    async with client.stream("GET", url, headers={"accept": "application/json"}) as answer:
        if answer.status_code != httpx.codes.OK:
            raise Unavailable(f"an issuer's keys: status {answer.status_code}")
        body = b""
        async for part in answer.aiter_bytes():
            body += part
            if len(body) > MAX_BYTES:
                raise Unavailable("an issuer's keys: the answer is too long")
    return body


def _parsed(body: bytes) -> Mapping[str, Any]:
    try:
        told = json.loads(body)
    except (ValueError, RecursionError):
        raise Unavailable("an issuer's keys: no JSON") from None
    if not isinstance(told, dict):
        raise Unavailable("an issuer's keys: no key set")
    return told
