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
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import grpc

from bench.measure import Rate, Row, beside, main, many, p99_ms
from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.suite import Suite
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.clock import uuid7
from rehab_runtime.embedded import free_port
from rehab_runtime.server import channel
from rehab_sdk import events

RUNS = int(os.environ.get("RUNS", "5"))
SECONDS = float(os.environ.get("SECONDS", "8"))
DEVICES = int(os.environ.get("DEVICES", "200"))
BATCH = 10
PACED = 5_000
IDLE_STREAMS = 1_000
CLINIC, CONSENT = "bench-clinic", "consent-1"
LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)
CHANNELS = 8


def patient(number: int) -> Principal:
    name = f"streamer-{number}"
    return Principal(name, "patient", CLINIC, patient_id=name)


def event(number: int, body: Body, kind: str) -> Event:
    made = Event(body=body)
    envelope = made.envelope
    envelope.event_id, envelope.kind = str(uuid7()), kind
    envelope.clinic_id, envelope.subject_id = CLINIC, patient(number).id
    envelope.schema_version, envelope.phi, envelope.consent_id = 1, True, CONSENT
    envelope.occurred_at.FromDatetime(datetime.now(UTC))
    envelope.actor.id, envelope.actor.role = patient(number).id, event_pb2.ROLE_PATIENT
    envelope.device_id, envelope.zone = f"phone-{number}", "UTC"
    return made


class Phone:
    """One device's stream, as thin as it can be: the servers are measured, not the client."""

    def __init__(self, connection: grpc.aio.Channel, number: int, epoch: int) -> None:
        stub = IngestServiceStub(connection)
        self._number = number
        self._epoch = epoch
        self._call = stub.StreamObservations(metadata=(bearer(patient(number)),))
        self._seq = 0

    async def open(self) -> None:
        hello = pb.Hello(clinic_id=CLINIC, device_id=f"phone-{self._number}", epoch=self._epoch)
        await self._call.write(pb.StreamObservationsRequest(hello=hello))
        while not (await self._call.read()).HasField("welcome"):
            pass

    async def agree(self) -> None:
        body = events.consent_granted(CONSENT, valid_from=LONG_AGO)
        await self._sent([event(self._number, body, "consent")])

    async def batch(self) -> None:
        """Sent, and acknowledged as durable."""
        reps = [events.rep(1, score=80, rom_deg=90, confidence=0.9)]
        body = events.reps_observed("session", "squat", reps)
        await self._sent([event(self._number, body, "rep_observation") for _ in range(BATCH)])

    async def _sent(self, told: list[Event]) -> None:
        batch = pb.Batch(first_seq=self._seq + 1, events=told)
        self._seq += len(told)
        await self._call.write(pb.StreamObservationsRequest(batch=batch))
        while True:
            message = await self._call.read()
            assert not message.HasField("reject"), message.reject
            if message.ack.seq >= self._seq:
                return

    def close(self) -> None:
        self._call.cancel()


class Phones:
    def __init__(self, channels: list[grpc.aio.Channel], epochs: Iterator[int]) -> None:
        self._channels = channels
        self._epochs = epochs

    async def opened(self, count: int) -> list[Phone]:
        epoch = next(self._epochs)
        phones = [
            Phone(self._channels[number % CHANNELS], number, epoch) for number in range(count)
        ]
        for first in range(0, count, 100):
            await asyncio.gather(*(one.open() for one in phones[first : first + 100]))
        return phones

    async def rate(self) -> Rate:
        """As fast as it goes, each device after its last batch is acknowledged."""
        phones = await self.opened(DEVICES)
        try:
            return await many(DEVICES, SECONDS, lambda number: phones[number].batch(), BATCH)
        finally:
            for one in phones:
                one.close()

    async def paced(self) -> float:
        """The 99th percentile of a batch's acknowledgement at PACED events a second, in ms."""
        phones = await self.opened(DEVICES)
        gap = DEVICES * BATCH / PACED
        times: list[float] = []

        async def device(number: int) -> None:
            await asyncio.sleep(gap * number / DEVICES)
            due = time.perf_counter()
            end = due + SECONDS
            while due < end:
                await phones[number].batch()
                times.append(time.perf_counter() - due)
                due += gap
                await asyncio.sleep(max(0.0, due - time.perf_counter()))

        try:
            await asyncio.gather(*(device(number) for number in range(DEVICES)))
        finally:
            for one in phones:
                one.close()
        return p99_ms(times)


