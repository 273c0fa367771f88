"""Who there is, and what lets them in, as it goes between the layers."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum, auto

from rehab.identity.v1.account_service_pb2 import Profile

ACTIVE, DISABLED, ERASED = "active", "disabled", "erased"
PASSWORD, DEVICE, ISSUER = "password", "device", "issuer"


@dataclass(frozen=True, slots=True)
class Account:
    account_id: str
    clinic_id: str
    role: str
    status: str
    created_at: datetime
    profile: Profile = field(default_factory=Profile, repr=False)

    @property
    def patient_id(self) -> str:
        return self.account_id if self.role == "patient" else ""


@dataclass(frozen=True, slots=True)
class Session:
    """`refreshed_at` is when its tokens were last renewed; `generation` counts that."""

    session_id: str
    account_id: str
    device_id: str
    method: str
    created_at: datetime
    refreshed_at: datetime
    expires_at: datetime
    ended_at: datetime | None = None
    generation: int = 1
    asked_again: bool = False


@dataclass(frozen=True, slots=True)
class Device:
    device_id: str
    patient_id: str
    clinic_id: str
    public_key: bytes
    model: str
    enrolled_at: datetime
    revoked_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """`generation` grows whenever what is known of it changes."""

    key_id: str
    account_id: str
    name: str
    scopes: tuple[str, ...]
    created_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    generation: int = 1
    hash: str = field(default="", repr=False)
    old_hash: str | None = field(default=None, repr=False)
    old_until: datetime | None = None

    def hashes(self, now: datetime) -> tuple[str, ...]:
        """Of the secrets that work now, the newest first."""
        if self.revoked_at is not None or self.expires_at <= now:
            return ()
        if self.old_hash is not None and self.old_until is not None and now < self.old_until:
            return (self.hash, self.old_hash)
        return (self.hash,)


class Refresh(Enum):
    NEXT = auto()
    """The token is the newest: new ones take its place."""
    AGAIN = auto()
    """The answer to the last use seems to be lost: it is given once more."""
    STOLEN = auto()
    """It was used long ago, or too often: two have it."""
    OVER = auto()
    """The session has ended."""


def on_refresh(session: Session, generation: int, now: datetime, grace_s: float) -> Refresh:
    """What a token of a generation is worth."""
    if session.ended_at is not None or session.expires_at <= now:
        return Refresh.OVER
    if generation == session.generation:
        return Refresh.NEXT
    passed = (now - session.refreshed_at).total_seconds()
    late = passed > grace_s or session.asked_again
    return Refresh.STOLEN if late or generation < session.generation - 1 else Refresh.AGAIN
