"""Devices' streams and simple calls over gRPC."""

from __future__ import annotations

import asyncio
import contextlib
import uuid
from collections.abc import AsyncIterator, Sequence
from functools import partial

import grpc
from google.protobuf.timestamp_pb2 import Timestamp

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1 import ingest_service_pb2_grpc as pb_grpc
from rehab_ingest import metrics
from rehab_ingest.admission import AGAIN, Admission, Prepared, Verdict
from rehab_ingest.domain.tokens import Tokens
from rehab_ingest.registry import Registry
from rehab_ingest.rights import Rights
from rehab_ingest.settings import Settings
from rehab_ingest.storage import Storage
from rehab_ingest.stream import DeviceStream, Terms, draining
from rehab_runtime.auth import Principal, current_principal
from rehab_runtime.channels import MAX_MESSAGE_BYTES
from rehab_runtime.clock import Clock
from rehab_runtime.errors import (
    InvalidArgument,
    Overloaded,
    PermissionDenied,
    ProtocolViolation,
    RehabError,
    ResumeTokenInvalid,
    Violation,
    to_failure,
)
from rehab_runtime.limits import Limiter
from rehab_runtime.validation import require_valid

RETRY_S = 0.05
METHOD = "/rehab.ingest.v1.IngestService/LogEvents"


