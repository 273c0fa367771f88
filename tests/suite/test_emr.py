"""The suite shares with a FHIR server of somebody else's: from a phone to a hospital's record, by
the commands that a person types."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from rehab_sdk import events
from tests.suite.test_commands import clinic_of, data, rehab, writes
from tests.suite.test_policy import some_patient, soon
from tests.support.ports import low_port

__all__ = ["data"]


@pytest.fixture(scope="module", autouse=True)
def nearby() -> Iterator[None]:
    """Receivers may be on this machine."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("EMR_ALLOWED_NETWORKS", '["127.0.0.0/8"]')
        patch.setenv("EMR_GATHER_MS", "100")
        port = low_port()
        patch.setenv("EMR_HTTP_LISTEN", f"127.0.0.1:{port}")
        patch.setenv("EMR_PULL_URL", f"http://localhost:{port}/fhir")
        yield


@pytest.fixture(scope="module")
def receiver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from running("tests.support.fhir_server", tmp_path_factory.mktemp("receiver"))


@pytest.fixture(scope="module")
def subscriber(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    yield from running("tests.support.subscriber", tmp_path_factory.mktemp("subscriber"))


def running(module: str, folder: Path) -> Iterator[str]:
    command = [sys.executable, "-m", module, str(folder)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        yield json.loads(server.stdout.readline())["url"]
        server.kill()


def said(*words: str, data: Path) -> str:
    seen = rehab("emr", *words, data=data)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    return seen.stdout


@pytest.mark.timeout(300)
def test_from_the_phone_to_the_hospitals_record_and_its_account(
    data: Path, receiver: str, tmp_path: Path
) -> None:
    patient = some_patient(data)
    clinic = clinic_of(data, patient)
    with writes(data, clinic, patient) as phone:
        phone.log(phone.event(patient, events.pain(4, phase="during")))
    assert "auth none" in said("register", clinic, "hospital", receiver, data=data)
    one = ("deliveries", clinic, "--patient", patient, "--limit", "0")
    soon(lambda: "no_consent" in said(*one, data=data))
    given = rehab("consent", "grant", patient, "--purpose", "emr_share", data=data)
    assert given.returncode == 0, given.stderr
    assert httpx.get(f"{receiver.removesuffix('/fhir')}/_all/Observation").json() == []
    assert "is linked" in said("link", "hospital", patient, "--remote", "17", data=data)
    soon(lambda: " delivered " in said(*one, "--state", "delivered", data=data))
    there = httpx.get(f"{receiver.removesuffix('/fhir')}/_all/Observation").json()
    assert {one["subject"]["reference"] for one in there} == {"Patient/17"}
    account = said("disclosures", patient, data=data)
    assert "emr_share" in account
    assert "accepted" in account
    said("export", patient, str(tmp_path / "copy"), data=data)
    copy = json.loads((tmp_path / "copy" / "document.json").read_text())
    assert copy["type"] == "document"
    assert "sent again" in said("replay", clinic, "hospital", "--delivered", data=data)
    away = rehab("emr", "register", clinic, "away", "https://10.0.0.1/fhir", data=data)
    assert away.returncode == 1
    assert "EMR_ALLOWED_NETWORKS" in away.stderr


@pytest.mark.timeout(300)
def test_a_system_that_pulls_is_told_asks_and_is_accounted_for(data: Path, subscriber: str) -> None:
    patient = some_patient(data)
    clinic = clinic_of(data, patient)
    registered = said(
        *("register", clinic, "puller", subscriber, "--notify", "id-only", "--heartbeat", "3600"),
        data=data,
    )
    base = re.search(r"it pulls at (\S+)", registered)
    token = re.search(r"told this once: (\S+)", registered)
    assert base is not None
    assert token is not None
    given = rehab("consent", "grant", patient, "--purpose", "emr_share", data=data)
    assert given.returncode == 0, given.stderr
    with writes(data, clinic, patient) as phone:
        phone.log(phone.event(patient, events.pain(6, phase="during")))
    told = f"{subscriber.removesuffix('/hook')}/_told"
    soon(lambda: "/Observation/" in httpx.get(told).text)
    shown = {"authorization": f"Bearer {token[1]}"}
    where = f"{base[1]}/Subscription/puller/$events"
    missed = httpx.get(where, headers=shown, params={"content": "full-resource"}).json()
    assert "valueQuantity" in json.dumps(missed)
    assert "pulled" in said("disclosures", patient, data=data)
    soon(lambda: "active" in said("subscription", clinic, "puller", data=data))
    assert "told this once" in said("rotate-token", clinic, "puller", data=data)
    assert httpx.get(where, headers=shown).status_code == 401
    wrong = rehab("emr", "register", clinic, "x", subscriber, "--notify", "all", data=data)
    assert wrong.returncode == 2
