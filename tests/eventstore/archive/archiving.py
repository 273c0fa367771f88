"""A caller of the archive's service, and what the tests of the archive look at."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import asyncpg
import grpc

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import archive_service_pb2 as pb
from rehab.eventstore.v1 import proof_service_pb2 as proof_pb
from rehab.eventstore.v1.archive_service_pb2_grpc import ArchiveServiceStub
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_eventstore.settings import Settings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.errors import from_rpc_error
from tests.eventstore.given import append, event
from tests.eventstore.store import Store, settings_for

SEALED = {"phi": True, "consent_id": "c-1"}


class Archiving:
    """Calls the archive's service of a store; raises the RehabError that it answers."""

    def __init__(self, of: Store, principal: Principal | None = None) -> None:
        self._stub = ArchiveServiceStub(of.connection)
        self._metadata = (bearer(principal or service_principal("cli")),)

    async def archive(self, **asked: Any) -> pb.ArchiveEventsResponse:
        return await self._last("ArchiveEvents", pb.ArchiveEventsRequest(**asked))

    async def restore(self, **asked: Any) -> pb.RestoreEventsResponse:
        return await self._last("RestoreEvents", pb.RestoreEventsRequest(**asked))

    async def segments(self, **asked: Any) -> Sequence[pb.Segment]:
        try:
            answer = await self._stub.ListSegments(
                pb.ListSegmentsRequest(**asked), metadata=self._metadata, timeout=20
            )
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None
        return list(answer.segments)

    async def _last(self, rpc: str, request: Any) -> Any:
        call = getattr(self._stub, rpc)(request, metadata=self._metadata, timeout=30)
        try:
            return [step async for step in call][-1]
        except grpc.aio.AioRpcError as error:
            raise from_rpc_error(error) from None


def archived_settings(dsn: str, nats_url: str, folder: Path, **more: Any) -> Settings:
    """A store with an archive in a folder, whose segments and pages are small."""
    told = {
        "archive_url": folder.as_uri(),
        "archive_runs": 4,
        "archive_segment_events": 40,
        "archive_lease_s": 0.5,
        "lease_s": 0.6,
        "page_events": 7,
        "checkpoint_ms": 20,
    }
    return settings_for(dsn, nats_url, **{**told, **more})


async def fill(made: Store, count: int, streams: int = 6, prefix: str = "patient") -> list[Any]:
    """So many appends of an event each, taking turns among streams, every second one sealed. The
    requests are returned, to be sent again."""
    sent = []
    for number in range(count):
        stream = f"{prefix}-{number % streams}"
        more = SEALED if number % 2 else {}
        kind = "alert" if number % 5 == 0 else "pain_report"
        request = append(stream, event(stream, b"body %d " % number * 5, kind=kind, **more))
        sent.append(
            (type(request).FromString(request.SerializeToString()), await made.append(request))
        )
    await published(made)
    return sent


async def published(made: Store) -> None:
    """Until the broker has everything: what it has not is not archived."""
    async with asyncio.timeout(10):
        while (head := await made.head()).published < head.position:
            await asyncio.sleep(0.01)


async def verdict_of(made: Store) -> proof_pb.Verdict:
    steps = ProofServiceStub(made.connection).VerifyLog(
        proof_pb.VerifyLogRequest(), metadata=(bearer(service_principal("cli")),), timeout=60
    )
    return [step async for step in steps][-1].verdict


async def clean(made: Store) -> bool:
    """Whether the whole log is what was written."""
    verdict = await verdict_of(made)
    assert not verdict.HasField("finding"), verdict.finding
    return bool(verdict.verified == (await made.head()).position)


async def slim(dsn: str) -> list[int]:
    """Positions whose rows have given their contents up."""
    rows = await fetch(
        dsn,
        "SELECT position, meta, body FROM events WHERE segment IS NOT NULL ORDER BY position",
    )
    assert all(row["meta"] == row["body"] == b"" for row in rows)
    return [row["position"] for row in rows]


async def table(dsn: str) -> list[tuple[Any, ...]]:
    """Every row, in order of positions, as it stands; the log's own stream left out."""
    rows = await fetch(dsn, "SELECT * FROM events WHERE kind <> 'archive' ORDER BY position")
    return [tuple(row) for row in rows]


async def fetch(dsn: str, query: str, *arguments: object) -> list[asyncpg.Record]:
    connection = await asyncpg.connect(dsn)
    try:
        return list(await connection.fetch(query, *arguments))
    finally:
        await connection.close()


def told(events: Sequence[RecordedEvent]) -> list[bytes]:
    return [one.SerializeToString(deterministic=True) for one in events]
