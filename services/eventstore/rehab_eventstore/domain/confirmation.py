"""The token that confirms an erasure: it says who was shown what, and needs no memory."""

from __future__ import annotations

import hmac
import re
from dataclasses import dataclass
from datetime import UTC, datetime

_TOKEN = re.compile(r"([a-z_]{1,48})\.(\d{1,12})\.([0-9a-f]{64})")


class NotConfirmed(Exception):
    """A token that confirms nothing; `rule` says why."""

    def __init__(self, rule: str, message: str) -> None:
        super().__init__(message)
        self.rule = rule
        self.message = message


@dataclass(frozen=True)
class Intent:
    """That somebody wants a stream erased, for a reason."""

    stream: str
    reason: str
    by: str


class Confirmation:
    """Makes tokens and reads them; `key` is a secret of the log."""

    def __init__(self, key: bytes) -> None:
        self._key = hmac.digest(key, b"rehab erasure token 1", "sha256")

    def token(self, intent: Intent, until: datetime) -> str:
        seconds = int(until.timestamp())
        return f"{intent.reason}.{seconds}.{self._mac(intent, seconds)}"

    def reason(self, token: str, stream: str, by: str, now: datetime) -> str:
        """Why the stream is to be erased. Raises NotConfirmed."""
        found = _TOKEN.fullmatch(token)
        if found is None:
            raise NotConfirmed("token.form", "must be a token of PrepareErasure")
        reason, seconds, mac = found[1], int(found[2]), found[3]
        if not hmac.compare_digest(mac, self._mac(Intent(stream, reason, by), seconds)):
            raise NotConfirmed("token.of_this", "must be made for this subject and this caller")
        if now > datetime.fromtimestamp(seconds, UTC):
            raise NotConfirmed("token.expired", "must not have expired: prepare the erasure anew")
        return reason

    def _mac(self, intent: Intent, seconds: int) -> str:
        told = "\0".join((intent.stream, intent.reason, intent.by, str(seconds)))
        return hmac.new(self._key, told.encode(), "sha256").hexdigest()
