"""Walking a run of the chain, in a process of its own: only numbers and hashes come back."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import Enum

import asyncpg
from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import Envelope
from rehab_eventstore.domain.chain import Link, following, microseconds
from rehab_runtime.postgres import Queries
from rehab_runtime.slices import slice_of

NICE = 10
"""Verifying must not slow those who append."""
ROWS_AT_ONCE = 2000
CLOSE_ENOUGH = timedelta(microseconds=2)
"""occurred_at was rounded twice on its way into its column."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Damage(Enum):
    CHANGED = "changed"
    MISSING = "missing"
    DOUBLED = "doubled"
    COLUMN = "column"
    VERSION = "version"
    TRUNCATED = "truncated"
    HEAD = "head"
    CHECKPOINT = "checkpoint"


@dataclass(frozen=True)
class Finding:
    """The first thing that is wrong, in words without patient data."""

    position: int
    damage: Damage
    message: str


@dataclass(frozen=True)
class Run:
    """Positions after `after` up to `until`; `previous` is the hash stored before the first."""

    shard: int
    after: int
    until: int
    previous: bytes


@dataclass
class Walked:
    """What came of a run. `versions` is, per stream, the first and the last version in it with
    the position of the first."""

    verified: int = 0
    finding: Finding | None = None
    versions: dict[str, tuple[int, int, int]] = field(default_factory=dict)
    last: bytes = b""


def be_nice() -> None:
    os.nice(NICE)


def walk(dsn: str, run: Run) -> Walked:
    """For a process pool. Raises what PostgreSQL does."""
    return asyncio.run(_walk(dsn, run))


async def _walk(dsn: str, run: Run) -> Walked:
    query = Queries.load("rehab_eventstore", "proof.sql")["run"]
    connection = await asyncpg.connect(
        dsn, timeout=10, server_settings={"application_name": "eventstore-proof", "jit": "off"}
    )
    walked = Walked(last=run.previous)
    try:
        after = run.after
        while after < run.until and walked.finding is None:
            until = min(run.until, after + ROWS_AT_ONCE)
            check(
                walked,
                await connection.fetch(query, run.shard, after, until),
                run.shard,
                after,
                until,
            )
            after = until
    finally:
        await connection.close(timeout=2)
    return walked


def check(
    walked: Walked, rows: Iterable[asyncpg.Record], shard: int, after: int, until: int
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
        expected += 1
    if expected <= until:
        walked.finding = _missing(expected, until)


def _missing(first: int, last: int) -> Finding:
    many = f"events {first} to {last} are" if last > first else f"event {first} is"
    return Finding(first, Damage.MISSING, f"{many} not there")


def _wrong(walked: Walked, row: asyncpg.Record, shard: int) -> Finding | None:
    position = row["position"]
    chained = following(walked.last, link_of_row(row, shard))
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


def _wrong_column(row: asyncpg.Record) -> Finding | None:
    position = row["position"]
    if row["slice"] != slice_of(row["stream_id"]):
        return Finding(position, Damage.COLUMN, "the slice is not that of the stream")
    try:
        told = Envelope.FromString(row["meta"]).occurred_at
    except DecodeError:
        return Finding(position, Damage.COLUMN, "the envelope cannot be read")
    occurred = _EPOCH + timedelta(seconds=told.seconds, microseconds=told.nanos / 1000)
    if abs(row["occurred_at"] - occurred) > CLOSE_ENOUGH:
        return Finding(position, Damage.COLUMN, "occurred_at is not what the envelope says")
    return None


def link_of_row(row: asyncpg.Record, shard: int) -> Link:
    """A row as the chain sees it."""
    return Link(
        shard,
        row["position"],
        row["stream_version"],
        microseconds(row["recorded_at"]),
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
