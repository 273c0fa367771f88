"""Nonces for external issuers (OpenID Connect Core 1.0, 3.1.2.1): what ties an ID token to a log-in
that this service has begun, once.

`expiry (8 bytes) | random (16) | HMAC-SHA256, first 16`, in base64 for URLs. Nothing is kept of one
until it is used, so to ask for many costs nothing.
"""

from __future__ import annotations

import base64
import binascii
import hmac
import os
import struct
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

from rehab_identity.crypto.roots import Roots
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Unauthenticated

LASTS = timedelta(minutes=15)
_EXPIRY = struct.Struct(">q")
_RANDOM_BYTES = 16
_MAC_BYTES = 16

See = Callable[[str, str, datetime], Awaitable[bool]]
"""Notes something until a time; False when it was noted before."""


class Nonces:
    def __init__(self, roots: Roots, see: See, clock: Clock) -> None:
        self._roots = roots
        self._see = see
        self._clock = clock

    def new(self, issuer: str) -> tuple[str, datetime]:
        """One for a log-in at an issuer, and until when it is to be used."""
        until = self._clock.now() + LASTS
        told = _EXPIRY.pack(int(until.timestamp())) + os.urandom(_RANDOM_BYTES)
        return base64.urlsafe_b64encode(told + self._mac(issuer, told)).decode(), until

    async def use(self, issuer: str, nonce: str) -> None:
        """Raises Unauthenticated for one that was used, has expired, or was never given for it."""
        try:
            raw = base64.b64decode(nonce.encode(), altchars=b"-_", validate=True)
        except (binascii.Error, ValueError):
            raise Unauthenticated("no nonce of ours") from None
        told, mac = raw[:-_MAC_BYTES], raw[-_MAC_BYTES:]
        if len(told) != _EXPIRY.size + _RANDOM_BYTES or not hmac.compare_digest(
            mac, self._mac(issuer, told)
        ):
            raise Unauthenticated("no nonce of ours")
        now = self._clock.now()
        if _EXPIRY.unpack_from(told)[0] <= now.timestamp():
            raise Unauthenticated("a nonce that has expired")
        if not await self._see("nonce", told.hex(), now + 2 * LASTS):
            raise Unauthenticated("a nonce that was used before")

    def _mac(self, issuer: str, told: bytes) -> bytes:
        return self._roots.hashed("issuer nonce", issuer, told.hex())[:_MAC_BYTES]
