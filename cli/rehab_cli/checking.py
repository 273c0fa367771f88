"""Whether what was sent stands in the log and in the read models: nothing less, nothing else."""

from __future__ import annotations

import asyncio
import math
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Envelope
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab_cli.addresses import Addresses
from rehab_cli.clinic import ExerciseExpectation, PatientExpectation
from rehab_cli.demo import Demo, Source, source_of
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_sdk import AsyncRehab

AT_ONCE = 8
READ_TIMEOUT_S = 120.0
RELATIVE, ABSOLUTE = 1e-6, 1e-9
POLICY = "policy"
"""It adds events of its own to patients' streams: alerts, nudges and cues."""
METADATA = (bearer(service_principal("cli")),)

Figure = tuple[str, object, object]
"""A name, what is expected, what was read."""


@dataclass(frozen=True)
class Difference:
    """A figure that is not what happened. `who` is a patient, or a device and a patient."""

    who: str
    figure: str
    expected: object
    read: object

    def __str__(self) -> str:
        return f"{self.who}: {self.figure} is {self.read}, not {self.expected}"


@dataclass(frozen=True)
class Verdict:
    """How many events there are at each station, and every figure that is not what it must be."""

    sent: int
    acked: int
    stored: int
    projected: int
    head: int
    differences: Sequence[Difference]

    @property
    def good(self) -> bool:
        same = self.sent == self.acked == self.stored and self.projected == self.head
        return same and not self.differences


async def verdict(demo: Demo) -> Verdict:
    """Wait until the read models show everything, then compare. Raises RehabError when the suite
    does not answer, TimeoutError when the read models do not come after."""
    lag = await demo.projected()
    stored = await stored_ids(demo.addresses, demo.clinic.id)
    differences = [*_of_the_log(demo.sent, stored), *await _of_read_models(demo)]
    return Verdict(
        sent=demo.progress.sent,
        acked=demo.progress.acked,
        stored=sum(len(ids) for ids in stored.values()),
        projected=lag.projected,
        head=lag.stored,
        differences=differences,
    )


async def stored_ids(addresses: Addresses, clinic_id: str) -> dict[Source, list[str]]:
    """The ids of a clinic's events by their source, in the log's order. Raises RuntimeError where
    a position is missing."""
    ids: dict[Source, list[str]] = defaultdict(list)
    async with channel(addresses.eventstore) as connection:
        stub = EventStoreServiceStub(connection)
        head = await stub.GetHead(
            store_pb.GetHeadRequest(), metadata=METADATA, timeout=READ_TIMEOUT_S
        )
        for shard in range(head.shards):
            async for envelope in _envelopes(stub, shard):
                if envelope.clinic_id == clinic_id and envelope.actor.id != POLICY:
                    ids[source_of(envelope)].append(envelope.event_id)
    return ids


async def _envelopes(stub: EventStoreServiceStub, shard: int) -> AsyncIterator[Envelope]:
    request = store_pb.ReadAllRequest(shard=shard)
    position = 0
    async for page in stub.ReadAll(request, metadata=METADATA, timeout=READ_TIMEOUT_S):
        for event in page.events:
            position += 1
            if event.envelope.position != position:
                raise RuntimeError(f"position {position} of shard {shard} is missing in the log")
            yield event.envelope


def _of_the_log(
    sent: Mapping[Source, list[str]], stored: Mapping[Source, list[str]]
) -> Iterator[Difference]:
    """What a device told of a patient is stored once, and in the order told."""
    for source in sorted({*sent, *stored}):
        ours, theirs = sent.get(source, []), stored.get(source, [])
        if ours != theirs:
            lost, extra = len({*ours} - {*theirs}), len({*theirs} - {*ours})
            doubled = len(theirs) - len({*theirs})
            read = f"{lost} lost, {extra} unknown, {doubled} doubled, or another order"
            who, wanted = " of ".join(source), f"the {len(ours)} sent, in order"
            yield Difference(who, "what the log has", wanted, read)


async def _of_read_models(demo: Demo) -> list[Difference]:
    expected = demo.oracle.expectation(demo.end)
    turn = asyncio.Semaphore(AT_ONCE)
    who_treats = {one.id: one.therapist.id for one in demo.clinic.patients}
    async with AsyncExitStack() as stack:
        desks = {
            therapist: await stack.enter_async_context(demo.desk(therapist))
            for therapist in {*who_treats.values()}
        }

        async def compare(patient: str, told: PatientExpectation) -> list[Difference]:
            async with turn:
                figures = await _figures(desks[who_treats[patient]], patient, told, demo)
            return [
                Difference(patient, name, wanted, read)
                for name, wanted, read in figures
                if not _same(wanted, read)
            ]

        found = await asyncio.gather(*(compare(*one) for one in expected.patients.items()))
    return [difference for of_patient in found for difference in of_patient]


async def _figures(
    desk: AsyncRehab, patient: str, told: PatientExpectation, demo: Demo
) -> list[Figure]:
    """What the read models say of a patient, beside what the simulation did."""
    written = demo.progress.newest.positions
    adherence = await desk.patients.adherence(
        patient, days="whole_plan", as_of=demo.end, min_position=written
    )
    quality = await desk.patients.quality(
        patient, days="whole_plan", as_of=demo.end, min_position=written
    )
    sessions = [session async for session in desk.patients.sessions(patient)]
    pain = quality.pain
    figures: list[Figure] = [
        ("sessions", told.sessions, len(sessions)),
        ("due", told.due, adherence.due),
        ("started", told.started, adherence.started),
        ("full", told.full, adherence.full),
        ("dose ratio", told.dose_ratio, _optional(adherence, "dose_ratio")),
        ("pain reports", told.pain_reports, pain.reports),
        ("latest pain", told.latest_pain, _optional(pain, "latest")),
    ]
    read = {(one.exercise_id, one.side): one for one in quality.exercises}
    for key in sorted({*told.exercises, *read}):
        figures += _of_exercise(key[0], told.exercises.get(key), read.get(key))
    return figures


def _of_exercise(
    name: str, told: ExerciseExpectation | None, read: read_pb.ExerciseQuality | None
) -> list[Figure]:
    if told is None or read is None:
        return [(name, "observed" if told else "not observed", "observed" if read else "absent")]
    return [
        (f"{name}: reps", told.reps, read.reps),
        (f"{name}: scored", told.scored, read.scored),
        (f"{name}: good", told.good, read.good),
        (f"{name}: median score", told.median_score, _optional(read, "median_score")),
        (f"{name}: p90 of range", told.p90_rom_deg, _optional(read, "p90_rom_deg")),
    ]


def _optional(message: Message, field: str) -> Any:
    return getattr(message, field) if message.HasField(field) else None


def _same(wanted: object, read: object) -> bool:
    """Counts exactly; ratios and percentiles as far as floating point goes."""
    if isinstance(wanted, float) and isinstance(read, float):
        return math.isclose(wanted, read, rel_tol=RELATIVE, abs_tol=ABSOLUTE)
    return wanted == read
