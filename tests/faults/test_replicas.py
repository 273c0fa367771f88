"""Replicas of the read models as real processes: killed, stopped for longer than their leases last,
asked to leave. What each of them stores is written down by the database."""

from __future__ import annotations

import asyncio
import os
import signal
import urllib.request
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from rehab_cli.supervisor import Service, environment
from rehab_runtime.channels import channel
from rehab_runtime.errors import RehabError
from tests.projections.service import (
    THERAPIST,
    Log,
    Place,
    Reads,
    eventstore,
    looked_into,
    projections,
    since,
    since_all,
)
from tests.projections.test_consumer import repetitions, sets
from tests.projections.test_rebuild import Admin

LEASE_S = 1.0
LONG_S = 60.0
PREPARE = """
CREATE TABLE public.stored (
    turn bigserial PRIMARY KEY, by text, shard smallint, before bigint, after bigint
);
CREATE FUNCTION public.write_down() RETURNS trigger LANGUAGE plpgsql SECURITY DEFINER AS $$
BEGIN
    INSERT INTO public.stored (by, shard, before, after)
    VALUES (session_user, NEW.shard, OLD.position, NEW.position);
    RETURN NEW;
END
$$;
CREATE TRIGGER write_down BEFORE UPDATE ON read_models_1.projection
FOR EACH ROW WHEN (OLD.position <> NEW.position) EXECUTE FUNCTION public.write_down();
"""


@dataclass
class Replicas:
    """`each` are running, in the order in which they came; they log in by their names."""

    log: Log
    dsn: str
    each: dict[str, Service]
    reads: dict[str, Reads]
    start: Callable[..., Awaitable[None]]

    def signal(self, name: str, number: signal.Signals) -> None:
        os.kill(self.each[name].pid, number)

    async def kill(self, name: str) -> None:
        """For good."""
        self.signal(name, signal.SIGKILL)
        await self.each[name].stop()

    async def holder(self, shard: int = 0) -> str:
        """As the table says, whoever is asked."""
        async with looked_into(self.dsn) as inside:
            query = (
                "SELECT name FROM fold_lease WHERE shard = $1 AND expires_at >= clock_timestamp()"
            )
            return str(await inside.fetchval(query, shard) or "")

    async def held_by(self, name: str, shard: int = 0) -> None:
        await until(lambda: self._holds(name, shard))

    async def _holds(self, name: str, shard: int) -> bool:
        return await self.holder(shard) == name

    async def stored(self) -> list[asyncpg.Record]:
        async with looked_into(self.dsn) as inside:
            return list(await inside.fetch("SELECT * FROM public.stored ORDER BY turn"))

    async def assert_stored_once(self) -> None:
        """No event was passed over, none was folded a second time."""
        reached: dict[int, int] = defaultdict(int)
        async with (
            looked_into(self.dsn) as inside,
            inside.transaction(isolation="repeatable_read", readonly=True),
        ):
            rows = await inside.fetch("SELECT shard, position FROM projection")
            stored = await inside.fetch("SELECT * FROM public.stored ORDER BY shard, after")
        for row in stored:
            assert row["before"] == reached[row["shard"]] < row["after"]
            reached[row["shard"]] = row["after"]
        assert reached == {row["shard"]: row["position"] for row in rows if row["position"]}


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.02)


@asynccontextmanager
async def replicas(place: Place, *names: str, lease_s: float = LEASE_S) -> AsyncIterator[Replicas]:
    """The first of them folds when the log has one shard."""
    dsn = place.postgres.dsn(f"projections_{place.name}")
    async with AsyncExitStack() as stack:
        log, address = await stack.enter_async_context(eventstore(place))
        async with projections(place, address, log) as preparing:
            await preparing.reads.lag_at(0)
        async with looked_into(dsn) as inside:
            await inside.execute(PREPARE)
        running = Replicas(log, dsn, {}, {}, None)  # type: ignore[arg-type]

        async def start(name: str, **told: str) -> None:
            own = {
                "LISTEN": "127.0.0.1:0",
                "METRICS_LISTEN": "127.0.0.1:0",
                "POSTGRES_DSN": await _login(dsn, f"{name}_{place.name}"),
                "NATS_URL": place.nats_url,
                "EVENTSTORE_ADDRESS": address,
                "LOG_STREAM": place.stream,
                "SUBJECT_PREFIX": place.subject_prefix,
                "REPLICA": name,
                "LEASE_S": str(lease_s),
                "DRAIN_S": "1",
            }
            service = Service(
                "projections",
                environment("projections", {**own, **told}),
                lambda *_: None,
            )
            stack.push_async_callback(_let_go, service)
            await service.start()
            connection = await stack.enter_async_context(channel(service.address))
            running.each[name] = service
            running.reads[name] = Reads(connection, THERAPIST)

        running.start = start
        for name in names:
            await start(name)
            await running.held_by(names[0])
        yield running
        await running.assert_stored_once()


