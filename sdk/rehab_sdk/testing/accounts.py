"""Who may come in, as identity has it: accounts, devices, sessions whose tokens run out."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from rehab.identity.v1 import session_service_pb2 as pb
from rehab_sdk.auth import actor_of, clinic_of
from rehab_sdk.testing.refusals import Refusal

ISSUER = "fake"
GRACE_S = 10.0
"""In which a refresh token that was used gives new tokens once more: an answer may be lost."""
CODE_LIFE_S = 600.0
ASSERTION_LIFE_S = 60


@dataclass(frozen=True)
class Who:
    id: str
    role: str
    clinic_id: str
    patient_id: str = ""


@dataclass(frozen=True)
class FakeDevice:
    who: Who
    public_key: bytes


@dataclass
class FakeSession:
    who: Who
    refresh_token: str = ""
    used: dict[str, float] = field(default_factory=dict)
    """Refresh tokens used, and until when each gives new ones once more."""


class Accounts:
    """May be used from several threads. `now` is seconds since 1970."""

    def __init__(self, now: Callable[[], float] = time.time) -> None:
        self.access_life_s = 900.0
        self.logins = 0
        """How often a password or a device's key was shown, and taken."""
        self.refreshes = 0
        self._now = now
        self._key = secrets.token_bytes(32)
        self._lock = threading.RLock()
        self._passwords: dict[tuple[str, str], tuple[str, Who]] = {}
        self._codes: dict[str, tuple[Who, float]] = {}
        self._api_keys: dict[str, Who] = {}
        self._devices: dict[str, FakeDevice] = {}
        self._jtis: set[str] = set()
        self._sessions: dict[str, FakeSession] = {}
        self._expired_before = 0

    # who there is

    def add(self, email: str, password: str, who: Who) -> None:
        self._passwords[who.clinic_id, email] = (password, who)

    def add_api_key(self, who: Who) -> str:
        key = f"rk_{secrets.token_hex(6)}_{secrets.token_urlsafe(24)}"
        self._api_keys[key] = who
        return key

    def add_code(self, patient_id: str, clinic_id: str) -> str:
        code = secrets.token_hex(4)
        self._codes[code] = (Who("", "device", clinic_id, patient_id), self._now() + CODE_LIFE_S)
        return code

    def expire_tokens(self) -> None:
        """Every access token so far is refused from now on."""
        with self._lock:
            self._expired_before = time.monotonic_ns()

    def end_sessions(self) -> None:
        """Access and refresh tokens so far are refused from now on."""
        with self._lock:
            self._sessions.clear()

    # being let in

    def log_in(self, clinic_id: str, email: str, password: str) -> pb.Tokens:
        known = self._passwords.get((clinic_id, email))
        if known is None or not hmac.compare_digest(known[0].encode(), password.encode()):
            raise denied()
        return self._begun(known[1])

    def enrol(self, code: str, public_key: bytes) -> FakeDevice:
        with self._lock:
            who, until = self._codes.get(code, (None, 0.0))
            if who is None or self._now() > until:
                raise denied()
            if who.id:  # used: whoever did not hear the answer has the same key
                device = self._devices[who.id]
                if device.public_key != public_key:
                    raise denied()
                return device
            device_id = f"device-{secrets.token_hex(6)}"
            device = FakeDevice(Who(device_id, "device", who.clinic_id, who.patient_id), public_key)
            self._devices[device_id] = device
            self._codes[code] = (device.who, until)
            return device

    def log_in_device(self, assertion: str) -> pb.Tokens:
        try:
            signed, _, signature = assertion.rpartition(".")
            head, claims = (json.loads(_decoded(part)) for part in signed.split("."))
            device = self._devices[claims["iss"]]
            _verify(device.public_key, _decoded(signature), signed.encode())
            self._check(head, claims)
        except (ValueError, KeyError, TypeError):
            raise denied() from None
        return self._begun(device.who)

    def _check(self, head: dict[str, Any], claims: dict[str, Any]) -> None:
        """Raises ValueError."""
        now = self._now()
        in_time = claims["iat"] - 5 <= now < claims["exp"] <= claims["iat"] + ASSERTION_LIFE_S
        named = claims["sub"] == claims["iss"] and claims["aud"] == "rehab"
        with self._lock:
            fresh = claims["jti"] not in self._jtis
            self._jtis.add(claims["jti"])
        if head["alg"] != "Ed25519" or not (in_time and named and fresh):
            raise ValueError("not a statement of the device")

    def refresh(self, token: str) -> pb.Tokens:
        session_id = token.partition(".")[0]
        with self._lock:
            session = self._sessions.get(session_id)
            if session is None:
                raise denied()
            if token != session.refresh_token:
                if session.used.pop(token, 0.0) < self._now():
                    del self._sessions[session_id]  # it counts as stolen
                    raise denied()
            else:
                session.used[token] = self._now() + GRACE_S
            self.refreshes += 1
            return self._tokens(session_id)

    def _begun(self, who: Who) -> pb.Tokens:
        session_id = secrets.token_hex(8)
        with self._lock:
            self.logins += 1
            self._sessions[session_id] = FakeSession(who)
            return self._tokens(session_id)

    def _tokens(self, session_id: str) -> pb.Tokens:
        session = self._sessions[session_id]
        session.refresh_token = f"{session_id}.{secrets.token_urlsafe(24)}"
        now = self._now()
        until = now + self.access_life_s
        claims = {
            "iss": ISSUER,
            "sub": session.who.id,
            "sid": session_id,
            "iat": now,
            "exp": until,
            "made": time.monotonic_ns(),
        }
        tokens = pb.Tokens(refresh_token=session.refresh_token, session_id=session_id)
        tokens.access_token = self._signed(claims)
        tokens.access_expires_at.FromMilliseconds(int(1000 * until))
        return tokens

    # who calls

    def caller(self, authorization: str) -> Who:
        """Raises Refusal."""
        token = authorization.removeprefix("Bearer ")
        actor = actor_of(token)
        if actor is not None:
            patient = actor.id if actor.role == "patient" else ""
            return Who(actor.id, actor.role, clinic_of(token), patient)
        if token in self._api_keys:
            return self._api_keys[token]
        try:
            body, _, signature = token.rpartition(".")
            claims = json.loads(_decoded(body.split(".")[1]))
            genuine = hmac.compare_digest(self._signature(body).encode(), signature.encode())
            with self._lock:
                session = self._sessions[claims["sid"]]
                gone = claims["made"] <= self._expired_before or claims["exp"] <= self._now()
        except (ValueError, KeyError, TypeError, IndexError):
            raise denied() from None
        if gone or not genuine:
            raise denied()
        return session.who

    def _signed(self, claims: dict[str, Any]) -> str:
        parts = [_encoded(json.dumps(part).encode()) for part in ({"alg": "HS256"}, claims)]
        body = ".".join(parts)
        return f"{body}.{self._signature(body)}"

    def _signature(self, body: str) -> str:
        return _encoded(hmac.digest(self._key, body.encode(), hashlib.sha256))


def denied() -> Refusal:
    """One sentence for every cause."""
    return Refusal("UNAUTHENTICATED", "Credentials are missing, malformed or expired.")


def _verify(public_key: bytes, signature: bytes, message: bytes) -> None:
    """Raises ValueError."""
    from cryptography.exceptions import InvalidSignature  # noqa: PLC0415 - an extra
    from cryptography.hazmat.primitives.asymmetric import ed25519  # noqa: PLC0415

    try:
        ed25519.Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature as forged:
        raise ValueError("not signed by the device") from forged


def _encoded(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def _decoded(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
