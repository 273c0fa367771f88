"""Single-event appends per second, beside raw single-row commits on the same PostgreSQL.

Every row is the median of RUNS runs; callers share the machine with the servers. `--json PATH`
writes the rows for a machine.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg

from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_cli.suite import Suite
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import uuid7
from rehab_runtime.embedded import free_port
from rehab_sdk import AsyncRehab, dev_token, events

RUNS = 5
SECONDS = 2.0
CALLERS = 64
STREAMS = 200
CLINIC, CONSENT = "bench-clinic", "consent-1"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)


async def many(callers: int, once: Callable[[int], Awaitable[None]]) -> float:
    """How often `once` is done in a second by callers at the same time, for SECONDS."""
    count = 0
    end = time.perf_counter() + SECONDS

    async def call(number: int) -> None:
        nonlocal count
        while time.perf_counter() < end:
            await once(number)
            count += 1

    began = time.perf_counter()
    await asyncio.gather(*(call(number) for number in range(callers)))
    return count / (time.perf_counter() - began)


async def raw_inserts(dsn: str) -> float:
    """One row a commit, as a service without a log of its own would do it."""
    pool = await asyncpg.create_pool(dsn, min_size=16, max_size=16)
    await pool.execute(
        "CREATE TABLE IF NOT EXISTS raw (id uuid PRIMARY KEY, stream text, body bytea)"
    )
    body = rep("x").body.SerializeToString()

    async def once(number: int) -> None:
        await pool.execute(
            "INSERT INTO raw VALUES ($1, $2, $3)", uuid7(), f"patient-{number}", body
        )

    try:
        return await many(CALLERS, once)
    finally:
        await pool.close()


def rep(patient: str) -> Event:
    context = events.Context(
        clinic_id=CLINIC,
        actor=events.Actor("bench", "device"),
        consent_id=CONSENT,
        device_id="bench",
    )
    body = events.reps_observed(
        "session", "squat", [events.rep(1, score=80, rom_deg=90, confidence=0.9)]
    )
    return context.event(patient, body)


async def appends(address: str) -> float:
    metadata = (bearer(service_principal("bench")),)
    async with channel(address) as connection:
        stub = EventStoreServiceStub(connection)

        async def once(number: int) -> None:
            event = rep(f"patient-{number}")
            request = store.AppendRequest(stream=event.envelope.subject_id)
            request.expected.any.SetInParent()
            request.events.add(envelope=event.envelope, body=event.body.SerializeToString())
            await stub.Append(request, metadata=metadata, timeout=10)

        return await many(CALLERS, once)


async def streamed(suite: Suite, run: int) -> float:
    """Acknowledged events a second from STREAMS devices through ingest."""
    acked = 0
    end = time.perf_counter() + SECONDS

    async def device(number: int) -> None:
        nonlocal acked
        patient = f"streamer-{number}"
        async with (
            AsyncRehab.connect(
                ingest=suite.addresses.ingest,
                token=dev_token("patient", CLINIC, patient),
                device_id=f"phone-{run}-{number}",
                consent_id=CONSENT,
            ) as client,
            client.stream() as stream,
        ):
            agreed = events.consent_granted(CONSENT, valid_from=LONG_AGO)
            await client.log(client.event(patient, agreed))
            while time.perf_counter() < end:
                receipts = [
                    await stream.send(client.event(patient, rep(patient).body)) for _ in range(10)
                ]
                for receipt in receipts:
                    await receipt
                acked += len(receipts)

    began = time.perf_counter()
    await asyncio.gather(*(device(number) for number in range(STREAMS)))
    return acked / (time.perf_counter() - began)


async def measure() -> list[dict[str, object]]:
    with tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True) as folder:
        async with Suite(Path(folder), free_port(), lambda *_: None) as suite:
            dsn = suite.postgres.dsn("postgres")
            figures: dict[str, list[float]] = {"raw": [], "append": [], "stream": []}
            for run in range(RUNS):
                figures["raw"].append(await raw_inserts(dsn))
                figures["append"].append(await appends(suite.addresses.eventstore))
                figures["stream"].append(await streamed(suite, run))
    medians = {name: statistics.median(values) for name, values in figures.items()}
    names = {
        "append": f"single-event appends through the event store's gRPC, {CALLERS} callers",
        "stream": f"events acknowledged through ingest streams, {STREAMS} devices, ten at a time",
    }
    return [
        {
            "what": what,
            "value": round(medians[name]),
            "unit": "events/s",
            "baseline": f"raw single-row INSERT commits, {CALLERS} callers on 16 connections",
            "baseline_value": round(medians["raw"]),
            "ratio": round(medians[name] / medians["raw"], 2),
            "goal": None,
            "holds": None,
        }
        for name, what in names.items()
    ]


def main() -> None:
    parser = argparse.ArgumentParser(prog="bench")
    parser.add_argument("--json", type=Path)
    rows = asyncio.run(measure())
    for row in rows:
        print(f"{row['value']:>8,} {row['unit']}  {row['what']}")
        print(f"{row['baseline_value']:>8,} {row['unit']}  {row['baseline']}: ratio {row['ratio']}")
    path = parser.parse_args().json
    if path is not None:
        path.write_text(json.dumps(rows, indent=2))


if __name__ == "__main__":
    main()