async def _let_go(service: Service) -> None:
    if service.running:
        os.kill(service.pid, signal.SIGCONT)
    await service.stop()


async def _login(dsn: str, name: str) -> str:
    """The same database for a user of that name."""
    connection = await asyncpg.connect(dsn)
    try:
        await connection.execute(f"CREATE ROLE {name} SUPERUSER LOGIN PASSWORD 'of a test'")
    finally:
        await connection.close()
    place = urlsplit(dsn)
    netloc = f"{name}:of%20a%20test@{place.netloc.rpartition('@')[2]}"
    return urlunsplit(place._replace(netloc=netloc))


@pytest.fixture
def place(postgres: Any, nats_url: str) -> Place:
    return Place(postgres, nats_url)


async def last(running: Replicas, first: int, count: int = 8) -> int:
    return await running.log.append(*sets(first, count))


def by(rows: list[asyncpg.Record]) -> set[str]:
    return {row["by"].partition("_")[0] for row in rows}


async def test_what_a_killed_replica_folded_another_one_folds_on(place: Place) -> None:
    async with replicas(place, "one", "two") as running:
        position = await last(running, 1)
        assert await repetitions(running.reads["two"], position) == 8
        assert by(await running.stored()) == {"one"}
        await running.kill("one")
        position = await last(running, 9)
        assert await repetitions(running.reads["two"], position) == 16
        assert await running.holder() == "two"
        assert by(await running.stored()) == {"one", "two"}


async def test_a_replica_that_is_asked_to_stop_hands_over_without_waiting(place: Place) -> None:
    async with replicas(place, "one", "two", lease_s=LONG_S) as running:
        await last(running, 1)
        await running.each["one"].stop()
        position = await last(running, 9)
        assert await repetitions(running.reads["two"], position) == 16
        assert await running.holder() == "two"


async def test_a_replica_that_starts_again_where_it_was_takes_its_own_place(place: Place) -> None:
    async with replicas(place, "one", lease_s=LONG_S) as running:
        await last(running, 1)
        running.signal("one", signal.SIGKILL)
        position = await last(running, 9)
        # by itself it comes back, and its lease lasts for a minute
        await until(lambda: _answers(running.reads["one"], position))
        assert await repetitions(running.reads["one"], position) == 16


async def _answers(reads: Reads, position: int) -> bool:
    try:
        return (await reads.lag()).position >= position
    except RehabError:
        return False


async def test_a_replica_that_stood_still_for_longer_than_its_lease_stores_nothing(
    place: Place,
) -> None:
    async with replicas(place, "one", "two") as running:
        await last(running, 1)
        for turn in range(3):
            before, after = ("one", "two") if turn % 2 == 0 else ("two", "one")
            running.signal(before, signal.SIGSTOP)
            await running.held_by(after)
            position = await last(running, 9 + 16 * turn)
            assert await repetitions(running.reads[after], position) == 16 * (turn + 1)
            until_here = len(await running.stored())
            running.signal(before, signal.SIGCONT)
            position = await last(running, 17 + 16 * turn)
            assert await repetitions(running.reads[before], position) == 24 + 16 * turn
            assert by((await running.stored())[until_here:]) == {after}
            assert await running.holder() == after


