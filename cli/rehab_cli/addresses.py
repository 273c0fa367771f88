"""Which services there are and where they answer."""

from __future__ import annotations

from dataclasses import dataclass, replace

SERVICES = ("eventstore", "ingest", "projections", "identity", "policy", "emr")
PORT_BASE = 7100


@dataclass(frozen=True)
class Addresses:
    """host:port of each service of a suite."""

    eventstore: str
    ingest: str
    projections: str
    identity: str = ""
    policy: str = ""
    emr: str = ""

    @classmethod
    def at(cls, port_base: int) -> Addresses:
        """Consecutive ports from `port_base`; with 0 each service takes a free one."""
        ports = [port_base + index if port_base else 0 for index in range(len(SERVICES))]
        return cls(*(f"127.0.0.1:{port}" for port in ports))

    def of(self, service: str) -> str:
        return str(getattr(self, service))

    def with_one(self, service: str, address: str) -> Addresses:
        return replace(self, **{service: address})
