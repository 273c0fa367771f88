"""What a delivered resource costs, from a patient's stream to the receiver's answer and its account
in the log, beside bare posts of the same Bundles in the same run.

A suite of its own, a receiver that stores nothing. RUNS and RESOURCES may be set in the
environment.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import statistics
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx

from bench.measure import Row
from rehab.emr.v1 import emr_service_pb2 as pb
from rehab.emr.v1.emr_service_pb2_grpc import EmrServiceStub
from rehab.events.v1.event_pb2 import PROVENANCE_SELF_REPORT, ROLE_PATIENT, Body, Event
from rehab.events.v1.kinds import KINDS, kind_of
from rehab.events.v1.report_pb2 import PAIN_PHASE_24H
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_cli.suite import Suite
from rehab_runtime.auth import bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import uuid7
from rehab_runtime.embedded import free_port
from rehab_runtime.eventlog import EventLog

RUNS = int(os.environ.get("RUNS", "5"))
RESOURCES = int(os.environ.get("RESOURCES", "800"))
PATIENTS = 20
ENTRIES = 8
AT_ONCE = 4
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
METADATA = (bearer(service_principal("cli")),)


@dataclass(frozen=True)
class Run:
    """Seconds until all had arrived, and of processor time that the service took."""

    wall_s: float
    cpu_s: float


def told(patient: str, clinic: str, body: Body) -> store.AppendRequest:
    event = Event(body=body)
    kind = str(kind_of(body))
    envelope = event.envelope
    envelope.event_id, envelope.kind, envelope.schema_version = str(uuid7()), kind, 1
    envelope.clinic_id, envelope.subject_id = clinic, patient
    envelope.occurred_at.FromDatetime(datetime.now(UTC) - timedelta(minutes=5))
    envelope.actor.id, envelope.actor.role = patient, ROLE_PATIENT
    envelope.phi, envelope.provenance = KINDS[kind].phi, PROVENANCE_SELF_REPORT
    if envelope.phi:
        envelope.consent_id = "treatment"
    request = store.AppendRequest(stream=patient)
    request.expected.any.SetInParent()
    request.events.add(envelope=envelope, body=event.body.SerializeToString())
    return request


def lived(clinic: str) -> list[store.AppendRequest]:
    """Patients who share, and report pain."""
    made = []
    for number in range(PATIENTS):
        patient, share = f"{clinic}-p{number}", Body()
        share.consent.consent_id = "share"
        share.consent.granted.purpose = "emr_share"
        share.consent.granted.valid_from.FromDatetime(datetime.now(UTC) - timedelta(days=1))
        made.append(told(patient, clinic, share))
        for value in range(RESOURCES // PATIENTS):
            pain = Body()
            pain.pain_report.nprs, pain.pain_report.phase = value % 11, PAIN_PHASE_24H
            made.append(told(patient, clinic, pain))
    return made


@contextlib.asynccontextmanager
async def receiving() -> AsyncIterator[str]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "bench.receiver"), stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    try:
        yield str(json.loads(await process.stdout.readline())["url"])
    finally:
        process.kill()
        await process.wait()


def processor_s(pid: int) -> float:
    """Of a process since it began (proc(5): the 14th and 15th field)."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / TICKS_PER_S


async def delivered(suite: Suite, stub: EmrServiceStub, clinic: str, url: str) -> Run:
    """All that waits for an endpoint that is new, until it has arrived."""
    endpoint = pb.Endpoint(
        endpoint_id=clinic,
        clinic_id=clinic,
        base_url=url,
        most_entries=ENTRIES,
        requests_per_second=1000,
        concurrency=AT_ONCE,
    )
    request = pb.RegisterEndpointRequest(clinic_id=clinic, endpoint=endpoint)
    await stub.RegisterEndpoint(request, metadata=METADATA, timeout=30)
    pid = suite.services["emr"].pid
    began, before = time.perf_counter(), processor_s(pid)
    for number in range(PATIENTS):
        link = pb.LinkPatientRequest(
            patient_id=f"{clinic}-p{number}", endpoint_id=clinic, remote_id=str(number)
        )
        await stub.LinkPatient(link, metadata=METADATA, timeout=30)
    asked = pb.GetStatusRequest(clinic_id=clinic)
    while True:
        answer = await stub.GetStatus(asked, metadata=METADATA, timeout=30)
        if answer.endpoints[0].delivered >= RESOURCES:
            return Run(time.perf_counter() - began, processor_s(pid) - before)
        await asyncio.sleep(0.05)


