"""Walking a run of the chain, in a process of its own: only numbers and hashes come back."""

from __future__ import annotations

import asyncio
import multiprocessing
import struct
from collections.abc import Iterable, Mapping
from concurrent.futures import Executor, ProcessPoolExecutor
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import Envelope
from rehab_eventstore.domain.chain import Link, following
from rehab_eventstore.proof.archived import NO_ARCHIVE, ArchivedRows, ArchiveKeys, Locked
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_runtime.access.streams import is_audit
from rehab_runtime.children import begin
from rehab_runtime.errors import Unavailable
from rehab_runtime.postgres import AWAY, Queries
from rehab_runtime.slices import slice_of

NICE = 10
"""Verifying must not slow those who append."""
ROWS_AT_ONCE = 2000
POSTGRES_EPOCH_S = 946_684_800
"""PostgreSQL counts from 2000-01-01, in microseconds."""
UNREADABLE = (asyncpg.InternalServerError, UnicodeDecodeError)
"""A page, an index or a value that PostgreSQL or its driver cannot make sense of."""
_STAMP = struct.Struct(">q")


@dataclass(frozen=True)
class Run:
    """Positions after `after` up to `until`; `previous` is the hash stored before the first.
    `archive` opens what of them is archived."""

    shard: int
    after: int
    until: int
    previous: bytes
    archive: ArchiveKeys = NO_ARCHIVE


@dataclass
class Walked:
    """What came of a run. `versions` is, per stream, the first and the last version in it with
    the position of the first; `audit` of the events stand in audit streams. `locked`: events were
    archived since its keys were given; it is to be walked again."""

    verified: int = 0
    audit: int = 0
    finding: Finding | None = None
    versions: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    last: bytes = b""
    locked: bool = False


def processes(count: int) -> Executor:
    """Processes that give way to others, and end when the one that made them has."""
    context = multiprocessing.get_context("spawn")
    return ProcessPoolExecutor(count, mp_context=context, initializer=begin, initargs=(NICE,))


def walk(dsn: str, run: Run) -> Walked:
    """For an executor. Raises Unavailable when PostgreSQL does not answer."""
    try:
        return asyncio.run(_walk(dsn, run))
    except AWAY as error:
        raise Unavailable(f"PostgreSQL: {type(error).__name__}") from None


async def _walk(dsn: str, run: Run) -> Walked:
    query = Queries.load("rehab_eventstore", "proof.sql")["run"]
    connection = await asyncpg.connect(
        dsn, timeout=10, server_settings={"application_name": "eventstore-proof", "jit": "off"}
    )
    try:
        return await _follow(connection, query, run)
    finally:
        await connection.close(timeout=2)


async def _follow(connection: asyncpg.Connection, query: str, run: Run) -> Walked:
    walked = Walked(last=run.previous)
    archived = ArchivedRows(connection, run.archive)
    after, step = run.after, ROWS_AT_ONCE
    while after < run.until and walked.finding is None:
        until = min(run.until, after + step)
        try:
            rows = await connection.fetch(query, run.shard, after, until)
        except UNREADABLE:
            # halved until it is the one
            step = (until - after) // 2
            if not step:
                message = "PostgreSQL cannot read the event"
                walked.finding = Finding(until, Damage.UNREADABLE, message)
            continue
        try:
            whole, broken = await archived.filled(rows)
        except Locked:
            walked.locked = True
            return walked
        check(walked, whole, run.shard, after, until if broken is None else broken.position - 1)
        walked.finding = walked.finding or broken
        after = until
    return walked


def check(
    walked: Walked, rows: Iterable[Mapping[str, Any]], shard: int, after: int, until: int
) -> None:
    """Check the rows of some positions, in order; what is wrong first is noted."""
    expected = after + 1
    for row in rows:
        position = row["position"]
        if position != expected:
            walked.finding = (
                Finding(position, Damage.DOUBLED, "two events stand at this position")
                if position < expected
                else _missing(expected, position - 1)
            )
            return
        walked.finding = _wrong(walked, row, shard)
        if walked.finding is not None:
            return
        walked.verified += 1
        walked.audit += is_audit(row["stream_id"])
        expected += 1
    if expected <= until:
        walked.finding = _missing(expected, until)


def _missing(first: int, last: int) -> Finding:
    many = f"events {first} to {last} are" if last > first else f"event {first} is"
    return Finding(first, Damage.MISSING, f"{many} not there")


def _wrong(walked: Walked, row: Mapping[str, Any], shard: int) -> Finding | None:
    position = row["position"]
    try:
        chained = following(walked.last, link_of_row(row, shard))
    except struct.error:
        # a number that no event can have
        chained = b""
    if chained != row["hash"]:
        return Finding(
            position, Damage.CHANGED, "the event is not the one that was written at this position"
        )
    walked.last = chained
    stream, version = row["stream_id"], row["stream_version"]
    first, last, at = walked.versions.get(stream, (version, version - 1, position))
    if version != last + 1:
        return Finding(position, Damage.VERSION, f"version {version} follows version {last}")
    walked.versions[stream] = (first, version, at)
    return _wrong_column(row)


def _wrong_column(row: Mapping[str, Any]) -> Finding | None:
    position = row["position"]
    if row["slice"] != slice_of(row["stream_id"]):
        return Finding(position, Damage.COLUMN, "the slice is not that of the stream")
    try:
        told = Envelope.FromString(row["meta"]).occurred_at
    except DecodeError:
        return Finding(position, Damage.COLUMN, "the envelope cannot be read")
    if occurred_of_row(row) != stamp_of(told.seconds, told.nanos):
        return Finding(position, Damage.COLUMN, "occurred_at is not what the envelope says")
    size = row["archived_bytes"]
    if size not in (None, len(row["meta"]) + len(row["body"])):
        return Finding(position, Damage.COLUMN, "archived_bytes is not what is in the archive")
    if (size is None) != (row["segment"] is None):
        return Finding(position, Damage.COLUMN, "archived_bytes is there without a segment")
    return None


def stamp_of(seconds: int, nanos: int) -> int:
    """What PostgreSQL makes of a time since 1970 that comes to its to_timestamp as a double."""
    return round((seconds + nanos / 1e9 - POSTGRES_EPOCH_S) * 1e6)


def occurred_of_row(row: Mapping[str, Any]) -> int:
    """The column, in microseconds since 2000: what PostgreSQL holds, to the bit."""
    return int(_STAMP.unpack(row["occurred_at"])[0])


def link_of_row(row: Mapping[str, Any], shard: int) -> Link:
    """A row as the chain sees it."""
    return Link(
        shard,
        row["position"],
        row["stream_version"],
        _STAMP.unpack(row["recorded_at"])[0] + POSTGRES_EPOCH_S * 1_000_000,
        row["schema_version"],
        row["phi"],
        row["stream_id"],
        str(row["event_id"]),
        row["clinic_id"],
        row["kind"],
        row["consent_id"],
        row["key_id"],
        row["content_hmac"],
        row["meta"],
        row["body"],
    )
