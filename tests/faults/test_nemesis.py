"""Replicas, PostgreSQL and NATS are harmed at random instants while clients write; in the end the
log must hold what it told."""

from __future__ import annotations

import asyncio
import os
import random
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.faults.history import Outcome, Row, Told, violations
from tests.faults.nemesis import (
    Campaign,
    Clients,
    cluster,
    head_of,
    rows_of,
    until_published,
    verified,
)

POINTS = int(os.environ.get("FAULT_POINTS", "12"))
CLIENTS = 8


@pytest.mark.timeout(120 + 6 * POINTS)
async def test_whatever_is_harmed_the_log_holds_what_it_told(tmp_path: Path) -> None:
    chance = random.Random(POINTS)
    async with cluster(tmp_path) as living:
        addresses = [replica.address for replica in living.replicas]
        clients = Clients(addresses, CLIENTS, seed=POINTS)
        writing = asyncio.create_task(clients.run())
        campaign = Campaign()
        await campaign.wage(living, clients, POINTS, chance)
        await clients.progress(20)
        clients.stop()
        await writing
        assert sum(campaign.done.values()) == POINTS
        await until_published(living)
        rows, head = await rows_of(living)
        found = list(violations(clients.told, rows, clients.sent, head))
        assert found == []
        acknowledged = [one for one in clients.told if one.outcome is Outcome.OK]
        assert len(acknowledged) > 20 * POINTS / 2
        verdict = await verified(living)
        assert not verdict.HasField("finding"), verdict.finding
        # who was lent the keys to look at it stands behind what was looked at
        assert verdict.verified == await head_of(living) > head
        print(f"{POINTS} points {campaign.done}; {len(clients.told)} events told, {head} stored")  # noqa: T201


ROWS = [
    Row(1, "a", 1, "e1", b"1"),
    Row(2, "b", 1, "e2", b"2"),
    Row(3, "a", 2, "e3", b"3"),
]
SENT = {"e1": b"1", "e2": b"2", "e3": b"3", "e4": b"4"}
TOLD = [
    Told("c", "e1", "a", Outcome.OK, 1),
    Told("c", "e2", "b", Outcome.UNKNOWN),
    Told("c", "e3", "a", Outcome.OK, 3),
    Told("c", "e4", "a", Outcome.FAILED),
]


def test_a_history_without_a_fault_breaks_nothing() -> None:
    assert list(violations(TOLD, ROWS, SENT, 3)) == []
    # what was never answered may be there or not
    without = [ROWS[0], Row(2, "a", 2, "e3", b"3")]
    told = [TOLD[0], TOLD[1], Told("c", "e3", "a", Outcome.OK, 2), TOLD[3]]
    assert list(violations(told, without, SENT, 2)) == []


@pytest.mark.parametrize(
    ("rows", "head", "told", "what"),
    [
        (ROWS[:2], 2, TOLD, "acknowledged and is lost"),
        ([*ROWS, Row(4, "a", 3, "e1", b"1")], 4, TOLD, "is stored 2 times"),
        ([*ROWS, Row(4, "a", 3, "e4", b"4")], 4, TOLD, "was refused and is stored"),
        ([ROWS[0], ROWS[2]], 3, TOLD, "positions are not 1 to 3"),
        (ROWS, 4, TOLD, "positions are not 1 to 4"),
        ([ROWS[0], ROWS[1], Row(3, "a", 2, "e3", None)], 3, TOLD, "cannot be opened"),
        ([ROWS[0], ROWS[1], Row(3, "a", 2, "e3", b"x")], 3, TOLD, "another body"),
        ([*ROWS, Row(4, "a", 3, "e9", b"9")], 4, TOLD, "nobody sent"),
        ([replace(ROWS[0], recorded_at=datetime.now(UTC)), *ROWS[1:]], 3, TOLD, "recorded before"),
        ([ROWS[0], ROWS[1], Row(3, "a", 3, "e3", b"3")], 3, TOLD, "version 3 out of turn"),
        (ROWS, 3, [Told("c", "e1", "a", Outcome.OK, 2)], "not where its acknowledgement says"),
        (ROWS, 3, [TOLD[2], TOLD[0]], "stands before one that was acknowledged earlier"),
    ],
)
def test_the_checker_finds_a_seeded_fault(
    rows: list[Row], head: int, told: list[Told], what: str
) -> None:
    assert any(what in one for one in violations(told, rows, SENT, head))
