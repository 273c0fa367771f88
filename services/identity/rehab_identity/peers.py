"""Where a call comes from, as far as failures are counted by it."""

from __future__ import annotations

import ipaddress
from urllib.parse import unquote

PREFIX_6 = 64
"""Whoever has one IPv6 address has the whole network of it."""


def source_of(peer: str) -> str:
    """The host of a gRPC peer ("ipv4:host:port", "ipv6:[host]:port"); of IPv6 its /64."""
    kind, _, rest = unquote(peer).partition(":")
    host = rest.rpartition(":")[0].strip("[]").partition("%")[0]
    try:
        address = ipaddress.ip_address(host)
    except ValueError:
        return kind
    if isinstance(address, ipaddress.IPv6Address):
        mapped = address.ipv4_mapped
        network = ipaddress.ip_network((address, PREFIX_6), strict=False)
        return str(mapped) if mapped is not None else str(network)
    return str(address)
