"""One device's conversation: what is read goes to the log, what is settled goes back."""

from __future__ import annotations

import asyncio
import random
import time
import uuid
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from collections.abc import Sequence as Seq
from dataclasses import dataclass

from google.protobuf.duration_pb2 import Duration

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_ingest import metrics
from rehab_ingest.admission import AGAIN, Admission, Checked, Prepared, Stored, Verdict
from rehab_ingest.domain.clocks import skew_ms
from rehab_ingest.domain.sequence import Sequence
from rehab_ingest.domain.tokens import Tokens
from rehab_ingest.rights import Rights
from rehab_ingest.storage import Cursor, Place
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import (
    Draining,
    InvalidArgument,
    ProtocolViolation,
    RehabError,
    Violation,
    to_failure,
)

METHOD = "/rehab.ingest.v1.IngestService/StreamObservations"
FIRST_WAIT_S = 0.02
LONGEST_WAIT_S = 1.0
NOWHERE = Place(0, 0)
RECONNECT_AFTER = Duration(nanos=200_000_000)


@dataclass(frozen=True)
class Arrived:
    """An event that waits for its verdict; `refusal` when the door refused it."""

    seq: int
    event: Event
    refusal: RehabError | None
    at: float


@dataclass(frozen=True)
class Terms:
    """What a device is held to: events unacknowledged and in one batch, seconds of silence, and
    seconds in all before it connects anew."""

    window: int
    max_batch: int
    idle_s: float
    max_age_s: float


Wait = Callable[[int, int], Awaitable[float]]
"""Seconds that so many requests of so many bytes have to wait; 0 when they may go on."""


