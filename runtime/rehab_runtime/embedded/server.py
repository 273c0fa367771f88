"""A server as a process of ours: started, killed, started again, and clear about what keeps it
from it."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import ClassVar, Self

from rehab_runtime import launch
from rehab_runtime.embedded.ports import answers, free_port, port_in_use

START_TIMEOUT_S = 30.0
STOP_TIMEOUT_S = 15.0


class EmbeddedError(Exception):
    """A server could not be started; the message says why and what to do."""


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
