"""The device of a client: one outbox, and one engine while anybody streams."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.clock import Clock
from rehab_sdk.engine import Engine, Sender
from rehab_sdk.errors import invalid
from rehab_sdk.machine import Machine
from rehab_sdk.outbox import Outbox
from rehab_sdk.places import Placed


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
        self._turn = asyncio.Lock()  # an engine is gone before the next has the outbox

    async def acquire(self, sender: Sender) -> Engine:
        """The running engine, or a new one. Raises Invalid."""
        if not self._device_id:
            raise invalid("device_id", "required", "must be told when connecting, to stream")
        async with self._turn:
            if self._engine is None or self._engine.ended_by is not None:
                self._engine = self._new_engine()
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

    def _new_engine(self) -> Engine:
        return Engine(
            stub=self._stub,
            calls=self._calls,
            machine=Machine(self._outbox, clinic_id=self._clinic_id, device_id=self._device_id),
            clock=self._clock,
            on_place=self._on_place,
        )
