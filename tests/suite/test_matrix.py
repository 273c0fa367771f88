"""The access table, cell by cell, over every service as it is run: each RPC of the contract, asked
by every role, of patients in every relation and consent, in the own clinic and another."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.descriptor import MethodDescriptor
from google.protobuf.message_factory import GetMessageClass

from rehab.events.v1 import event_pb2, patient_pb2
from rehab.events.v1.event_pb2 import Body
from rehab.events.v1.kinds import KINDS, kind_of
from rehab.eventstore.v1 import eventstore_service_pb2 as store_pb
from rehab_runtime.access.rules import Relation, Rule
from rehab_runtime.access.table import TABLE
from rehab_runtime.auth import Principal, bearer, service_principal
from rehab_runtime.channels import channel
from rehab_runtime.clock import uuid7
from rehab_runtime.eventlog import EventLog
from tests.suite.test_commands import data
from tests.support.contract import METHODS

__all__ = ["data"]

HERE, THERE = "clinic-matrix", "clinic-elsewhere"
THERAPIST = "matrix-therapist"
NOW = datetime.now(UTC)
DAY = timedelta(days=1)
DENIED = ("PERMISSION_DENIED", "NOT_FOUND")
AT_ONCE = 16


@dataclass(frozen=True)
class Patient:
    relation: str
    consent: str

    @property
    def id(self) -> str:
        return f"matrix-{self.relation}-{self.consent}"


PATIENTS = [
    Patient(*one)
    for one in itertools.product(("none", "active", "ended"), ("none", "granted", "revoked"))
]


def bodies(patient: Patient) -> Iterator[Body]:
    yield Body(enrolment=patient_pb2.Enrolment(enrolled=patient_pb2.PatientEnrolled(zone="UTC")))
    consent = patient_pb2.Consent(consent_id="consent-matrix")
    if patient.consent != "none":
        consent.granted.purpose = "treatment"
        consent.granted.valid_from.FromDatetime(NOW - 9 * DAY)
        yield Body(consent=consent)
    if patient.consent == "revoked":
        gone = patient_pb2.Consent(consent_id="consent-matrix")
        gone.revoked.effective_at.FromDatetime(NOW - DAY)
        yield Body(consent=gone)
    steps = {"none": (), "active": (1,), "ended": (1, 2)}[patient.relation]
    for step in steps:
        yield Body(care_team=patient_pb2.CareTeam(therapist_id=THERAPIST, action=step))


def appended(patient: Patient) -> store_pb.AppendRequest:
    request = store_pb.AppendRequest(stream=patient.id)
    for number, body in enumerate(bodies(patient)):
        kind = str(kind_of(body))
        event = request.events.add(body=body.SerializeToString())
        envelope = event.envelope
        envelope.event_id, envelope.kind = str(uuid7()), kind
        envelope.clinic_id, envelope.subject_id = HERE, patient.id
        envelope.schema_version, envelope.phi = 1, KINDS[kind].phi
        envelope.consent_id = "consent-matrix"
        envelope.occurred_at.FromDatetime(NOW - 8 * DAY + timedelta(hours=number))
        envelope.actor.id, envelope.actor.role = "service-cli", event_pb2.ROLE_SERVICE
    request.expected.any.SetInParent()
    return request


def callers(patient: Patient) -> list[Principal]:
    return [
        Principal(patient.id, "patient", HERE, patient_id=patient.id),
        Principal("matrix-somebody", "patient", HERE),
        Principal(THERAPIST, "therapist", HERE),
        Principal(THERAPIST, "therapist", THERE),
        Principal("matrix-admin", "admin", HERE),
        Principal("matrix-admin", "admin", THERE),
        Principal("matrix-emergency", "emergency", HERE),
        Principal("matrix-device", "device", HERE),
        service_principal("nobody-knows"),
    ]


def answers(rule: Rule, caller: Principal, patient: Patient) -> tuple[str, ...]:
    """What it may answer: a refusal; nothing for anything but one. In other words than decide."""
    wanted = rule.who.get(caller.role, frozenset())
    if caller.role == "service":
        allowed = bool(wanted) and not rule.services
        return () if allowed else ("PERMISSION_DENIED",)
    if not wanted:
        return ("PERMISSION_DENIED",)
    named = bool(rule.about or rule.clinic)
    if named and caller.clinic_id != HERE:
        return ("NOT_FOUND",)
    if rule.per_item or not rule.about:
        return ()
    agrees = not rule.purpose or patient.consent == "granted"
    grounds = {
        Relation.OWN: caller.id == patient.id,
        Relation.CARE: caller.id == THERAPIST and patient.relation == "active" and agrees,
        Relation.CLINIC: agrees,
        Relation.GRANT: False,
    }
    return () if any(grounds[one] for one in wanted) else ("PERMISSION_DENIED",)


def request_of(method: MethodDescriptor, rule: Rule, patient: Patient) -> Any:
    """Names whom it is about, and else nothing: what is let through is refused as incomplete."""
    request = GetMessageClass(method.input_type)()
    for path, value in ((rule.about, patient.id), (rule.clinic, HERE)):
        if path:
            *parents, name = path.split(".")
            target = request
            for parent in parents:
                target = getattr(target, parent)
            setattr(target, name, value)
    return request


async def asked(connection: grpc.aio.Channel, name: str, request: Any, caller: Principal) -> str:
    """The code of the answer, of a stream that of its first message."""
    method = METHODS[name]
    told_as = GetMessageClass(method.output_type)
    codec = {
        "request_serializer": type(request).SerializeToString,
        "response_deserializer": told_as.FromString,
    }
    metadata = (bearer(caller),)
    try:
        if method.server_streaming:
            call = connection.unary_stream(name, **codec)(request, metadata=metadata, timeout=20)
            try:
                await call.read()
                return "OK"
            finally:
                call.cancel()
        await connection.unary_unary(name, **codec)(request, metadata=metadata, timeout=20)
    except grpc.aio.AioRpcError as error:
        return str(error.code().name)
    return "OK"


def service_of(name: str) -> str:
    return name.split(".")[1]


async def known(addresses: Mapping[str, str]) -> None:
    """Every patient is in the log, and identity and the read models have heard of it."""
    async with channel(addresses["eventstore"]) as connection:
        log = EventLog(connection, service_principal("cli"))
        for patient in PATIENTS:
            await log.append(appended(patient))
    probe = "/rehab.projections.v1.ProjectionsService/GetQuality"
    last = next(one for one in PATIENTS if (one.relation, one.consent) == ("active", "granted"))
    async with channel(addresses["projections"]) as connection, asyncio.timeout(30):
        for patient in PATIENTS:
            request = request_of(METHODS[probe], TABLE[probe], patient)
            request.window.days = 7
            own = Principal(patient.id, "patient", HERE)
            while await asked(connection, probe, request, own) != "OK":
                await asyncio.sleep(0.05)
            treats = Principal(THERAPIST, "therapist", HERE)
            while patient == last and await asked(connection, probe, request, treats) != "OK":
                await asyncio.sleep(0.05)


@pytest.mark.timeout(300)
async def test_every_cell_of_the_table_is_as_it_says_on_the_servers(data: Path) -> None:
    addresses = json.loads((data / "suite.json").read_text())["addresses"]
    await known(addresses)
    turn, wrong, counted = asyncio.Semaphore(AT_ONCE), [], Counter[str]()
    guarded = {name: rule for name, rule in TABLE.items() if service_of(name) != "eventstore"}

    async def cell(connection: Any, name: str, caller: Principal, patient: Patient) -> None:
        rule = TABLE[name]
        may = answers(rule, caller, patient)
        async with turn:
            seen = await asked(connection, name, request_of(METHODS[name], rule, patient), caller)
        right = seen in may if may else seen not in ("PERMISSION_DENIED", "UNAUTHENTICATED")
        counted["allowed" if not may else "denied"] += 1
        if not right:
            where = f"{caller.role} of {caller.clinic_id}: {patient.id}"
            wrong.append(f"{name} asked by {where} answers {seen}, not {may or 'its answer'}")

    for service in ("ingest", "projections", "identity", "policy", "emr"):
        async with channel(addresses[service]) as connection, asyncio.TaskGroup() as tasks:
            for name, rule in guarded.items():
                if service_of(name) != service or rule.open or METHODS[name].client_streaming:
                    continue
                for patient in PATIENTS if rule.about else PATIENTS[:1]:
                    for caller in callers(patient):
                        tasks.create_task(cell(connection, name, caller, patient))
    assert wrong == []
    assert counted["denied"] > 1000
    assert counted["allowed"] > 500
