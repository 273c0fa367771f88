"""Devices that stream to ingest, as thin as can be: the servers are measured, not the client."""

from __future__ import annotations

import asyncio
import os
import time
from collections.abc import Callable
from datetime import UTC, datetime

import grpc

from bench.measure import Rate, many, p99_ms
from rehab.events.v1 import event_pb2
from rehab.events.v1.event_pb2 import Body, Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.clock import uuid7
from rehab_sdk import events

SECONDS = float(os.environ.get("SECONDS", "8"))
DEVICES = int(os.environ.get("DEVICES", "200"))
BATCH = 10
SESSION_BATCHES = 15
"""A session has 150 repetitions: five exercises, three sets of ten."""
PACED = 5_000
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
    """One device's stream."""

    def __init__(self, connection: grpc.aio.Channel, number: int, epoch: int) -> None:
        stub = IngestServiceStub(connection)
        self._number = number
        self._epoch = epoch
        self._call = stub.StreamObservations(metadata=(bearer(patient(number)),))
        self._seq = 0
        self._batches = 0

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
        session = f"session-{self._epoch}-{self._batches // SESSION_BATCHES}"
        self._batches += 1
        body = events.reps_observed(session, "squat", reps)
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
    def __init__(self, channels: list[grpc.aio.Channel], epochs: Callable[[], int]) -> None:
        self._channels = channels
        self._epochs = epochs

    async def opened(self, count: int) -> list[Phone]:
        epoch = self._epochs()
        phones = [
            Phone(self._channels[number % CHANNELS], number, epoch) for number in range(count)
        ]
        for first in range(0, count, 100):
            await asyncio.gather(*(one.open() for one in phones[first : first + 100]))
        return phones

    async def introduced(self) -> None:
        """Each patient's consent, and something to read of them."""
        first = await self.opened(DEVICES)
        await asyncio.gather(*(one.agree() for one in first))
        await asyncio.gather(*(one.batch() for one in first))
        for one in first:
            one.close()

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
