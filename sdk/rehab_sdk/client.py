"""The client: one connection to ingest, one to projections, and what to do with them."""

from __future__ import annotations

import os
import uuid
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager, closing
from dataclasses import replace

import grpc

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_service_pb2 as projections_pb
from rehab.projections.v1.billing_service_pb2_grpc import BillingServiceStub
from rehab.projections.v1.progress_service_pb2_grpc import ProgressServiceStub
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab.projections.v1.vitals_service_pb2_grpc import VitalsServiceStub
from rehab.projections.v1.work_service_pb2_grpc import WorkServiceStub
from rehab_sdk import auth
from rehab_sdk.billing import AsyncBilling
from rehab_sdk.calls import Calls, Token
from rehab_sdk.clock import Clock, SystemClock
from rehab_sdk.connection import (
    IDENTITY,
    INGEST,
    PROJECTIONS,
    admission,
    open_channel,
    open_spool,
    who,
)
from rehab_sdk.credentials import ApiKey, Credentials
from rehab_sdk.device import Device
from rehab_sdk.events import Actor, CaptureModeName, Context, PlanRef, Source, session_started
from rehab_sdk.login import Login
from rehab_sdk.options import Options
from rehab_sdk.outbox import MemoryOutbox, Outbox
from rehab_sdk.places import Newest, Positions
from rehab_sdk.progress import AsyncProgress
from rehab_sdk.questions import Freshness
from rehab_sdk.reads import AsyncPatients, AsyncWorkQueue
from rehab_sdk.replicas import Address
from rehab_sdk.session import AsyncSession
from rehab_sdk.spool import Limits, Spool
from rehab_sdk.stream import Stream
from rehab_sdk.tokens import MemoryTokenStore, TokenStore
from rehab_sdk.verbs import Script
from rehab_sdk.vitals import AsyncVitals
from rehab_sdk.watching import WatchesReads
from rehab_sdk.workload import AsyncWorkload
from rehab_sdk.writes import EventVerdict, Stored, Writes


