"""The front door: events acknowledged to devices that stream, with sealing, hashing, consents,
limits, access control and the read models at work on the same cores.

    python -m bench.ingest [--json PATH]

RUNS, SECONDS and DEVICES may be set in the environment.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from itertools import count
from pathlib import Path

from bench.measure import Rate, Row, beside, main
from bench.phones import BATCH, CHANNELS, DEVICES, PACED, SECONDS, Phones
from bench.reader import STARTS_S, read_p95_ms
from bench.rivals.libraries import environment as rivals_environment
from bench.rivals.libraries import plain_server
from rehab_cli.suite import Suite
from rehab_cli.supervisor import Service
from rehab_runtime.channels import channel
from rehab_runtime.embedded import free_port

RUNS = int(os.environ.get("RUNS", "5"))
IDLE_STREAMS = 1_000
PLAIN_CALLERS = 64
CATCHES_UP_S = 15.0
"""Rules that fold at a third of the speed at which devices sent need so long for what they sent."""


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def at_most(what: str, value: float, unit: str, goal: float) -> Row:
    return Row(
        *(what, round(value, 1), unit, f"goal in {unit}", goal, round(value / goal, 2)),
        *(f"< {goal:g} {unit}", value < goal),
    )


@asynccontextmanager
async def devices(address: str, epochs: Callable[[], int]) -> AsyncIterator[Phones]:
    async with AsyncExitStack() as stack:
        channels = [
            # each with a link of its own: one link carries a hundred streams at a time
            await stack.enter_async_context(
                channel(address, (("grpc.use_local_subchannel_pool", 1),))
            )
            for _ in range(CHANNELS)
        ]
        yield Phones(channels, epochs)


@asynccontextmanager
async def without_access(suite: Suite) -> AsyncIterator[str]:
    """One more ingest, which asks nobody who may: what access control costs. Yields its address."""
    told = dict(suite.services["ingest"]._environment)
    for name in ("INGEST_IDENTITY_ADDRESS", "INGEST_VALKEY_URL"):
        told.pop(name)
    told |= dict.fromkeys(("INGEST_LISTEN", "INGEST_PEERS_LISTEN"), "127.0.0.1:0")
    told["INGEST_METRICS_LISTEN"] = ""
    service = Service("ingest", told, lambda *_: None)
    try:
        await service.start()
        yield service.address
    finally:
        await service.stop()


async def measure() -> list[Row]:
    rivals_environment()
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True)
        )
        enter = stack.enter_async_context
        suite = await enter(Suite(Path(folder), free_port(), lambda *_: None))
        plain = await enter(plain_server(suite.postgres.dsn("postgres"), PLAIN_CALLERS, SECONDS))
        epochs = count(1).__next__
        phones = await enter(devices(suite.addresses.ingest, epochs))
        unchecked = await enter(devices(await enter(without_access(suite)), epochs))
        await phones.introduced()
        rates: dict[str, list[Rate]] = {"ours": [], "unchecked": [], "plain": []}
        acks: list[float] = []
        p95s: list[float] = []
        for run in range(RUNS):
            rates["plain"].append(await plain())
            rates["ours"].append(await phones.rate())
            rates["unchecked"].append(await unchecked.rate())
            ack, p95 = await paced(suite, phones)
            acks.append(ack)
            p95s.append(p95)
            told = ", ".join(f"{name} {seen[-1].per_s:,.0f}/s" for name, seen in rates.items())
            print(f"  {run + 1}/{RUNS}: {told}; ack {ack:.0f} ms, read {p95:.0f} ms", flush=True)
        each = await idle_kb(suite.services["ingest"].pid, phones)
    return table(rates, statistics.median(acks), statistics.median(p95s), each)


async def paced(suite: Suite, phones: Phones) -> tuple[float, float]:
    """What an acknowledgement and a read take, in ms, once what came before is folded."""
    await asyncio.sleep(CATCHES_UP_S)
    begin = time.time() + STARTS_S

    async def sent() -> float:
        await asyncio.sleep(begin - time.time())
        return await phones.paced()

    return await asyncio.gather(sent(), read_p95_ms(suite.addresses.projections, SECONDS, begin))


async def idle_kb(pid: int, phones: Phones) -> float:
    before = memory_kb(pid)
    idle = await phones.opened(IDLE_STREAMS)
    await asyncio.sleep(1)
    each = (memory_kb(pid) - before) / IDLE_STREAMS
    for one in idle:
        one.close()
    return each


def table(rates: dict[str, list[Rate]], ack: float, p95: float, idle: float) -> list[Row]:
    median = {
        name: Rate(
            statistics.median(one.per_s for one in seen),
            statistics.median(one.p99_ms for one in seen),
        )
        for name, seen in rates.items()
    }
    reached = median["ours"]
    what = f"events acknowledged to {DEVICES} devices, {BATCH} at a time"
    naive = f"FastAPI, an ORM, a request and a commit for an event, {PLAIN_CALLERS} callers"
    return [
        beside(what, reached, naive, median["plain"], 15),
        Row(
            *("the same", round(reached.per_s), "events/s", "goal in events/s", 10_000),
            *(round(reached.per_s / 10_000, 2), ">= 10,000/s", reached.per_s >= 10_000),
        ),
        beside("the same", reached, "without access control and limits", median["unchecked"]),
        at_most(f"acknowledgement, p99 at {PACED:,} events/s", ack, "ms", 100),
        at_most(f"a patient's read, p95 at {PACED:,} events/s", p95, "ms", 20),
        at_most("memory of ingest for an open idle stream", idle, "KB", 60),
    ]


if __name__ == "__main__":
    main("bench.ingest", measure)
