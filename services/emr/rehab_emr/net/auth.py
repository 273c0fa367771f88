"""Who we are to a receiver: a bearer token, SMART Backend Services, a certificate, or nobody."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Protocol
from urllib.parse import urlsplit

from rehab_emr.net.client import Client, Identity
from rehab_emr.net.signing import SigningKeys
from rehab_runtime.clock import Clock, uuid7

ASSERTION_S = 240
"""SMART allows five minutes at most; clocks differ."""
EARLY = 0.2
"""Part of a token's life before whose end another one is fetched."""
SHORTEST_LIFE_S = 5.0
CLIENT_ASSERTION = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
DEFAULT_SCOPE = (
    "system/Observation.cruds system/Device.cruds system/Provenance.cruds system/Patient.rs"
)


class NotLetIn(Exception):
    """The receiver gives no token; a code says why. `later` when it may give one after a while."""

    def __init__(self, code: str, *, later: bool) -> None:
        super().__init__(code)
        self.code = code
        self.later = later


@dataclass(frozen=True, slots=True)
class Secret:
    """What is sealed of an endpoint."""

    bearer: str = field(default="", repr=False)
    client_id: str = ""
    token_url: str = ""
    scope: str = ""
    certificate_pem: str = ""
    key_pem: str = field(default="", repr=False)

    def dumped(self) -> bytes:
        return json.dumps(asdict(self)).encode()

    @classmethod
    def load(cls, told: bytes) -> Secret:
        return cls(**json.loads(told))

    def identity(self, authority_pem: str) -> Identity:
        return Identity(authority_pem, self.certificate_pem, self.key_pem)


class Auth(Protocol):
    async def headers(self) -> Mapping[str, str]:
        """What every request carries. Raises NotLetIn."""
        ...

    def drop(self, used: Mapping[str, str]) -> bool:
        """The receiver did not take them. Whether others may be had."""
        ...

    async def close(self) -> None: ...


class Fixed:
    """A token that does not change, or none: the connection shows who we are, or nothing does."""

    def __init__(self, bearer: str) -> None:
        self._headers = {"authorization": f"Bearer {bearer}"} if bearer else {}

    async def headers(self) -> Mapping[str, str]:
        return self._headers

    def drop(self, used: Mapping[str, str]) -> bool:  # noqa: ARG002
        return False

    async def close(self) -> None:
        pass


class Smart:
    """SMART Backend Services (HL7 SMART App Launch 2.2, "Backend Services"): an assertion signed by
    our key for a token that is kept while it lives. However many wait, one asks."""

    def __init__(
        self, base_url: str, secret: Secret, client: Client, keys: SigningKeys, clock: Clock
    ) -> None:
        """`client` is its own: the token endpoint may be another host than the FHIR server."""
        self._base_url = base_url
        self._secret = secret
        self._client = client
        self._keys = keys
        self._clock = clock
        self._turn = asyncio.Lock()
        self._token = ""
        self._good_until = 0.0

    async def headers(self) -> Mapping[str, str]:
        if not self._is_good():
            async with self._turn:
                if not self._is_good():
                    await self._fetch()
        return {"authorization": f"Bearer {self._token}"}

    def drop(self, used: Mapping[str, str]) -> bool:
        if used.get("authorization") == f"Bearer {self._token}":
            self._token = ""
        return True

    async def close(self) -> None:
        await self._client.close()

    def _is_good(self) -> bool:
        return bool(self._token) and self._clock.monotonic() < self._good_until

    async def _fetch(self) -> None:
        url = self._secret.token_url or await self._discovered()
        asked_at = self._clock.monotonic()
        form = {
            "grant_type": "client_credentials",
            "scope": self._secret.scope or DEFAULT_SCOPE,
            "client_assertion_type": CLIENT_ASSERTION,
            "client_assertion": await self._assertion(url),
        }
        answer = await self._client.call("POST", url, form=form, accept="application/json")
        told = answer.body or {}
        token = told.get("access_token")
        if answer.status != 200 or not isinstance(token, str) or not token:
            code = answer.fault or f"token_http_{answer.status}"
            raise NotLetIn(code, later=answer.status == 0 or answer.status >= 429)
        life_s = _seconds(told.get("expires_in"))
        self._token = token
        self._good_until = asked_at + max(life_s * (1 - EARLY), min(life_s, SHORTEST_LIFE_S))

    async def _discovered(self) -> str:
        url = f"{self._base_url}/.well-known/smart-configuration"
        answer = await self._client.call("GET", url, accept="application/json")
        found = (answer.body or {}).get("token_endpoint")
        if not isinstance(found, str) or urlsplit(found).scheme not in ("https", "http"):
            code = answer.fault or "no_smart_configuration"
            raise NotLetIn(code, later=answer.status == 0 or answer.status >= 429)
        return found

    async def _assertion(self, token_url: str) -> str:
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._secret.client_id,
            "sub": self._secret.client_id,
            "aud": token_url,
            "iat": now,
            "exp": now + ASSERTION_S,
            "jti": str(uuid7()),
        }
        return await self._keys.sign(claims)


def _seconds(told: Any) -> float:
    """Of a token that does not say, the longest that SMART recommends."""
    return float(told) if isinstance(told, int | float) and 0 < told < 86_400 else 300.0
