"""The devices of a simulated clinic: each a client of its own with a stream of its own."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Mapping
from contextlib import AsyncExitStack
from types import TracebackType
from typing import Self

from rehab.events.v1.event_pb2 import Event
from rehab_cli.addresses import Addresses
from rehab_cli.clinic import Clinic
from rehab_cli.progress import Progress
from rehab_sdk import (
    AsyncRehab,
    Options,
    Receipt,
    Rejected,
    Stream,
    StreamOptions,
    dev_token,
)

IN_FLIGHT = 512
"""Events of all devices together without an acknowledgement: enough to keep the suite busy, few
enough that acknowledgement times mean something."""
ADMITTING = frozenset({"consent", "care_team"})
OPTIONS = Options(stream=StreamOptions(send_timeout_s=300, flush_timeout_s=300))


class Devices:
    """Use it as an async context manager: leaving waits until all is acknowledged."""

    def __init__(self, clinic: Clinic, addresses: Addresses, progress: Progress) -> None:
        self._owners = owners(clinic)
        self._addresses = addresses
        self._progress = progress
        self._stack = AsyncExitStack()
        self._streams: dict[str, tuple[Stream, asyncio.Queue[tuple[Receipt, float] | None]]] = {}
        self._listeners: list[asyncio.Task[None]] = []
        self._room = asyncio.Semaphore(IN_FLIGHT)
        self._admissions: dict[str, tuple[str, Receipt]] = {}

    async def send(self, event: Event) -> None:
        """Hand the event to its device; waits while too much is unacknowledged."""
        await self._admitted(event)
        await self._room.acquire()
        stream, receipts = await self._stream(event.envelope.device_id)
        sent_at = time.perf_counter()
        receipt = await stream.send(event)
        receipts.put_nowait((receipt, sent_at))
        if event.envelope.kind in ADMITTING:
            self._admissions[event.envelope.subject_id] = event.envelope.device_id, receipt
        self._progress.sent += 1

    async def _admitted(self, event: Event) -> None:
        """A phone says nothing before the desk's consent for it is durable. The desk itself goes
        on: its events come in order."""
        desk, receipt = self._admissions.get(event.envelope.subject_id, ("", None))
        if receipt is not None and desk != event.envelope.device_id:
            with contextlib.suppress(Rejected):
                await receipt
            del self._admissions[event.envelope.subject_id]

    async def _stream(
        self, device_id: str
    ) -> tuple[Stream, asyncio.Queue[tuple[Receipt, float] | None]]:
        if device_id not in self._streams:
            client = await self._stack.enter_async_context(
                AsyncRehab.connect(
                    ingest=self._addresses.ingest,
                    projections=self._addresses.projections,
                    token=self._owners[device_id],
                    device_id=device_id,
                    options=OPTIONS,
                )
            )
            stream = await self._stack.enter_async_context(client.stream())
            receipts: asyncio.Queue[tuple[Receipt, float] | None] = asyncio.Queue()
            self._streams[device_id] = stream, receipts
            self._listeners.append(asyncio.create_task(self._listen(receipts)))
        return self._streams[device_id]

    async def _listen(self, receipts: asyncio.Queue[tuple[Receipt, float] | None]) -> None:
        """Verdicts of a device come in the order in which it sent."""
        while (waiting := await receipts.get()) is not None:
            receipt, sent_at = waiting
            try:
                acked = await receipt
            except Rejected:
                self._progress.rejected += 1
            else:
                self._progress.acknowledged(acked, time.perf_counter() - sent_at)
            self._room.release()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            for _, receipts in self._streams.values():
                receipts.put_nowait(None)
            await asyncio.gather(*self._listeners)
        for listener in self._listeners:
            listener.cancel()
        await asyncio.gather(*self._listeners, return_exceptions=True)
        await self._stack.__aexit__(kind, error, trace)


def owners(clinic: Clinic) -> Mapping[str, str]:
    """The token that each device shows: that of its patient or therapist."""
    patients = {one.device_id: dev_token("patient", clinic.id, one.id) for one in clinic.patients}
    desks = {one.device_id: dev_token("therapist", clinic.id, one.id) for one in clinic.therapists}
    return {**patients, **desks}
