"""The demo: a simulated clinic streams through real device streams, and the read models are held
against what the simulation itself counted."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab_cli.clinic import CLINIC, Expectation, Patient, live, patients
from rehab_cli.suite import Addresses
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.server import channel
from rehab_sdk import AsyncRehab, Receipt, Rejected, dev_token

AT_ONCE = 12
UNACKNOWLEDGED = 200
SAMPLES = 2000
SETTLE_S = 60


@dataclass
class Progress:
    """What the demo shows."""

    sent: int = 0
    acked: int = 0
    rejected: int = 0
    finished: int = 0
    ack_ms: deque[float] = field(default_factory=lambda: deque(maxlen=SAMPLES))
    began: float = field(default_factory=time.monotonic)

    @property
    def rate(self) -> float:
        return self.acked / max(1e-9, time.monotonic() - self.began)

    def quantile(self, share: float) -> float:
        if len(self.ack_ms) < 2:
            return 0.0
        return statistics.quantiles(self.ack_ms, n=100)[round(share * 100) - 1]


@dataclass(frozen=True)
class Difference:
    """A figure of a read model that is not what happened."""

    patient: str
    figure: str
    expected: object
    read: object


class Demo:
    """`speed` is how many seconds of the clinic pass in one of ours; None is as fast as it goes."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        count: int,
        therapists: int,
        seed: int,
        days: int,
        speed: float | None,
    ) -> None:
        self.progress = Progress()
        self.expected = {patient.id: Expectation() for patient in patients(seed, count, therapists)}
        self.end = datetime.now(UTC).replace(microsecond=0)
        self._patients = patients(seed, count, therapists)
        self._addresses = addresses
        self._seed = seed
        self._days = days
        self._speed = speed
        self._room = asyncio.Semaphore(AT_ONCE if speed is None else count)
        self._began = time.monotonic()

    async def run(self) -> None:
        """Until every patient has lived to the end and everything is acknowledged."""
        self._began = self.progress.began = time.monotonic()
        async with asyncio.TaskGroup() as group:
            for patient in self._patients:
                group.create_task(self._live(patient))

    async def _live(self, patient: Patient) -> None:
        async with self._room, self._phone(patient) as client, client.stream() as stream:
            waiting: deque[asyncio.Task[None]] = deque()
            for told in live(patient, self._seed, self.end, self._days, self.expected[patient.id]):
                await self._until(told.at)
                event = client.event(patient.id, told.body, occurred_at=told.at)
                sent_at = time.perf_counter()
                receipt = await stream.send(event)
                self.progress.sent += 1
                waiting.append(asyncio.create_task(self._acknowledged(receipt, sent_at)))
                while len(waiting) > UNACKNOWLEDGED:
                    await waiting.popleft()
            await asyncio.gather(*waiting)
        self.progress.finished += 1

    async def _until(self, at: datetime) -> None:
        if self._speed is None:
            return
        first = self.end - timedelta(days=self._days)
        due = self._began + (at - first).total_seconds() / self._speed
        await asyncio.sleep(max(0.0, due - time.monotonic()))

    async def _acknowledged(self, receipt: Receipt, sent_at: float) -> None:
        try:
            await receipt
        except Rejected:
            self.progress.rejected += 1
            return
        self.progress.acked += 1
        self.progress.ack_ms.append((time.perf_counter() - sent_at) * 1000)

    @asynccontextmanager
    async def _phone(self, patient: Patient) -> AsyncIterator[AsyncRehab]:
        async with AsyncRehab.connect(
            ingest=self._addresses.ingest,
            projections=self._addresses.projections,
            token=dev_token("patient", CLINIC, patient.id),
            device_id=f"phone-{patient.id}",
            consent_id=patient.consent,
            zone=patient.zone,
        ) as client:
            yield client

    @asynccontextmanager
    async def desk(self) -> AsyncIterator[AsyncRehab]:
        """A therapist's client."""
        async with AsyncRehab.connect(
            ingest=self._addresses.ingest,
            projections=self._addresses.projections,
            token=dev_token("therapist", CLINIC, "therapist-1"),
        ) as client:
            yield client

    async def stored(self) -> int:
        """How many events the log holds; positions are gapless, and that is checked."""
        count = 0
        async with channel(self._addresses.eventstore) as connection:
            pages = EventStoreServiceStub(connection).ReadAll(
                store_pb.ReadAllRequest(),
                metadata=(bearer(service_principal("demo")),),
                timeout=120,
            )
            async for page in pages:
                for event in page.events:
                    count += 1
                    if event.envelope.position != count:
                        raise RuntimeError(f"position {count} is missing in the log")
        return count

    async def projected(self) -> read_pb.ProjectionLag:
        """The lag, once the read models have reached the head."""
        async with self.desk() as desk, asyncio.timeout(SETTLE_S):
            while True:
                lag: read_pb.ProjectionLag = (await desk.lag()).projections[0]
                if lag.position >= lag.head:
                    return lag
                await asyncio.sleep(0.05)

    async def differences(self) -> list[Difference]:
        """Every figure of the read models that is not what happened."""
        found: list[Difference] = []
        async with self.desk() as desk:
            for patient in self._patients:
                found += await self._compare(desk, patient)
        return found

    async def _compare(self, desk: AsyncRehab, patient: Patient) -> list[Difference]:
        expected = self.expected[patient.id]
        adherence = await desk.patients.adherence(patient.id, days=self._days + 2, as_of=self.end)
        quality = await desk.patients.quality(patient.id, days=self._days + 2, as_of=self.end)
        sessions = [session async for session in desk.patients.sessions(patient.id)]
        pain = quality.pain.latest if quality.pain.HasField("latest") else None
        figures = [
            ("sessions", expected.sessions, len(sessions)),
            ("due", expected.due, adherence.due),
            ("started", expected.started, adherence.started),
            ("reps", expected.reps, sum(exercise.reps for exercise in quality.exercises)),
            ("good reps", expected.good, sum(exercise.good for exercise in quality.exercises)),
            ("latest pain", expected.latest_pain, pain),
        ]
        return [Difference(patient.id, *figure) for figure in figures if figure[1] != figure[2]]
