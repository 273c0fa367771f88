"""Which addresses may be called: a registered URL must not reach what only this service can."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from urllib.parse import urlsplit

from pydantic import IPvAnyNetwork

from rehab_emr.errors import broken_rule

Network = ipaddress.IPv4Network | ipaddress.IPv6Network
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
RESOLVE_TIMEOUT_S = 5.0
_NAT64 = ipaddress.ip_network("64:ff9b::/96")


class Unreachable(Exception):
    """No address of the host may be called, or it has none; a code says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True)
class Place:
    """Where a URL leads. `address` is what was looked at, and is what is called."""

    scheme: str
    host: str
    port: int
    address: str


class Guard:
    """`allowed` networks may be called though they are not public. Plain HTTP may go to loopback
    only, and only where that is among them."""

    def __init__(self, allowed: Sequence[IPvAnyNetwork], resolve: Resolve | None = None) -> None:
        self._allowed: Sequence[Network] = [ipaddress.ip_network(str(one)) for one in allowed]
        self._resolve = resolve or _resolve

    def require_form(self, url: str, field: str) -> None:
        """Raises InvalidArgument, naming the field, for what could never be called."""
        try:
            place = urlsplit(url)
            host, port = place.hostname, place.port
        except ValueError:
            raise broken_rule(field, "url", "must be a URL") from None
        if place.scheme not in ("https", "http") or not host or port == 0:
            raise broken_rule(field, "url", "must be https://host/path")
        if place.username or place.password or place.query or place.fragment:
            raise broken_rule(field, "url", "must have no user, query or fragment")
        if place.scheme == "http" and not self._is_allowed_loopback(host):
            raise broken_rule(field, "https", "must be https://")

    async def place(self, url: str) -> Place:
        """Looked up anew each time, and called where it was looked at: a name that changes its
        address in between gains nothing. Raises Unreachable."""
        try:
            parts = urlsplit(url)
            host, told = parts.hostname or "", parts.port
        except ValueError:
            raise Unreachable("url_invalid") from None
        port = told or (443 if parts.scheme == "https" else 80)
        try:
            async with asyncio.timeout(RESOLVE_TIMEOUT_S):
                found = await self._resolve(host, port)
        except (OSError, TimeoutError, UnicodeError):
            raise Unreachable("name_not_found") from None
        for address in found:
            if self.may_call(address) and (parts.scheme == "https" or _is_loopback(address)):
                return Place(parts.scheme, host, port, address)
        raise Unreachable("address_forbidden")

    def may_call(self, address: str) -> bool:
        one = ipaddress.ip_address(address.split("%", maxsplit=1)[0])
        if isinstance(one, ipaddress.IPv6Address):
            embedded = one.ipv4_mapped or one.sixtofour or (one.teredo and one.teredo[1])
            if one in _NAT64:
                embedded = ipaddress.IPv4Address(int(one) & 0xFFFF_FFFF)
            if embedded:
                return self.may_call(str(embedded))
        if any(one in network for network in self._allowed):
            return True
        return one.is_global and not one.is_multicast

    def _is_allowed_loopback(self, host: str) -> bool:
        """By its name: where it leads is looked at whenever it is called."""
        if host != "localhost" and not _is_loopback(host):
            return False
        return any(network.is_loopback for network in self._allowed)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


async def _resolve(host: str, port: int) -> Sequence[str]:
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return [str(one[4][0]) for one in found]
