"""Refused events, as an operator sees to them."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc

from rehab.events.v1.event_pb2 import ROLE_PATIENT, Event
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab.ingest.v1.ingest_service_pb2_grpc import IngestServiceStub
from rehab_sdk import dev_token
from tests.ingest.given import CLINIC, PATIENT, rep
from tests.suite.test_commands import data, rehab

__all__ = ["data"]

TOLERATED_S = 300
"""How far ahead of the server's clock an event may lie."""


def sent(folder: Path, *events: Event) -> list[str]:
    address = json.loads((folder / "suite.json").read_text())["addresses"]["ingest"]
    token = dev_token("patient", CLINIC, PATIENT)
    with grpc.insecure_channel(address) as channel:
        answer = IngestServiceStub(channel).LogEvents(
            pb.LogEventsRequest(events=events),
            metadata=[("authorization", f"Bearer {token}")],
            timeout=10,
        )
    return [str(verdict.WhichOneof("verdict")) for verdict in answer.verdicts]


def agreed() -> Event:
    event = rep()
    event.envelope.kind = "consent"
    event.envelope.actor.role = ROLE_PATIENT
    event.body.consent.consent_id = event.envelope.consent_id
    event.body.consent.granted.purpose = "treatment"
    event.body.consent.granted.valid_from.FromDatetime(datetime.now(UTC) - timedelta(days=1))
    return event


def ahead(seconds: float) -> Event:
    event = rep()
    event.envelope.occurred_at.FromDatetime(datetime.now(UTC) + timedelta(seconds=seconds))
    return event


def test_refused_events_are_listed_sent_again_after_a_fix_and_let_go(data: Path) -> None:
    assert rehab("quarantine", "list", data=data).stdout == "nothing is held\n"
    assert sent(data, agreed()) == ["stored"]
    soon, never = ahead(TOLERATED_S + 8), ahead(86_400)
    began = time.monotonic()
    assert sent(data, soon, never) == ["failure", "failure"]
    shown = rehab("quarantine", "list", data=data).stdout
    assert shown.count("timestamp.not_in_future") == 2
    time.sleep(max(0.0, began + 8.5 - time.monotonic()))
    again = rehab("quarantine", "replay", data=data)
    assert again.returncode == 1
    assert again.stdout.count("stored") == 1
    assert again.stderr.count("not_in_future") == 1
    held = rehab("quarantine", "list", data=data).stdout
    assert held.count("timestamp.not_in_future") == 1
    log = rehab("log", "read", PATIENT, "--kind", "rep_observation", data=data).stdout
    assert len(log.splitlines()) == 1
    entry = held.split()[0]
    assert rehab("quarantine", "discard", entry, data=data).returncode == 0
    assert rehab("quarantine", "list", data=data).stdout == "nothing is held\n"
    unknown = rehab("quarantine", "discard", entry, data=data)
    assert unknown.returncode != 0
    assert entry in unknown.stderr
