"""The port to what keeps data keys at rest: a key-encryption key (KEK) in one of its versions."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import ip_address
from typing import NamedTuple, Protocol
from urllib.parse import urlsplit

from rehab_runtime.errors import Internal, Unavailable
from rehab_runtime.startup import StartupError


class KeysUnavailable(Unavailable):
    """Keys cannot be had for now. `line` says why, `remedy` what to do should it last."""

    def __init__(self, line: str, remedy: str, *, retry_after_s: float = 0.5) -> None:
        super().__init__(f"{line}; {remedy}", retry_after_s=retry_after_s)
        self.line = line
        self.remedy = remedy


class KeyRefused(Internal):
    """A key will not be had however often one asks. It says nothing of erasure: an erased
    patient has no wrapped key that could be asked for."""

    def __init__(self, line: str, remedy: str) -> None:
        super().__init__(f"{line}; {remedy}")
        self.line = line
        self.remedy = remedy


class Kek(NamedTuple):
    """Which key-encryption key, and which version of it."""

    id: str
    version: str


@dataclass(frozen=True, slots=True)
class Unwrapped:
    """A data key's secret and whose it is. Never printed."""

    context: str
    secret: bytes = field(repr=False)


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A data key as it is stored. `context` comes from the row it stands in: a blob that was moved
    to another row is refused."""

    context: str
    kek: Kek
    blob: bytes = field(repr=False)


class KeyWrapper(Protocol):
    """Every method may be repeated without harm. Each raises KeysUnavailable when it may help to
    ask again and KeyRefused when nothing can be asked at all; both then hold for all keys.

    The answer to several keys is in their order, and one that is refused costs its neighbours
    nothing: its KeyRefused stands in its place.
    """

    async def newest(self) -> Kek:
        """What `wrap` and `rewrap` use."""
        ...

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        """All keys, wrapped by the newest version; none is refused alone."""
        ...

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]: ...

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        """The keys under the newest version; one that is there already may come back as it is."""
        ...


def context_digest(context: str) -> bytes:
    """The context for those who need not know the patient: 32 bytes."""
    return sha256(b"rehab eventstore key context 1\0" + context.encode()).digest()


async def carry_over(
    keys: Sequence[Wrapped], source: KeyWrapper, target: KeyWrapper
) -> Sequence[Wrapped | KeyRefused]:
    """Keys of one wrapper, wrapped by another: from a key file to Vault, say."""
    opened = await source.unwrap(keys)
    living = [key for key in opened if isinstance(key, Unwrapped)]
    wrapped = iter(await target.wrap(living) if living else ())
    return [next(wrapped) if isinstance(key, Unwrapped) else key for key in opened]


def require_private(url: str, what: str) -> None:
    """Raise StartupError for a URL that would carry keys in the clear past this machine."""
    parts = urlsplit(url)
    host = parts.hostname or ""
    if parts.scheme == "https" and host:
        return
    if parts.scheme == "http" and (host == "localhost" or _is_loopback(host)):
        return
    raise StartupError(
        f"the address of {what} must begin with https://",
        "data keys travel there; http:// is for addresses on this machine only",
    )


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
