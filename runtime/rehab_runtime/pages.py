"""Page tokens: opaque, and good only for the question whose answer they continue.

A token is no secret and may be forged, so whatever it names is checked like the rest of a request.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

from rehab_runtime.errors import InvalidArgument, Violation

_DIGEST_BYTES = 9
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_YEARS = range(1000, 9000)
"""Of times that a place may name: far from where reckoning with days ends."""

Shape = tuple[type, ...]
"""The types of a place's parts: int, bool, str, date or datetime."""


def issue(scope: tuple[str, ...], place: Sequence[Any]) -> str:
    """A token for a place in the answer to a question."""
    content = json.dumps([_told(one) for one in place], separators=(",", ":")).encode()
    return base64.urlsafe_b64encode(_digest(scope, content) + content).decode()


def redeem(scope: tuple[str, ...], token: str, shape: Shape) -> list[Any] | None:
    """The place, None for the empty token. Raises InvalidArgument for any other's token, and for
    a place of another shape."""
    if not token:
        return None
    try:
        raw = base64.urlsafe_b64decode(token.encode())
    except (binascii.Error, ValueError):
        raise refused() from None
    content = raw[_DIGEST_BYTES:]
    if raw[:_DIGEST_BYTES] != _digest(scope, content):
        raise refused()
    try:
        return _shaped(json.loads(content), shape)
    except (ValueError, TypeError, OverflowError, RecursionError):
        raise refused() from None


def day_within(day: date, first: date, last: date) -> date:
    """The day that a token named. Raises InvalidArgument for one beyond the question's window."""
    if not first <= day <= last:
        raise refused()
    return day


def refused() -> InvalidArgument:
    """To be raised for a place that the answer does not have."""
    rule = "page_token.of_this_request"
    message = "must be the next_page_token of the same request's page before"
    broken = Violation("page_token", rule, message)
    return InvalidArgument("foreign page token", violations=[broken])


def _digest(scope: tuple[str, ...], content: bytes) -> bytes:
    question = json.dumps(scope).encode()
    return hashlib.sha256(question + b"\0" + content).digest()[:_DIGEST_BYTES]


def _told(part: Any) -> Any:
    if isinstance(part, datetime):
        return (part - _EPOCH) // timedelta(microseconds=1)
    return part.isoformat() if isinstance(part, date) else part


def _shaped(place: Any, shape: Shape) -> list[Any]:
    if not isinstance(place, list) or len(place) != len(shape):
        raise ValueError("a place of another shape")
    return [_PARTS[kind](part) for kind, part in zip(shape, place, strict=True)]


def _exactly(kind: type, part: Any) -> Any:
    if type(part) is not kind:
        raise TypeError("a part of another type")
    return part


def _text(part: Any) -> str:
    text: str = _exactly(str, part)
    text.encode()  # half of a surrogate pair cannot be
    if "\0" in text:
        raise ValueError("PostgreSQL knows no such text")
    return text


def _day(part: Any) -> date:
    return _in_years(date.fromisoformat(_exactly(str, part)))


def _time(part: Any) -> datetime:
    at: datetime = _in_years(_EPOCH + timedelta(microseconds=_exactly(int, part)))
    return at


def _in_years(told: Any) -> Any:
    if told.year not in _YEARS:
        raise ValueError("beyond what is reckoned with")
    return told


_PARTS: Mapping[type, Callable[[Any], Any]] = {
    int: lambda part: _exactly(int, part),
    bool: lambda part: _exactly(bool, part),
    str: _text,
    date: _day,
    datetime: _time,
}
