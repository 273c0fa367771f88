"""The whole suite as real processes, with as many replicas of each service as one likes."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from signal import Signals
from typing import Any

from rehab_cli.authority import Authority
from rehab_cli.place import Place
from rehab_cli.servers import Servers
from rehab_cli.supervisor import Service, environment
from rehab_runtime.embedded import Embedded
from tests.support.ports import low_port

ORDER = ("eventstore", "identity", "ingest", "projections")
"""Those whom the others ask come first."""


@dataclass
class Fleet:
    """Running replicas by service, and what their users are told of them."""

    servers: Servers
    place: Place
    replicas: int
    services: dict[str, list[Service]] = field(default_factory=dict)
    said: list[str] = field(default_factory=list)

    def addresses(self, name: str) -> list[str]:
        return [one.address for one in self.services[name]]

    @property
    def connects(self) -> dict[str, Any]:
        """Where a client connects to."""
        names = ("ingest", "projections", "identity")
        told = {name: self.addresses(name) for name in names}
        return told if self.replicas > 1 else {name: found[0] for name, found in told.items()}

    async def roll(self, *names: str, by: Sequence[Signals]) -> None:
        """Restart every replica of these services, one after the other, each by its signal."""
        for name in names:
            for one, how in zip(self.services[name], by, strict=True):
                await one.restart(how)

    async def start(self, name: str, **more: str) -> None:
        """Its replicas, one after the other: they share a database."""
        self.services[name] = []
        for _ in range(self.replicas):
            service = Service(
                name,
                environment(name, {**self._told(name), **more}),
                lambda who, line: self.said.append(f"{who}: {line}"),
                longest_pause_s=0.1,
            )
            self.services[name].append(service)
            await service.start()

    async def stop(self) -> None:
        for name in reversed(ORDER):
            await asyncio.gather(*(one.stop() for one in self.services.get(name, ())))

    def _told(self, name: str) -> dict[str, str]:
        tls = Authority(self.place.certs).issued(name)
        return {
            "LISTEN": f"127.0.0.1:{low_port()}",
            "METRICS_LISTEN": "",
            "POSTGRES_DSN": self.servers.dsn(name),
            "NATS_URL": self.servers.nats_url,
            "VALKEY_URL": self.servers.valkey_url,
            "EVENTSTORE_ADDRESS": self._peers("eventstore"),
            "IDENTITY_ADDRESS": self._peers("identity"),
            "TLS_CERT": str(tls.cert),
            "TLS_KEY": str(tls.key),
            "TLS_CA": str(tls.ca),
            "PEERS_LISTEN": f"127.0.0.1:{low_port()}",
            "KEY_FILE": str(self.place.key_file_of(name)),
            "SIGNING_KEY_FILE": str(self.place.signing_key),
            "RESUME_TOKEN_KEY": "the same on every replica of one test",
            "DRAIN_S": "5",
        }

    def _peers(self, name: str) -> str:
        return ",".join(one.peers_address for one in self.services.get(name, ()))


@asynccontextmanager
async def fleet(folder: Path, *, replicas: int, **identity: str) -> AsyncIterator[Fleet]:
    """Running while the context is open; `identity` are settings of that service."""
    async with Embedded(folder) as servers:
        known = Servers(servers.postgres.dsn(), servers.nats.url, servers.valkey.url)
        made = Fleet(known, Place(folder), replicas)
        try:
            for name in ORDER:
                await made.start(name, **(identity if name == "identity" else {}))
            yield made
        finally:
            await made.stop()
