"""A whole suite under attack: its processes, what they say, and a device that minds its own
business all the while."""

from __future__ import annotations

import asyncio
import json
import os
import random
import urllib.request
from collections.abc import AsyncIterator, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

import asyncpg
import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc

from rehab.ingest.v1 import ingest_service_pb2 as ingest_pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_cli.addresses import SERVICES
from rehab_cli.suite import Suite
from rehab_eventstore.settings import Settings as EventStoreSettings
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.eventlog import EventLog
from rehab_runtime.server import SERVING
from tests.fuzz.finding import quoted
from tests.fuzz.messages import CLINIC, PATIENT, admitted, event

NEIGHBOUR = "neighbour-1"
PAUSE_S = 0.02
CATCH_UP_S = 60.0
LET_GO_S = 15.0
THREADS = 16
ALLOWED_TO_CALL = 1_000_000
"""Calls a second: what is thrown is to get behind the limits."""
BIG = (("grpc.max_send_message_length", -1), ("grpc.max_receive_message_length", -1))


@contextmanager
def told() -> Iterator[None]:
    """How the services are set: logs as in production, limits out of reach."""
    settings = {f"{name.upper()}_LOG_JSON": "true" for name in SERVICES}
    settings |= {"INGEST_CALLER_REQUESTS": str(ALLOWED_TO_CALL), "INGEST_CALLER_BYTES": "1e12"}
    readers = EventStoreSettings.model_fields["key_readers"].default
    settings["EVENTSTORE_KEY_READERS"] = f"{readers},test"
    before = {name: os.environ.get(name) for name in settings}
    os.environ.update(settings)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


@dataclass(frozen=True)
class Held:
    """Of a process: open files, memory in use, and calls being served."""

    files: int
    resident_mb: float
    calls: float


@dataclass
class House:
    suite: Suite
    lines: list[tuple[str, str]] = field(default_factory=list)
    channels: dict[str, grpc.aio.Channel] = field(default_factory=dict)
    pids: dict[str, int] = field(default_factory=dict)
    neighbours: int = 0
    threads: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(THREADS))

    @cached_property
    def phones(self) -> grpc.Channel:
        """To ingest, for threads."""
        return grpc.insecure_channel(self.suite.services["ingest"].address)

    async def wrong(self) -> list[str]:
        """What is not as it should be with the services and what they have said so far."""
        said = [f"{name}: {line}" for name, line in self.lines if name not in SERVICES]
        lines = [(name, line) for name, line in self.lines if name in SERVICES]
        found = [f"a log line quotes the input: {line}" for line in quoted(x for _, x in lines)]
        found += [f"{name} says no JSON: {line}" for name, line in lines if not _is_record(line)]
        found += [f"{name}: {line}" for name, line in lines if _is_fault(line)]
        found += [one for one in said if "fell" in one]
        for name, one in self.suite.services.items():
            if not one.running or one.pid != self.pids[name]:
                found.append(f"{name} fell")
            elif not await self.serves(name):
                found.append(f"{name} does not serve")
        return list(dict.fromkeys(found))

    async def serves(self, name: str) -> bool:
        stub = health_pb2_grpc.HealthStub(self.channels[name])
        request = health_pb2.HealthCheckRequest(service="ready")
        try:
            answer = await stub.Check(request, timeout=10)
        except grpc.aio.AioRpcError:
            return False
        return bool(answer.status == SERVING)

    async def held(self, name: str) -> Held:
        """What a service holds now."""
        service = self.suite.services[name]
        return await asyncio.to_thread(_held, service.pid, service.metrics)

    async def settled(self, name: str, before: Held) -> Held:
        """What it holds once it has let go of all that it did not hold before, or some seconds
        later."""
        deadline = asyncio.get_running_loop().time() + LET_GO_S
        while True:
            now = await self.held(name)
            gone = now.files <= before.files and now.calls <= before.calls
            if gone or asyncio.get_running_loop().time() > deadline:
                return now
            await asyncio.sleep(0.1)

    def log(self) -> EventLog:
        return EventLog(self.channels["eventstore"], service_principal("cli"))

    async def caught_up(self) -> list[str]:
        """What keeps the folds from having folded all that the log holds; empty when they have."""
        head = (await self.log().head()).position
        loop = asyncio.get_running_loop()
        deadline = loop.time() + CATCH_UP_S
        while behind := [one for one in await self.folded() if one[1] < head]:
            if loop.time() > deadline:
                return [f"{name} has folded to {at}, the log ends at {head}" for name, at in behind]
            await asyncio.sleep(0.05)
        return []

    async def folded(self) -> list[tuple[str, int]]:
        """How far each fold is."""
        reads = ProjectionsServiceStub(self.channels["projections"])
        request, own = read_pb.GetLagRequest(), (bearer(service_principal("cli")),)
        answer = await reads.GetLag(request, metadata=own, timeout=10)
        told = [(f"projections' {one.name}", one.position) for one in answer.projections]
        for service, table in (
            ("identity", "fact_cursor"),
            ("policy", "log_position"),
            ("emr", "log_position"),
        ):
            connection = await asyncpg.connect(self.suite.postgres.dsn(service))
            try:
                position = await connection.fetchval(f"SELECT min(position) FROM {table}")
            finally:
                await connection.close()
            told.append((service, int(position)))
        return told


