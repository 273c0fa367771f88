"""The commands by which who runs a suite lets people in, beside an identity that runs."""

from __future__ import annotations

import asyncio
import subprocess
import sys
from pathlib import Path

from rehab_cli.addresses import SERVICES
from tests.identity.house import CLINIC, INGEST, PASSWORD, House

REHAB = str(Path(sys.executable).with_name("rehab"))
PUBLIC = bytes(range(32))


class Typed:
    """Commands of a person whose suite has this identity on the port that is looked at."""

    def __init__(self, home: House) -> None:
        port = int(home.address.rpartition(":")[2])
        self._port_base = port - SERVICES.index("identity")

    async def __call__(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        command = [REHAB, *words, "--port-base", str(self._port_base)]
        return await asyncio.to_thread(
            subprocess.run,
            command,
            input=stdin,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    async def said(self, *words: str, stdin: str = "") -> str:
        """What a command says that succeeds."""
        done = await self(*words, stdin=stdin)
        assert done.returncode == 0, done.stdout + done.stderr
        return done.stdout


async def test_an_account_is_made_listed_and_disabled(home: House) -> None:
    typed = Typed(home)
    new = ("account", "create", CLINIC, "patient", "--id", "p1", "--email", "p1@example.org")
    assert await typed.said(*new, "--password", stdin=PASSWORD + "\n") == "p1\n"
    await home.log_in("p1")
    listed = await typed.said("account", "list", CLINIC)
    assert "p1" in listed
    assert "example.org" not in listed
    (line,) = (await typed.said("session", "list", "p1")).splitlines()[1:]
    assert "ended" in await typed.said("session", "end", line.split()[0])
    assert len((await typed.said("session", "list", "p1")).splitlines()) == 1
    await typed.said("account", "disable", "p1")
    found = await typed.said("account", "list", CLINIC, "--email", "P1@example.org")
    assert "disabled" in found
    assert "ann" not in found


async def test_a_device_is_enrolled_by_the_code_that_is_shown_and_revoked(home: House) -> None:
    typed = Typed(home)
    code = (await typed.said("device", "code", "ann")).split()[0]
    answer = await home.ask("EnrolDevice", None, code=code, public_key=PUBLIC, model="Phone 3")
    assert answer.device_id in await typed.said("device", "list", "ann")
    await typed.said("device", "revoke", answer.device_id)
    (row,) = await home.fetch("SELECT reason FROM device WHERE revoked_at IS NOT NULL")
    assert row["reason"] == "lost"


async def test_a_key_is_shown_once_rotated_and_revoked(home: House) -> None:
    typed = Typed(home)
    new = ("apikey", "create", "ann", "export", "--scope", "read", "--scope", "ingest")
    secret = (await typed.said(*new)).strip()
    answer = await home.ask("VerifyApiKey", INGEST, secret=secret)
    assert list(answer.principal.scopes) == ["ingest", "read"]
    key = secret.split("_")[1]
    assert secret not in await typed.said("apikey", "list", "ann")
    rotated = (await typed.said("apikey", "rotate", key, "--overlap-s", "0")).strip()
    await home.ask("VerifyApiKey", INGEST, secret=rotated)
    await typed.said("apikey", "revoke", key)
    await home.refused("VerifyApiKey", INGEST, secret=rotated)


async def test_what_cannot_be_done_is_told_in_one_line(home: House) -> None:
    typed = Typed(home)
    for words in (("device", "code", "nobody"), ("session", "end", "x"), ("apikey", "revoke", "x")):
        done = await typed(*words)
        assert done.returncode == 1
        assert "Not found" in done.stdout + done.stderr
        assert "Traceback" not in done.stderr
    wrong = await typed("account", "create", CLINIC, "root")
    assert wrong.returncode == 2
