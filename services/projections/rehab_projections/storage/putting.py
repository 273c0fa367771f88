"""Two ways to put rows into tables: by statements, or in bulk."""

from __future__ import annotations

import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import asyncpg
import orjson

Row = tuple[object, ...]

UNSTORABLE = (asyncpg.DataError, OverflowError, UnicodeEncodeError, orjson.JSONEncodeError)
"""What a value that no column can hold raises: PostgreSQL, COPY on the way there, or JSON."""
_TARGET = re.compile(r"INSERT INTO (\w+)[^(]*\(([^)]*)\)")


@dataclass
class Rows:
    """Rows of one query. Those that are `new` are certainly not in the table."""

    known: list[Row] = field(default_factory=list)
    new: list[Row] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.known or self.new)


Put = Callable[[asyncpg.Connection, str, Rows], Awaitable[None]]


async def insert(connection: asyncpg.Connection, query: str, rows: Rows) -> None:
    """One statement for all of them. Raises one of UNSTORABLE."""
    await _executed(connection, query, [*rows.known, *rows.new])


async def load(connection: asyncpg.Connection, query: str, rows: Rows) -> None:
    """New ones by COPY, which takes half the time where there are many of them. Raises one of
    UNSTORABLE."""
    if rows.known:
        await _executed(connection, query, rows.known)
    if rows.new:
        table, columns = _target(query)
        await connection.copy_records_to_table(table, records=rows.new, columns=columns)


async def _executed(connection: asyncpg.Connection, query: str, rows: Sequence[Row]) -> None:
    await connection.execute(query, *zip(*rows, strict=True))


def _target(query: str) -> tuple[str, list[str]]:
    """The table and the columns of an INSERT."""
    found = _TARGET.search(query)
    assert found is not None
    return found[1], [column.strip() for column in found[2].split(",")]