async def read_p95_ms(connection: grpc.aio.Channel, seconds: float) -> float:
    """Of patients who read how well they do, twenty a second."""
    stub, times = ProjectionsServiceStub(connection), []
    end = time.perf_counter() + seconds
    number = 0
    while time.perf_counter() < end:
        number = (number + 1) % DEVICES
        request = read_pb.GetQualityRequest(patient_id=patient(number).id)
        request.window.days = 7
        began = time.perf_counter()
        await stub.GetQuality(request, metadata=(bearer(patient(number)),), timeout=10)
        times.append(time.perf_counter() - began)
        await asyncio.sleep(0.05)
    return statistics.quantiles(times, n=20)[18] * 1000


async def committed_one_by_one(dsn: str) -> Rate:
    """What a service without a log does: a transaction for each event, on 16 connections."""
    pool = await asyncpg.create_pool(dsn, min_size=16, max_size=16)
    await pool.execute(
        "CREATE TABLE IF NOT EXISTS plain (id uuid PRIMARY KEY, who text, body bytea)"
    )

    async def once(number: int) -> None:
        await pool.execute("INSERT INTO plain VALUES ($1, $2, $3)", uuid7(), str(number), b"x" * 80)

    try:
        return await many(64, SECONDS, once)
    finally:
        await pool.close()


def memory_kb(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return int(next(line for line in lines if line.startswith("VmRSS")).split()[1])


def at_most(what: str, value: float, unit: str, goal: float) -> Row:
    return Row(
        *(what, round(value, 1), unit, f"goal in {unit}", goal, round(value / goal, 2)),
        *(f"< {goal:g} {unit}", value < goal),
    )


async def measure() -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True) as folder:
        async with Suite(Path(folder), free_port(), lambda *_: None) as suite:
            channels = [
                # each with a link of its own: one link carries a hundred streams at a time
                channel(suite.addresses.ingest, (("grpc.use_local_subchannel_pool", 1),))
                for _ in range(CHANNELS)
            ]
            reads = channel(suite.addresses.projections)
            try:
                return await _rows(suite, Phones(channels, iter(range(1, 10_000))), reads)
            finally:
                for one in (*channels, reads):
                    await one.close()


async def _rows(suite: Suite, phones: Phones, reads: grpc.aio.Channel) -> list[Row]:
    first = await phones.opened(DEVICES)
    await asyncio.gather(*(one.agree() for one in first))
    await asyncio.gather(*(one.batch() for one in first))
    for one in first:
        one.close()
    dsn = suite.postgres.dsn("postgres")
    rates: list[Rate] = []
    base: list[Rate] = []
    acks: list[float] = []
    p95s: list[float] = []
    for run in range(RUNS):
        base.append(await committed_one_by_one(dsn))
        rates.append(await phones.rate())
        await asyncio.sleep(2)  # the read models catch up
        ack, p95 = await asyncio.gather(phones.paced(), read_p95_ms(reads, SECONDS))
        acks.append(ack)
        p95s.append(p95)
        print(f"  {run + 1}/{RUNS}: {rates[-1].per_s:,.0f}/s, ack {ack:.0f} ms, read {p95:.0f} ms")
    pid = suite.services["ingest"].pid
    before = memory_kb(pid)
    idle = await phones.opened(IDLE_STREAMS)
    await asyncio.sleep(1)
    each = (memory_kb(pid) - before) / IDLE_STREAMS
    for one in idle:
        one.close()
    reached = Rate(
        statistics.median(one.per_s for one in rates),
        statistics.median(one.p99_ms for one in rates),
    )
    plain = Rate(statistics.median(one.per_s for one in base))
    return [
        beside(
            f"events acknowledged to {DEVICES} devices, {BATCH} at a time",
            reached,
            "a commit for each event, 64 callers on 16 connections",
            plain,
        ),
        Row(
            *("the same", round(reached.per_s), "events/s", "goal in events/s", 10_000),
            *(round(reached.per_s / 10_000, 2), ">= 10,000/s", reached.per_s >= 10_000),
        ),
        at_most(f"acknowledgement, p99 at {PACED:,} events/s", statistics.median(acks), "ms", 100),
        at_most(f"a patient's read, p95 at {PACED:,} events/s", statistics.median(p95s), "ms", 20),
        at_most("memory of ingest for an open idle stream", each, "KB", 60),
    ]


if __name__ == "__main__":
    main("bench.ingest", measure)
