"""What a rebuild spends on an event, part by part, in microseconds of a processor.

One process does one after the other what a worker does at once, so that each part can be told
apart; what the event store and PostgreSQL spend meanwhile is told by the system.
"""

from __future__ import annotations

import gc
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rehab_clinical.facts import fact_of

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab_cli.suite import Suite
from rehab_projections.projector import Projector
from rehab_projections.registry.bulk import BATCH_EVENTS, PACKAGE
from rehab_projections.registry.versions import Versions, schema_of
from rehab_projections.storage.putting import load
from rehab_projections.storage.rows import rows_of
from rehab_projections.storage.write import Writer
from rehab_runtime import postgres
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.eventlog import EventLog
from rehab_runtime.postgres import Queries

TICKS_S = os.sysconf("SC_CLK_TCK")
PRINCIPAL = service_principal("projections")


class Parts:
    """Seconds of a processor by part."""

    def __init__(self, suite: Suite) -> None:
        self.spent: dict[str, float] = defaultdict(float)
        self.events = 0
        self._last = 0.0
        self._clocks: dict[str, Callable[[], float]] = {
            "": time.process_time,
            ": event store": lambda: _process_s(suite.services["eventstore"].pid),
            ": PostgreSQL": lambda: _family_s(suite.postgres.pid),
        }

    @contextmanager
    def of(self, part: str, again: bool = False) -> Iterator[None]:
        """Count what is done as a part. `again` says that the part before is done in it once more,
        which is not counted."""
        before = {name: clock() for name, clock in self._clocks.items()}
        done = self._last if again else 0.0
        yield
        for name, clock in self._clocks.items():
            self.spent[part + name] += clock() - before[name]
        self._last = time.process_time() - before[""]
        self.spent[part] -= done

    def lines(self) -> list[str]:
        each = {part: seconds / self.events * 1e6 for part, seconds in self.spent.items()}
        told = [f"  {part:24} {us:6.1f} us" for part, us in each.items() if us >= 1]
        return [*told, f"  {'together':24} {sum(each.values()):6.1f} us"]


async def parts_of(suite: Suite) -> Parts:
    """Fold the whole log once into a version of its own, which is dropped in the end."""
    parts, dsn = Parts(suite), suite.servers.dsn("projections")
    queries = Queries.load(PACKAGE, "queries.sql")
    async with (
        postgres.connect(dsn, name="bench", statement_timeout_ms=60_000) as database,
        channel(suite.addresses.eventstore) as connection,
    ):
        log, stub = EventLog(connection, PRINCIPAL), EventStoreServiceStub(connection)
        versions = Versions(dsn, database)
        version = await versions.begin(afresh=True)
        gc.disable()  # as a worker does
        try:
            async with postgres.connect(
                dsn, name="bench", statement_timeout_ms=60_000, schema=schema_of(version)
            ) as own:
                writer = Writer(own, queries, put=load)
                await writer.start([(await log.head()).incarnation])
                await _fold(parts, log, stub, writer)
        finally:
            gc.enable()
            await versions.drop(version)
    return parts


async def _fold(parts: Parts, log: EventLog, stub: EventStoreServiceStub, writer: Writer) -> None:
    projector = Projector(writer, log.read_stream)
    cursor = (await writer.cursors()).of(0)
    while True:
        with parts.of("read"):
            batch = await _read(stub, cursor.position)
        if not batch:
            return
        with parts.of("decrypt"):
            await log.open(batch)
        with parts.of("parse"):
            facts = [fact_of(event) for event in batch]
        with parts.of("fold", again=True):
            changes = await projector.changes_of(batch)
        with parts.of("encode"):
            rows_of(changes)
        with parts.of("write", again=True):
            cursor = await writer.store(cursor, batch[-1], changes)
        projector.stored(changes)
        parts.events += len(facts)


async def _read(stub: EventStoreServiceStub, after: int) -> list[RecordedEvent]:
    request = store.ReadAllRequest(after_position=after, limit=BATCH_EVENTS)
    pages = stub.ReadAll(request, metadata=(bearer(PRINCIPAL),), timeout=60)
    return [event async for page in pages for event in page.events]


def _process_s(pid: int) -> float:
    fields = _stat(pid)
    return (int(fields[11]) + int(fields[12])) / TICKS_S


def _family_s(pid: int) -> float:
    """A process, its children, and those of them that have ended."""
    fields = _stat(pid)
    ended = (int(fields[13]) + int(fields[14])) / TICKS_S
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return _process_s(pid) + ended + sum(_process_s(int(child)) for child in children)


def _stat(pid: int) -> list[str]:
    """What proc(5) tells of a process after its name; nothing of one that has just ended."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    except OSError:
        return ["0"] * 40
