"""The command line asks identity like anybody else."""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path

from rehab_runtime.access.table import TABLE
from tests.identity.facts.service import (
    ADMIN,
    ANN,
    BOB,
    Place,
    eventstore,
    identity,
    refused,
    some_patient,
)
from tests.support.ports import low_ports

REHAB = "from rehab_cli.main import app; app()"


async def rehab(*arguments: str, code: int = 0) -> str:
    """What the command prints."""
    made = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", REHAB, *arguments),
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    async with asyncio.timeout(60):
        printed, _ = await made.communicate()
    assert made.returncode == code, printed
    return printed.decode()


async def test_the_table_is_printed_with_every_rpc() -> None:
    printed = await rehab("access", "table")
    assert all(method.removeprefix("/rehab.") in printed for method in TABLE)
    assert "BillingService" not in await rehab("access", "table", "consent")


async def test_consents_accesses_and_a_copy_are_told_at_the_command_line(place: Place) -> None:
    ports = low_ports()
    there = ("--port-base", str(ports))
    async with (
        eventstore(place) as (log, address),
        identity(place, log, address, listen=f"127.0.0.1:{ports + 3}") as made,
    ):
        patient = await made.treated(some_patient(), ANN.id)
        granted = await rehab("consent", "grant", patient, "--id", "c-2", *there)
        assert "consent c-2 to treatment" in granted
        assert "withdrawn" in await rehab("consent", "revoke", patient, "c-2", *there)
        listed = await rehab("consent", "list", patient, *there)
        assert "not in force" in listed
        assert listed.count("in force") == 2
        past = ("--as-of", "2026-01-01T00:00:00+00:00")
        assert "c-1" not in await rehab("consent", "list", patient, *past, *there)
        await refused(made.as_(BOB).team(patient))
        await made.as_(BOB).take(patient)
        taken = await rehab("access", "emergencies", ADMIN.clinic_id, "--unreviewed", *there)
        assert patient in taken
        seen = await rehab("access", "who", patient, "--json", *there)
        lines = [json.loads(line) for line in seen.splitlines()]
        assert (BOB.id, "no_relationship") in {(one["actor_id"], one["reason"]) for one in lines}
        file = place.folder / "copy.ndjson"
        await rehab("patient", "export", patient, "--to", str(file), *there)
        kinds = [json.loads(line)["type"] for line in _lines(file)]
        assert kinds.count("event") == 6
        assert file.stat().st_mode & 0o777 == 0o600
        again = await rehab("patient", "export", patient, "--to", str(file), *there, code=1)
        assert "name a new file" in again
        nobody = await rehab("consent", "list", "nobody", *there, code=1)
        assert "Not found" in nobody


def _lines(file: Path) -> list[str]:
    return file.read_text().splitlines()
