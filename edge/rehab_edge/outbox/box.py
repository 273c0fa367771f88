"""The outbox as the rest of the device sees it: no event loop, nothing to wait for but the disk."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1.ingest_service_pb2 import LiveFeedback
from rehab_edge.outbox.conditions import ALWAYS, Conditions
from rehab_edge.outbox.courier import Connect, Courier
from rehab_edge.outbox.home import Home
from rehab_sdk import RehabError
from rehab_sdk.errors import TimedOut
from rehab_sdk.portal import Portal, portal
from rehab_sdk.spool import DroppedEvent, Limits, RefusedEvent, Spool


@dataclass(frozen=True)
class Status:
    """`dropped` and `refused` are counted since somebody last looked and forgot them."""

    waiting: int
    oldest_s: float
    urgent: bool
    dropped: int
    refused: int
    trouble: str


class Outbox:
    """Made by `open`. May be used from several threads."""

    def __init__(self, portal: Portal, courier: Courier, spool: Spool) -> None:
        self._portal = portal
        self._courier = courier
        self._spool = spool

    @classmethod
    @contextmanager
    def open(
        cls,
        home: Home,
        *,
        clinic_id: str,
        connect: Connect,
        conditions: Conditions = ALWAYS,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        heard: Callable[[LiveFeedback], None] = lambda _: None,
    ) -> Iterator[Outbox]:
        """Sends what may be sent as long as it is open, what an earlier run left included. Leaving
        waits for nobody: what waits is on the disk. Raises SpoolError, KeyFileError."""
        spool = Spool(
            home.spool,
            clinic_id=clinic_id,
            device_id=home.device_id,
            key=home.key(),
            limits=limits,
        )
        with closing(spool), portal() as through:
            courier = through.run(_made(spool, connect, conditions, heard))
            running = through.run(_started(courier))
            try:
                yield cls(through, courier, spool)
            finally:
                through.run(_stopped(running))

    def keep(self, event: Event) -> None:
        """On the disk when this returns; synced to it, when it concerns safety. Raises
        SpoolError."""
        self._portal.run(self._courier.keep(event))

    def told(self, *, conditions: Conditions | None = None, in_session: bool | None = None) -> None:
        """What is new on the device: its network, its battery, that a session begins or ends."""
        self._portal.run(_telling(self._courier, conditions, in_session))

    def drained(self, timeout_s: float) -> bool:
        """Whether nothing waits any more, within the time."""
        try:
            self._portal.run(self._courier.drained(timeout_s))
        except TimedOut:
            return False
        return True

    @property
    def waiting(self) -> int:
        """Events that the clinic has not taken yet."""
        return self._courier.waiting.events

    def status(self) -> Status:
        return self._portal.run(_status(self._courier, self._spool))

    def dropped(self) -> list[DroppedEvent]:
        """What was let go unsent for want of room or by its age, oldest first."""
        return self._spool.dropped()

    def refused(self) -> list[RefusedEvent]:
        """What the clinic refused, oldest first."""
        return self._spool.refused()

    def forget(self) -> None:
        """What `dropped` and `refused` have told has been looked at."""
        self._spool.forget()


async def _made(
    spool: Spool, connect: Connect, conditions: Conditions, heard: Callable[[LiveFeedback], None]
) -> Courier:
    return Courier(spool, connect, conditions=conditions, heard=heard)


async def _started(courier: Courier) -> asyncio.Task[None]:
    return asyncio.create_task(courier.run(), name="rehab-edge-courier")


async def _stopped(running: asyncio.Task[None]) -> None:
    running.cancel()
    with suppress(asyncio.CancelledError, RehabError):
        await running


async def _telling(
    courier: Courier, conditions: Conditions | None, in_session: bool | None
) -> None:
    courier.told(conditions=conditions, in_session=in_session)


async def _status(courier: Courier, spool: Spool) -> Status:
    waiting = courier.waiting
    return Status(
        waiting=waiting.events,
        oldest_s=waiting.oldest_s,
        urgent=waiting.urgent,
        dropped=len(spool.dropped()),
        refused=len(spool.refused()),
        trouble="" if courier.trouble is None else str(courier.trouble),
    )
