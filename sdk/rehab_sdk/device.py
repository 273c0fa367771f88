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
    """Keeps the engine running as long as something waits in a durable outbox."""

    session_id = ""

    def settled(self, key: object, verdict: object) -> None: ...

    def heard(self, feedback: object) -> None: ...

    def over(self, error: RehabError) -> None: ...


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
        self._draining: asyncio.Task[None] | None = None
        self._stopped = False
        self._turn = asyncio.Lock()  # an engine is gone before the next has the outbox

    @property
    def durable(self) -> bool:
        return self._outbox.durable

    @property
    def waiting(self) -> int:
        """Events without a verdict."""
        return self._outbox.last_seq - self._outbox.settled_seq

    async def send_backlog(self) -> None:
        """Send in the background what waits in a durable outbox, until nothing does or `stop`."""
        if self.durable and self._device_id and self.waiting:
            async with self._turn:
                self._keep_sending(self._running_engine())

    async def stop(self) -> None:
        self._stopped = True
        if self._draining is not None:
            self._draining.cancel()
            await asyncio.gather(self._draining, return_exceptions=True)

    def _keep_sending(self, engine: Engine) -> None:
        backlog = Backlog()
        self._engine_of[backlog] = engine
        engine.join(backlog)
        self._draining = asyncio.create_task(self._drain(engine, backlog), name="rehab-backlog")

    async def _drain(self, engine: Engine, backlog: Backlog) -> None:
        try:
            await engine.until(lambda: not self.waiting)
        except RehabError as error:  # the next stream tries again
            log.warning("%d events wait: %s", self.waiting, error)
        finally:
            self._draining = None
            await self.release(backlog)

    async def drained(self, timeout_s: float) -> None:
        """Wait until nothing waits any more. Raises TimedOut, or what ended the engine."""
        async with self._turn:
            engine = self._engine
        if engine is None and self.waiting:
            raise Unavailable("nothing is being sent: a stream would try again")
        if engine is None:
            return
        async with engine.bounded(timeout_s, "events still wait"):
            await engine.until(lambda: not self.waiting)

    async def acquire(self, sender: Sender) -> Engine:
        """The running engine, or a new one. Raises Invalid."""
        if not self._device_id:
            raise invalid("device_id", "required", "must be told when connecting, to stream")
        async with self._turn:
            engine = self._engine_of[sender] = self._running_engine()
            engine.join(sender)
            return engine

    async def release(self, sender: Sender) -> None:
        async with self._turn:
            engine = self._engine_of.pop(sender)
            if self._leaves_backlog(engine):
                self._keep_sending(engine)
            if engine.part(sender):
                if engine is self._engine:
                    self._engine = None
                await engine.close()

    def _leaves_backlog(self, engine: Engine) -> bool:
        """Whether somebody has to go on sending once a stream of the engine is left."""
        ended = self._stopped or engine.ended_by is not None
        return self.durable and self.waiting > 0 and self._draining is None and not ended

    def _running_engine(self) -> Engine:
        if self._engine is None or self._engine.ended_by is not None:
            self._engine = self._new_engine()
        return self._engine

    def _new_engine(self) -> Engine:
        return Engine(
            stub=self._stub,
            calls=self._calls,
            machine=Machine(self._outbox, clinic_id=self._clinic_id, device_id=self._device_id),
            clock=self._clock,
            on_place=self._on_place,
        )
