"""What is refused is kept, and not what may not be."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest_asyncio

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_ingest.quarantine import KEPT_OF_A_CALLER, Quarantine
from rehab_runtime.auth import Principal, bearer
from rehab_runtime.clock import SystemClock
from rehab_runtime.embedded import Postgres
from rehab_runtime.errors import ConsentNotInForce, InvalidArgument, Violation
from tests.ingest.front import METADATA, Device, Front, fronted
from tests.ingest.given import CLINIC, PATIENT, rep

CALLER = Principal(PATIENT, "patient", CLINIC, patient_id=PATIENT)
REFUSAL = InvalidArgument(violations=[Violation("envelope.kind", "kind.known", "must be known")])


@pytest_asyncio.fixture
async def front(postgres: Postgres, nats_url: str) -> AsyncIterator[Front]:
    async with fronted(postgres, nats_url) as made:
        yield made


def unknown() -> Event:
    event = rep()
    event.envelope.kind = "telepathy"
    return event


async def test_a_refused_event_is_kept_whole_and_sealed_before_it_is_acknowledged(
    front: Front,
) -> None:
    device, bad = front.device(), unknown()
    await device.hello()
    await device.send(1, bad)
    await device.settled(1)
    (stored,) = await front.log.read_stream(PATIENT)
    assert stored.envelope.phi
    (kept,) = await front.quarantined()
    assert kept.held.reason == "ERROR_REASON_UNKNOWN_KIND"
    assert list(kept.held.rules) == ["envelope.kind: kind.known"]
    assert kept.held.event_id == bad.envelope.event_id
    again = Event.FromString(kept.held.event)
    again.envelope.ClearField("device_epoch")
    again.envelope.ClearField("device_seq")
    assert again == bad


async def test_the_same_refusal_is_kept_once_however_often_it_is_sent(front: Front) -> None:
    bad = unknown()
    for _ in range(3):
        request = pb.LogEventsRequest(events=[bad, rep()])
        verdicts = (await front.stub.LogEvents(request, metadata=METADATA, timeout=5)).verdicts
        assert verdicts[0].HasField("failure")
        assert verdicts[1].HasField("stored")
    assert len(await front.quarantined()) == 1


async def test_without_consent_only_the_refusal_is_kept(front: Front) -> None:
    bad = rep()
    bad.envelope.consent_id = ""
    device = front.device()
    await device.hello()
    await device.send(1, bad)
    await device.settled(1)
    (kept,) = await front.quarantined()
    assert kept.held.reason == "ERROR_REASON_CONSENT_MISSING"
    assert kept.held.event == b""


async def test_nothing_is_kept_in_the_stream_of_another_patient(front: Front) -> None:
    other = (bearer(Principal("patient-2", "patient", CLINIC)),)
    device = Device(front.stub, other)
    await device.hello(device="phone-2")
    await device.send(1, unknown())
    await device.settled(1)
    assert len(device.rejects) == 1
    assert await front.log.read_stream(PATIENT) == []
    assert await front.log.read_stream("patient-2") == []


def test_an_app_with_a_fault_does_not_fill_the_log() -> None:
    quarantine = Quarantine(SystemClock())
    kept = [quarantine.kept(unknown(), REFUSAL, CALLER) for _ in range(1000)]
    assert sum(one is not None for one in kept) <= KEPT_OF_A_CALLER.requests.burst + 60


def test_what_no_consent_covers_has_no_content() -> None:
    told = Quarantine(SystemClock()).kept(rep(), ConsentNotInForce(), CALLER)
    assert told is not None
    assert told.body.quarantine.held.event == b""


def test_what_its_sender_could_never_say_is_kept_without_its_content() -> None:
    """Whoever sends it again after a fix would say it for them."""
    quarantine = Quarantine(SystemClock())
    emergency, foreign = rep(), rep(clinic="clinic-2")
    emergency.envelope.kind = "break_glass"
    for event in (emergency, foreign):
        told = quarantine.kept(event, REFUSAL, CALLER)
        assert told is not None
        assert told.body.quarantine.held.event == b""
