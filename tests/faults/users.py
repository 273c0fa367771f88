"""Who uses the suite while something happens to it: each goes on until told to stop, and keeps
what it sent. An error that the SDK shows ends it and fails the test."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from rehab.events.v1.event_pb2 import Event
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.eventlog import EventLog
from rehab_sdk import Acked, AsyncRehab, Stored, events
from tests.sdk.clinic import pains
from tests.sdk.town import Town
from tests.support.fleet import ORDER, Fleet

PAUSE_S = 0.05
"""Between two calls: a user and not a load test."""


@dataclass
class Users:
    """`steps` counts what each has done, by name."""

    stop: asyncio.Event = field(default_factory=asyncio.Event)
    steps: dict[str, int] = field(default_factory=dict)
    streamed: list[str] = field(default_factory=list)
    logged: list[str] = field(default_factory=list)
    seen: int = 0
    """Sessions that the watch told of last."""
    slowest: dict[str, float] = field(default_factory=dict)
    """Seconds of the longest step, by name."""

    async def _again(self, who: str, step: Callable[[], Awaitable[None]]) -> None:
        while not self.stop.is_set():
            began = time.monotonic()
            await step()
            self._did(who, began)
            await asyncio.sleep(PAUSE_S)

    def _did(self, who: str, began: float) -> None:
        self.steps[who] = self.steps.get(who, 0) + 1
        took = time.monotonic() - began
        self.slowest[who] = max(took, self.slowest.get(who, 0.0))

    async def stream(self, client: AsyncRehab, patient: str) -> None:
        """One stream for all the time; every event gets its acknowledgement."""
        receipts = []
        async with client.stream() as stream:

            async def send() -> None:
                event = pains(client, patient, 1)[0]
                receipts.append(await stream.send(event))
                self.streamed.append(event.envelope.event_id)

            await self._again("stream", send)
            verdicts = [await receipt for receipt in receipts]
        assert all(isinstance(verdict, Acked) for verdict in verdicts)

    async def log(self, client: AsyncRehab, patient: str) -> None:
        async def log() -> None:
            event: Event = pains(client, patient, 1)[0]
            assert isinstance(await client.log(event), Stored)
            self.logged.append(event.envelope.event_id)

        await self._again("log", log)

    async def read(self, client: AsyncRehab, patient: str) -> None:
        async def read() -> None:
            await client.patients.adherence(patient, days=7)
            await client.work_queue.list()

        await self._again("read", read)

    async def enter(self, entering: Callable[[], Any], patient: str) -> None:
        """Logs in anew, reads and leaves, again and again."""

        async def enter() -> None:
            await asyncio.sleep(10 * PAUSE_S)  # passwords are dear to check
            async with entering() as client:
                await client.patients.quality(patient)

        await self._again("enter", enter)

    async def watch(self, client: AsyncRehab, patient: str) -> None:
        """Until it is cancelled."""
        async with client.watch(client.patients.adherence, patient, days=7) as answers:
            began = time.monotonic()
            async for answer in answers:
                self.seen = answer.sessions
                self._did("watch", began)
                began = time.monotonic()

    async def until_seen(self, sessions: int) -> None:
        while self.seen != sessions:
            await asyncio.sleep(PAUSE_S)

    async def exercise(self, client: AsyncRehab, patient: str) -> None:
        """Sessions one after the other, for the watch to see."""

        async def exercise() -> None:
            async with client.session(patient=patient, exercise="squat") as session:
                await session.rep(score=80)
                await session.log(events.pain(2, phase="post"))

        await self._again("exercise", exercise)


@asynccontextmanager
async def at_work(*work: Awaitable[None]) -> AsyncIterator[None]:
    """Raises what ended one of them at once, and waits for all in the end."""
    async with asyncio.TaskGroup() as group:
        for one in work:
            group.create_task(one)  # type: ignore[arg-type]
        yield


def town(living: Fleet) -> Town:
    """The first replicas, to make ready what a test needs."""
    return Town(None, "", **{name: living.addresses(name)[0] for name in ORDER})


async def pain_reports(living: Fleet, patient: str) -> list[str]:
    """Ids of those in the patient's stream."""
    async with channel(living.addresses("eventstore")[0]) as connection:
        log = EventLog(connection, service_principal("cli"))
        found = await log.read_stream(patient)
    return [one.envelope.event_id for one in found if one.envelope.kind == "pain_report"]
