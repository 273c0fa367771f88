"""Who calls, by what identity has given them: an access token, verified here by published keys, or
an API key, which identity is asked about. Both are remembered, and forgotten when they are revoked.
"""

from __future__ import annotations

import json
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import grpc

from rehab.events.v1.event_pb2 import Role
from rehab.identity.v1 import api_key_service_pb2, session_service_pb2
from rehab.identity.v1.api_key_service_pb2_grpc import ApiKeyServiceStub
from rehab.identity.v1.principal_pb2 import Principal as PrincipalMessage
from rehab.identity.v1.session_service_pb2_grpc import SessionServiceStub
from rehab_runtime.access import jws
from rehab_runtime.access.keysets import Fetch, KeySet
from rehab_runtime.auth import DevelopmentAuthenticator, Principal, bearer
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Unauthenticated, from_rpc_error

ALGORITHMS = ("Ed25519",)
AUDIENCE = "rehab"
TYPE = "at+jwt"
ROLES = frozenset({"patient", "therapist", "admin", "emergency", "device"})
SKEW_S = 30.0
"""Seconds by which clocks of the suite may differ."""
LONGEST_S = 3600.0
"""No access token lives longer."""
KEY_S = 60.0
"""How long what is known of an API key is believed."""
CACHED = 20_000
ASK_S = 3.0
_BEARER = "Bearer "
_DEVELOPMENT = "Bearer dev."

VerifyKey = Callable[[str], Awaitable[tuple[Principal, datetime]]]
"""Whose API key it is, and until when that holds. Raises Unauthenticated."""


@dataclass(frozen=True, slots=True)
class Known:
    """Somebody who has shown who they are, until a time in seconds since 1970; `issued` by
    identity's clock, or for an API key, which bears no time, when it was shown here."""

    principal: Principal
    issued: float
    until: float
    is_key: bool = False


@dataclass(frozen=True, slots=True)
class _Revoked:
    """When it was, by identity's clock, and when it was heard here."""

    at: float
    heard: float


_NEVER = _Revoked(-1.0, -1.0)


class TokenAuthenticator:
    """An Authenticator. `development` also believes what it is told, outside production."""

    development_only = False

    def __init__(
        self,
        jwks: Fetch,
        verify_key: VerifyKey,
        clock: Clock,
        *,
        issuer: str = "rehab-identity",
        development: DevelopmentAuthenticator | None = None,
    ) -> None:
        self._keys = KeySet(jwks, clock)
        self._verify_key = verify_key
        self._clock = clock
        self._issuer = issuer
        self._development = development
        self._known: OrderedDict[bytes, Known] = OrderedDict()
        self._revoked: OrderedDict[str, _Revoked] = OrderedDict()

    async def authenticate(self, metadata: Mapping[str, str]) -> Principal:
        told = metadata.get("authorization", "")
        if self._development is not None and told.startswith(_DEVELOPMENT):
            return await self._development.authenticate(metadata)
        if not told.startswith(_BEARER):
            raise Unauthenticated("no bearer token")
        token = told.removeprefix(_BEARER)
        now = self._clock.now().timestamp()
        # its hash: memory that leaks shows no credentials
        place = sha256(token.encode()).digest()
        known = self._known.get(place)
        if known is None or known.until <= now:
            known = await self._shown(token, now)
            self._remember(place, known)
        self._require_in_force(known)
        return known.principal

    def revoke(self, ids: Iterable[str]) -> None:
        """Sessions, API keys, devices and accounts that may do nothing any more. A session or key
        stays revoked; accounts and devices may come back by tokens that are issued later."""
        self.revoke_at(dict.fromkeys(ids, self._clock.now().timestamp()))

    def revoke_at(self, told: Mapping[str, float]) -> list[str]:
        """The same of what was revoked at times in seconds since 1970, by identity's clock. Returns
        what of it is news: the same may be told again, when somebody was let in anew."""
        now = self._clock.now().timestamp()
        news = [one for one, at in told.items() if at > self._revoked.get(one, _NEVER).at]
        for one in news:
            self._revoked[one] = _Revoked(told[one], now)
            self._revoked.move_to_end(one)
        # revocations that no token is left of
        while self._revoked and next(iter(self._revoked.values())).heard < now - LONGEST_S - SKEW_S:
            self._revoked.popitem(last=False)
        return news

    def revoked_since(self, who: Principal, shown_at: float) -> bool:
        """Whether somebody who showed who they are at a time, in seconds since 1970, may do nothing
        any more: for calls that go on."""
        return who.session_id in self._revoked or any(
            self._revoked.get(one, _NEVER).heard >= shown_at for one in (who.id, who.patient_id)
        )

    def forget(self) -> None:
        """Everything may have changed: whoever calls shows again who they are."""
        self._known.clear()

    async def _shown(self, token: str, now: float) -> Known:
        if token.startswith("rk_"):
            principal, holds = await self._verify_key(token)
            return Known(principal, now, min(holds.timestamp(), now + KEY_S), is_key=True)
        header = jws.header_of(token)
        if header.alg not in ALGORITHMS or header.typ != TYPE:
            raise Unauthenticated("a token of another kind")
        claims = jws.verified(token, await self._keys.key(header.kid), ALGORITHMS)
        if claims.get("iss") != self._issuer:
            raise Unauthenticated("a token of another issuer")
        jws.require_audience(claims, AUDIENCE)
        # identity's clock may be ahead of this one's, but an expiry is an expiry
        jws.require_time(claims, now, SKEW_S)
        until = jws.number(claims, "exp")
        if until <= now:
            raise Unauthenticated("a token that has expired")
        return Known(principal_of(claims), jws.number(claims, "iat"), until)

    def _remember(self, place: bytes, known: Known) -> None:
        self._known[place] = known
        self._known.move_to_end(place)
        while len(self._known) > CACHED:
            self._known.popitem(last=False)

    def _require_in_force(self, known: Known) -> None:
        who = known.principal
        if who.session_id in self._revoked:
            raise Unauthenticated("the session or key was revoked")
        for one in (who.id, who.patient_id):
            # whoever is let in again has tokens that were issued after that
            gone = self._revoked.get(one, _NEVER)
            if known.issued <= (gone.heard if known.is_key else gone.at):
                raise Unauthenticated("the account or device was revoked")


