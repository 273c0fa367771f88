"""How patient the client is. Every duration is in seconds."""

from __future__ import annotations

import random
from dataclasses import dataclass


@dataclass(frozen=True)
class Backoff:
    """Exponential with full jitter: clients that were cut together do not come back together."""

    first_s: float = 0.1
    longest_s: float = 5.0

    def delay_s(self, attempt: int) -> float:
        """Before the attempt after `attempt` failures, from 1."""
        return random.uniform(0, min(self.longest_s, self.first_s * 2 ** min(attempt - 1, 16)))


@dataclass(frozen=True)
class StreamOptions:
    hello_timeout_s: float = 10
    """From connecting until the server's Welcome; after it the link is given up for another."""
    stall_timeout_s: float = 30
    """Without a word of the server while events are in flight the link is given up for another."""
    send_timeout_s: float = 60
    """How long `send` waits for room before it raises TimedOut."""
    flush_timeout_s: float = 30
    """How long leaving waits until everything is settled."""
    spooled_flush_timeout_s: float = 2
    """How long leaving waits with a spool, in which everything is safe already."""
    close_timeout_s: float = 2
    """How long the server has to end a call that we have ended."""
    ghost_s: float = 2
    """A link taken over so soon after its welcome met our own one before it, which the server had
    not yet missed: it comes back. One taken over later leaves the device to who took it."""
    rejected_kept: int = 1000
    """Rejected events kept for inspection, newest first to stay."""


@dataclass(frozen=True)
class Options:
    deadline_s: float = 10
    """Of a call with its retries."""
    backoff: Backoff = Backoff()
    keepalive_s: float = 20
    """Between pings on a connection in use: a dead link shows within this and the next."""
    keepalive_timeout_s: float = 5
    max_message_bytes: int = 16 * 1024 * 1024
    """Of an answer."""
    stream: StreamOptions = StreamOptions()

    def channel_options(self) -> list[tuple[str, int]]:
        return [
            ("grpc.keepalive_time_ms", int(self.keepalive_s * 1000)),
            ("grpc.keepalive_timeout_ms", int(self.keepalive_timeout_s * 1000)),
            # without this a lost ping is waited for a minute, whatever the line above says
            ("grpc.http2.ping_timeout_ms", int(self.keepalive_timeout_s * 1000)),
            ("grpc.keepalive_permit_without_calls", 0),  # spares a phone's radio
            # a watch only listens: without this its third ping would not be sent
            ("grpc.http2.max_pings_without_data", 0),
            ("grpc.max_receive_message_length", self.max_message_bytes),
            ("grpc.initial_reconnect_backoff_ms", int(self.backoff.first_s * 1000)),
            ("grpc.min_reconnect_backoff_ms", 1000),
            ("grpc.max_reconnect_backoff_ms", int(self.backoff.longest_s * 1000)),
            # without it an unread stream buffers megabytes
            ("grpc.http2.bdp_probe", 0),
        ]
