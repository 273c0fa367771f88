"""Where a call comes from, as far as failures are counted by it."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from urllib.parse import unquote

import grpc

FORWARDED = "x-forwarded-for"
PREFIX_6 = 64
"""Whoever has one IPv6 address has the whole network of it."""

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


class Sources:
    """Names where calls come from. What `trusted` proxies say of whom they speak for is believed,
    and nobody else."""

    def __init__(self, trusted: Sequence[Network] = ()) -> None:
        self._trusted = trusted

    def of(self, context: grpc.aio.ServicerContext) -> str:
        told = [
            str(value)
            for name, value in context.invocation_metadata() or ()
            if name == FORWARDED and isinstance(value, str)
        ]
        return self.named(context.peer(), told)

    def named(self, peer: str, forwarded: Iterable[str] = ()) -> str:
        """The host of a gRPC peer ("ipv4:host:port", "ipv6:[host]:port"), or the last one in front
        of the proxies that is none of them; of IPv6 its /64.

        Each proxy adds whom it heard to the end, so what stands before the last stranger is that
        stranger's word. From an entry that is no address on nothing is believed: then it is the
        proxy itself that is named."""
        kind, _, rest = unquote(peer).partition(":")
        address = _address(rest)
        if address is None:
            return kind
        hops = [hop for line in forwarded for hop in line.split(",")]
        while self._is_trusted(address) and hops:
            before = _address(hops.pop().strip())
            if before is None:
                break
            address = before
        return _network(address)

    def _is_trusted(self, address: Address) -> bool:
        return any(
            address.version == network.version and address in network for network in self._trusted
        )


def _address(told: str) -> Address | None:
    """Of "host", "host:port", "[host]" or "[host]:port"; IPv4 told as IPv6 is IPv4."""
    if told.startswith("["):
        host = told[1:].partition("]")[0]
    elif told.count(":") == 1:
        host = told.partition(":")[0]
    else:
        host = told
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


def _network(address: Address) -> str:
    if isinstance(address, IPv6Address):
        return str(ipaddress.ip_network((address, PREFIX_6), strict=False))
    return str(address)
