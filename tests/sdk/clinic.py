"""The whole suite on real servers, for the SDK to talk to: event store, ingest, projections."""

from __future__ import annotations

import contextlib
import uuid
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from rehab.events.v1.event_pb2 import Event, RecordedEvent
from rehab_eventstore import main as eventstore_main
from rehab_eventstore.settings import Settings as EventstoreSettings
from rehab_ingest import main as ingest_main
from rehab_ingest.settings import Settings as IngestSettings
from rehab_projections import main as projections_main
from rehab_projections.settings import Settings as ProjectionsSettings
from rehab_runtime.auth import service_principal
from rehab_runtime.channels import channel
from rehab_runtime.eventlog import EventLog
from rehab_sdk import AsyncRehab, Backoff, Options, StreamOptions, dev_token, events
from tests.sdk.given import CLINIC, CONSENT

# patient enough for two busy cores, and quick to come back
OPTIONS = Options(
    deadline_s=30,
    backoff=Backoff(first_s=0.02, longest_s=0.2),
    stream=StreamOptions(hello_timeout_s=10, flush_timeout_s=30),
)
TOKEN_KEY = "the resume token key of one test"


@dataclass
class Clinic:
    """Running services and where they keep their things."""

    postgres: Any
    nats_url: str
    name: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    eventstore: str = ""
    ingest: str = ""
    projections: str = ""

    def _common(self) -> dict[str, Any]:
        return {"metrics_listen": "", "drain_s": 1}

    def eventstore_settings(self) -> EventstoreSettings:
        return EventstoreSettings(
            postgres_dsn=self.postgres.dsn(f"eventstore_{self.name}"),
            nats_url=self.nats_url,
            log_stream=f"LOG_{self.name}",
            subject_prefix=f"log_{self.name}",
            **self._common(),
        )

    def ingest_settings(self, **more: Any) -> IngestSettings:
        return IngestSettings(
            postgres_dsn=self.postgres.dsn(f"ingest_{self.name}"),
            eventstore_address=self.eventstore,
            resume_token_key=TOKEN_KEY,
            **{**self._common(), **more},
        )

    def projections_settings(self) -> ProjectionsSettings:
        return ProjectionsSettings(
            postgres_dsn=self.postgres.dsn(f"projections_{self.name}"),
            nats_url=self.nats_url,
            eventstore_address=self.eventstore,
            log_stream=f"LOG_{self.name}",
            subject_prefix=f"log_{self.name}",
            watch_interval_ms=10,
            watch_tick_ms=50,
            **self._common(),
        )

    @asynccontextmanager
    async def ingesting(self, **more: Any) -> AsyncIterator[str]:
        """An ingest of its own, with settings of its own: its address."""
        async with ingest_main.running(self.ingest_settings(**more)) as service:
            yield service.address

    @asynccontextmanager
    async def phone(
        self, patient: str, *, ingest: str = "", **more: Any
    ) -> AsyncIterator[AsyncRehab]:
        """A patient's client."""
        async with AsyncRehab.connect(
            ingest=ingest or self.ingest,
            projections=self.projections,
            **{
                "token": dev_token("patient", CLINIC, patient),
                "device_id": f"phone-of-{patient}",
                "consent_id": CONSENT,
                "zone": "Europe/Berlin",
                "options": OPTIONS,
                **more,
            },
        ) as client:
            yield client

    @asynccontextmanager
    async def therapist(self) -> AsyncIterator[AsyncRehab]:
        async with AsyncRehab.connect(
            ingest=self.ingest,
            projections=self.projections,
            token=dev_token("therapist", CLINIC, "therapist-1"),
            consent_id=CONSENT,
            options=OPTIONS,
        ) as client:
            yield client

    async def stored(self, patient: str) -> list[RecordedEvent]:
        """The patient's stream as the log has it."""
        async with channel(self.eventstore) as connection:
            return await EventLog(connection, service_principal("test")).read_stream(patient)

    async def told(self, patient: str) -> list[RecordedEvent]:
        """The patient's stream without the entries in which refused events are kept."""
        return [one for one in await self.stored(patient) if one.envelope.kind != "quarantine"]

    async def stored_ids(self, patient: str) -> list[str]:
        return [event.envelope.event_id for event in await self.told(patient)]


@asynccontextmanager
async def clinic(postgres: Any, nats_url: str) -> AsyncIterator[Clinic]:
    made = Clinic(postgres, nats_url)
    async with AsyncExitStack() as stack:
        store = await stack.enter_async_context(eventstore_main.running(made.eventstore_settings()))
        made.eventstore = store.address
        made.ingest = await stack.enter_async_context(made.ingesting())
        reads = await stack.enter_async_context(
            projections_main.running(made.projections_settings())
        )
        made.projections = reads.address
        yield made


async def admit(clinic: Clinic, patient: str, *more: events.Body) -> int:
    """The patient consents, enrols and is treated by therapist-1: the position of the last."""
    async with clinic.therapist() as client:
        start = client.context.clock.now() - timedelta(days=40)
        bodies = [
            events.consent_granted(CONSENT, valid_from=start),
            events.enrolled("Europe/Berlin"),
            events.care_team("therapist-1", primary=True),
            *more,
        ]
        for body in bodies:
            await client.log(client.event(patient, body))
        return client.last_positions[0]


def pains(client: AsyncRehab, patient: str, count: int) -> list[Event]:
    """Many different events."""
    return [
        client.event(patient, events.pain(number % 11, phase="post")) for number in range(count)
    ]


async def cancelled(task: Any) -> None:
    task.cancel()
    with contextlib.suppress(BaseException):
        await task
