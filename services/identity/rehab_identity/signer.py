"""Makes access tokens, and keeps the keys that sign them young."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from rehab_identity.crypto.signing import SigningKey, signing
from rehab_identity.domain.credentials import new_id
from rehab_identity.domain.people import Session
from rehab_identity.storage.signing_keys import SigningKeys
from rehab_runtime.access.tokens import AUDIENCE, SKEW_S
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Internal, RehabError
from rehab_runtime.logging import get_logger

FRESH_S = 1.0
LOOK_S = 10.0
"""Another replica may have made a key; it is told of far longer before it signs."""

log = get_logger("signer")


@dataclass(frozen=True, slots=True)
class Terms:
    """Of keys and of tokens, in seconds."""

    issuer: str
    token_s: float
    key_age_s: float
    lead_s: float


class Signer:
    def __init__(self, store: SigningKeys, terms: Terms, clock: Clock) -> None:
        self._store = store
        self._terms = terms
        self._clock = clock
        self._keys: Sequence[SigningKey] = ()
        self._looked = float("-inf")

    @property
    def issuer(self) -> str:
        return self._terms.issuer

    async def look(self) -> None:
        """See the keys that there are; make one if there is none, or none that is young."""
        now = self._clock.now()
        self._keys = await self._store.all()
        oldest = now - timedelta(seconds=self._terms.key_age_s)
        if not self._keys or max(key.created_at for key in self._keys) <= oldest:
            await self._add(now, unless_after=oldest)

    async def rotate(self) -> SigningKey:
        """A new key, whatever the age of the newest."""
        return await self._add(self._clock.now(), unless_after=None)

    async def run(self) -> None:
        while True:
            await asyncio.sleep(LOOK_S)
            # without PostgreSQL the keys at hand go on
            with contextlib.suppress(RehabError):
                await self.look()

    async def jwks(self) -> Mapping[str, Any]:
        """The public keys, those that will sign soon included. Whoever asks need show nothing: so
        the database is asked once a second at most."""
        now = self._clock.monotonic()
        if now - self._looked >= FRESH_S:
            self._looked = now
            self._keys = await self._store.all()
        return {"keys": [key.jwk() for key in self._keys]}

    def token(self, principal: Principal, session: Session) -> tuple[str, datetime]:
        """An access token, and when it expires. Raises Internal."""
        now = self._clock.now()
        key = signing(self._keys, now)
        if key is None:
            raise Internal("no key signs")
        issued = int(now.timestamp())
        expires = issued + int(self._terms.token_s)
        claims = {
            "iss": self._terms.issuer,
            "aud": AUDIENCE,
            "sub": principal.id,
            "iat": issued,
            "nbf": issued,
            "exp": expires,
            "jti": new_id(),
            "role": principal.role,
            "clinic": principal.clinic_id,
            "sid": session.session_id,
        }
        if principal.patient_id:
            claims["patient"] = principal.patient_id
        return key.sign(claims), datetime.fromtimestamp(expires, now.tzinfo)

    async def _add(self, now: datetime, unless_after: datetime | None) -> SigningKey:
        # a token that was signed last by the key before is verified until it expires
        last = now - timedelta(seconds=self._terms.token_s + 2 * SKEW_S + self._terms.lead_s)
        self._keys = await self._store.add(
            now, self._terms.lead_s, unless_after=unless_after, dropping_before=last
        )
        log.info("a signing key was made", key_id=self._keys[-1].key_id)
        return self._keys[-1]
