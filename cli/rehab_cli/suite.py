"""The whole suite on one machine: the servers and every service as a process."""

from __future__ import annotations

import asyncio
import os
import time
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import Self

from rehab_cli import servers
from rehab_cli.addresses import PORT_BASE, SERVICES, Addresses
from rehab_cli.authority import Authority
from rehab_cli.errors import SuiteError
from rehab_cli.place import Note, Place
from rehab_cli.servers import Servers
from rehab_cli.supervisor import LONGEST_PAUSE_S, Say, Service, environment
from rehab_runtime.embedded import Embedded, Postgres, port_in_use

LINGER_S = 20.0
FIRST = ("eventstore", "identity")

__all__ = ["PORT_BASE", "SERVICES", "Addresses", "Suite", "SuiteError"]


class Suite:
    """Use it as an async context manager: entering returns when every service is ready and raises
    SuiteError, leaving stops everything in reverse order. `external` servers are used instead of
    our own. What falls is started again, after at most `longest_pause_s`. A new log gets so many
    `shards`; 0 leaves it as it is."""

    def __init__(
        self,
        data_dir: Path,
        port_base: int,
        say: Say,
        *,
        external: Servers | None = None,
        shards: int = 0,
        longest_pause_s: float = LONGEST_PAUSE_S,
    ) -> None:
        self.addresses = Addresses.at(port_base)
        self.services: dict[str, Service] = {}
        self.servers = external or Servers("", "")
        self.place = Place(data_dir)
        self._embedded: Embedded | None = None
        self._external = external is not None
        self._shards = shards
        self._say = say
        self._longest_pause_s = longest_pause_s
        self._stack = AsyncExitStack()

    @property
    def postgres(self) -> Postgres:
        assert self._embedded is not None, "somebody else runs it"
        return self._embedded.postgres

    async def __aenter__(self) -> Self:
        try:
            self._stack.enter_context(self.place.held())
            await self._wait_for_the_last_run()
            self._require_ports()
            await self._start_servers()
            await self._start_services()
            self._leave_note()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()

    async def _wait_for_the_last_run(self) -> None:
        """Processes of a run that was killed are told so by the system, and need a moment."""
        note = self.place.left()
        left = dict(note.processes) if note is not None else {}
        deadline = time.monotonic() + LINGER_S
        while left := {name: pid for name, pid in left.items() if self._is_ours(pid)}:
            if time.monotonic() > deadline:
                who = ", ".join(f"{name} (process {pid})" for name, pid in left.items())
                raise SuiteError(f"{who} of an earlier run still runs here; stop it")
            await asyncio.sleep(0.05)

    def _require_ports(self) -> None:
        ports = [int(self.addresses.of(name).rsplit(":", 1)[1]) for name in SERVICES]
        taken = ", ".join(str(port) for port in ports if port and port_in_use(port))
        if taken:
            raise SuiteError(
                f"port {taken} is already in use; stop the program that uses it "
                "or choose another --port-base"
            )

    async def _start_servers(self) -> None:
        if self._external:
            await servers.require(self.servers)
            return
        self.place.require_room()
        own = servers.embedded(self.place.folder, self._say)
        self._embedded = await self._stack.enter_async_context(own)
        self.servers = Servers(
            self._embedded.postgres.dsn(), self._embedded.nats.url, self._embedded.valkey.url
        )
        self._leave_note()

    async def _start_services(self) -> None:
        """Those whom the others ask at once come first."""
        for name in FIRST:
            await self._start(name)
        others = (self._start(name) for name in SERVICES if name not in FIRST)
        for result in await asyncio.gather(*others, return_exceptions=True):
            if isinstance(result, BaseException):
                raise result

    async def _start(self, name: str) -> None:
        tls = Authority(self.place.certs).issued(name)
        own = {
            "LISTEN": self.addresses.of(name),
            "POSTGRES_DSN": self.servers.dsn(name),
            "NATS_URL": self.servers.nats_url,
            "VALKEY_URL": self.servers.valkey_url,
            "EVENTSTORE_ADDRESS": self._for_services("eventstore"),
            "IDENTITY_ADDRESS": self._for_services("identity"),
            "TLS_CERT": str(tls.cert.absolute()),
            "TLS_KEY": str(tls.key.absolute()),
            "TLS_CA": str(tls.ca.absolute()),
            "PEERS_LISTEN": "127.0.0.1:0",
            "KEY_FILE": str(self.place.key_file_of(name).absolute()),
            "SIGNING_KEY_FILE": str(self.place.signing_key.absolute()),
            "ARCHIVE_URL": os.environ.get(
                "EVENTSTORE_ARCHIVE_URL", self.place.archive.absolute().as_uri()
            ),
        }
        if self._shards:
            own["SHARDS"] = str(self._shards)
        service = self.services[name] = Service(
            name,
            environment(name, own),
            self._say,
            self._longest_pause_s,
            on_ready=lambda: self._is_ready(service),
        )
        self._stack.push_async_callback(service.stop)
        await service.start()

    def _is_ready(self, service: Service) -> None:
        """Others find it, and its process, by the note."""
        self.addresses = self.addresses.with_one(service.name, service.address)
        self._leave_note()

    def _for_services(self, name: str) -> str:
        """Where it knows them by their certificates; empty until it has started."""
        started = self.services.get(name)
        return started.peers_address if started is not None else ""

    def _leave_note(self) -> None:
        started = self._embedded.servers if self._embedded is not None else ()
        processes = {server.name: server.pid for server in started if server.running}
        processes |= {name: one.pid for name, one in self.services.items() if one.address}
        self.place.leave(
            Note(
                pid=os.getpid(),
                addresses=self.addresses,
                postgres_dsn=self.servers.postgres_dsn,
                nats_url=self.servers.nats_url,
                valkey_url=self.servers.valkey_url,
                external=self._external,
                processes=processes,
            )
        )

    def _is_ours(self, pid: int) -> bool:
        """Whether the process runs and is not a stranger that got its number."""
        try:
            os.kill(pid, 0)
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except FileNotFoundError:
            return not Path("/proc/self").exists()  # a system that does not tell: believe it
        except OSError:
            return False
        own = (b"rehab_", str(self.place.folder.absolute()).encode())
        return any(word in command for word in own)
