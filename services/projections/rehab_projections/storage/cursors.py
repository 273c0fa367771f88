"""How far the log is folded, shard by shard."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

import asyncpg

from rehab_runtime.slices import shard_of

NAME = "read_models"


@dataclass(frozen=True, slots=True)
class Cursor:
    """How far a shard is folded. `recorded_at` is that of the event there, None at the start;
    `epoch` is raised when what was folded is changed without folding on."""

    position: int
    incarnation: str
    recorded_at: datetime | None = None
    shard: int = 0
    epoch: int = 0


@dataclass(frozen=True, slots=True)
class Cursors:
    """Those of all shards, in their order; none before the fold has begun."""

    each: tuple[Cursor, ...] = ()

    def __len__(self) -> int:
        return len(self.each)

    def of(self, shard: int) -> Cursor:
        return self.each[shard] if shard < len(self.each) else Cursor(0, "", shard=shard)

    def home(self, patient_id: str) -> Cursor:
        """That of the shard which holds all of a patient's events."""
        return self.of(shard_of(patient_id, len(self.each)))


def cursors_of(rows: Iterable[asyncpg.Record]) -> Cursors:
    return Cursors(tuple(cursor_of(row) for row in rows))


def cursor_of(row: asyncpg.Record) -> Cursor:
    return Cursor(
        row["position"], row["incarnation"], row["recorded_at"], row["shard"], row["epoch"]
    )
