"""A service as a process of ours: started, listened to, started again when it falls."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
import time
from collections.abc import Callable, Mapping
from typing import Any

from rehab_cli.errors import SuiteError
from rehab_runtime import launch

START_TIMEOUT_S = 90.0
STOP_TIMEOUT_S = 15.0
FIRST_PAUSE_S = 0.5
LONGEST_PAUSE_S = 10.0
STEADY_S = 30.0
"""Having run so long, a service that falls is started again without a longer pause."""
LINE_BYTES = 1024 * 1024

Say = Callable[[str, str], None]
"""Tells a line of somebody: a service, a server, or the suite itself."""


class Service:
    """`address`, `peers_address` and `metrics` are where it answers, once it has been ready;
    `on_ready` is told each time."""

    def __init__(
        self,
        name: str,
        environment: Mapping[str, str],
        say: Say,
        longest_pause_s: float = LONGEST_PAUSE_S,
        on_ready: Callable[[], None] = lambda: None,
    ) -> None:
        self.name = name
        self._on_ready = on_ready
        self._longest_pause_s = longest_pause_s
        self.address = ""
        self.peers_address = ""
        self.metrics = ""
        self._environment = dict(environment)
        self._say = say
        self._process: asyncio.subprocess.Process | None = None
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._fell_at = 0.0
        self._up = asyncio.Event()
        self._stopping = asyncio.Event()
        self._keeper: asyncio.Task[None] | None = None

    @property
    def pid(self) -> int:
        if self._process is None:
            raise SuiteError(f"{self.name} is not running; start it with: rehab up")
        return self._process.pid

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.returncode is None

    async def start(self) -> None:
        """Until it is ready. Raises SuiteError with the service's own last line."""
        self._keeper = asyncio.create_task(self._keep(), name=f"keep-{self.name}")
        try:
            async with asyncio.timeout(START_TIMEOUT_S):
                await asyncio.shield(self._ready)
        except TimeoutError:
            raise SuiteError(
                f"{self.name} was not ready in {START_TIMEOUT_S:.0f} s; see whether the machine "
                "is overloaded, and try again"
            ) from None

    async def restart(self, by: signal.Signals = signal.SIGTERM) -> None:
        """End it, in good order unless told to `by` another signal, and wait until it is back.
        Raises SuiteError."""
        self._up.clear()
        os.kill(self.pid, by)
        try:
            await asyncio.wait_for(self._up.wait(), STOP_TIMEOUT_S + START_TIMEOUT_S)
        except TimeoutError:
            raise SuiteError(f"{self.name} did not come back; see its lines above") from None

    async def stop(self) -> None:
        self._stopping.set()
        process = self._process
        if process is not None and self.running:
            process.terminate()
            try:
                await asyncio.wait_for(process.wait(), STOP_TIMEOUT_S)
            except TimeoutError:
                self._say(self.name, f"did not stop in {STOP_TIMEOUT_S:.0f} s and was killed")
                process.kill()
        if self._keeper is not None:
            await asyncio.gather(self._keeper, return_exceptions=True)
        if self._ready.done() and not self._ready.cancelled():
            self._ready.exception()

    async def _keep(self) -> None:
        falls = 0
        while not self._stopping.is_set():
            began = time.monotonic()
            why, code = await self._run()
            if self._stopping.is_set():
                return
            if not self._ready.done():
                self._ready.set_exception(SuiteError(why))
                return
            self._fell_at = time.monotonic()
            if code == 0:  # somebody asked it to
                self._say(self.name, "stopped in good order; starting it again")
                continue
            falls = 1 if time.monotonic() - began > STEADY_S else falls + 1
            pause_s = min(self._longest_pause_s, FIRST_PAUSE_S * 2 ** (falls - 1))
            self._say(self.name, f"fell ({why}); starting it again in {pause_s:g} s")
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._stopping.wait(), pause_s)

    async def _run(self) -> tuple[str, int]:
        """Run it once: why it ended, and with which code."""
        self._process = process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-I", "-S", launch.__file__, str(int(signal.SIGTERM)), "0", "0"),
            *(sys.executable, "-m", f"rehab_{self.name}"),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            start_new_session=True,  # Ctrl-C is for us; we stop the service in its turn
            limit=LINE_BYTES,
            env=self._environment,
        )
        if self._stopping.is_set():
            process.terminate()
        assert process.stdout is not None
        assert process.stderr is not None
        last, _ = await asyncio.gather(
            self._relay(process.stderr), self._relay(process.stdout), return_exceptions=False
        )
        code = await process.wait()
        if code < 0:
            return f"killed by {signal.Signals(-code).name}", code
        return last or f"ended with code {code}", code

    async def _relay(self, output: asyncio.StreamReader) -> str:
        """Tell what it says, line by line; the last one is returned."""
        last = ""
        while True:
            try:
                line = await output.readline()
            except ValueError:
                continue  # a line longer than any of ours: not worth falling for
            if not line:
                return last
            text = line.decode(errors="replace").rstrip()
            told = _ready_line(text)
            if told is None:
                last = text
                self._say(self.name, text)
            else:
                self._is_ready(told)

    def _is_ready(self, told: Mapping[str, Any]) -> None:
        self.address, self.metrics = str(told["address"]), str(told.get("metrics") or "")
        # others know it by this address: after a fall it answers there again
        self._environment[f"{self.name.upper()}_LISTEN"] = self.address
        if told.get("peers"):
            self.peers_address = str(told["peers"])
            self._environment[f"{self.name.upper()}_PEERS_LISTEN"] = self.peers_address
        self._on_ready()
        self._up.set()
        if not self._ready.done():
            self._ready.set_result(None)
        elif self._fell_at:
            self._say(self.name, f"is back after {time.monotonic() - self._fell_at:.1f} s")


def _ready_line(text: str) -> Mapping[str, Any] | None:
    if not text.startswith('{"event": "ready"'):
        return None
    told: dict[str, Any] = json.loads(text)
    return told


def environment(name: str, own: Mapping[str, str]) -> dict[str, str]:
    """What a service is told: quiet logs for people unless the caller's environment says
    otherwise, then `own` by the names of its settings."""
    prefix = f"{name.upper()}_"
    quiet = {f"{prefix}LOG_LEVEL": "warning", f"{prefix}LOG_JSON": "false"}
    settings = {f"{prefix}{setting}": value for setting, value in own.items()}
    return {**quiet, **os.environ, **settings}
