"""What tokens say: development tokens of who the client is, access tokens of how long they hold."""

from __future__ import annotations

import base64
import json
import re
from typing import get_args

from rehab_sdk.errors import invalid
from rehab_sdk.events import Actor, RoleName

JWT_PARTS = 3
_DEVELOPMENT = re.compile(r"dev\.([a-z]+)\.([A-Za-z0-9_-]{1,64})\.([A-Za-z0-9_:-]{1,64})")


def dev_token(role: RoleName, clinic_id: str, principal_id: str) -> str:
    """A token that servers believe in development only. Raises Invalid."""
    token = f"dev.{role}.{clinic_id}.{principal_id}"
    if role not in get_args(RoleName) or _DEVELOPMENT.fullmatch(token) is None:
        raise invalid("token", "dev_token", "takes a known role and ids of A-Z, a-z, 0-9, _ and -")
    return token


def actor_of(token: str) -> Actor | None:
    """The principal a development token names; None for any other token."""
    found = _DEVELOPMENT.fullmatch(token)
    for role in get_args(RoleName):
        if found is not None and found[1] == role:
            return Actor(found[3], role)
    return None


def clinic_of(token: str) -> str:
    """The clinic a development token names, "" for any other token."""
    found = _DEVELOPMENT.fullmatch(token)
    return found[2] if found is not None else ""


def life_s(token: str) -> float | None:
    """How long an access token holds from when it was issued, in seconds, by the server's clock
    alone (RFC 7519, exp and iat); None for a token that does not say."""
    parts = token.split(".")
    if len(parts) != JWT_PARTS:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
        return float(claims["exp"]) - float(claims["iat"])
    except (ValueError, TypeError, KeyError):
        return None