class AsyncRehab(WatchesReads):
    """Made by `connect`. Use it in the event loop that made it."""

    def __init__(
        self,
        *,
        ingest: grpc.aio.Channel,
        projections: grpc.aio.Channel,
        context: Context,
        token: Token | ApiKey | Login = "",
        options: Options = Options(),  # noqa: B008 - frozen
        outbox: Outbox | None = None,
    ) -> None:
        self.context = context
        self.event = context.event
        """Make an event of a patient from a body of rehab_sdk.events."""
        self._newest = Newest()
        self._channels = (ingest, projections)
        self._token = token
        self._options = options
        self._calls = Calls(token, options)
        super().__init__(projections, self._calls)
        self._ingest = IngestServiceStub(ingest)
        self._projections = ProjectionsServiceStub(projections)
        fresh = Freshness(self._newest)
        self.patients = AsyncPatients(self._projections, self._calls, fresh)
        self.work_queue = AsyncWorkQueue(self._projections, self._calls, fresh, context.clinic_id)
        self.vitals = AsyncVitals(VitalsServiceStub(projections), self._calls, fresh)
        self.billing = AsyncBilling(BillingServiceStub(projections), self._calls, fresh)
        self.progress = AsyncProgress(ProgressServiceStub(projections), self._calls, fresh)
        self.workload = AsyncWorkload(WorkServiceStub(projections), self._calls, fresh)
        self._writes = Writes(self._ingest, self._calls, self._newest.saw)
        self._outbox = outbox if outbox is not None else MemoryOutbox()
        self._device = Device(
            clinic_id=context.clinic_id,
            device_id=context.device_id,
            outbox=self._outbox,
            stub=self._ingest,
            calls=self._calls,
            clock=context.clock,
            on_place=self._newest.saw,
        )

    @classmethod
    @asynccontextmanager
    async def connect(
        cls,
        *,
        ingest: Address = INGEST,
        projections: Address = PROJECTIONS,
        identity: Address = IDENTITY,
        token: Token | Credentials = "",
        token_store: TokenStore | None = None,
        clinic_id: str = "",
        device_id: str = "",
        actor: Actor | None = None,
        consent_id: str = "",
        zone: str = "",
        source: Source = Source(),  # noqa: B008 - frozen
        credentials: grpc.ChannelCredentials | None = None,
        options: Options = Options(),  # noqa: B008 - frozen
        clock: Clock | None = None,
        outbox: Outbox | None = None,
        spool: str | os.PathLike[str] | None = None,
        spool_key: bytes | None = None,
        spool_limits: Limits = Limits(),  # noqa: B008 - frozen
    ) -> AsyncIterator[AsyncRehab]:
        """A client while the context is open. Nothing is sent before the first call. Addresses are
        host:port, or a list of replicas: when one does not answer, another does. `token` is a
        token, a function that gives a fresh one, or credentials: with those the client logs in at
        `identity` and stays logged in, keeping the newest refresh token in `token_store`. Clinic
        and actor are those that a development token or the credentials name unless told. `spool`
        is a file in which events wait until they are acknowledged, also over restarts (what an
        earlier run left is sent at once); a `spool_key` encrypts it. Without `credentials` the
        connection is in the clear. Raises Invalid or SpoolError."""
        context = Context(
            **who(token, clinic_id, device_id, actor),
            consent_id=consent_id,
            zone=zone,
            source=source,
            clock=clock or SystemClock(),
        )
        async with AsyncExitStack() as stack:

            async def connected(address: Address) -> grpc.aio.Channel:
                return await stack.enter_async_context(open_channel(address, credentials, options))

            shown = await stack.enter_async_context(
                admission(
                    token,
                    channel=lambda: open_channel(identity, credentials, options),
                    store=token_store or MemoryTokenStore(),
                    clock=context.clock,
                    options=options,
                )
            )
            if spool is not None:
                outbox = stack.enter_context(
                    closing(open_spool(spool, context, spool_key, spool_limits))
                )
            client = cls(
                ingest=await connected(ingest),
                projections=await connected(projections),
                context=context,
                token=shown,
                options=options,
                outbox=outbox,
            )
            stack.push_async_callback(client._device.stop)
            await client._device.send_backlog()
            yield client

    def acting(
        self,
        *,
        token: Token | None = None,
        actor: Actor | None = None,
        device_id: str | None = None,
        consent_id: str | None = None,
        zone: str | None = None,
    ) -> AsyncRehab:
        """The same connections for somebody else, as a gateway for many patients needs them. It
        has an outbox and last positions of its own."""
        shown = self._token if token is None else token
        named = shown if isinstance(shown, str) else ""
        context = replace(
            self.context,
            clinic_id=auth.clinic_of(named) or self.context.clinic_id,
            actor=actor or auth.actor_of(named) or self.context.actor,
            device_id=self.context.device_id if device_id is None else device_id,
            consent_id=self.context.consent_id if consent_id is None else consent_id,
            zone=self.context.zone if zone is None else zone,
        )
        ingest, projections = self._channels
        return AsyncRehab(
            ingest=ingest,
            projections=projections,
            context=context,
            token=shown,
            options=self._options,
        )

    @property
    def last_positions(self) -> Positions:
        """The newest positions this client wrote, by shard of the log; its reads reflect them."""
        return dict(self._newest.positions)

    def reflect(self, positions: Positions) -> None:
        """Let reads reflect these positions as well, which another client wrote."""
        self._newest.include(positions)

    # writing

    async def log(self, event: Event) -> Stored:
        """Store one event. Raises RehabError; logging the same event again is always safe."""
        return await self._writes.log(event)

    async def log_many(self, events: Sequence[Event]) -> list[EventVerdict]:
        """Store events, each with its own verdict: Stored, or Rejected (returned, not raised)."""
        return await self._writes.log_many(events)

    def stream(self) -> Stream:
        """A stream of this device, for use as `async with`. All streams and sessions of a client
        share its outbox and one connection to the server."""
        return Stream(self._device, self._options.stream)

    def session(
        self,
        *,
        patient: str,
        plan: PlanRef = 0,
        consent_id: str = "",
        exercise: str = "",
        mode: CaptureModeName = "",
        environment_ok: bool = False,
        session_id: str = "",
    ) -> AsyncSession:
        """A patient's session, for use as `async with`: entering logs its start, leaving its end,
        once all is acknowledged. Leaving raises NotAcknowledged with the events when the server
        stayed away. `exercise` is the one meant where none is named. Raises Invalid."""
        session_id = session_id or uuid.uuid4().hex
        version, occurrence = (plan, None) if isinstance(plan, int) else (plan.plan_version, plan)
        context = replace(
            self.context,
            consent_id=consent_id or self.context.consent_id,
            plan_version=version,
            correlation_id=session_id,
        )
        started = session_started(
            session_id, mode=mode, environment_ok=environment_ok, occurrence=occurrence
        )
        return AsyncSession(
            script=Script(session_id, exercise, context.clock),
            stream=Stream(self._device, self._options.stream, session_id),
            context=context,
            patient=patient,
            started=started,
            options=self._options.stream,
        )

    @property
    def spool(self) -> Spool | None:
        """What waits on disk, and what of it was dropped or refused; None without one."""
        return self._outbox if isinstance(self._outbox, Spool) else None

    @property
    def waiting(self) -> int:
        """Streamed events without a verdict; with a spool also those of earlier runs."""
        return self._device.waiting

    async def drained(self, timeout_s: float) -> None:
        """Wait until no streamed event waits any more. Raises TimedOut, or what keeps the client
        from sending."""
        await self._device.drained(timeout_s)

    # reading

    async def lag(self) -> projections_pb.GetLagResponse:
        """How far the read models are behind the log. Raises RehabError."""
        return await self._calls.unary(self._projections.GetLag, projections_pb.GetLagRequest())
