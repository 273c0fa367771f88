"""The whole suite on one machine: the embedded servers and every service as a process."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Self

from rehab_runtime import launch
from rehab_runtime.embedded import Embedded, EmbeddedError, port_in_use

SERVICES = ("eventstore", "ingest", "projections")
PORT_BASE = 7100
START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0
RESTART_S = 0.5

Say = Callable[[str, str], None]


class SuiteError(Exception):
    """The suite cannot run: one line with what to do."""


@dataclass(frozen=True)
class Addresses:
    """Where a running suite answers."""

    eventstore: str
    ingest: str
    projections: str

    @classmethod
    def at(cls, port_base: int) -> Addresses:
        return cls(*(f"127.0.0.1:{port_base + index}" for index in range(len(SERVICES))))


class Service:
    """One service as a process; started again when it falls."""

    def __init__(self, name: str, environment: dict[str, str], say: Say) -> None:
        self.name = name
        self._environment = environment
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._stopping = False
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SuiteError(f"{self.name} is not running")
        return self._process.pid

    async def start(self) -> None:
        """Until it is ready. Raises SuiteError with the service's own last line."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.name}")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise SuiteError(f"{self.name} was not ready in {START_TIMEOUT_S:.0f} s") from None

    async def _keep(self) -> None:
        while not self._stopping:
            last = await self._run()
            if self._stopping:
                return
            if not self._ready.done():
                self._ready.set_exception(SuiteError(last or f"{self.name} ended at start"))
                return
            self._say(self.name, f"fell ({last or 'no last words'}); starting it again")
            await asyncio.sleep(RESTART_S)

    async def _run(self) -> str:
        """Run it once; its last line is returned."""
        self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", launch.__file__, str(int(signal.SIGTERM)), "0", "0"),
            *(sys.executable, "-m", f"rehab_{self.name}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,
            env=self._environment,
        )
        assert self._process.stdout is not None
        assert self._process.stderr is not None
        ready = asyncio.create_task(self._await_ready(self._process.stdout))
        last = await self._relay(self._process.stderr)
        await self._process.wait()
        await ready
        return last

    async def _await_ready(self, output: asyncio.StreamReader) -> None:
        async for line in output:
            if b'"ready"' in line and not self._ready.done():
                self._ready.set_result(None)

    async def _relay(self, output: asyncio.StreamReader) -> str:
        last = ""
        async for line in output:
            last = line.decode(errors="replace").rstrip()
            self._say(self.name, last)
        return last

    async def stop(self) -> None:
        self._stopping = True
        process = self._process
        if process is not None and process.returncode is None:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                process.kill()
        if self._keeper is not None:
            await asyncio.gather(self._keeper, return_exceptions=True)


class Suite:
    """Use it as an async context manager. Leaving stops everything in reverse order."""

    def __init__(self, data_dir: Path, port_base: int, say: Say) -> None:
        self.addresses = Addresses.at(port_base)
        self.services: dict[str, Service] = {}
        self._data_dir = data_dir
        self._port_base = port_base
        self._say = say
        self._stack = AsyncExitStack()

    async def __aenter__(self) -> Self:
        taken = [
            self._port_base + index
            for index in range(len(SERVICES))
            if port_in_use(self._port_base + index)
        ]
        if taken:
            ports = ", ".join(str(port) for port in taken)
            raise SuiteError(
                f"port {ports} is already in use; stop the program that uses it "
                "or choose another --port-base"
            )
        try:
            self._data_dir.mkdir(parents=True, exist_ok=True)
            servers = await self._stack.enter_async_context(Embedded(self._data_dir))
            self.postgres = servers.postgres
            for name in SERVICES:
                service = Service(name, self._environment(name, servers), self._say)
                self._stack.push_async_callback(service.stop)
                await service.start()
                self.services[name] = service
        except (SuiteError, EmbeddedError, OSError) as error:
            await self._stack.aclose()
            raise SuiteError(str(error)) from None
        return self

    def _environment(self, name: str, servers: Embedded) -> dict[str, str]:
        prefix = name.upper()
        own = {
            f"{prefix}_LISTEN": getattr(self.addresses, name),
            f"{prefix}_POSTGRES_DSN": servers.postgres.dsn(name),
            f"{prefix}_NATS_URL": servers.nats.url,
            f"{prefix}_EVENTSTORE_ADDRESS": self.addresses.eventstore,
            f"{prefix}_LOG_LEVEL": "warning",
        }
        return {**os.environ, **own}

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()


def write_state(data_dir: Path, addresses: Addresses) -> None:
    """Leave a note of where the suite answers, for other commands."""
    (data_dir / "suite.json").write_text(json.dumps(addresses.__dict__))
