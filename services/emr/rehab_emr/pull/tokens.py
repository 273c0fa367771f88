"""By what a system that pulls shows who it is: a token, told once, kept as a keyed digest."""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from collections import OrderedDict

from rehab_emr.storage.subscriptions import Subscriptions
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound

TOKEN_BYTES = 32
_NOBODY = bytes(32)
_ENDPOINT = re.compile(r"[a-z0-9][a-z0-9-]{0,47}")


class NotHeld(Exception):
    """The token is none."""


class TooManyAttempts(Exception):
    """Of one address at one endpoint. `retry_s` says when to come back."""

    def __init__(self, retry_s: float) -> None:
        super().__init__()
        self.retry_s = retry_s


class Attempts:
    """Failures by subject within a window, in this process; the `most_known` last subjects."""

    def __init__(
        self, clock: Clock, most: int = 20, window_s: float = 60.0, most_known: int = 10_000
    ) -> None:
        self._clock = clock
        self._most = most
        self._window_s = window_s
        self._most_known = most_known
        self._known: OrderedDict[tuple[str, str], tuple[float, int]] = OrderedDict()

    def require_few(self, subject: tuple[str, str]) -> None:
        """Raises TooManyAttempts."""
        since, failures = self._known.get(subject, (0.0, 0))
        left_s = since + self._window_s - self._clock.monotonic()
        if failures >= self._most and left_s > 0:
            raise TooManyAttempts(left_s)

    def failed(self, subject: tuple[str, str]) -> None:
        now = self._clock.monotonic()
        since, failures = self._known.pop(subject, (now, 0))
        if now - since >= self._window_s:
            since, failures = now, 0
        self._known[subject] = since, failures + 1
        if len(self._known) > self._most_known:
            self._known.popitem(last=False)


class PullTokens:
    """`secret` is what only this service knows."""

    def __init__(self, subscriptions: Subscriptions, secret: bytes, attempts: Attempts) -> None:
        self._subscriptions = subscriptions
        self._key = hashlib.sha256(b"rehab emr pull tokens\0" + secret).digest()
        self._attempts = attempts

    def made(self, endpoint_id: str) -> tuple[str, bytes]:
        """A new token, and what is kept of it."""
        token = f"{endpoint_id}.{secrets.token_urlsafe(TOKEN_BYTES)}"
        return token, self._digest(token)

    async def rotated(self, endpoint_id: str) -> str:
        """The one before ends. Raises NotFound."""
        token, kept = self.made(endpoint_id)
        await self._subscriptions.replace_token(endpoint_id, kept)
        return token

    async def holder(self, authorization: str, address: str) -> str:
        """The endpoint whose token is shown. Raises NotHeld, TooManyAttempts, Unavailable. Others
        who guess at the same address keep nobody out who need not."""
        scheme, _, token = authorization.partition(" ")
        endpoint_id = token.partition(".")[0][:64]
        kept = await self._kept(endpoint_id)
        if hmac.compare_digest(kept, self._digest(token)) and scheme.lower() == "bearer":
            return endpoint_id
        subject = (address, endpoint_id)
        self._attempts.require_few(subject)
        self._attempts.failed(subject)
        raise NotHeld

    async def _kept(self, endpoint_id: str) -> bytes:
        if not _ENDPOINT.fullmatch(endpoint_id):
            return _NOBODY
        try:
            return (await self._subscriptions.one(endpoint_id)).token
        except NotFound:
            return _NOBODY

    def _digest(self, token: str) -> bytes:
        return hmac.digest(self._key, token.encode(), "sha256")
