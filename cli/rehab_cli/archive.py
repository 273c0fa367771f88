"""`rehab log archive`, `restore` and `segments`: old events in object storage, and back."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from typing import Annotated, Any

import grpc
import typer
from rich.table import Table

from rehab.eventstore.v1 import archive_service_pb2 as pb
from rehab.eventstore.v1.archive_service_pb2_grpc import ArchiveServiceStub
from rehab_cli.addresses import Addresses
from rehab_cli.asking import METADATA, TIMEOUT_S, asking, shards_of
from rehab_cli.bars import bar
from rehab_cli.commands import AskedPort, DataDir, find, run
from rehab_cli.console import out
from rehab_cli.errors import SuiteError

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
PAGE = 1000
_AGE = re.compile(r"(\d{1,6})([mhdw])")


def archive(
    before: Annotated[
        str, typer.Option(help="Recorded so long ago, 90d (m, h, d, w), or before a moment.")
    ] = "",
    until_position: Annotated[int, typer.Option(min=0, help="Last position of each shard.")] = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Move old events to object storage; they stay part of the log. May be interrupted."""
    run(lambda: _archive(find(data, port_base), before, until_position))


def restore(
    segment: Annotated[str, typer.Option(help="One of: rehab log segments.")] = "",
    first: Annotated[int, typer.Option("--from", min=0, help="First position.")] = 0,
    last: Annotated[int, typer.Option("--to", min=0, help="Last position; 0 for the end.")] = 0,
    data: DataDir = None,
    port_base: AskedPort = 0,
) -> None:
    """Bring events back from object storage, exactly as they were. May be interrupted."""
    run(lambda: _restore(find(data, port_base), segment, first, last))


def segments(data: DataDir = None, port_base: AskedPort = 0) -> None:
    """What is in the archive."""
    run(lambda: _segments(find(data, port_base)))


def moment_of(told: str, now: datetime) -> datetime:
    """An age as 90d, or a moment in ISO 8601 with its zone. Raises SuiteError."""
    age = _AGE.fullmatch(told)
    try:
        if age is not None:
            return now - timedelta(**{UNITS[age[2]]: int(age[1])})
        moment = datetime.fromisoformat(told)
    except (ValueError, OverflowError):
        moment = None
    if moment is None or moment.tzinfo is None:
        raise SuiteError(
            f"{told} is neither an age, as 90d, nor a moment with its zone, as "
            "2026-03-02T10:00:00+01:00"
        )
    return moment


async def _archive(addresses: Addresses, before: str, until_position: int) -> int:
    if not before and not until_position:
        raise SuiteError("say what is old enough: --before 90d, or --until-position N")
    async with asking(addresses.eventstore) as connection:
        stub = ArchiveServiceStub(connection)
        for shard in range(await shards_of(connection)):
            request = pb.ArchiveEventsRequest(shard=shard, until_position=until_position)
            if before:
                request.before.FromDatetime(moment_of(before, datetime.now(UTC)))
            last = await _followed(stub.ArchiveEvents(request, metadata=METADATA))
            out.print(
                f"shard {shard}: {last.events:,} events archived in {last.segments:,} segments "
                f"({last.size_bytes:,} bytes)"
            )
    return 0


async def _restore(addresses: Addresses, segment: str, first: int, last: int) -> int:
    # a segment's name begins with the number of its shard
    own = int(segment.partition(".")[0]) if segment.partition(".")[0].isdecimal() else 0
    async with asking(addresses.eventstore) as connection:
        stub = ArchiveServiceStub(connection)
        for shard in [own] if segment else range(await shards_of(connection)):
            request = pb.RestoreEventsRequest(
                shard=shard, segment=segment, from_position=first, to_position=last
            )
            told = await _followed(stub.RestoreEvents(request, metadata=METADATA))
            out.print(
                f"shard {shard}: {told.events:,} events restored from {told.segments:,} segments"
            )
    return 0


async def _followed(steps: AsyncIterator[Any]) -> Any:
    """Show how far it is; the last step is returned."""
    step = pb.ArchiveEventsResponse()
    with bar("events") as moved:
        async for step in steps:
            moved(step.events, step.total, f"{step.segments} segments")
    return step


async def _segments(addresses: Addresses) -> int:
    table = Table("segment", "state", "events", "bytes", "slices", "positions", box=None)
    async with asking(addresses.eventstore) as connection:
        for shard in range(await shards_of(connection)):
            async for one in _listed(connection, shard):
                state = pb.SegmentState.Name(one.state).removeprefix("SEGMENT_STATE_").lower()
                table.add_row(
                    one.name,
                    state,
                    f"{one.events:,}",
                    f"{one.size_bytes:,}",
                    f"{one.first_slice}-{one.last_slice}",
                    f"{one.first_position:,}-{one.last_position:,}",
                )
    out.print(table)
    return 0


async def _listed(connection: grpc.aio.Channel, shard: int) -> AsyncIterator[pb.Segment]:
    stub, after = ArchiveServiceStub(connection), ""
    while True:
        request = pb.ListSegmentsRequest(shard=shard, after=after, limit=PAGE)
        answer = await stub.ListSegments(request, metadata=METADATA, timeout=TIMEOUT_S)
        for one in answer.segments:
            yield one
        if len(answer.segments) < PAGE:
            return
        after = answer.segments[-1].name