def _held(pid: int, metrics: str) -> Held:
    with urllib.request.urlopen(f"http://{metrics}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    resident = Path(f"/proc/{pid}/statm").read_text().split()[1]
    calls = [line.rpartition(" ")[2] for line in lines if line.startswith("rpc_in_flight{")]
    return Held(
        files=len(os.listdir(f"/proc/{pid}/fd")),
        resident_mb=int(resident) * os.sysconf("SC_PAGE_SIZE") / 1e6,
        calls=sum(map(float, calls)),
    )


def _is_record(line: str) -> bool:
    try:
        return isinstance(json.loads(line), dict)
    except ValueError:
        return False


def _is_fault(line: str) -> bool:
    """Metadata that is no UTF-8 gRPC reads as Latin-1, and says so: that is no fault."""
    if '"UnicodeDecodeError", "where": "grpc_string.pyx' in line:
        return False
    return '"unexpected error"' in line or '"internal error"' in line or '"a library' in line


class Neighbour:
    """A phone that sends repetitions one after the other on one stream. `run` until `leave`."""

    def __init__(self, house: House) -> None:
        house.neighbours += 1
        self._house = house
        self._phone = f"neighbour-phone-{house.neighbours}"
        self._leaving = asyncio.Event()
        self._pick = random.Random(self._phone)
        self.sent: list[str] = []
        self.acked = 0
        self.trouble: list[str] = []

    def leave(self) -> None:
        self._leaving.set()

    async def streams(self) -> None:
        """Something of it has been acknowledged."""
        await self._acked(1)

    async def goes_on(self) -> None:
        """Something that it sends from now on is acknowledged, too."""
        await self._acked(len(self.sent) + 1)

    async def _acked(self, number: int) -> None:
        async with asyncio.timeout(CATCH_UP_S):
            while self.acked < number and not self.trouble:
                await asyncio.sleep(PAUSE_S)

    async def run(self) -> None:
        stub = IngestServiceStub(self._house.channels["ingest"])
        who = Principal(NEIGHBOUR, "patient", CLINIC)
        call = stub.StreamObservations(metadata=(bearer(who),))
        hello = ingest_pb.Hello(clinic_id=CLINIC, device_id=self._phone, epoch=1)
        await call.write(ingest_pb.StreamObservationsRequest(hello=hello))
        writing = asyncio.create_task(self._write(call))
        try:
            await self._read(call)
        except grpc.aio.AioRpcError as error:
            self.trouble.append(f"the neighbour's stream ends: {error.code().name}")
        finally:
            self._leaving.set()
            await asyncio.gather(writing, return_exceptions=True)

    async def _write(self, call: Any) -> None:
        while not self._leaving.is_set():
            one = event(self._pick, "rep_observation", NEIGHBOUR)
            one.envelope.device_id = self._phone
            self.sent.append(one.envelope.event_id)
            batch = ingest_pb.Batch(first_seq=len(self.sent), events=[one])
            await call.write(ingest_pb.StreamObservationsRequest(batch=batch))
            await asyncio.sleep(PAUSE_S)
        await call.done_writing()

    async def _read(self, call: Any) -> None:
        while (said := await call.read()) is not grpc.aio.EOF:
            if said.HasField("reject"):
                self.trouble.append(f"the neighbour is refused: {said.reject.failure.reason}")
            elif said.HasField("reconnect"):
                self.trouble.append("the neighbour is sent away")
            elif said.HasField("ack"):
                self.acked = said.ack.seq

    async def wrong(self) -> list[str]:
        """After it has left: whatever it lost."""
        found = list(self.trouble)
        if self.acked != len(self.sent):
            found.append(f"the neighbour sent {len(self.sent)} and was told of {self.acked}")
        kept = [
            one.envelope.event_id
            for one in await self._house.log().read_stream(NEIGHBOUR)
            if one.envelope.device_id == self._phone
        ]
        if kept != self.sent:
            found.append(f"of the neighbour's {len(self.sent)} the log holds {len(kept)}")
        return found


@asynccontextmanager
async def house(folder: Path) -> AsyncIterator[House]:
    """Started, with a clinic in it."""
    lines: list[tuple[str, str]] = []
    async with AsyncExitStack() as stack:
        stack.enter_context(told())
        suite = Suite(folder, 0, lambda name, line: lines.append((name, line)))
        await stack.enter_async_context(suite)
        made = House(suite, lines)
        for name, one in suite.services.items():
            made.pids[name] = one.pid
            opened = grpc.aio.insecure_channel(one.address, options=BIG)
            made.channels[name] = await stack.enter_async_context(opened)
        pick = random.Random("clinic")
        for patient in (PATIENT, NEIGHBOUR):
            await made.log().append(admitted(patient, pick))
        stack.callback(made.threads.shutdown)
        stack.callback(made.phones.close)
        yield made
