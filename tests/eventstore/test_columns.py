"""Rows on their way into PostgreSQL: texts as lines, bytes in one piece."""

from __future__ import annotations

import os
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import asyncpg
import pytest

from rehab_eventstore.domain.commands import NewEvent, Sealed
from rehab_eventstore.domain.decide import Row
from rehab_eventstore.storage.link import BatchRefused, Link
from rehab_runtime import postgres
from rehab_runtime.clock import uuid7
from tests.eventstore.rig import QUERIES

NOW = datetime(2026, 3, 1, 10, tzinfo=UTC)


def row(version: int, meta: bytes = b"meta", body: bytes = b"body", **told: Any) -> Row:
    event = NewEvent(
        *(str(uuid7()), "clinic-1", "plan", 1, 12.5, False, "consent-1"),
        *(meta, body, b"content"),
    )
    sealed = Sealed(body, told.pop("key_id", "key-1"), os.urandom(16))
    return Row("patient-1", version, event._replace(**told), sealed)


async def write(dsn: str, rows: Sequence[Row]) -> None:
    await postgres.migrate(dsn, "rehab_eventstore")
    link = Link(dsn, QUERIES, 0, 3)
    await link.open()
    try:
        hashes = [bytes([number]) * 32 for number in range(len(rows))]
        assert await link.append(await link.head(), NOW, rows, hashes)
    finally:
        await link.close()


async def stored(dsn: str) -> list[tuple[Any, ...]]:
    connection = await asyncpg.connect(dsn)
    try:
        found = await connection.fetch(
            "SELECT stream_version, event_id::text, clinic_id, kind, consent_id, key_id, meta,"
            " body, content_hmac, hash FROM events ORDER BY position"
        )
    finally:
        await connection.close()
    return [tuple(one) for one in found]


def expected(rows: Sequence[Row]) -> list[tuple[Any, ...]]:
    return [
        (
            *(one.stream_version, one.event.event_id, one.event.clinic_id, one.event.kind),
            *(one.event.consent_id, one.sealed.key_id, one.event.meta, one.sealed.body),
            *(one.sealed.fingerprint, bytes([number]) * 32),
        )
        for number, one in enumerate(rows)
    ]


@pytest.mark.parametrize(
    "rows",
    [
        [row(1)],
        [row(1, b"", b"", clinic_id="", consent_id="", key_id="")],
        [row(1, b"", b"", consent_id="", key_id=""), row(2, b"", b"", consent_id="", key_id="")],
        [row(1, b"", b"x" * 70_000), row(2, b"m\n\0", b""), row(3, consent_id=""), row(4)],
    ],
    ids=["one", "one with nothing in it", "two with nothing in them", "several"],
)
async def test_rows_are_stored_as_they_are(database_dsn: str, rows: list[Row]) -> None:
    await write(database_dsn, rows)
    assert await stored(database_dsn) == expected(rows)


@pytest.mark.parametrize("field", ["clinic_id", "consent_id", "key_id"])
async def test_a_line_break_in_a_text_is_refused_with_all_rows(
    database_dsn: str, field: str
) -> None:
    rows = [row(1), row(2, **{field: "a\nb"}), row(3)]
    with pytest.raises(BatchRefused):
        await write(database_dsn, rows)
    assert await stored(database_dsn) == []
