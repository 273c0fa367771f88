"""The device of a client: one outbox, and one engine while anybody streams."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable

from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.clock import Clock
from rehab_sdk.engine import Engine, Sender
from rehab_sdk.errors import RehabError, Unavailable, invalid
from rehab_sdk.machine import Machine
from rehab_sdk.outbox import Outbox
from rehab_sdk.places import Placed

log = logging.getLogger("rehab_sdk")


class Backlog:
    """Keeps the engine running for what waits in a durable outbox, with or without a stream."""

    session_id = ""

    def settled(self, key: object, verdict: object) -> None: ...

    def heard(self, feedback: object) -> None: ...

    def over(self, error: RehabError) -> None:
        log.warning("nothing is sent for now: %s", error)


class Device:
    """The server lets a device stream once, so all streams of a client share an engine."""

    def __init__(
        self,
        *,
        clinic_id: str,
        device_id: str,
        outbox: Outbox,
        stub: IngestServiceStub,
        calls: Calls,
        clock: Clock,
        on_place: Callable[[Placed], None],
    ) -> None:
        self._clinic_id = clinic_id
        self._device_id = device_id
        self._outbox = outbox
        self._stub = stub
        self._calls = calls
        self._clock = clock
        self._on_place = on_place
        self._engine: Engine | None = None
        self._engine_of: dict[Sender, Engine] = {}
        self._backlog: Backlog | None = None
        self._turn = asyncio.Lock()  # an engine is gone before the next has the outbox

    @property
    def durable(self) -> bool:
        return self._outbox.durable

    @property
    def waiting(self) -> int:
        """Events without a verdict."""
        return self._outbox.last_seq - self._outbox.settled_seq

    async def send_backlog(self) -> None:
        """From now on send what waits, until `stop`. Does nothing for an outbox in memory."""
        if self.durable and self._device_id:
            self._backlog = Backlog()
            await self.acquire(self._backlog)

    async def stop(self) -> None:
        if self._backlog is not None:
            backlog, self._backlog = self._backlog, None
            await self.release(backlog)

    async def drained(self, timeout_s: float) -> None:
        """Wait until nothing waits any more. Raises TimedOut, or what ended the engine."""
        async with self._turn:
            engine = self._engine
        if engine is None:
            raise Unavailable("nothing is being sent")
        async with engine.bounded(timeout_s, "events still wait"):
            await engine.until(lambda: not self.waiting)

    async def acquire(self, sender: Sender) -> Engine:
        """The running engine, or a new one. Raises Invalid."""
        if not self._device_id:
            raise invalid("device_id", "required", "must be told when connecting, to stream")
        async with self._turn:
            if self._engine is None or self._engine.ended_by is not None:
                await self._renew_engine()
            assert self._engine is not None
            self._engine_of[sender] = self._engine
            self._engine.join(sender)
            return self._engine

    async def release(self, sender: Sender) -> None:
        async with self._turn:
            engine = self._engine_of.pop(sender)
            if engine.part(sender):
                if engine is self._engine:
                    self._engine = None
                await engine.close()

    async def _renew_engine(self) -> None:
        """A running engine in place of one that has ended; the backlog goes on with it."""
        ended, self._engine = self._engine, self._new_engine()
        if self._backlog is not None and ended is not None:
            self._engine_of[self._backlog] = self._engine
            self._engine.join(self._backlog)
            if ended.part(self._backlog):
                await ended.close()

    def _new_engine(self) -> Engine:
        return Engine(
            stub=self._stub,
            calls=self._calls,
            machine=Machine(self._outbox, clinic_id=self._clinic_id, device_id=self._device_id),
            clock=self._clock,
            on_place=self._on_place,
        )
