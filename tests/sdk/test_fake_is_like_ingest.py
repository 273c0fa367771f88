"""What rehab_sdk.testing answers, ingest answers: the same scenarios on both, word for word where
programs read the words."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from typing import Any

import grpc
import pytest

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk import dev_token, errors, events
from rehab_sdk.errors import RehabError
from rehab_sdk.events import Actor, Context
from rehab_sdk.testing import FakeRehab
from tests.sdk.clinic import Clinic
from tests.sdk.given import CLINIC, CONSENT

pytestmark = pytest.mark.asyncio(loop_scope="module")
Fact = Any
Request = pb.StreamObservationsRequest


class Side:
    """One of the two servers, and one patient's events there."""

    def __init__(self, stub: IngestServiceStub, patient: str) -> None:
        self.stub = stub
        self.patient = patient
        self.context = Context(
            CLINIC, Actor(patient, "patient"), f"phone-of-{patient}", CONSENT, "Europe/Berlin"
        )
        self.metadata = (("authorization", f"Bearer {dev_token('patient', CLINIC, patient)}"),)

    def pain(self, nprs: int = 3) -> Event:
        return self.context.event(self.patient, events.pain(nprs, phase="post"))

    def hello(self, **more: Any) -> Request:
        told = {"clinic_id": CLINIC, "device_id": f"phone-of-{self.patient}", "epoch": 5, **more}
        return Request(hello=pb.Hello(**told))

    async def log(self, event: Event) -> Fact:
        return await self._fact(self.stub.LogEvent, pb.LogEventRequest(event=event))

    async def log_many(self, told: Sequence[Event]) -> Fact:
        return await self._fact(self.stub.LogEvents, pb.LogEventsRequest(events=told))

    async def _fact(self, method: Any, request: Any) -> Fact:
        try:
            return described(await method(request, metadata=self.metadata, timeout=30))
        except grpc.aio.AioRpcError as failed:
            return described(errors.from_rpc_error(failed)), failed.code()

    @contextlib.asynccontextmanager
    async def call(self, *requests: Request) -> AsyncIterator[Any]:
        call: Any = self.stub.StreamObservations(metadata=self.metadata)
        try:
            for request in requests:
                await call.write(request)
            yield call
        finally:
            call.cancel()

    async def converse(self, *requests: Request) -> Fact:
        """Everything a server says to these until it has ended the call."""
        heard: list[Fact] = []
        async with self.call() as call, asyncio.timeout(30):
            try:
                for request in requests:
                    await call.write(request)
                await call.done_writing()
            except (asyncio.InvalidStateError, grpc.aio.AioRpcError):
                pass  # it ended the call before; why is read below
            try:
                while isinstance(message := await call.read(), pb.StreamObservationsResponse):
                    heard.append(described(message))
            except grpc.aio.AioRpcError as failed:
                heard.append((described(errors.from_rpc_error(failed)), failed.code()))
        return settled(heard)


def described(answer: Any) -> Fact:
    """What a program goes by: no positions of the whole log, no tokens, no times, and no versions
    of the stream, in which ingest keeps what it refused."""
    match answer:
        case RehabError():
            rules = [(one.field, one.rule, one.message) for one in answer.violations]
            own = {"bytes", "event_id"}  # each side makes events of its own
            metadata = {key: key in own or told for key, told in answer.metadata.items()}
            return type(answer).__name__, answer.reason, rules, metadata
        case pb.LogEventResponse():
            return "stored", answer.duplicate
        case pb.LogEventsResponse():
            return [
                described(one.stored)
                if one.HasField("stored")
                else described(errors.from_failure(one.failure))
                for one in answer.verdicts
            ]
        case pb.StreamObservationsResponse():
            return said(answer)
    raise AssertionError(answer)


def said(response: pb.StreamObservationsResponse) -> Fact:
    content = response.WhichOneof("content")
    match content:
        case "welcome":
            welcome = response.welcome
            return "welcome", welcome.acked_seq, welcome.window, str(welcome.limits)
        case "ack":
            return "ack", response.ack.seq
        case "reject":
            reject = response.reject
            verdict = described(errors.from_failure(reject.failure))
            return "reject", reject.seq, bool(reject.event_id), verdict
    return content


def settled(heard: Sequence[Fact]) -> list[Fact]:
    """How often a server acknowledges is its own affair: what counts is how far."""
    acks = [fact for fact in heard if fact[0] == "ack"]
    return [fact for fact in heard if fact[0] != "ack"] + acks[-1:]


def batch(first_seq: int, *told: Event) -> Request:
    return Request(batch=pb.Batch(first_seq=first_seq, events=told))


# scenarios


async def an_event_is_stored_once(side: Side) -> Fact:
    event = side.pain()
    facts = [await side.log(event), await side.log(event), await side.log(side.pain())]
    request = pb.LogEventRequest(event=side.pain())
    answer = await side.stub.LogEvent(request, metadata=side.metadata, timeout=30)
    return [*facts, answer.stream_version]


async def an_id_is_used_again(side: Side) -> Fact:
    first, second = side.pain(), side.pain(5)
    second.envelope.event_id = first.envelope.event_id
    return [await side.log(first), await side.log(second)]


