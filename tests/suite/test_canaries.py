"""Nothing that people tell of themselves is found where it is not sealed: not in a log, a metric, a
subject or header of the broker, a row or file of a database, or a key of the cache."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import time
import urllib.request
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import asyncpg
import nats
import pytest
import redis.asyncio as redis

from rehab.events.v1.kinds import KINDS
from rehab_cli.addresses import SERVICES
from rehab_cli.clinic import clinic
from rehab_cli.clinic.people import Clinic
from tests.suite.patients_data import NOT_OURS, SECRETS, TEXT, Teller, Told
from tests.suite.test_commands import REHAB, rehab
from tests.suite.test_front import channels
from tests.support.canaries import Canaries, messages_of, rows_of, values_of, where

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(300)]
SEED, PATIENTS, THERAPISTS = 1, 3, 2
STARTS_WITHIN_S = 120.0
FOLDED_WITHIN_S = 60.0
Found = Mapping[str, Collection[str]]


def canaries_of(people: Clinic) -> Canaries:
    told = [part for whole in people.canaries() for part in (whole, *whole.split(" "))]
    return Canaries([*told, *SECRETS])


@dataclass(frozen=True)
class Run:
    """A suite in which people told of themselves, and what it said meanwhile."""

    folder: Path
    said: Path
    told: Told
    canaries: Canaries

    @property
    def note(self) -> Mapping[str, str]:
        note: Mapping[str, str] = json.loads((self.folder / "suite.json").read_text())
        return note

    def logs(self) -> Found:
        """Line by line: each stands under its beginning."""
        lines = self.said.read_bytes().splitlines()
        return where(self.canaries, {f"{number}": line for number, line in enumerate(lines)})

    def metrics(self) -> Mapping[str, bytes]:
        urls = re.findall(r"http://127\.0\.0\.1:\d+/metrics", self.said.read_text())
        return {url: urllib.request.urlopen(url, timeout=10).read() for url in urls}

    async def rows(self) -> Found:
        return where(self.canaries, await rows_of(self.note["postgres_dsn"]))

    async def messages(self) -> Found:
        return where(self.canaries, await messages_of(self.note["nats_url"]))

    async def values(self) -> Found:
        return where(self.canaries, await values_of(self.note["valkey_url"]))

    def files(self) -> Found:
        return self.canaries.found_in_folder(self.folder)


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Run]:
    """All services say all they can while the clinic lives for two weeks."""
    folder, said = tmp_path_factory.mktemp("canaries"), tmp_path_factory.mktemp("said") / "up.txt"
    loud = {
        f"{name.upper()}_LOG_{what}": value
        for name in ("eventstore", "ingest", "projections", "identity")
        for what, value in (("LEVEL", "debug"), ("JSON", "true"))
    }
    command = [REHAB, "up", "--data", str(folder), "--port-base", "0"]
    with (
        said.open("wb") as output,
        subprocess.Popen(command, stdout=output, stderr=output, env=os.environ | loud) as up,
    ):
        try:
            ready(said, up)
            people = clinic(SEED, PATIENTS, THERAPISTS)
            size = ("--patients", str(PATIENTS), "--therapists", str(THERAPISTS))
            seeded = rehab("seed", *size, "--seed", str(SEED), "--days", "14", data=folder)
            assert seeded.returncode == 0, seeded.stdout + seeded.stderr
            with channels(folder) as to:
                told = Teller(to, people).tell()
            folded(folder)
            yield Run(folder, said, told, canaries_of(people))
        finally:
            up.send_signal(signal.SIGINT)
            up.wait(30)


def ready(said: Path, up: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + STARTS_WITHIN_S
    while b"ready after" not in said.read_bytes():
        assert up.poll() is None, said.read_text()
        assert time.monotonic() < deadline, said.read_text()
        time.sleep(0.1)


def folded(folder: Path) -> None:
    """The read models hold all that was told."""
    deadline = time.monotonic() + FOLDED_WITHIN_S
    while " 0 events " not in (seen := rehab("projections", "lag", data=folder).stdout):
        assert time.monotonic() < deadline, seen
        time.sleep(0.2)


async def test_the_canaries_are_in_the_suite_and_come_back_to_whom_they_belong(lived: Run) -> None:
    """Without that the tests below would show nothing."""
    assert {kind for kind in KINDS if KINDS[kind].phi} - NOT_OURS <= lived.told.stored
    assert len(lived.told.refused) > 10
    first = clinic(SEED, PATIENTS, THERAPISTS).patients[0]
    exported = "".join(lived.told.exported)
    assert exported.count(TEXT) > 10
    for own in (first.person.email, first.person.phone, first.person.birth_date):
        assert own in exported
    assert b'"service": "projections"' in lived.said.read_bytes()


async def test_no_line_of_a_log_holds_a_canary(lived: Run) -> None:
    assert lived.logs() == {}


async def test_no_metric_holds_a_canary(lived: Run) -> None:
    told = lived.metrics()
    assert len(told) == len(SERVICES)
    assert where(lived.canaries, told) == {}


async def test_no_subject_header_or_message_of_the_broker_holds_a_canary(lived: Run) -> None:
    assert await lived.messages() == {}


async def test_no_row_of_a_database_holds_a_canary(lived: Run) -> None:
    assert await lived.rows() == {}


async def test_no_key_or_value_of_the_cache_holds_a_canary(lived: Run) -> None:
    assert await lived.values() == {}


async def test_no_file_of_a_server_holds_a_canary(lived: Run) -> None:
    assert lived.files() == {}


async def test_a_canary_that_is_planted_is_found_wherever_it_is(lived: Run) -> None:
    """The last one: it spoils what the tests before look at."""
    with lived.said.open("ab") as said:
        said.write(b'{"event": "a patient said: %s"}\n' % TEXT.encode())
    assert list(lived.logs().values()) == [set(SECRETS[:2])]
    assert where(lived.canaries, {"m": b'x_total{who="zqxkvorth"} 1'}) == {"m": {"Zqxkvorth"}}
    await _planted_in_postgres(lived)
    await _planted_in_nats(lived)
    client = redis.Redis.from_url(lived.note["valkey_url"])
    await client.set("planted", TEXT)
    assert set(await lived.values()) == {"planted"}
    await client.delete("planted")
    await client.aclose()
    found = " ".join(lived.files())
    assert "postgres" in found
    assert "nats" in found


async def _planted_in_postgres(lived: Run) -> None:
    dsn = lived.note["postgres_dsn"].rsplit("/", 1)[0] + "/identity"
    connection = await asyncpg.connect(dsn)
    await connection.execute("CREATE TABLE planted AS SELECT $1::text AS said", TEXT)
    found = await lived.rows()
    assert found == {"identity.public.planted": set(SECRETS[:2])}
    await connection.close()


async def _planted_in_nats(lived: Run) -> None:
    connection = await nats.connect(lived.note["nats_url"])
    context = connection.jetstream()
    await context.add_stream(name="planted", subjects=["planted"])
    await context.publish("planted", b"", headers={"said": "Zqxkvorth"})
    assert await lived.messages() == {"planted": {"Zqxkvorth"}}
    await connection.close()
