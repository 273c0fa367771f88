"""Notices of emergency access, posted to an address that the operator names."""

from __future__ import annotations

import hmac
import json
from collections.abc import Callable
from datetime import datetime
from hashlib import sha256

import httpx

from rehab_identity.facts.notices import Notice
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Unavailable

SIGNATURE = "rehab-signature"
DEDUPLICATION = "idempotency-key"


class WebhookPort:
    """Ids and codes only. Whoever takes it answers 2xx, knows a repeat by its idempotency-key (the
    grant's id), and knows the sender by `rehab-signature: t=SECONDS,v1=HEX`, HMAC-SHA256 under the
    shared secret over `SECONDS.BODY`."""

    def __init__(self, client: httpx.AsyncClient, url: str, secret: str, clock: Clock) -> None:
        self._client = client
        self._url = url
        self._secret = secret.encode()
        self._clock = clock

    async def deliver(self, notice: Notice) -> None:
        """Raises Unavailable unless it was taken."""
        body = json.dumps(_told(notice), separators=(",", ":")).encode()
        seconds = int(self._clock.now().timestamp())
        headers = {
            "content-type": "application/json",
            DEDUPLICATION: notice.taken.grant_id,
            SIGNATURE: signature(self._secret, seconds, body),
        }
        try:
            answer = await self._client.post(self._url, content=body, headers=headers)
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise Unavailable(f"the webhook: {type(error).__name__}") from None
        if not answer.is_success:
            raise Unavailable(f"the webhook: status {answer.status_code}")


def signature(secret: bytes, seconds: int, body: bytes) -> str:
    signed = hmac.new(secret, f"{seconds}.".encode() + body, sha256).hexdigest()
    return f"t={seconds},v1={signed}"


def _told(notice: Notice) -> dict[str, object]:
    taken = notice.taken
    iso: Callable[[datetime], str] = datetime.isoformat
    return {
        "type": "emergency_access_taken",
        "grant_id": taken.grant_id,
        "clinic_id": taken.clinic_id,
        "patient_id": taken.patient_id,
        "principal_id": taken.principal_id,
        "reason": taken.reason,
        "taken_at": iso(taken.taken_at),
        "expires_at": iso(taken.expires_at),
        "recipients": list(notice.recipients),
    }
