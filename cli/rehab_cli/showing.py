"""`rehab demo` and `rehab seed`: a simulated clinic, shown while it lives, checked when it ends."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from rich.live import Live

from rehab_cli import screens
from rehab_cli.addresses import Addresses
from rehab_cli.checking import verdict
from rehab_cli.console import out, say
from rehab_cli.demo import Demo
from rehab_cli.lag import lag_of
from rehab_cli.suite import Suite
from rehab_sdk import RehabError

FRAME_S = 1.0
LINE_S = 5.0
DAYS = 28


async def demo(
    folder: Path,
    port_base: int,
    *,
    patients: int,
    therapists: int,
    seed: int,
    speed: float | None,
    shards: int,
) -> int:
    """The suite with a clinic in it. Without a speed: four weeks at once, checked; 1 is returned
    when something differs."""
    began = time.monotonic()
    async with Suite(folder, port_base, say, shards=shards) as suite:
        out.print(f"ready after {time.monotonic() - began:.1f} s; Ctrl-C stops all")
        size = {"patients": patients, "therapists": therapists, "seed": seed, "days": DAYS}
        clinic = Demo(suite.addresses, speed=speed, **size)
        await _tell_seed(clinic, seed)
        async with _shown(clinic):
            await clinic.run(on=speed is not None)
        return await _checked(clinic)


async def seed(
    addresses: Addresses, *, patients: int, therapists: int, seed: int, days: int
) -> int:
    """Weeks of a clinic into a suite that runs, checked."""
    size = {"patients": patients, "therapists": therapists, "seed": seed, "days": days}
    clinic = Demo(addresses, speed=None, **size)
    await _tell_seed(clinic, seed)
    async with _shown(clinic):
        await clinic.run()
    return await _checked(clinic)


async def _tell_seed(clinic: Demo, wanted: int) -> None:
    chosen = await clinic.choose_seed()
    if chosen != wanted:
        out.print(f"the clinic of seed {wanted} lives here already; this one has seed {chosen}")


@asynccontextmanager
async def _shown(clinic: Demo) -> AsyncIterator[None]:
    watching = asyncio.create_task(_show(clinic))
    try:
        yield
    finally:
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)


async def _show(clinic: Demo) -> None:
    live = Live(console=out, transient=True) if out.is_terminal else contextlib.nullcontext()
    async with clinic.desk() as desk:
        with live as screen:
            while True:
                with contextlib.suppress(RehabError):
                    lag = lag_of(await desk.lag())
                    queue = await desk.work_queue.list(as_of=clinic.progress.clinic_time)
                    alerts = await clinic.alerts(screens.ALERTS_ASKED)
                    if screen is None:
                        out.print(screens.line(clinic, lag, queue, alerts), markup=False)
                    else:
                        screen.update(screens.overview(clinic, lag, queue, alerts))
                await asyncio.sleep(LINE_S if screen is None else FRAME_S)


async def _checked(clinic: Demo) -> int:
    found = await verdict(clinic)
    out.print(screens.summary(clinic, found))
    for difference in found.differences[: screens.DIFFERENCES_SHOWN]:
        out.print(f"[red]{difference}")
    more = len(found.differences) - screens.DIFFERENCES_SHOWN
    if more > 0:
        out.print(f"[red]and {more} more")
    out.print("[green]sent = stored = projected" if found.good else "[red]the figures differ")
    return 0 if found.good else 1
