"""The demo: a simulated clinic streams through real devices' streams."""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta

import grpc

from rehab.events.v1.event_pb2 import Envelope
from rehab.policy.v1 import policy_service_pb2 as policy_pb
from rehab.policy.v1.policy_service_pb2 import RaisedAlert
from rehab.policy.v1.policy_service_pb2_grpc import PolicyServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA
from rehab_cli.clinic import Oracle, TimedEvent, clinic, simulate
from rehab_cli.devices import Devices
from rehab_cli.lag import Lag, lag_of
from rehab_cli.progress import Progress
from rehab_runtime.channels import channel
from rehab_sdk import AsyncRehab, dev_token
from rehab_sdk.errors import NotFound

SETTLE_S = 120.0
LOOK_S = 0.05
ASK_S = 5.0


Source = tuple[str, str]
"""A device and a patient: what one tells of the other stays in order."""


def source_of(envelope: Envelope) -> Source:
    return envelope.device_id, envelope.subject_id


class Demo:
    """`days` that end now. `speed` is how many seconds of the clinic pass in one of ours; None is
    as fast as the suite takes it."""

    def __init__(
        self,
        addresses: Addresses,
        *,
        patients: int,
        therapists: int,
        seed: int,
        days: int,
        speed: float | None,
    ) -> None:
        self.addresses = addresses
        self.progress = Progress()
        self.oracle = Oracle()
        self.sent: dict[Source, list[str]] = defaultdict(list)
        """The ids of the events sent, in order."""
        self.end = datetime.now(UTC).replace(microsecond=0)
        self.start = self.end - timedelta(days=days)
        self._size = (seed, patients, therapists)
        self.clinic = clinic(*self._size)
        self._days = days
        self._speed = speed

    async def choose_seed(self) -> int:
        """The seed, or the next one whose clinic does not live in this suite yet."""
        while await self._is_known():
            seed, patients, therapists = self._size
            self._size = (seed + 1, patients, therapists)
            self.clinic = clinic(*self._size)
        return self._size[0]

    async def run(self, *, on: bool = False) -> None:
        """Until everything that happened up to the end is acknowledged. With `on` the clinic then
        lives on in real time, until cancelled."""
        seed, patients, therapists = self._size
        happenings = simulate(
            seed,
            start=self.start,
            days=None if on else self._days,
            patients=patients,
            therapists=therapists,
        )
        self.progress.began = time.monotonic()
        async with Devices(self.clinic, self.addresses, self.progress) as devices:
            for timed in happenings:
                await self._until(timed.at)
                await self._send(devices, timed)
        self.progress.ended = time.monotonic()

    async def _send(self, devices: Devices, timed: TimedEvent) -> None:
        self.progress.clinic_time = timed.at
        self.oracle.saw(timed)
        self.sent[source_of(timed.event.envelope)].append(timed.event.envelope.event_id)
        await devices.send(timed.event)

    async def _until(self, at: datetime) -> None:
        """Wait until the clinic's clock shows a time; it runs fast, but never ahead of ours."""
        if self._speed is not None:
            fast = self.progress.began + (at - self.start).total_seconds() / self._speed
            await asyncio.sleep(max(0.0, fast - time.monotonic()))
        while (ahead := (at - datetime.now(UTC)).total_seconds()) > 0:
            await asyncio.sleep(ahead)

    @asynccontextmanager
    async def desk(self, therapist: str = "") -> AsyncIterator[AsyncRehab]:
        """A therapist's client, the first one's unless told."""
        async with AsyncRehab.connect(
            ingest=self.addresses.ingest,
            projections=self.addresses.projections,
            token=dev_token("therapist", self.clinic.id, therapist or self.clinic.therapists[0].id),
        ) as client:
            yield client

    async def alerts(self, most: int) -> Sequence[RaisedAlert]:
        """Open alerts of the clinic, newest first; none while policy does not answer."""
        request = policy_pb.ListAlertsRequest(
            clinic_id=self.clinic.id, status=policy_pb.ALERT_STATUS_OPEN, page_size=most
        )
        async with channel(self.addresses.policy) as connection:
            try:
                answer = await PolicyServiceStub(connection).ListAlerts(
                    request, metadata=METADATA, timeout=ASK_S
                )
            except grpc.aio.AioRpcError:
                return ()
        return list(answer.alerts)

    async def _is_known(self) -> bool:
        """Whether the clinic's first patient lives in this suite."""
        first = self.clinic.patients[0]
        async with self.desk(first.therapist.id) as desk:
            try:
                await desk.patients.quality(first.id, days=1)
            except NotFound:
                return False
        return True

    async def projected(self) -> Lag:
        """The lag, once the read models show all that is acknowledged."""
        async with self.desk() as desk, asyncio.timeout(SETTLE_S):
            while True:
                lag = lag_of(await desk.lag())
                if lag.reflects(lag.heads) and lag.reflects(self.progress.newest.positions):
                    return lag
                await asyncio.sleep(LOOK_S)
