"""Replicas of the event store as real processes, who write to them, and who harms them."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import os
import random
import signal
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import grpc

from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab.eventstore.v1 import proof_service_pb2 as proof
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.eventstore.v1.proof_service_pb2_grpc import ProofServiceStub
from rehab_cli.supervisor import Service, environment
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.bodies import Bodies
from rehab_runtime.channels import channel
from rehab_runtime.embedded import Nats, Postgres
from rehab_runtime.errors import Overloaded, RehabError, Unavailable, from_rpc_error
from tests.eventstore.given import event
from tests.faults.history import Outcome, Row, Told
from tests.support.clocks import set_wrong
from tests.support.ports import low_ports
from tests.support.proxy import Proxy, proxy_to

REPLICAS = 2
LEASE_S = 0.6
CALL_S = 2.0
PATIENCE_S = 60.0
HOUR_S = 3600.0
METADATA = (bearer(service_principal("cli")),)


@dataclass
class Cluster:
    """PostgreSQL, NATS and replicas that reach PostgreSQL through links that can be cut."""

    postgres: Postgres
    nats: Nats
    links: list[Proxy]
    replicas: list[Service]
    clocks: list[Path]

    @property
    def dsn(self) -> str:
        return self.postgres.dsn("eventstore")


@asynccontextmanager
async def cluster(folder: Path) -> AsyncIterator[Cluster]:
    async with AsyncExitStack() as stack:
        ports = low_ports()
        postgres = await stack.enter_async_context(Postgres(folder / "pg", ports))
        nats = await stack.enter_async_context(Nats(folder / "nats", ports + 1))
        links, replicas, clocks = [], [], []
        for number in range(REPLICAS):
            clock = folder / f"clock-{number}"
            set_wrong(clock, 0)
            link = await stack.enter_async_context(proxy_to(f"127.0.0.1:{postgres.port}"))
            place = urlsplit(postgres.dsn("eventstore"))
            through = place._replace(netloc=f"{place.netloc.rsplit('@', 1)[0]}@{link.address}")
            own = {
                "LISTEN": f"127.0.0.1:{low_ports()}",
                "METRICS_LISTEN": "",
                "POSTGRES_DSN": urlunsplit(through),
                "NATS_URL": nats.url,
                "KEY_FILE": str(folder / "keys.json"),
                "SIGNING_KEY_FILE": str(folder / "signing.pem"),
                "CHECKPOINT_S": "0.5",
                "LEASE_S": str(LEASE_S),
                "PATIENCE_S": "1",
                "COMMIT_TIMEOUT_S": "1.5",
                "DRAIN_S": "2",
                "CLOCK_OFFSET_FILE": str(clock),
            }
            replica = Service(
                "eventstore", environment("eventstore", own), lambda *_: None, longest_pause_s=0.05
            )
            stack.push_async_callback(replica.stop)
            await replica.start()
            links.append(link)
            replicas.append(replica)
            clocks.append(clock)
        yield Cluster(postgres, nats, links, replicas, clocks)


class Clients:
    """Each writes to streams of its own and to one that all share, an event after the other, until
    told to stop; what comes of each is kept."""

    def __init__(self, addresses: list[str], count: int, seed: int) -> None:
        self.told: list[Told] = []
        self.sent: dict[str, bytes] = {}
        self.acknowledged = asyncio.Condition()
        self._addresses = addresses
        self._count = count
        self._seed = seed
        self._stop = asyncio.Event()

    def stop(self) -> None:
        self._stop.set()

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:
            for number in range(self._count):
                group.create_task(
                    self._write(f"client-{number}", random.Random(f"{self._seed}{number}"))
                )

    async def progress(self, events: int) -> None:
        """Wait until so many more were acknowledged: the cluster lives."""
        async with asyncio.timeout(PATIENCE_S), self.acknowledged:
            goal = len(self.told) + events
            await self.acknowledged.wait_for(lambda: len(self.told) >= goal)

    async def _write(self, name: str, chance: random.Random) -> None:
        async with AsyncExitStack() as stack:
            stubs = [
                EventStoreServiceStub(await stack.enter_async_context(channel(address)))
                for address in self._addresses
            ]
            for number in itertools.count():
                if self._stop.is_set():
                    return
                stream = "shared" if chance.random() < 0.3 else f"{name}-{number % 3}"
                body = f"{name} says {number}".encode()
                new = event(stream, body, phi=True, consent_id="consent-1")
                self.sent[new.envelope.event_id] = body
                told = await self._send(name, stubs, stream, new, chance)
                self.told.append(told)
                async with self.acknowledged:
                    self.acknowledged.notify_all()

    async def _send(
        self, name: str, stubs: list[Any], stream: str, new: pb.NewEvent, chance: random.Random
    ) -> Told:
        """Send it until it is answered, to whichever replica; now and then give up unanswered."""
        event_id = new.envelope.event_id
        tries = 3 if chance.random() < 0.1 else 1_000
        for _ in range(tries):
            request = pb.AppendRequest(stream=stream, events=[new])
            try:
                answer = await chance.choice(stubs).Append(
                    request, metadata=METADATA, timeout=CALL_S
                )
            except grpc.aio.AioRpcError as error:
                failure = from_rpc_error(error)
                if not isinstance(failure, Unavailable | Overloaded):
                    return Told(name, event_id, stream, Outcome.FAILED)
                await asyncio.sleep(chance.uniform(0.01, 0.05))
            else:
                position = answer.appended.first_position
                return Told(name, event_id, stream, Outcome.OK, position)
            if self._stop.is_set():
                break
        return Told(name, event_id, stream, Outcome.UNKNOWN)


Harm = Callable[[Cluster, random.Random], Awaitable[None]]


async def kill_replica(living: Cluster, chance: random.Random) -> None:
    with contextlib.suppress(ProcessLookupError):
        os.kill(chance.choice(living.replicas).pid, signal.SIGKILL)


async def pause_replica(living: Cluster, chance: random.Random) -> None:
    """Longer than its lease lasts: when it goes on, another one leads."""
    pid = chance.choice(living.replicas).pid
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(LEASE_S * 1.5)
        os.kill(pid, signal.SIGCONT)


async def cut_link(living: Cluster, chance: random.Random) -> None:
    """Every connection to PostgreSQL breaks, in the middle of whatever it carries."""
    chance.choice(living.links).cut()


async def stall_link(living: Cluster, chance: random.Random) -> None:
    """What is sent arrives nowhere, a commit's answer too, and nobody is told."""
    link = chance.choice(living.links)
    link.stall()
    await asyncio.sleep(chance.uniform(0.05, 0.3))
    link.cut()


