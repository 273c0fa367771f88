"""Who is let in: everybody, who has a token, or who signs an assertion for one."""

from __future__ import annotations

import secrets
import time
from typing import Any

import httpx
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from tests.support.fhir_server.store import Store

Json = dict[str, Any]


class Doorkeeper:
    """`bearer` is a token that always holds. With `jwks_url` tokens are given for `life_s` to
    `client_id`."""

    def __init__(
        self, store: Store, *, bearer: str, jwks_url: str, client_id: str, life_s: float
    ) -> None:
        self._store = store
        self._bearer = bearer
        self._jwks_url = jwks_url
        self._client_id = client_id
        self._life_s = life_s
        self._tokens: dict[str, float] = {}

    def lets_in(self, authorization: str) -> bool:
        if not self._bearer and not self._jwks_url:
            return True
        token = authorization.removeprefix("Bearer ")
        good_until = self._tokens.get(token, 0.0)
        return (bool(self._bearer) and token == self._bearer) or good_until > time.monotonic()

    async def token(self, form: Json, own_url: str) -> tuple[int, Json]:
        try:
            claims = await self._claims(str(form.get("client_assertion", "")))
        except (JoseError, ValueError, httpx.HTTPError) as error:
            return 400, {"error": "invalid_client", "error_description": type(error).__name__}
        wrong = (
            form.get("grant_type") != "client_credentials"
            or claims.get("iss") != self._client_id
            or claims.get("sub") != self._client_id
            or claims.get("aud") != own_url
            or not time.time() - 60 < float(claims.get("exp", 0)) <= time.time() + 300
            or not self._store.is_new(str(claims.get("jti")))
        )
        if wrong:
            return 400, {"error": "invalid_client"}
        token = secrets.token_urlsafe(16)
        self._tokens[token] = time.monotonic() + self._life_s
        told = {"access_token": token, "token_type": "bearer", "expires_in": self._life_s}
        return 200, {**told, "scope": form.get("scope", "")}

    async def _claims(self, assertion: str) -> Json:
        async with httpx.AsyncClient() as client:
            answer = await client.get(self._jwks_url)
        keys = KeySet.import_key_set(answer.json())
        return dict(jwt.decode(assertion, keys, algorithms=["ES384", "RS384"]).claims)
