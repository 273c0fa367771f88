"""gRPC channels to services: one place for limits, keepalive and how replicas are told apart."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

import grpc

from rehab_runtime.startup import targets
from rehab_runtime.tls import Tls

MAX_MESSAGE_BYTES = 4 * 1024 * 1024
KEEPALIVE = (
    ("grpc.keepalive_time_ms", 20_000),
    ("grpc.keepalive_timeout_ms", 5_000),
    ("grpc.keepalive_permit_without_calls", 0),
)
# Whoever receives lets 64 kB be under way unread, unless gRPC probes the link: then it takes in
# 4 to 8 MB a stream, which the sender believes to be read. Between machines that are 1 ms apart
# 64 kB still carry 60 MB/s, and on one machine it makes no difference.
SMALL_WINDOW = ("grpc.http2.bdp_probe", 0)


@dataclass(frozen=True)
class Peer:
    """Another service: where it answers, and by what one shows it who one is."""

    address: str
    tls: Tls | None = None

    def channel(self) -> grpc.aio.Channel:
        return channel(self.address, tls=self.tls)


def channel(
    address: str,
    options: Sequence[tuple[str, int | str]] = (),
    *,
    tls: Tls | None = None,
    credentials: grpc.ChannelCredentials | None = None,
) -> grpc.aio.Channel:
    """A channel to another service, by mutual TLS when told who one is, or by other credentials.
    Use it as an async context manager."""
    target, spread = _target(address)
    told = [
        *KEEPALIVE,
        SMALL_WINDOW,
        ("grpc.max_receive_message_length", 16 * MAX_MESSAGE_BYTES),
        ("grpc.initial_reconnect_backoff_ms", 50),
        ("grpc.min_reconnect_backoff_ms", 50),
        ("grpc.max_reconnect_backoff_ms", 1_000),
        *spread,
        *options,
    ]
    if tls is not None:
        credentials = tls.for_client()
    if credentials is None:
        return grpc.aio.insecure_channel(target, options=told)
    return grpc.aio.secure_channel(target, credentials, options=told)


def _target(address: str) -> tuple[str, list[tuple[str, int | str]]]:
    """What gRPC calls the address, and how it divides calls among several."""
    if "," not in address:
        return address, []
    places = targets(address)
    scheme = "ipv6" if ":" in places[0][0] else "ipv4"
    # certificates are compared with one name: that of the first has to stand in all of them
    return f"{scheme}:{address}", [
        ("grpc.service_config", json.dumps({"loadBalancingConfig": [{"round_robin": {}}]})),
        ("grpc.default_authority", address.split(",", maxsplit=1)[0]),
    ]