async def kill_postgres(living: Cluster, _: random.Random) -> None:
    await living.postgres.kill()
    await living.postgres.start()


async def kill_nats(living: Cluster, _: random.Random) -> None:
    await living.nats.kill()
    await living.nats.start()


async def jump_clock(living: Cluster, chance: random.Random) -> None:
    """An hour ahead, an hour back, or right again: now, and while it writes."""
    set_wrong(chance.choice(living.clocks), chance.choice((HOUR_S, -HOUR_S, 0.0)))


async def restart_in_the_past(living: Cluster, chance: random.Random) -> None:
    """A machine that comes up with another clock than it went down with."""
    number = chance.randrange(REPLICAS)
    set_wrong(living.clocks[number], -HOUR_S)
    with contextlib.suppress(ProcessLookupError):
        os.kill(living.replicas[number].pid, signal.SIGKILL)


HARMS: tuple[Harm, ...] = (
    kill_replica,
    kill_replica,
    cut_link,
    cut_link,
    stall_link,
    pause_replica,
    kill_postgres,
    kill_nats,
    jump_clock,
    jump_clock,
    restart_in_the_past,
)


@dataclass
class Campaign:
    """Harm done so far, by name."""

    done: dict[str, int] = field(default_factory=dict)

    async def wage(
        self, living: Cluster, clients: Clients, points: int, chance: random.Random
    ) -> None:
        """So many times: some progress, then harm at a random instant of it."""
        for point in range(points):
            harm = HARMS[point % len(HARMS)] if point < len(HARMS) else chance.choice(HARMS)
            await clients.progress(chance.randint(5, 40))
            await harm(living, chance)
            self.done[harm.__name__] = self.done.get(harm.__name__, 0) + 1


async def rows_of(living: Cluster) -> tuple[list[Row], int]:
    """What the log holds, opened by a consumer, and where its head is."""
    connection = await asyncpg.connect(living.dsn)
    try:
        head = await connection.fetchval("SELECT position FROM log_head")
        stored = await connection.fetch(
            "SELECT position, stream_id, stream_version, event_id, recorded_at"
            " FROM events ORDER BY position"
        )
    finally:
        await connection.close()
    bodies: dict[int, bytes | None] = {}
    async with channel(living.replicas[0].address) as through:
        opener = Bodies(through, service_principal("cli"))
        pages = EventStoreServiceStub(through).ReadAll(
            pb.ReadAllRequest(), metadata=METADATA, timeout=60
        )
        async for page in pages:
            await opener.open(page.events)
            for one in page.events:
                closed = bool(one.key_id) or one.erased
                bodies[one.envelope.position] = None if closed else one.body
    return [Row(*tuple(row)[:3], str(row[3]), bodies.get(row[0]), row[4]) for row in stored], head


async def head_of(living: Cluster) -> int:
    connection = await asyncpg.connect(living.dsn)
    try:
        return int(await connection.fetchval("SELECT position FROM log_head"))
    finally:
        await connection.close()


async def verified(living: Cluster) -> proof.Verdict:
    async with channel(living.replicas[0].address) as through:
        steps = ProofServiceStub(through).VerifyLog(
            proof.VerifyLogRequest(), metadata=METADATA, timeout=120
        )
        return [step async for step in steps][-1].verdict


async def until_published(living: Cluster) -> None:
    """Wait until the broker has all that was committed."""
    async with channel(living.replicas[0].address) as through, asyncio.timeout(PATIENCE_S):
        stub = EventStoreServiceStub(through)
        while True:
            try:
                head = await stub.GetHead(pb.GetHeadRequest(), metadata=METADATA, timeout=5)
            except grpc.aio.AioRpcError as error:
                assert isinstance(from_rpc_error(error), RehabError)
            else:
                if head.published == head.position:
                    return
            await asyncio.sleep(0.05)