async def test_a_replica_that_stops_in_the_middle_of_a_batch_does_not_keep_others_out(
    place: Place,
) -> None:
    async with replicas(place, "one", "two") as running:
        await last(running, 1)
        async with looked_into(running.dsn) as inside, inside.transaction():
            await inside.execute("LOCK TABLE session IN EXCLUSIVE MODE")
            position = await last(running, 9)
            await until(lambda: _somebody_waits(inside))
            running.signal("one", signal.SIGSTOP)
        assert await repetitions(running.reads["two"], position) == 16
        assert await running.holder() == "two"
        running.signal("one", signal.SIGCONT)
        position = await last(running, 17)
        assert await repetitions(running.reads["one"], position) == 24
        assert by((await running.stored())[-1:]) == {"two"}


async def _somebody_waits(inside: asyncpg.Connection) -> bool:
    await inside.execute("SELECT pg_stat_clear_snapshot()")
    query = (
        "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'projections'"
        " AND datname = current_database() AND wait_event_type = 'Lock'"
    )
    return bool(await inside.fetchval(query))


async def test_a_fold_that_stands_still_shows_at_replicas_that_do_not_fold(place: Place) -> None:
    async with replicas(place, "one", "two") as running:
        position = await last(running, 1)
        assert await repetitions(running.reads["two"], position) == 8
        async with looked_into(running.dsn) as inside, inside.transaction():
            await inside.execute("LOCK TABLE session IN EXCLUSIVE MODE")
            position = await last(running, 9)
            await until(lambda: _age(running, "two", above=0.5))
            (lag,) = await running.reads["two"].lags()
            assert lag.oldest_unprocessed_ms > 0
            assert (lag.holder, lag.events > 0) == ("one", True)
        await until(lambda: _age(running, "two", above=-1, at_most=0))
        assert await _metric(running, "one", 'projections_holds_shard{shard="0"}') == 1
        assert await _metric(running, "two", 'projections_holds_shard{shard="0"}') in {0, None}


async def _age(
    running: Replicas, name: str, *, above: float, at_most: float = float("inf")
) -> bool:
    labels = '{consumer="projections",shard="0"}'
    age = await _metric(running, name, f"oldest_unprocessed_seconds{labels}")
    return age is not None and above < age <= at_most


async def _metric(running: Replicas, name: str, wanted: str) -> float | None:
    def scrape() -> str:
        with urllib.request.urlopen(f"http://{running.each[name].metrics}/metrics") as answer:
            return str(answer.read().decode())

    for line in (await asyncio.to_thread(scrape)).splitlines():
        if line.startswith(f"{wanted} "):
            return float(line.rpartition(" ")[2])
    return None


@pytest.mark.timeout(300)
async def test_replicas_that_come_and_go_under_load_fold_each_event_once(
    postgres: Any, nats_url: str
) -> None:
    place = Place(postgres, nats_url, 3)
    async with replicas(place) as running:
        await running.start("one")
        everybody = [f"patient-{n}" for n in range(8)]
        written: dict[int, int] = {}
        done = asyncio.Event()

        async def write() -> int:
            number = 1
            while not done.is_set():
                written.update(await running.log.written(*sets(number, 8, everybody)))
                number += 8
            return number - 1

        writing = asyncio.create_task(write())
        for name in ("two", "three", "four"):
            await running.start(name)
            await until(lambda name=name: _folds(running, name))
            if name == "two":
                await running.each[name].stop()
            if name == "three":
                await running.kill(name)
            if name != "four":
                await until(lambda name=name: _gone(running, name))
        done.set()
        count = await writing
        for name in ("one", "four"):
            await running.reads[name].work(consistency=since_all(written))
            assert await repetitions(running.reads[name], 0, everybody) == min(count, 1000)
        assert by(await running.stored()) == {"one", "two", "three", "four"}
        await running.assert_stored_once()
        async with channel(running.each["one"].address) as connection:
            built = await Admin(connection).rebuild(expect_same=True)
        assert (built.answers, list(built.differences)) == (True, [])


async def _folds(running: Replicas, name: str) -> bool:
    return name in by(await running.stored())


async def _gone(running: Replicas, name: str) -> bool:
    return name not in [await running.holder(shard) for shard in range(3)]


async def test_a_read_waits_at_a_replica_that_does_not_fold(place: Place) -> None:
    async with replicas(place, "one", "two") as running:
        for number in range(1, 60, 3):
            position = await last(running, number, 3)
            told = await running.reads["two"].quality(
                patient_id="patient-1", consistency=since(position)
            )
            assert told.freshness.position >= position
        assert by(await running.stored()) == {"one"}