async def posted(bundles: Sequence[bytes], url: str) -> Run:
    """The same Bundles by httpx and nothing else, as many at once."""
    waiting = list(bundles)

    async def post(client: httpx.AsyncClient) -> None:
        while waiting:
            answer = await client.post(url, content=waiting.pop(), headers=headers)
            assert len(answer.json()["entry"]) == ENTRIES

    headers = {"content-type": "application/fhir+json"}
    began, before = time.perf_counter(), time.process_time()
    async with httpx.AsyncClient() as client:
        await asyncio.gather(*(post(client) for _ in range(AT_ONCE)))
    return Run(time.perf_counter() - began, time.process_time() - before)


async def measured() -> tuple[list[Run], list[Run]]:
    ours, bare = [], []
    os.environ["EMR_ALLOWED_NETWORKS"] = '["127.0.0.0/8"]'
    with tempfile.TemporaryDirectory() as folder:
        suite = Suite(Path(folder), free_port(), lambda *_: None)
        async with (
            suite,
            receiving() as url,
            channel(suite.addresses.emr) as connection,
            channel(suite.addresses.eventstore) as log_connection,
        ):
            log = EventLog(log_connection, service_principal("cli"))
            stub = EmrServiceStub(connection)
            for number in range(RUNS):
                clinic = f"bench-{number}"
                await log.batch_append(lived(clinic))
                await known(stub, clinic)
                ours.append(await delivered(suite, stub, clinic, url))
                shown = await bundle_of(stub, clinic)
                bare.append(await posted([shown] * (RESOURCES // ENTRIES), url))
    return ours, bare


async def known(stub: EmrServiceStub, clinic: str) -> None:
    """The service has folded them."""
    request = pb.ListDisclosuresRequest(patient_id=f"{clinic}-p{PATIENTS - 1}")
    for _ in range(400):
        with contextlib.suppress(Exception):
            await stub.ListDisclosures(request, metadata=METADATA, timeout=5)
            return
        await asyncio.sleep(0.05)
    raise TimeoutError("the service does not fold")


async def bundle_of(stub: EmrServiceStub, clinic: str) -> bytes:
    """A Bundle as it was sent: what a copy of the record shows, a few entries of it."""
    request = pb.ExportPatientRequest(patient_id=f"{clinic}-p0")
    call = stub.ExportPatient(request, metadata=METADATA, timeout=30)
    document = json.loads(b"".join([piece.data async for piece in call]))
    entries = [one for one in document["entry"] if one["resource"]["resourceType"] == "Observation"]
    sent = [{**one, "request": {"method": "POST", "url": "Observation"}} for one in entries]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": sent[:ENTRIES]}
    return json.dumps(bundle).encode()


def rows() -> list[Row]:
    ours, bare = asyncio.run(measured())
    per_s = statistics.median(RESOURCES / one.wall_s for one in ours)
    bare_s = statistics.median(RESOURCES / one.wall_s for one in bare)
    ours_ms = statistics.median(one.cpu_s / RESOURCES * 1000 for one in ours)
    bare_ms = statistics.median(one.cpu_s / RESOURCES * 1000 for one in bare)
    return [
        Row(
            f"delivered and accounted for, {PATIENTS} patients at once",
            round(per_s),
            "resources/s",
            "bare posts",
            round(bare_s),
            round(per_s / bare_s, 3),
        ),
        Row(
            "processor time of the service a delivered resource",
            round(ours_ms, 2),
            "ms",
            "bare posts",
            round(bare_ms, 2),
            round(ours_ms / bare_ms, 1),
        ),
    ]
