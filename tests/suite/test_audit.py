"""`rehab audit`: the trail of a running suite is searched, and shown to be whole or not."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg

from rehab.events.v1 import event_pb2
from rehab.identity.v1 import identity_service_pb2 as identity_pb
from rehab.identity.v1.identity_service_pb2_grpc import IdentityServiceStub
from tests.suite.test_commands import REHAB, data, rehab
from tests.suite.test_front import CLINIC, account, channels, reads

__all__ = ["data"]
HEARD_S = 15.0


def searched(data: Path, *words: str) -> list[dict[str, Any]]:
    seen = rehab("audit", "search", "--json", *words, data=data)
    assert seen.returncode == 0, seen.stderr
    return [json.loads(line) for line in seen.stdout.splitlines()]


def soon(data: Path, *words: str) -> list[dict[str, Any]]:
    """The same, once there is something."""
    deadline = time.monotonic() + HEARD_S
    while not (found := searched(data, *words)):
        assert time.monotonic() < deadline, f"nothing is found by {words}"
    return found


@asynccontextmanager
async def log_of(data: Path) -> AsyncIterator[asyncpg.Connection]:
    """The log's database, as somebody who has its password."""
    dsn = json.loads((data / "suite.json").read_text())["postgres_dsn"]
    connection = await asyncpg.connect(dsn.rsplit("/", 1)[0] + "/eventstore")
    try:
        yield connection
    finally:
        await connection.close()


def test_the_trail_is_searched_by_what_was_done_and_how_it_was_decided(data: Path) -> None:
    patient, eve = "searched-patient", "searched-eve"
    with channels(data) as to:
        account(to, patient, event_pb2.ROLE_PATIENT)
        clinician = account(to, eve, event_pb2.ROLE_THERAPIST)
        assert reads(to, clinician, patient) == "PERMISSION_DENIED"
        asked = identity_pb.TakeEmergencyAccessRequest(patient_id=patient, reason="safety")
        IdentityServiceStub(to["identity"]).TakeEmergencyAccess(
            asked, metadata=clinician, timeout=20
        )
    of_patient = ("--clinic", CLINIC, "--patient", patient)
    denied = soon(data, *of_patient, "--who", eve, "--denied")
    assert {one["reason"] for one in denied} == {"no_relationship"}
    assert all("GetQuality" in one["rpc"] for one in denied)
    taken = soon(data, *of_patient, "--emergency")
    assert {(one["actor_id"], one["rpc"].rsplit("/", 1)[1]) for one in taken} == {
        (eve, "TakeEmergencyAccess")
    }
    assert searched(data, *of_patient, "--who", eve, "--until", "2020-01-01") == []
    both = searched(data, *of_patient, "--who", eve)
    assert searched(data, *of_patient, "--who", eve, "--oldest") == both[::-1]
    assert searched(data, *of_patient, "--who", eve, "--limit", "1") == both[:1]
    shown = rehab("audit", "search", *of_patient, "--who", eve, data=data).stdout
    assert shown.count(eve) == len(both)
    assert "denied" in shown
    assert soon(data, "--rpc", "SearchAccess", "--patient", patient, "--allowed")
    wrong = rehab("audit", "search", "--from", "yesterday", data=data)
    assert wrong.returncode == 1
    assert "--from wants a time" in wrong.stderr


def test_emergency_access_is_told_while_somebody_watches(data: Path) -> None:
    patient, dan = "watched-patient", "watched-dan"
    command = [REHAB, "access", "emergencies", CLINIC, "--watch", "--data", str(data)]
    with channels(data) as to:
        account(to, patient, event_pb2.ROLE_PATIENT)
        clinician = account(to, dan, event_pb2.ROLE_THERAPIST)
        with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
            assert watching.stdout is not None
            assert "watching emergency access" in watching.stdout.readline()
            asked = identity_pb.TakeEmergencyAccessRequest(patient_id=patient, reason="safety")
            IdentityServiceStub(to["identity"]).TakeEmergencyAccess(
                asked, metadata=clinician, timeout=20
            )
            line = watching.stdout.readline()
            watching.send_signal(signal.SIGINT)
            assert watching.wait(20) == 0
    assert f"{dan} took emergency access to {patient} (safety)" in line


async def test_the_trail_is_shown_to_be_whole_and_how_long_it_is(data: Path) -> None:
    async with log_of(data) as log:
        before = await log.fetchval("SELECT count(*) FROM events WHERE stream_id LIKE 'audit-%'")
        told = rehab("audit", "verify", data=data)
        after = await log.fetchval("SELECT count(*) FROM events WHERE stream_id LIKE 'audit-%'")
    assert told.returncode == 0, told.stderr
    match = re.search(r"shard 0: ([\d,]+) audit events of ([\d,]+) up to position", told.stdout)
    assert match is not None, told.stdout
    proven, events = (int(one.replace(",", "")) for one in match.groups())
    assert 0 < before <= proven <= after < events
    assert "signed checkpoints hold" in told.stdout


async def test_an_entry_that_was_changed_in_the_database_is_named(data: Path) -> None:
    """A denial is made an allowance, as somebody would who covers a trace."""
    async with log_of(data) as log:
        row = await log.fetchrow(
            "SELECT position, body FROM events WHERE stream_id LIKE 'audit-identity-%' "
            "ORDER BY position LIMIT 1"
        )
        assert row is not None
        changed = event_pb2.Body.FromString(row["body"])
        changed.access.allowed = not changed.access.allowed
        edit = "UPDATE events SET body = $1 WHERE shard = 0 AND position = $2"
        await log.execute(edit, changed.SerializeToString(deterministic=True), row["position"])
        try:
            told = rehab("audit", "verify", data=data)
        finally:
            await log.execute(edit, row["body"], row["position"])
    assert told.returncode == 1
    assert f"shard 0: position {row['position']}: changed" in told.stderr
    assert rehab("audit", "verify", data=data).returncode == 0


async def test_an_entry_that_was_removed_from_the_database_is_named(data: Path) -> None:
    async with log_of(data) as log:
        position = await log.fetchval(
            "SELECT min(position) FROM events WHERE stream_id LIKE 'audit-projections-%'"
        )
        await log.execute(
            f"CREATE TABLE hidden AS SELECT * FROM events WHERE position = {position}"
        )
        await log.execute("DELETE FROM events WHERE position = $1", position)
        try:
            told = rehab("audit", "verify", data=data)
        finally:
            await log.execute("INSERT INTO events SELECT * FROM hidden")
            await log.execute("DROP TABLE hidden")
    assert told.returncode == 1
    assert f"shard 0: position {position}: missing" in told.stderr
    assert rehab("audit", "verify", data=data).returncode == 0