async def rules_are_broken(side: Side) -> Fact:
    high, nameless, nowhere = side.pain(), side.pain(), side.pain()
    high.body.pain_report.nprs = 11
    nameless.envelope.ClearField("actor")
    nowhere.envelope.clinic_id = "another-clinic"
    many = [high, nameless, side.pain(), nowhere]
    return [await side.log(high), await side.log(nowhere), await side.log_many(many)]


async def consent_is_missing(side: Side) -> Fact:
    event = side.pain()
    event.envelope.consent_id = ""
    return [await side.log(event), await side.log_many([event])]


async def kinds_are_unknown(side: Side) -> Fact:
    newer, other, untrue = side.pain(), side.pain(), side.pain()
    newer.envelope.schema_version = 99
    other.envelope.kind = "something_new"
    untrue.envelope.phi = False
    return await side.log_many([newer, other, untrue])


async def events_are_too_large(side: Side) -> Fact:
    event = side.pain()
    event.body.pain_report.site = "x" * 300_000
    return await side.log_many([event, side.pain()])


async def calls_are_empty(side: Side) -> Fact:
    return [await side.log_many([]), await side.log(Event())]


async def nobody_calls(side: Side) -> Fact:
    side.metadata = ()  # type: ignore[assignment]
    # nothing is written: of a stream that is refused meanwhile grpc.aio tells an error of its own
    return [await side.log(side.pain()), await side.converse()]


async def a_stream_is_acknowledged(side: Side) -> Fact:
    told = [side.pain() for _ in range(5)]
    first = await side.converse(side.hello(), batch(1, *told[:3]), batch(4, *told[3:]))
    again = await side.converse(side.hello(), batch(4, told[3], told[4], side.pain()))
    return [first, again, await side.log(told[0])]


async def a_stream_refuses_one_event(side: Side) -> Fact:
    bad = side.pain()
    bad.body.pain_report.nprs = 11
    return await side.converse(side.hello(), batch(1, side.pain(), bad, side.pain()))


async def a_stream_begins_without_hello(side: Side) -> Fact:
    twice = await side.converse(side.hello(), side.hello())
    return [await side.converse(batch(1, side.pain())), await side.converse(), twice]


async def a_hello_breaks_rules(side: Side) -> Fact:
    return [
        await side.converse(side.hello(epoch=0)),
        await side.converse(side.hello(device_id="no spaces")),
        await side.converse(side.hello(clinic_id="another-clinic")),
        await side.converse(side.hello(resume_token="made up", last_seq=7)),
    ]


async def batches_break_rules(side: Side) -> Fact:
    return [
        await side.converse(side.hello(), batch(3, side.pain())),
        await side.converse(side.hello(), batch(0, side.pain())),
        await side.converse(side.hello(), batch(1)),
        await side.converse(side.hello(), batch(1, *(side.pain() for _ in range(501)))),
    ]


async def an_epoch_follows_another(side: Side) -> Fact:
    return [
        await side.converse(side.hello(epoch=5), batch(1, side.pain())),
        await side.converse(side.hello(epoch=6), batch(1, side.pain())),
        await side.converse(side.hello(epoch=5)),
    ]


async def a_resume_token_proves_how_far_a_device_came(side: Side) -> Fact:
    async with side.call(side.hello(), batch(1, side.pain(), side.pain())) as call:
        async with asyncio.timeout(30):
            while (message := await call.read()).ack.seq < 2:
                pass
    token = message.ack.resume_token
    return [
        bool(token),
        await side.converse(side.hello(resume_token=token)),
        await side.converse(side.hello(epoch=9, resume_token=token)),
    ]


async def a_device_streams_once(side: Side) -> Fact:
    async with side.call(side.hello()) as older, asyncio.timeout(30):
        welcome = described(await older.read())
        newer = await side.converse(side.hello(), batch(1, side.pain()))
        try:
            heard: Fact = await older.read()
        except grpc.aio.AioRpcError as failed:
            heard = described(errors.from_rpc_error(failed)), failed.code()
    return [welcome, newer, heard]


SCENARIOS: list[Callable[[Side], Awaitable[Fact]]] = [
    an_event_is_stored_once,
    an_id_is_used_again,
    rules_are_broken,
    consent_is_missing,
    kinds_are_unknown,
    events_are_too_large,
    calls_are_empty,
    nobody_calls,
    a_stream_is_acknowledged,
    a_stream_refuses_one_event,
    a_stream_begins_without_hello,
    a_hello_breaks_rules,
    batches_break_rules,
    an_epoch_follows_another,
    a_resume_token_proves_how_far_a_device_came,
    a_device_streams_once,
]


@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda one: one.__name__)
async def test_the_fake_and_ingest_answer_alike(
    suite: Clinic, patient: str, scenario: Callable[[Side], Awaitable[Fact]]
) -> None:
    facts: list[Fact] = []
    async with FakeRehab() as fake:
        for address in (fake.addresses["ingest"], suite.ingest):
            async with grpc.aio.insecure_channel(address) as channel:
                facts.append(await scenario(Side(IngestServiceStub(channel), patient)))
    assert facts[0] == facts[1]
    assert facts[0]