def principal_of(claims: Mapping[str, Any]) -> Principal:
    """Raises Unauthenticated for claims that name nobody."""
    role = jws.text(claims, "role")
    if role not in ROLES:
        raise Unauthenticated("a token of no role")
    patient = claims.get("patient", "")
    if not isinstance(patient, str) or (role in ("patient", "device") and not patient):
        raise Unauthenticated("a token without its patient")
    return Principal(
        id=jws.text(claims, "sub"),
        role=role,
        clinic_id=jws.text(claims, "clinic"),
        patient_id=patient,
        session_id=jws.text(claims, "sid"),
    )


def of_message(told: PrincipalMessage) -> Principal:
    return Principal(
        id=told.principal_id,
        role=Role.Name(told.role).removeprefix("ROLE_").lower(),
        clinic_id=told.clinic_id,
        patient_id=told.patient_id,
        session_id=told.session_id,
        scopes=frozenset(told.scopes),
    )


def to_message(principal: Principal) -> PrincipalMessage:
    return PrincipalMessage(
        principal_id=principal.id,
        role=Role.Value(f"ROLE_{principal.role.upper()}"),
        clinic_id=principal.clinic_id,
        patient_id=principal.patient_id,
        session_id=principal.session_id,
        scopes=sorted(principal.scopes),
    )


def by_identity(connection: grpc.aio.Channel, caller: Principal) -> tuple[Fetch, VerifyKey]:
    """What a TokenAuthenticator of another service needs, asked of identity as a service."""
    sessions, keys, metadata = (
        SessionServiceStub(connection),
        ApiKeyServiceStub(connection),
        (bearer(caller),),
    )

    async def jwks() -> Mapping[str, Any]:
        request = session_service_pb2.GetJwksRequest()
        try:
            answer = await sessions.GetJwks(request, metadata=metadata, timeout=ASK_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        told: Mapping[str, Any] = json.loads(answer.jwks)
        return told

    async def verify_key(secret: str) -> tuple[Principal, datetime]:
        if len(secret) > 256:
            raise Unauthenticated("no API key")
        request = api_key_service_pb2.VerifyApiKeyRequest(secret=secret)
        try:
            answer = await keys.VerifyApiKey(request, metadata=metadata, timeout=ASK_S)
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return of_message(answer.principal), answer.expires_at.ToDatetime(tzinfo=UTC)

    return jwks, verify_key


def authenticator_for(
    environment: str,
    connection: grpc.aio.Channel,
    caller: Principal,
    clock: Clock,
    *,
    issuer: str = "rehab-identity",
) -> TokenAuthenticator:
    """Of a service that asks identity; development tokens are believed in development only."""
    jwks, verify_key = by_identity(connection, caller)
    development = DevelopmentAuthenticator() if environment == "development" else None
    return TokenAuthenticator(jwks, verify_key, clock, issuer=issuer, development=development)
