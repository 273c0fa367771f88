"""Ports for suites whose services come back on the port they had."""

from __future__ import annotations

import random
import socket

from rehab_cli.addresses import SERVICES

LOWEST, HIGHEST = 15_000, 30_000
"""Below those that the system gives to outgoing connections, which come and go."""


def low_ports() -> int:
    """The first of as many free ports in a row as a suite has services."""
    while True:
        first = random.randrange(LOWEST, HIGHEST)
        if all(_is_free(first + place) for place in range(len(SERVICES))):
            return first


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
    return True


def low_port() -> int:
    """One free port."""
    while True:
        port = random.randrange(LOWEST, HIGHEST)
        if _is_free(port):
            return port
