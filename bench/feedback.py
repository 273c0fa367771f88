"""Live feedback: from the commit of a repetition to the cue on the device's own stream, through the
whole suite, while other devices send.

    python -m bench.feedback [--json PATH]

RUNS, SECONDS, DEVICES, BATCH and PACED (events a second) may be set in the environment.
"""

from __future__ import annotations

import asyncio
import os
import random
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import AsyncExitStack
from datetime import UTC
from pathlib import Path

import grpc

from bench.measure import Row, main, p99_ms
from bench.phones import CHANNELS, CONSENT, LONG_AGO, event, patient
from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_cli.asking import PRINCIPAL
from rehab_cli.suite import Suite
from rehab_runtime.auth import bearer
from rehab_runtime.channels import channel
from rehab_runtime.embedded import free_port
from rehab_runtime.eventlog import EventLog
from rehab_sdk import events

RUNS = int(os.environ.get("RUNS", "3"))
SECONDS = float(os.environ.get("SECONDS", "10"))
DEVICES = int(os.environ.get("DEVICES", "200"))
PACED = int(os.environ.get("PACED", "1000"))
BATCH = int(os.environ.get("BATCH", "5"))
GOAL_MS = 75.0
LATE_S = 5.0


class Coached:
    """A device that listens while it sends. One of its repetitions a run is a poor one."""

    def __init__(self, connection: grpc.aio.Channel, number: int, epoch: int) -> None:
        self._number = number
        self._session = f"session-{epoch}-{number}"
        self._epoch = epoch
        self._call = IngestServiceStub(connection).StreamObservations(
            metadata=(bearer(patient(number)),)
        )
        self._seq = 0
        self._hearing: asyncio.Task[None] | None = None
        self.poor = ""
        self.heard: dict[str, float] = {}

    async def open(self) -> None:
        hello = pb.Hello(
            clinic_id=patient(self._number).clinic_id,
            device_id=f"phone-{self._number}",
            epoch=self._epoch,
            session_id=self._session,
        )
        await self._call.write(pb.StreamObservationsRequest(hello=hello))
        while not (await self._call.read()).HasField("welcome"):
            pass
        self._hearing = asyncio.create_task(self._hear())

    async def _hear(self) -> None:
        while (message := await self._call.read()) is not grpc.aio.EOF:
            if message.HasField("feedback"):
                self.heard.setdefault(message.feedback.rep_event_id, time.time())

    async def agree(self) -> None:
        body = events.consent_granted(CONSENT, valid_from=LONG_AGO)
        await self._send([event(self._number, body, "consent")])

    async def move(self, *, poorly: bool) -> None:
        told = [self._repetition(90) for _ in range(BATCH)]
        if poorly:
            told[-1] = self._repetition(40, valgus_deg=30)
            self.poor = told[-1].envelope.event_id
        await self._send(told)

    def _repetition(self, score: float, valgus_deg: float = 0) -> Event:
        body = events.reps_observed(
            self._session, "squat", [events.rep(1, score=score, rom_deg=90, confidence=0.9)]
        )
        if valgus_deg:
            body.rep_observation.reps[0].compensations.add(
                code="knee_valgus", magnitude_deg=valgus_deg, frames=10
            )
        return event(self._number, body, "rep_observation")

    async def _send(self, told: Sequence[Event]) -> None:
        batch = pb.Batch(first_seq=self._seq + 1, events=told)
        self._seq += len(told)
        await self._call.write(pb.StreamObservationsRequest(batch=batch))

    async def close(self) -> None:
        self._call.cancel()
        if self._hearing is not None:
            self._hearing.cancel()
            await asyncio.gather(self._hearing, return_exceptions=True)


async def paced(suite: Suite, channels: Sequence[grpc.aio.Channel], epoch: int) -> list[float]:
    """Seconds from commit to cue, one for each device."""
    devices = [Coached(channels[number % CHANNELS], number, epoch) for number in range(DEVICES)]
    await asyncio.gather(*(one.open() for one in devices))
    await asyncio.gather(*(one.agree() for one in devices))
    await asyncio.sleep(2)  # consents are known, and every patient to policy
    gap, turns = DEVICES * BATCH / PACED, max(2, int(SECONDS * PACED / DEVICES / BATCH))
    chance = random.Random(epoch)

    async def one_of(number: int) -> None:
        poor = chance.randrange(1, turns)
        due = time.perf_counter() + gap * number / DEVICES
        for turn in range(turns):
            await asyncio.sleep(max(0.0, due - time.perf_counter()))
            await devices[number].move(poorly=turn == poor)
            due += gap

    await asyncio.gather(*(one_of(number) for number in range(DEVICES)))
    deadline = time.perf_counter() + LATE_S
    while time.perf_counter() < deadline and not all(one.poor in one.heard for one in devices):
        await asyncio.sleep(0.05)
    times = await spans(suite, devices)
    for one in devices:
        await one.close()
    return times


async def spans(suite: Suite, devices: Sequence[Coached]) -> list[float]:
    async with channel(suite.addresses.eventstore) as connection:
        log = EventLog(connection, PRINCIPAL)
        committed: dict[str, float] = {}
        for number in range(len(devices)):
            for recorded in await log.read_stream(patient(number).id):
                at = recorded.envelope.recorded_at.ToDatetime(UTC)
                committed[recorded.envelope.event_id] = at.timestamp()
    return [one.heard[one.poor] - committed[one.poor] for one in devices if one.poor in one.heard]


async def latency() -> list[Row]:
    async with AsyncExitStack() as stack:
        folder = stack.enter_context(
            tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True)
        )
        enter = stack.enter_async_context
        suite = await enter(Suite(Path(folder), free_port(), lambda *_: None))
        alone = (("grpc.use_local_subchannel_pool", 1),)
        channels = [await enter(channel(suite.addresses.ingest, alone)) for _ in range(CHANNELS)]
        p50s: list[float] = []
        p99s: list[float] = []
        heard = 0
        for run in range(RUNS):
            times = await paced(suite, channels, run + 1)
            heard += len(times)
            p50s.append(statistics.median(times) * 1000)
            p99s.append(p99_ms(times))
            said = f"{len(times)} of {DEVICES} heard, p50 {p50s[-1]:.1f} ms, p99 {p99s[-1]:.1f} ms"
            print(f"  {run + 1}/{RUNS} feedback: {said}", flush=True)
    what = f"repetition committed to cue on the device, at {PACED:,} events/s"
    return [
        _row(f"{what}, p50", statistics.median(p50s)),
        _row(f"{what}, p99", statistics.median(p99s), GOAL_MS),
        Row(
            *("devices that heard their cue", heard, "of those that moved poorly", "all"),
            *(RUNS * DEVICES, heard / RUNS / DEVICES, "all", heard == RUNS * DEVICES),
        ),
    ]


def _row(what: str, value: float, goal: float | None = None) -> Row:
    least = goal or GOAL_MS
    return Row(
        *(what, round(value, 1), "ms", "goal in ms, p99", least, round(value / least, 2)),
        *((f"< {goal:g} ms", value < goal) if goal is not None else ("", None)),
    )


if __name__ == "__main__":
    main("bench.feedback", latency)
