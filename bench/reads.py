"""What a read costs the service's processor, kept in Valkey and made anew, in one run.

    python -m bench.reads [--json PATH]

RUNS, CALLS (of each read in a run) and EVENTS may be set in the environment. Time of the processor,
of the service alone, gRPC included: what else runs on the machine does not count.
"""

from __future__ import annotations

import os
import statistics
import tempfile
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc

from bench.measure import Row, main
from bench.projections import METADATA, caught_up, fill, lived
from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1.eventstore_service_pb2_grpc import EventStoreServiceStub
from rehab.projections.v1 import billing_service_pb2 as billing
from rehab.projections.v1 import progress_service_pb2 as progress
from rehab.projections.v1 import projections_service_pb2 as common
from rehab.projections.v1 import vitals_service_pb2 as vitals
from rehab.projections.v1.billing_service_pb2_grpc import BillingServiceStub
from rehab.projections.v1.progress_service_pb2_grpc import ProgressServiceStub
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab.projections.v1.vitals_service_pb2_grpc import VitalsServiceStub
from rehab_cli.suite import Suite
from rehab_cli.supervisor import Service, environment
from rehab_runtime.channels import channel
from rehab_runtime.clock import uuid7
from rehab_runtime.embedded import free_port

RUNS = int(os.environ.get("RUNS", "5"))
CALLS = int(os.environ.get("CALLS", "60"))
EVENTS = int(os.environ.get("EVENTS", "17000"))
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
STUBS = (ProjectionsServiceStub, ProgressServiceStub, BillingServiceStub, VitalsServiceStub)


def questions(patient_id: str, session_id: str) -> dict[str, Any]:
    about: dict[str, Any] = {"patient_id": patient_id, "window": common.Window(days=28)}
    one: dict[str, Any] = {"patient_id": patient_id, "session_id": session_id}
    return {
        "GetAdherence": common.GetAdherenceRequest(**about),
        "GetQuality": common.GetQualityRequest(**about),
        "ListSessions": common.ListSessionsRequest(patient_id=patient_id),
        "ListAdherenceWeeks": progress.ListAdherenceWeeksRequest(**about),
        "ListMissedSessions": progress.ListMissedSessionsRequest(**about),
        "GetSession": progress.GetSessionRequest(**one),
        "ListReps": progress.ListRepsRequest(**one),
        "GetPainAgainstQuality": progress.GetPainAgainstQualityRequest(**about),
        "ListReadings": vitals.ListReadingsRequest(**about, metric="steps"),
        "ListVitalDays": vitals.ListVitalDaysRequest(**about, metrics=["steps"]),
        "ListNights": vitals.ListNightsRequest(**about),
        "GetBillingEvidence": billing.GetBillingEvidenceRequest(**about),
    }


def cpu_s(pid: int) -> float:
    """Of a process, its threads and what it started."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = (int(fields[11]) + int(fields[12])) / TICKS_PER_S
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    return own + sum(cpu_s(int(child)) for child in children)


def steps(like: Event) -> Iterator[Event]:
    """An hour's count for each hour of four weeks, of the patient of another event."""
    start = datetime.now(UTC).replace(minute=0, second=0, microsecond=0) - timedelta(days=28)
    for hour in range(28 * 24):
        event = Event(envelope=like.envelope)
        event.envelope.event_id = str(uuid7())
        event.envelope.kind, event.envelope.schema_version = "health_samples", 1
        told = event.body.health_samples
        told.metric, told.aggregation = "step_count", "hours"
        sample = told.samples.add(sources=["Watch"])
        sample.start.FromDatetime(start + timedelta(hours=hour))
        sample.end.FromDatetime(start + timedelta(hours=hour + 1))
        sample.quantity.value = sample.quantity.canonical_value = 100 + hour
        sample.quantity.ucum = "{count}"
        yield event


class Asked:
    """A running service, asked read by read."""

    def __init__(self, connection: grpc.aio.Channel, pid: int) -> None:
        self._stubs = [stub(connection) for stub in STUBS]
        self._pid = pid

    async def __call__(self, rpc: str, request: Any) -> Any:
        stub = next(one for one in self._stubs if hasattr(one, rpc))
        return await getattr(stub, rpc)(request, metadata=METADATA, timeout=60)

    async def cost_ms(self, rpc: str, request: Any) -> float:
        """Of one call, in milliseconds of the processor."""
        await self(rpc, request)
        before = cpu_s(self._pid)
        for _ in range(CALLS):
            await self(rpc, request)
        return (cpu_s(self._pid) - before) * 1000 / CALLS


@asynccontextmanager
async def without_valkey(suite: Suite) -> AsyncIterator[Service]:
    """A second replica of the projections, which keeps nothing."""
    told = {
        "LISTEN": "127.0.0.1:0",
        "POSTGRES_DSN": suite.servers.dsn("projections"),
        "NATS_URL": suite.servers.nats_url,
        "EVENTSTORE_ADDRESS": suite.addresses.eventstore,
    }
    service = Service("projections", environment("projections", told), lambda *_: None)
    await service.start()
    try:
        yield service
    finally:
        await service.stop()


async def measure() -> list[Row]:
    os.environ["PROJECTIONS_KEPT_ANSWERS_LIVE_MS"] = "60000"
    with tempfile.TemporaryDirectory(prefix="rehab-bench-", ignore_cleanup_errors=True) as folder:
        async with (
            Suite(Path(folder), free_port(), lambda *_: None) as suite,
            channel(suite.addresses.eventstore) as log,
            without_valkey(suite) as other,
            channel(suite.addresses.projections) as near,
            channel(other.address) as far,
        ):
            stub = EventStoreServiceStub(log)
            await fill(stub, lived(), EVENTS)
            await fill(stub, steps(_somebody()), 28 * 24)
            await caught_up(ProjectionsServiceStub(near))
            keeps = Asked(near, suite.services["projections"].pid)
            makes = Asked(far, other.pid)
            return await _rows(keeps, makes)


def _somebody() -> Event:
    return next(one for one in lived() if one.envelope.kind == "rep_observation")


async def _rows(keeps: Asked, makes: Asked) -> list[Row]:
    about = common.ListSessionsRequest(patient_id=_somebody().envelope.subject_id)
    session = (await makes("ListSessions", about)).sessions[0]
    rows = []
    for rpc, request in questions(about.patient_id, session.session_id).items():
        kept, made = [], []
        for _ in range(RUNS):
            made.append(await makes.cost_ms(rpc, request))
            kept.append(await keeps.cost_ms(rpc, request))
        ours, theirs = statistics.median(kept), statistics.median(made)
        rows.append(Row(rpc, round(ours, 2), "ms", "ms made anew", round(theirs, 2), ours / theirs))
    return rows


if __name__ == "__main__":
    main("bench.reads", measure)
