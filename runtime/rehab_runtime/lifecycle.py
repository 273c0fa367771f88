"""A service's life: settings, start, run until told to stop or until a part of it falls."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from types import TracebackType
from typing import Any, Self, TypeVar

from rehab_runtime import logging, metrics
from rehab_runtime.settings import ServiceSettings, SettingsError, load, variable_of
from rehab_runtime.startup import StartupError

S = TypeVar("S", bound=ServiceSettings)


class Background:
    """Tasks that live as long as the service. One falls, the service falls: never half alive."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self.fallen: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    def start(self, work: Coroutine[Any, Any, None], name: str) -> asyncio.Task[None]:
        task = asyncio.create_task(work, name=name)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    def _ended(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        if task.cancelled() or self.fallen.done():
            return
        error = task.exception() or RuntimeError(f"task {task.get_name()} ended")
        self.fallen.set_result(error)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


@dataclass(frozen=True)
class Running:
    """A started service. `address` is its gRPC host:port, `peers_address` that for services."""

    address: str
    background: Background
    peers_address: str = ""


def run(
    service: str,
    settings_type: type[S],
    running: Callable[[S], AbstractAsyncContextManager[Running]],
) -> int:
    """Run a service until SIGTERM or SIGINT. Returns the exit code: 0 stopped, 1 fell, 2 wrong
    settings."""
    try:
        settings = load(settings_type)
    except SettingsError as error:
        print(f"{service}: {error}", file=sys.stderr)  # noqa: T201
        return 2
    logging.configure(service, settings.log_level, settings.log_json)
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_serve(service, settings, running))
    except StartupError as error:
        print(f"{service}: {error}", file=sys.stderr)  # noqa: T201
        return 1


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    if sys.platform == "win32":
        return None
    import uvloop  # noqa: PLC0415 - not on every platform

    return uvloop.new_event_loop


def spare_the_collector() -> None:
    """What is there now stays, and what a call makes goes when it ends: rarely anything is left in
    a cycle. Looking for that after every 700 allocations cost a tenth of a batch's time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 50)


async def _serve(
    service: str, settings: S, running: Callable[[S], AbstractAsyncContextManager[Running]]
) -> int:
    log = logging.get_logger("lifecycle")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    variable = variable_of(settings, "metrics_listen")
    async with (
        metrics.serve(settings.metrics_listen, variable) as metrics_address,
        running(settings) as live,
    ):
        ready = {"event": "ready", "service": service, "address": live.address}
        ready |= {"peers": live.peers_address} if live.peers_address else {}
        spare_the_collector()
        print(json.dumps({**ready, "metrics": metrics_address, "pid": os.getpid()}), flush=True)  # noqa: T201
        stopping = asyncio.create_task(stop.wait())
        ends: list[asyncio.Future[Any]] = [stopping, live.background.fallen]
        await asyncio.wait(ends, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not stop.is_set():
            error = live.background.fallen.result()
            log.error(
                "a part of the service fell",
                error_type=type(error).__qualname__,
                where=logging.place(error),
            )
            return 1
    return 0