class DeviceStream:
    """`read`, `settle` and `grow_old` are its tasks; `responses` is what they say."""

    def __init__(
        self,
        hello: pb.Hello,
        cursor: Cursor,
        admission: Admission,
        tokens: Tokens,
        terms: Terms,
        caller: Principal,
        rights: Rights,
        wait: Wait,
        clock: Clock,
    ) -> None:
        self.hello = hello
        self.owner: uuid.UUID = cursor.owner
        self.place = cursor.place
        self.sequence = Sequence.resumed(cursor.seq, terms.window)
        self.dirty = False
        self.ended: asyncio.Future[RehabError | None] = asyncio.get_running_loop().create_future()
        self._admission = admission
        self._tokens = tokens
        self._max_batch = terms.max_batch
        self._terms = terms
        self._caller = caller
        self._rights = rights
        self._wait = wait
        self._clock = clock
        self._heard_at = clock.monotonic()
        self._arrived: deque[Arrived] = deque()
        self._wake = asyncio.Event()
        self._out: asyncio.Queue[pb.StreamObservationsResponse | None] = asyncio.Queue()
        self._reading_done = False
        self._skew_ms = skew_ms(hello, clock.now())

    @property
    def cursor(self) -> Cursor:
        return Cursor(
            self.owner,
            self.hello.clinic_id,
            self.hello.device_id,
            self.sequence.settled,
            self.place,
        )

    @property
    def patient(self) -> tuple[str, str]:
        """Clinic and patient whom the device acts for."""
        return self.hello.clinic_id, self._caller.patient_id

    @property
    def shown(self) -> frozenset[str]:
        """By what the caller was let in."""
        caller = self._caller
        return frozenset({caller.id, caller.session_id, caller.patient_id} - {""})

    @property
    def token(self) -> str:
        return self._tokens.issue(self.hello, self.sequence.settled)

    def say(self, **content: object) -> None:
        self._out.put_nowait(pb.StreamObservationsResponse(**content))  # type: ignore[arg-type]

    def end(self, error: RehabError | None) -> None:
        """End the conversation, after what was said so far."""
        if not self.ended.done():
            self.ended.set_result(error)
            self._out.put_nowait(None)

    def ask_to_reconnect(self) -> None:
        self.say(reconnect=pb.Reconnect(after=RECONNECT_AFTER, resume_token=self.token))
        self._reading_done = True
        self._wake.set()

    async def responses(self) -> AsyncIterator[pb.StreamObservationsResponse]:
        while (response := await self._out.get()) is not None:
            yield response

    async def read(self, requests: AsyncIterator[pb.StreamObservationsRequest]) -> None:
        try:
            async for request in requests:
                if request.WhichOneof("content") != "batch":
                    rule = Violation("content", "protocol.batch", "must be a batch after hello")
                    raise ProtocolViolation(violations=[rule])
                self._heard_at = self._clock.monotonic()
                await self._admitted(request.batch.ByteSize())
                self._receive(request.batch)
        except RehabError as error:
            await self._all_settled()
            self.end(error)
            return
        self._reading_done = True
        self._wake.set()

    async def _admitted(self, size: int) -> None:
        """Return when the device may go on. Meanwhile nothing is read, so it cannot send more."""
        slowed = False
        while (wait := await self._wait(1, size)) > 0:
            if not slowed:
                self._narrow()
            slowed = True
            await asyncio.sleep(wait)
        if slowed:
            self._widen()

    def _narrow(self) -> None:
        self.say(window=pb.Window(events=max(1, self.sequence.window // 4)))

    def _widen(self) -> None:
        self.say(window=pb.Window(events=self.sequence.window))

    async def grow_old(self) -> None:
        """Send the device away once it has been silent, or here, for too long."""
        oldest = self._clock.monotonic() + random.uniform(0.9, 1.0) * self._terms.max_age_s
        while True:
            now = self._clock.monotonic()
            left = min(oldest, self._heard_at + self._terms.idle_s) - now
            if left <= 0:
                self.ask_to_reconnect()
                return
            await asyncio.sleep(left)

    def _receive(self, batch: pb.Batch) -> None:
        count = len(batch.events)
        if count == 0 or batch.first_seq == 0 or count > self._max_batch:
            field = "batch.first_seq" if batch.first_seq == 0 else "batch.events"
            rule = Violation(
                field,
                "batch.size",
                f"a batch has 1 to {self._max_batch} events and a first_seq from 1",
            )
            raise InvalidArgument(violations=[rule])
        self.sequence, repeated = self.sequence.receive(batch.first_seq, count)
        now = time.perf_counter()
        for index in range(repeated, count):
            event, seq = batch.events[index], batch.first_seq + index
            refusal = self._admission.check(event, self.hello.clinic_id, self._skew_ms)
            self._mark(event, seq)
            self._arrived.append(Arrived(seq, event, refusal, now))
        if repeated == count:
            self._acknowledge([])
        self._wake.set()

    def _mark(self, event: Event, seq: int) -> None:
        envelope = event.envelope
        envelope.device_epoch, envelope.device_seq = self.hello.epoch, seq
        envelope.clock_skew_ms = self._skew_ms

    async def settle(self) -> None:
        """Store what has arrived, chunk by chunk: the next one only after the last is settled, so
        that order is kept whatever fails."""
        while not (self._reading_done and not self._arrived):
            await self._wake.wait()
            self._wake.clear()
            while self._arrived:
                chunk = [
                    self._arrived[index]
                    for index in range(min(len(self._arrived), self._max_batch))
                ]
                checked = [(one.event, one.refusal) for one in chunk]
                verdicts = await self._settled(checked)
                self._answer(chunk, verdicts)
                for _ in chunk:
                    self._arrived.popleft()
        self.end(None)

    async def _settled(self, checked: Seq[Checked]) -> list[Verdict]:
        """The verdicts, however long the event store or identity are away; nothing is acknowledged
        before."""
        wait = FIRST_WAIT_S
        prepared: Prepared | None = None
        while True:
            try:
                if prepared is None:
                    allowed = await self._rights.checked(
                        checked, self._caller, METHOD, self._skew_ms
                    )
                    prepared = self._admission.prepared(allowed, self._caller)
                verdicts = await self._admission.settle(prepared)
            except AGAIN:
                if wait == FIRST_WAIT_S:
                    self._narrow()
                await asyncio.sleep(random.uniform(wait / 2, wait))
                wait = min(LONGEST_WAIT_S, wait * 2)
                continue
            if wait != FIRST_WAIT_S:
                self._widen()
            return verdicts

    def _answer(self, chunk: list[Arrived], verdicts: list[Verdict]) -> None:
        now = time.perf_counter()
        places: list[Place] = []
        for one, verdict in zip(chunk, verdicts, strict=True):
            if isinstance(verdict, Stored):
                places.append(Place(verdict.shard, verdict.position))
                metrics.settle_seconds.observe(now - one.at)
            else:
                places.append(NOWHERE)
                event_id = one.event.envelope.event_id[:36]
                self.say(
                    reject=pb.Reject(seq=one.seq, event_id=event_id, failure=to_failure(verdict))
                )
        self.sequence = self.sequence.settle(chunk[-1].seq)
        self.dirty = True
        self._acknowledge(places)

    def _acknowledge(self, places: list[Place]) -> None:
        """Tell what is settled; `places` are those of the events that were not before."""
        durable = [place for place in places if place != NOWHERE]
        if durable:
            self.place = _newest(self.place, durable)
        ack = pb.Ack(
            seq=self.sequence.settled,
            position=self.place.position,
            shard=self.place.shard,
            resume_token=self.token,
        )
        if any(place.shard != self.place.shard for place in durable):
            for place in places:
                ack.places.add(shard=place.shard, position=place.position)
        self.say(ack=ack)

    async def _all_settled(self) -> None:
        while self._arrived:
            await asyncio.sleep(0.005)


def _newest(before: Place, durable: list[Place]) -> Place:
    """Where the last of them stands, or what is newer in its shard: repeats stand further back."""
    shard = durable[-1].shard
    known = [before.position] if before.shard == shard else []
    told = [place.position for place in durable if place.shard == shard]
    return Place(shard, max(known + told))


def draining() -> Draining:
    return Draining(retry_after_s=0.2)
