"""The log's promises, over a real channel and a real PostgreSQL."""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import AsyncIterator, Sequence

import pytest
import pytest_asyncio

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_eventstore.main import running
from rehab_eventstore.settings import Settings
from rehab_runtime.auth import service_principal
from rehab_runtime.clock import uuid7
from rehab_runtime.errors import EventIdReused, InvalidArgument, VersionConflict
from rehab_runtime.eventlog import EventLog
from rehab_runtime.server import channel


@pytest_asyncio.fixture
async def log(database_dsn: str, nats_url: str) -> AsyncIterator[EventLog]:
    name = uuid.uuid4().hex[:8]
    settings = Settings(
        postgres_dsn=database_dsn,
        nats_url=nats_url,
        log_stream=f"LOG_{name}",
        subject_prefix=f"log_{name}",
        metrics_listen="",
        drain_s=1,
    )
    async with running(settings) as service, channel(service.address) as connection:
        yield EventLog(connection, service_principal("test"))


def new(stream: str, body: bytes = b"", event_id: str = "") -> pb.NewEvent:
    event = pb.NewEvent(body=body)
    envelope = event.envelope
    envelope.event_id = event_id or str(uuid7())
    envelope.clinic_id, envelope.subject_id = "clinic-1", stream
    envelope.kind, envelope.schema_version = "pain_report", 1
    envelope.occurred_at.FromJsonString("2026-03-01T10:00:00Z")
    return event


def append(stream: str, *events: pb.NewEvent, exactly: int | None = None) -> pb.AppendRequest:
    request = pb.AppendRequest(stream=stream, events=events)
    if exactly is None:
        request.expected.any.SetInParent()
    else:
        request.expected.exactly = exactly
    return request


async def versions(log: EventLog, stream: str) -> Sequence[int]:
    return [event.envelope.stream_version for event in await log.read_stream(stream)]


async def test_a_retry_is_answered_with_the_original_place_in_every_mode(log: EventLog) -> None:
    anyhow, exact = append("p", new("p")), append("q", new("q"), exactly=0)
    first = [await log.append(anyhow), await log.append(exact)]
    again = [await log.append(anyhow), await log.append(exact)]
    assert [one.first_position for one in again] == [one.first_position for one in first]
    assert [one.duplicate for one in again] == [True, True]
    assert await versions(log, "p") == await versions(log, "q") == [1]


async def test_the_same_id_with_other_content_is_refused(log: EventLog) -> None:
    event = new("p", b"one")
    await log.append(append("p", event))
    with pytest.raises(EventIdReused):
        await log.append(append("p", new("p", b"other", event.envelope.event_id)))
    assert await versions(log, "p") == [1]


async def test_a_version_that_is_not_the_expected_one_is_told_with_both(log: EventLog) -> None:
    await log.append(append("p", new("p"), new("p")))
    with pytest.raises(VersionConflict) as refused:
        await log.append(append("p", new("p"), exactly=1))
    assert refused.value.metadata["expected_version"] == "1"
    assert refused.value.metadata["actual_version"] == "2"


async def test_one_bad_append_of_a_batch_never_fails_its_neighbours(log: EventLog) -> None:
    bad = append("q", new("q"), exactly=9)
    verdicts = await log.batch_append([append("p", new("p")), bad, append("p", new("p"))])
    assert [verdict.WhichOneof("verdict") for verdict in verdicts] == [
        "appended",
        "failure",
        "appended",
    ]
    assert await versions(log, "p") == [1, 2]


async def test_an_event_of_another_subject_is_refused_by_field(log: EventLog) -> None:
    with pytest.raises(InvalidArgument) as refused:
        await log.append(append("p", new("q")))
    assert any("subject_id" in violation.field for violation in refused.value.violations)


async def test_positions_of_many_callers_are_gapless_and_streams_in_order(log: EventLog) -> None:
    async def caller(number: int) -> None:
        for _ in range(10):
            stream = f"p{number % 4}"
            await log.append(append(stream, new(stream)))

    await asyncio.gather(*(caller(number) for number in range(32)))
    events, head = await log.read_all(0, 1000)
    assert [event.envelope.position for event in events] == list(range(1, 321))
    assert head.position == 320
    for number in range(4):
        assert await versions(log, f"p{number}") == list(range(1, 81))


async def test_of_rivals_for_one_version_exactly_one_wins(log: EventLog) -> None:
    async def rival() -> bool:
        try:
            await log.append(append("p", new("p"), exactly=0))
        except VersionConflict:
            return False
        return True

    assert sum(await asyncio.gather(*(rival() for _ in range(20)))) == 1
