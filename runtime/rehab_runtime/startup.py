"""What keeps a service from starting, and the addresses it listens on."""

from __future__ import annotations

import errno
import os
import socket
from ipaddress import ip_address

WILDCARDS = ("", "0.0.0.0", "::")  # noqa: S104 - recognised, not bound


class StartupError(Exception):
    """A service cannot start: one line that says why, and what to do."""

    def __init__(self, line: str, remedy: str) -> None:
        super().__init__(f"{line}; {remedy}")
        self.line = line
        self.remedy = remedy


def split(listen: str) -> tuple[str, int]:
    """Host and port of `host:port`; an IPv6 host stands in brackets. ValueError otherwise."""
    host, colon, port = listen.rpartition(":")
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or not host or (":" in host and not bracketed) or any(map(str.isspace, listen)):
        raise ValueError("must be host:port, an IPv6 host in brackets")
    if not (port.isascii() and port.isdigit()) or int(port) > 65535:
        raise ValueError("must be host:port with a port from 0 to 65535")
    return (host[1:-1] if bracketed else host), int(port)


def targets(address: str) -> list[tuple[str, int]]:
    """Host and port of each of a service's replicas, which are told with commas between. Several
    must be IP addresses: whose name leads to several needs no list. ValueError otherwise."""
    places = [split(one) for one in address.split(",")]
    if len(places) > 1:
        try:
            versions = {ip_address(host).version for host, _ in places}
        except ValueError:
            raise ValueError("must be IP addresses where there are several") from None
        if len(versions) > 1:
            raise ValueError("must be of one version of IP where there are several")
    return places


def reachable(listen: str, port: int) -> str:
    """Where this machine reaches what listens there on `port`."""
    host, _ = split(listen)
    if host in WILDCARDS:
        host = "127.0.0.1" if ":" not in host else "::1"
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def named(listen: str, address: str) -> str:
    """The address at which other machines may reach what listens there; empty when `listen` stands
    for every address of this one."""
    return "" if split(listen)[0] in WILDCARDS else address


def require_free(listen: str, variable: str) -> None:
    """Raise StartupError unless every address behind `listen` can be bound.

    gRPC is content with one of several addresses (localhost has two), and tells a failure on
    standard error in its own words only.
    """
    host, port = split(listen)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, kind, protocol, _, address in found:
            with socket.socket(family, kind, protocol) as probe:
                if os.name == "posix":  # elsewhere it would let two servers share the port
                    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                if family == socket.AF_INET6:
                    probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
                probe.bind(address)
    except OSError as error:
        raise cannot_listen(listen, variable, error) from None


def cannot_listen(listen: str, variable: str, error: OSError) -> StartupError:
    line = f"cannot listen on {listen}"
    _, port = split(listen)
    if error.errno == errno.EADDRINUSE:
        return StartupError(
            f"{line}: the port is in use",
            f"stop the program that uses it (find it with: ss -ltnp 'sport = :{port}') "
            f"or set {variable} to another port",
        )
    if error.errno == errno.EACCES:
        return StartupError(
            f"{line}: this user may not use the port", f"set {variable} to a port above 1023"
        )
    if isinstance(error, socket.gaierror):
        return StartupError(f"{line}: no such host", f"correct the host in {variable}")
    return StartupError(
        f"{line}: this machine does not have the address", f"correct the host in {variable}"
    )
