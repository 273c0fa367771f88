"""The read models: how far they are behind the log, and how fast a new version of them is built,
beside a bare read of the same events.

    python -m bench.projections [--json PATH]

RUNS, SECONDS (of each load) and EVENTS (of the log that is folded anew) may be set in the
environment.
"""

from __future__ import annotations

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import count, islice
from pathlib import Path

import grpc

from bench.measure import Rate, Row, beside, main
from bench.ours import request
from bench.parts import parts_of
from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import projections_admin_service_pb2 as admin
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_admin_service_pb2_grpc import ProjectionsAdminServiceStub
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.clinic import clinic, simulate
from rehab_cli.suite import Suite
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.embedded import free_port
from rehab_runtime.eventlog import EventLog

RUNS = int(os.environ.get("RUNS", "5"))
SECONDS = float(os.environ.get("SECONDS", "10"))
EVENTS = int(os.environ.get("EVENTS", "100000"))
LOADS = {1_000: 50.0, 5_000: 100.0}
"""Events a second, and the 99th percentile of the lag in milliseconds to stay below."""
PATIENTS = 40
AT_ONCE = 500
TICK_S = 0.02
METADATA = (bearer(service_principal("cli")),)


def lived() -> Iterator[Event]:
    """Weeks of simulated clinics, one after the other, without end."""
    for seed in count(1):
        start = datetime.now(UTC) - timedelta(days=28)
        size = {"patients": PATIENTS, "therapists": 3}
        assert clinic(seed, **size).patients
        for timed in simulate(seed, start=start, days=28, **size):
            yield timed.event


def append_of(event: Event) -> store.AppendRequest:
    asked = store.AppendRequest(stream=event.envelope.subject_id)
    asked.events.add(envelope=event.envelope, body=event.body.SerializeToString())
    return asked


async def fill(stub: EventStoreServiceStub, events: Iterator[Event], number: int) -> None:
    left = number
    while left:
        batch = [append_of(event) for event in islice(events, min(AT_ONCE, left))]
        answer = await stub.BatchAppend(
            store.BatchAppendRequest(appends=batch), metadata=METADATA, timeout=60
        )
        assert all(verdict.HasField("appended") for verdict in answer.verdicts)
        left -= len(batch)


async def caught_up(stub: ProjectionsServiceStub) -> pb.ProjectionLag:
    while True:
        answer = await stub.GetLag(pb.GetLagRequest(), metadata=METADATA, timeout=20)
        lag = answer.projections[0]
        if lag.position == lag.head:
            return lag
        await asyncio.sleep(0.05)


async def lag_at(
    stub: EventStoreServiceStub, models: ProjectionsServiceStub, per_s: int, body: bytes
) -> tuple[float, float]:
    """Events a second that were reached, and the 99th percentile of the lag in milliseconds."""
    began, sent = time.perf_counter(), 0
    numbers = count()
    events = _reps(numbers, body)
    while (now := time.perf_counter() - began) < SECONDS:
        due = int(now * per_s) - sent
        if due > 0:
            batch = list(islice(events, min(due, AT_ONCE)))
            await stub.BatchAppend(
                store.BatchAppendRequest(appends=batch), metadata=METADATA, timeout=60
            )
            sent += len(batch)
        await asyncio.sleep(TICK_S)
    lag = await caught_up(models)
    return sent / (time.perf_counter() - began), lag.lag_p99_ms


def _reps(numbers: Iterator[int], body: bytes) -> Iterator[store.AppendRequest]:
    for number in numbers:
        yield request(f"lag-{number % 200}", body)


async def rebuilt(connection: grpc.aio.Channel) -> Rate:
    began = time.perf_counter()
    total = 0
    steps = ProjectionsAdminServiceStub(connection).Rebuild(
        admin.RebuildRequest(expect_same=True), metadata=METADATA
    )
    async for step in steps:
        if step.HasField("progress"):
            total = step.progress.total
        else:
            assert step.built.answers, step.built
    return Rate(total / (time.perf_counter() - began))


async def read(address: str) -> Rate:
    """All events, read and opened in one process."""
    async with channel(address) as connection:
        log = EventLog(connection, service_principal("projections"))
        began, position = time.perf_counter(), 0
        while True:
            events, head = await log.read_all(position, 10_000)
            position += len(events)
            if position >= head.position:
                return Rate(position / (time.perf_counter() - began))


def median(rates: list[Rate]) -> Rate:
    return Rate(statistics.median(rate.per_s for rate in rates))


async def measure() -> list[Row]:
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True) as folder:
        async with (
            Suite(Path(folder), free_port(), lambda *_: None) as suite,
            channel(suite.addresses.eventstore) as log,
            channel(suite.addresses.projections) as models,
        ):
            stub, reads = EventStoreServiceStub(log), ProjectionsServiceStub(models)
            await fill(stub, lived(), EVENTS)
            began = time.perf_counter()
            await caught_up(reads)
            print(f"filled; caught up {time.perf_counter() - began:.1f} s later", flush=True)
            built: list[Rate] = []
            bare: list[Rate] = []
            for _ in range(RUNS):
                bare.append(await read(suite.addresses.eventstore))
                built.append(await rebuilt(models))
                print(
                    f"  read {bare[-1].per_s:,.0f}/s, rebuilt {built[-1].per_s:,.0f}/s", flush=True
                )
            print("a rebuild's parts, of one event:")
            print("\n".join((await parts_of(suite)).lines()), flush=True)
            rows.append(
                beside(
                    f"rebuild of {EVENTS:,} events: read, opened, folded, written, compared",
                    median(built),
                    "the same events read through gRPC and opened, one process",
                    median(bare),
                    0.25,
                )
            )
            rep = next(event for event in lived() if event.envelope.kind == "rep_observation")
            body = rep.body.SerializeToString()
            for per_s, goal in LOADS.items():
                told = [await lag_at(stub, reads, per_s, body) for _ in range(RUNS)]
                reached, p99 = (statistics.median(one) for one in zip(*told, strict=True))
                rows.append(
                    Row(
                        f"commit to visible, p99 at {reached:,.0f} of {per_s:,} events/s",
                        round(p99, 1),
                        "ms",
                        "goal in ms",
                        goal,
                        round(p99 / goal, 2),
                        f"< {goal:g} ms",
                        p99 < goal,
                    )
                )
    return rows


if __name__ == "__main__":
    main("bench.projections", measure)
