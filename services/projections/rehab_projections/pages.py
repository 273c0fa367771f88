"""Page tokens: opaque, and good only for the question whose answer they continue."""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from typing import Any

from rehab_runtime.errors import InvalidArgument, Violation

_DIGEST_BYTES = 9


def issue(scope: tuple[str, ...], place: list[Any]) -> str:
    """A token for a place in the answer to a question."""
    content = json.dumps(place, separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(scope, content) + content).decode()


def redeem(scope: tuple[str, ...], token: str) -> list[Any] | None:
    """The place, None for the empty token. Raises InvalidArgument for any other's token."""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except (binascii.Error, ValueError):
        raise _refused() from None
    content = raw[_DIGEST_BYTES:]
    if raw[:_DIGEST_BYTES] != _digest(scope, content):
        raise _refused()
    place: list[Any] = json.loads(content)
    return place


def _digest(scope: tuple[str, ...], content: bytes) -> bytes:
    question = json.dumps(scope).encode()
    return hashlib.sha256(question + b"\0" + content).digest()[:_DIGEST_BYTES]


def _refused() -> InvalidArgument:
    rule = "page_token.of_this_request"
    message = "must be the next_page_token of the same request's page before"
    broken = Violation("page_token", rule, message)
    return InvalidArgument("foreign page token", violations=[broken])