class IngestServicer(pb_grpc.IngestServiceServicer):
    def __init__(
        self,
        settings: Settings,
        admission: Admission,
        storage: Storage,
        registry: Registry,
        tokens: Tokens,
        limiter: Limiter,
        rights: Rights,
        clock: Clock,
    ) -> None:
        self._settings = settings
        self._admission = admission
        self._storage = storage
        self._registry = registry
        self._tokens = tokens
        self._limiter = limiter
        self._rights = rights
        self._clock = clock

    async def StreamObservations(
        self,
        requests: AsyncIterator[pb.StreamObservationsRequest],
        context: grpc.aio.ServicerContext,
    ) -> AsyncIterator[pb.StreamObservationsResponse]:
        if self._registry.draining:
            raise draining()
        if len(self._registry) >= self._settings.max_streams:
            raise Overloaded("as many devices stream as this replica takes", retry_after_s=1)
        requests = aiter(requests)
        hello = await self._hello(requests)
        stream, refused = await self._open(hello)
        if refused is not None:
            yield pb.StreamObservationsResponse(
                reject=pb.Reject(seq=0, failure=to_failure(refused))
            )
        yield self._welcome(stream)
        async for response in self._converse(stream, requests):
            yield response
        error = stream.ended.result()
        if error is not None:
            raise error

    async def _hello(self, requests: AsyncIterator[pb.StreamObservationsRequest]) -> pb.Hello:
        try:
            async with asyncio.timeout(self._settings.hello_s):
                request = await anext(requests)
        except StopAsyncIteration:
            request = pb.StreamObservationsRequest()
        except TimeoutError:
            rule = Violation("content", "protocol.hello_in_time", "hello must come at once")
            raise ProtocolViolation(violations=[rule]) from None
        if request.WhichOneof("content") != "hello":
            rule = Violation("content", "protocol.hello", "the first message must be hello")
            raise ProtocolViolation(violations=[rule])
        require_valid(request.hello, "hello")
        _require_clinic(request.hello.clinic_id, "hello.clinic_id")
        self._require_own_device(request.hello)
        return request.hello

    def _require_own_device(self, hello: pb.Hello) -> None:
        """An enrolled device speaks for itself."""
        caller = current_principal()
        if caller.role == "device" and caller.patient_id and caller.id != hello.device_id:
            rule = Violation("hello.device_id", "device.own", "must be the device that calls")
            raise PermissionDenied(violations=[rule])

    async def _open(self, hello: pb.Hello) -> tuple[DeviceStream, RehabError | None]:
        """The device's stream, taken over from whoever had it; and what of its hello is refused."""
        refused: RehabError | None = None
        acked = hello.last_seq
        if hello.resume_token:
            proved = self._tokens.read(hello)
            if proved is None:
                rule = Violation(
                    "hello.resume_token", "resume_token.issued", "must be one issued to this device"
                )
                refused = ResumeTokenInvalid(violations=[rule])
            acked = proved or 0
        owner = uuid.uuid4()
        cursor = await self._storage.claim(
            owner, hello.clinic_id, hello.device_id, hello.epoch, acked
        )
        if cursor is None:
            rule = Violation(
                "hello.epoch",
                "epoch.newest",
                "must not be lower than the newest epoch of the device",
            )
            raise ProtocolViolation(violations=[rule])
        settings, caller = self._settings, current_principal()
        stream = DeviceStream(
            hello,
            cursor,
            self._admission,
            self._tokens,
            Terms(
                window=settings.window_events,
                max_batch=settings.max_batch_events,
                idle_s=settings.idle_s,
                max_age_s=settings.max_age_s,
            ),
            caller,
            self._rights,
            partial(self._wait_of, caller),
            self._clock,
        )
        self._registry.add(stream)
        return stream, refused

    async def _wait_of(self, caller: Principal, requests: int, size: int) -> float:
        """Seconds that the caller has to wait; services of the suite have limits of their own."""
        if caller.role == "service":
            return 0.0
        return await self._limiter.take(f"{caller.clinic_id}:{caller.id}", requests, size)

    async def _within_limits(self, size: int) -> None:
        wait = await self._wait_of(current_principal(), 1, size)
        if wait > 0:
            raise Overloaded("the caller does more than it may", retry_after_s=wait)

    def _welcome(self, stream: DeviceStream) -> pb.StreamObservationsResponse:
        settings = self._settings
        now = Timestamp()
        now.FromDatetime(self._clock.now())
        welcome = pb.Welcome(
            acked_seq=stream.sequence.settled,
            window=settings.window_events,
            limits=pb.Limits(
                max_batch_events=settings.max_batch_events,
                max_event_bytes=settings.max_event_bytes,
                max_message_bytes=MAX_MESSAGE_BYTES,
            ),
            server_time=now,
            resume_token=stream.token,
        )
        return pb.StreamObservationsResponse(welcome=welcome)

    async def _converse(
        self, stream: DeviceStream, requests: AsyncIterator[pb.StreamObservationsRequest]
    ) -> AsyncIterator[pb.StreamObservationsResponse]:
        metrics.streams.inc()
        work = (stream.read(requests), stream.settle(), stream.grow_old())
        tasks = [asyncio.create_task(one) for one in work]
        for task in tasks:
            task.add_done_callback(lambda done: _fall(stream, done))
        try:
            async for response in stream.responses():
                yield response
        finally:
            metrics.streams.dec()
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await self._registry.remove(stream)

    async def LogEvent(
        self, request: pb.LogEventRequest, context: grpc.aio.ServicerContext
    ) -> pb.LogEventResponse:
        await self._within_limits(request.ByteSize())
        require_valid(request, "")
        verdict = (await self._log([request.event]))[0]
        if isinstance(verdict, RehabError):
            raise _within(verdict, "event")
        return _stored(verdict)

    async def LogEvents(
        self, request: pb.LogEventsRequest, context: grpc.aio.ServicerContext
    ) -> pb.LogEventsResponse:
        await self._within_limits(request.ByteSize())
        require_valid(request, "")
        response = pb.LogEventsResponse()
        for verdict in await self._log(request.events):
            if isinstance(verdict, RehabError):
                response.verdicts.add(failure=to_failure(verdict))
            else:
                response.verdicts.add(stored=_stored(verdict))
        return response

    async def _log(self, events: Sequence[Event]) -> list[Verdict]:
        caller = current_principal()
        service = caller.role == "service"
        if not service:
            for event in events:  # only a stream's hello tells how a device's clock stands
                event.envelope.ClearField("clock_skew_ms")
        clinics = (event.envelope.clinic_id if service else caller.clinic_id for event in events)
        checked = [
            (event, self._admission.check(event, clinic))
            for event, clinic in zip(events, clinics, strict=True)
        ]
        prepared: Prepared | None = None
        deadline = self._clock.monotonic() + self._settings.call_timeout_s
        while True:
            try:
                if prepared is None:
                    allowed = await self._rights.checked(checked, caller, METHOD)
                    prepared = self._admission.prepared(allowed, caller)
                return await self._admission.settle(prepared)
            except AGAIN:
                if self._clock.monotonic() > deadline:
                    raise
                await asyncio.sleep(RETRY_S)


def _require_clinic(clinic_id: str, field: str) -> None:
    if not current_principal().may_act_for(clinic_id):
        raise PermissionDenied(
            violations=[Violation(field, "clinic.own", "must be the caller's clinic")]
        )


def _within(error: RehabError, prefix: str) -> RehabError:
    error.violations = tuple(
        Violation(f"{prefix}.{item.field}", item.rule, item.message) for item in error.violations
    )
    return error


def _stored(verdict: Verdict) -> pb.LogEventResponse:
    if isinstance(verdict, RehabError):
        raise InvalidArgument
    return pb.LogEventResponse(
        shard=verdict.shard,
        position=verdict.position,
        stream_version=verdict.stream_version,
        duplicate=verdict.duplicate,
    )


def _fall(stream: DeviceStream, task: asyncio.Task[None]) -> None:
    """A task of the conversation that fails ends it: never half alive."""
    with contextlib.suppress(asyncio.CancelledError):
        error = task.exception()
        if error is not None:
            stream.end(error if isinstance(error, RehabError) else None)
