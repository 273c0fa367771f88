"""Policy is killed at random while a clinic lives. The oracle is one undisturbed fold of the same
log by the same rules: what it decides is what was said, each once.

FAULT_ROUNDS raises the number of kills.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from datetime import UTC, datetime
from pathlib import Path

import asyncpg
import pytest

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_cli.asking import PRINCIPAL
from rehab_cli.suite import Suite
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.engine import Engine, Live
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.loading import load
from rehab_policy.domain.rules import ActionKind
from rehab_policy.shipped import shipped
from rehab_runtime.access.streams import is_audit
from rehab_runtime.channels import channel
from rehab_runtime.eventlog import EventLog
from tests.faults.test_kill import ROUNDS, lived_through
from tests.support.ports import low_ports

SETTLE_S = 60.0
KINDS = ("alert", "nudge")
Said = Counter[str]


@pytest.mark.timeout(120 + 30 * ROUNDS)
async def test_killed_at_random_policy_says_what_an_undisturbed_run_says_and_nothing_twice(
    tmp_path: Path,
) -> None:
    async with Suite(tmp_path, low_ports(), lambda *_: None, longest_pause_s=0.5) as suite:
        _, killed = await lived_through(suite, ["policy"] * 3, seed=ROUNDS + 2)
        assert len(killed) > 1
        until = datetime.now(UTC)
        async with channel(suite.addresses.eventstore) as connection:
            log = EventLog(connection, PRINCIPAL)
            await settled(suite, log, until)
            streams = await streams_of(log)
        said = Counter(
            event.envelope.event_id for events in streams.values() for event in events if own(event)
        )
        since = await live_since(suite)
        expected = Counter(_ids(undisturbed(streams, since, until)))
        assert expected.total() > 0
        assert [one for one, times in said.items() if times > 1] == []
        late = {one for one in said if one not in expected}
        assert not late - after(streams, until), "what an undisturbed run does not say"
        assert set(expected) - set(said) == set(), "what was not said"


def own(event: RecordedEvent) -> bool:
    envelope = event.envelope
    return envelope.kind in KINDS and envelope.actor.id == "policy"


def after(streams: dict[str, list[RecordedEvent]], until: datetime) -> set[str]:
    """What was said of times that came after the load."""
    return {
        event.envelope.event_id
        for events in streams.values()
        for event in events
        if own(event) and event.envelope.occurred_at.ToDatetime(UTC) > until
    }


def undisturbed(
    streams: dict[str, list[RecordedEvent]], since: datetime, until: datetime
) -> Iterable[Firing]:
    engine = Engine([Live(since, load(shipped(), Cel()))])
    for patient, events in streams.items():
        state = engine.start(patient)
        for event in events:
            yield from engine.step(state, event).firings
        yield from engine.until(state, until).firings


def _ids(firings: Iterable[Firing]) -> Iterable[str]:
    for firing in firings:
        if firing.action is not ActionKind.FEEDBACK:
            yield from (event.envelope.event_id for event in events_of(firing))


async def streams_of(log: EventLog) -> dict[str, list[RecordedEvent]]:
    streams: dict[str, list[RecordedEvent]] = {}
    async for event in everything(log):
        if event.envelope.subject_id and not is_audit(event.envelope.subject_id):
            streams.setdefault(event.envelope.subject_id, []).append(event)
    return streams


async def everything(log: EventLog) -> AsyncIterator[RecordedEvent]:
    for shard, head in enumerate(await log.heads()):
        after_position = 0
        while after_position < head.position:
            events, _ = await log.read_all(after_position, 5000, shard=shard)
            for event in events:
                yield event
            after_position = events[-1].envelope.position


async def settled(suite: Suite, log: EventLog, until: datetime) -> None:
    """Everything recorded is folded, and what was due by then has fired."""
    async with asyncio.timeout(SETTLE_S):
        while not await _is_settled(suite, log, until):
            await asyncio.sleep(0.1)


async def _is_settled(suite: Suite, log: EventLog, until: datetime) -> bool:
    connection = await asyncpg.connect(suite.servers.dsn("policy"))
    try:
        rows = await connection.fetch("SELECT shard, position FROM log_position")
        waiting = await connection.fetchval(
            "SELECT count(*) FROM due_timer WHERE due_at <= $1", until
        )
    finally:
        await connection.close()
    folded = {row["shard"]: row["position"] for row in rows}
    heads = await log.heads()
    return waiting == 0 and all(
        folded.get(shard, 0) >= head.position for shard, head in enumerate(heads)
    )


async def live_since(suite: Suite) -> datetime:
    connection = await asyncpg.connect(suite.servers.dsn("policy"))
    try:
        since: datetime = await connection.fetchval(
            "SELECT live_from FROM rule_set WHERE status = 'live'"
        )
    finally:
        await connection.close()
    return since
