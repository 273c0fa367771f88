"""Answers kept in a real Valkey: right without it, and nothing to be read in it."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis.asyncio as redis
from prometheus_client import REGISTRY

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.kept import KeptAnswers, Question
from rehab_projections.storage.vanishing import Vanishing
from rehab_runtime.clock import SystemClock
from rehab_runtime.embedded import Valkey
from rehab_runtime.errors import NotFound
from rehab_runtime.valkey import connect
from tests.projections.asking import Asking, asking
from tests.projections.given import PATIENT, at, event, pain
from tests.projections.service import Clinic, Place, eventstore, projections, refused, since
from tests.projections.test_erased import PATIENTS, SESSIONS, erase
from tests.projections.test_watched_reads import (
    ASKED,
    OF_PATIENT,
    afterwards,
    beginning,
    hours_ago,
    plain,
)

KEY = "a secret of thirty-two characters"
MINUTE = {"kept_answers_live_ms": 60_000}


@pytest.fixture(autouse=True)
def patience(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """A busy machine is not taken for a Valkey that is away, except where it is."""
    if "without_valkey" not in request.node.name:
        monkeypatch.setattr("rehab_runtime.valkey.TIMEOUT_S", 5.0)


class SetClock(SystemClock):
    """Stands where it was set."""

    def __init__(self, at: datetime) -> None:
        self.at = at

    def now(self) -> datetime:
        return self.at


def counted(result: str) -> float:
    return REGISTRY.get_sample_value("projections_kept_answers_total", {"result": result}) or 0.0


class Since:
    """What was counted since it was made."""

    def __init__(self) -> None:
        self._before = {name: counted(name) for name in ("hit", "miss", "away")}

    def __getattr__(self, name: str) -> float:
        return counted(name) - self._before[name]


@pytest.fixture
async def mine(tmp_path: Path) -> AsyncIterator[Valkey]:
    """A Valkey of one test, to be killed."""
    async with Valkey(tmp_path / "valkey") as server:
        yield server


@asynccontextmanager
async def keeping(place: Place, url: str, **more: Any) -> AsyncIterator[tuple[Clinic, Asking]]:
    told = {"valkey_url": url, **MINUTE, **more}
    async with (
        eventstore(place) as (log, address),
        projections(place, address, log, **told) as running,
        asking(running) as ask,
    ):
        await running.reads.lag_at(await log.append(*beginning()))
        yield running, ask


async def test_whoever_asks_the_same_is_told_the_kept_answer_with_the_freshness_of_now(
    place: Place, mine: Valkey
):
    async with keeping(place, mine.url) as (running, ask):
        seen = Since()
        first = await ask(*SESSIONS, **OF_PATIENT)
        assert (seen.hit, seen.miss) == (0, 1)
        position = await running.log.append(event(90, hours_ago(2), pain(2), patient="other"))
        again = await ask(*SESSIONS, **OF_PATIENT, consistency=since(position))
        assert (seen.hit, seen.miss) == (1, 1)
        assert plain(again) == plain(first)
        assert again.freshness.position >= position > first.freshness.position
        await ask(*SESSIONS, **OF_PATIENT, page_size=7)
        assert (seen.hit, seen.miss) == (1, 2)


async def test_after_each_event_every_answer_is_the_one_of_a_replica_that_keeps_none(
    place: Place, mine: Valkey
):
    async with (
        asyncio.timeout(90),
        keeping(place, mine.url) as (running, ask),
        projections(place, running.eventstore_address, running.log) as other,
        asking(other) as anew,
    ):
        seen = Since()
        for made in afterwards():
            position = await running.log.append(made)
            for service, rpc in PATIENTS:
                asked = {**ASKED[service, rpc], "consistency": since(position)}
                right = plain(await anew(service, rpc, **asked))
                assert plain(await ask(service, rpc, **asked)) == right, rpc
                assert plain(await ask(service, rpc, **asked)) == right, rpc
        kept = len(PATIENTS) - 1  # the names of metrics cost less than looking for them
        assert seen.hit == seen.miss == kept * len(afterwards())


async def entries(url: str) -> dict[bytes, dict[bytes, bytes]]:
    async with redis.from_url(url) as client:
        found = {}
        async for name in client.scan_iter():
            assert 0 < await client.ttl(name) <= 600
            found[name] = await client.hgetall(name)
        return found


async def test_nothing_of_a_patient_can_be_read_in_valkey(place: Place, mine: Valkey):
    async with keeping(place, mine.url) as (running, ask):
        await running.reads.lag_at(await running.log.append(*afterwards()))
        for service, rpc in PATIENTS:
            await ask(service, rpc, **ASKED[service, rpc])
        found = await entries(mine.url)
        (fields,) = found.values()
        assert len(fields) == len(PATIENTS) - 1
        raw = b"".join([*found, *fields, *fields.values()])
        for word in (PATIENT, "s1", "knee_flexion", "plan-1", "step_count", "Watch", "clinic-1"):
            assert word.encode() not in raw


async def test_an_entry_that_was_moved_or_changed_is_no_answer(place: Place, mine: Valkey):
    async with keeping(place, mine.url) as (_, ask), redis.from_url(mine.url) as client:
        right = plain(await ask(*SESSIONS, **OF_PATIENT))
        ((name, fields),) = (await entries(mine.url)).items()
        ((own, sealed),) = fields.items()
        await ask(*SESSIONS, **OF_PATIENT, page_size=1)
        (other,) = set((await entries(mine.url))[name]) - {own}
        moved = (await client.hget(name, other), sealed[:-1] + bytes([sealed[-1] ^ 1]), b"", b"x")
        for wrong in moved:
            seen = Since()
            await client.hset(name, own, wrong)
            assert plain(await ask(*SESSIONS, **OF_PATIENT)) == right
            assert (seen.hit, seen.miss) == (0, 1)


@pytest.mark.parametrize(("key", "shared"), [(KEY, True), ("", False)])
async def test_replicas_share_answers_only_with_a_shared_key(
    place: Place, mine: Valkey, key: str, shared: bool
):
    told = {"valkey_url": mine.url, "kept_answers_key": key, **MINUTE}
    async with (
        keeping(place, mine.url, kept_answers_key=key) as (running, ask),
        projections(place, running.eventstore_address, running.log, **told) as other,
        asking(other) as also,
    ):
        first = await ask(*SESSIONS, **OF_PATIENT)
        seen = Since()
        assert plain(await also(*SESSIONS, **OF_PATIENT)) == plain(first)
        assert seen.hit == (1 if shared else 0)


async def test_without_valkey_every_answer_is_right(place: Place, mine: Valkey):
    async with asyncio.timeout(90), keeping(place, mine.url) as (running, ask):
        await ask(*SESSIONS, **OF_PATIENT)
        for stop in ("stalled", "killed"):
            if stop == "stalled":
                os.kill(mine.pid, signal.SIGSTOP)
            else:
                os.kill(mine.pid, signal.SIGCONT)
                await mine.kill()
            seen = Since()
            for n in range(5):
                number = 500 + n + 10 * (stop == "killed")
                position = await running.log.append(
                    event(number, hours_ago(3), pain(n, "POST", "s1"))
                )
                fresh = {**OF_PATIENT, "consistency": since(position)}
                told = [await ask(*SESSIONS, **fresh) for _ in range(10)]
                assert {one.sessions[0].pain_post for one in told} == {n}
            assert seen.hit == seen.miss == 0
            assert seen.away == 50


async def test_answers_are_kept_again_once_valkey_is_back(place: Place, mine: Valkey):
    async with asyncio.timeout(60), keeping(place, mine.url) as (_, ask):
        right = plain(await ask(*SESSIONS, **OF_PATIENT))
        await mine.kill()
        assert plain(await ask(*SESSIONS, **OF_PATIENT)) == right
        await mine.start()
        seen = Since()
        while not seen.hit:
            assert plain(await ask(*SESSIONS, **OF_PATIENT)) == right
            await asyncio.sleep(0.02)
        assert seen.miss == 1


async def test_an_answer_as_of_now_is_good_for_a_moment_and_others_for_longer(mine: Valkey):
    clock = SetClock(at("2026-03-02T08:00"))
    async with connect(mine.url, clock) as valkey:
        await goodness(Vanishing(valkey, ttl_s=600), clock)


async def goodness(store: Vanishing, clock: SetClock) -> None:
    kept = KeptAnswers(store, clock, key=b"k" * 32, live_s=5)
    other = KeptAnswers(store, clock, key=b"l" * 32, live_s=5)
    answer = pb.GetLagResponse(projections=[pb.ProjectionLag(name="x")])
    live = Question("p", b"question", "7.1", lasting=False)
    lasting = Question("p", b"another", "7.1", lasting=True)
    for question in (live, lasting):
        await kept.put(question, answer)
        assert await kept.get(question, pb.GetLagResponse) == answer
        assert await other.get(question, pb.GetLagResponse) is None
        newer = Question("p", question.content, "8.2", lasting=question.lasting)
        assert await kept.get(newer, pb.GetLagResponse) is None
    for seconds, good in ((5, (True, True)), (1, (False, True)), (595, (False, False))):
        clock.at += timedelta(seconds=seconds)
        found = [await kept.get(question, pb.GetLagResponse) for question in (live, lasting)]
        assert tuple(one is not None for one in found) == good
    clock.at -= timedelta(hours=1)
    assert await kept.get(lasting, pb.GetLagResponse) is None


async def test_of_an_erased_patient_nothing_is_answered_and_nothing_is_left(
    place: Place, mine: Valkey
):
    async with keeping(place, mine.url) as (running, ask):
        for service, rpc in PATIENTS:
            await ask(service, rpc, **ASKED[service, rpc])
        assert await entries(mine.url)
        position = await erase(running, PATIENT)
        for service, rpc in PATIENTS:
            asked = {**ASKED[service, rpc], "consistency": since(position)}
            assert isinstance(await refused(ask(service, rpc, **asked)), NotFound)
        assert not await entries(mine.url)
