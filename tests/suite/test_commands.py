"""The commands a person types beside a suite that runs."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from base64 import b64encode
from collections.abc import Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import asyncpg
import pytest

from rehab_sdk import Rehab, dev_token
from rehab_sdk.errors import NotFound

REHAB = str(Path(sys.executable).with_name("rehab"))


def rehab(*words: str, data: Path) -> subprocess.CompletedProcess[str]:
    command = [REHAB, *words, "--data", str(data)]
    return subprocess.run(command, capture_output=True, text=True, timeout=180, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a suite that `rehab up` runs, on ports of its own, with a clinic in it."""
    folder = tmp_path_factory.mktemp("suite")
    command = [REHAB, "up", "--data", str(folder), "--port-base", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        said = [next(up.stdout)]
        while not said[-1].startswith("ready after"):
            said.append(next(up.stdout))
        seeded = rehab("seed", "--patients", "3", "--days", "7", data=folder)
        assert seeded.returncode == 0, seeded.stdout + seeded.stderr
        yield folder
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0


def reads(data: Path, clinic: str) -> AbstractContextManager[Rehab]:
    """A therapist's client of the suite."""
    addresses = json.loads((data / "suite.json").read_text())["addresses"]
    token = dev_token("therapist", clinic, "therapist-1")
    return Rehab.connect(projections=addresses["projections"], token=token)


def writes(data: Path, clinic: str, patient: str) -> AbstractContextManager[Rehab]:
    """A patient's phone."""
    addresses = json.loads((data / "suite.json").read_text())["addresses"]
    return Rehab.connect(
        ingest=addresses["ingest"],
        projections=addresses["projections"],
        token=dev_token("patient", clinic, patient),
        device_id="phone-of-the-test",
        consent_id=consent_of(data, patient),
    )


def test_the_doctor_finds_nothing_wrong(data: Path) -> None:
    seen = rehab("doctor", data=data)
    assert seen.returncode == 0, seen.stdout
    assert "✗" not in seen.stdout
    for about in (
        "PostgreSQL",
        "NATS",
        "Valkey",
        "eventstore",
        "ingest",
        "projections",
        "log",
        "rules",
    ):
        assert f"✓ {about}" in seen.stdout


def test_what_is_archived_is_read_and_verified_like_the_rest_and_comes_back(data: Path) -> None:
    before = rehab("log", "read", "--limit", "150", "--json", data=data).stdout
    unsaid = rehab("log", "archive", data=data)
    assert unsaid.returncode == 1
    assert "--before 90d" in unsaid.stderr
    assert "0 events archived" in rehab("log", "archive", "--before", "1h", data=data).stdout
    moved = rehab("log", "archive", "--until-position", "150", data=data)
    assert moved.returncode == 0, moved.stdout + moved.stderr
    assert "events archived in" in moved.stdout
    objects = [path for path in (data / "archive").rglob("*") if path.is_file()]
    assert objects
    listed = rehab("log", "segments", data=data).stdout
    assert all(path.name[:12] in listed for path in objects)
    assert rehab("log", "read", "--limit", "150", "--json", data=data).stdout == before
    assert rehab("log", "verify", data=data).returncode == 0
    hidden = objects[0].rename(objects[0].with_suffix(".away"))
    lost = rehab("log", "verify", data=data)
    assert lost.returncode == 1
    assert f"segment {objects[0].name}: missing" in " ".join(lost.stderr.split())
    refused = rehab("log", "restore", data=data)
    assert refused.returncode == 1
    assert f"segment {objects[0].name} of the archive is missing" in " ".join(
        refused.stderr.split()
    )
    hidden.rename(objects[0])
    back = rehab("log", "restore", data=data)
    assert back.returncode == 0, back.stdout + back.stderr
    assert "archived" not in rehab("log", "segments", data=data).stdout
    assert rehab("log", "read", "--limit", "150", "--json", data=data).stdout == before
    assert rehab("log", "verify", data=data).returncode == 0


def test_the_doctor_says_how_to_start_what_is_absent(tmp_path: Path) -> None:
    seen = rehab("doctor", "--port-base", "1", data=tmp_path)
    assert seen.returncode == 1
    assert f"start it with: rehab up --data {tmp_path}" in seen.stdout
    assert "✗ eventstore" in seen.stdout


def test_a_clinic_seeded_twice_is_another_clinic(data: Path) -> None:
    again = rehab("seed", "--patients", "3", "--days", "1", data=data)
    assert again.returncode == 0, again.stdout + again.stderr
    assert "lives here already" in again.stdout


def test_the_log_is_read_in_order_with_bodies_closed(data: Path) -> None:
    read = rehab("log", "read", "--limit", "20", "--json", data=data)
    events = [json.loads(line) for line in read.stdout.splitlines()]
    assert [event["envelope"]["position"] for event in events] == list(range(1, 21))
    assert all("body" not in event for event in events)


def test_bodies_are_opened_when_asked_for(data: Path) -> None:
    read = rehab("log", "read", "--kind", "plan", "--limit", "1", "--json", "--bodies", data=data)
    (event,) = (json.loads(line) for line in read.stdout.splitlines())
    assert event["body"]["plan"]["plan_id"]


def test_a_stream_is_read_as_it_was(data: Path) -> None:
    patient = subjects(data)[0]

    def read(*as_of: str) -> list[dict[str, Any]]:
        told = rehab("log", "read", patient, "--limit", "0", "--json", *as_of, data=data)
        assert told.returncode == 0, told.stderr
        return [json.loads(line)["envelope"] for line in told.stdout.splitlines()]

    everything = read()
    then = everything[len(everything) // 2]
    assert read("--until-version", str(then["stream_version"])) == [
        one for one in everything if one["stream_version"] <= then["stream_version"]
    ]
    as_of = read("--as-of", then["recorded_at"])
    assert as_of == everything[: len(as_of)]
    assert then in as_of
    assert as_of[-1]["recorded_at"] == then["recorded_at"]
    assert all(one["recorded_at"] != then["recorded_at"] for one in everything[len(as_of) :])


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["patient-1", "--as-of", "2026-03-02T10:00:00"], "write it with its zone"),
        (["patient-1", "--as-of", "yesterday"], "yesterday is no moment"),
        (["--until-version", "3"], "one patient's stream is read as of"),
        (["--as-of", "2026-03-02T10:00:00Z"], "one patient's stream is read as of"),
    ],
)
def test_what_cannot_be_read_as_of_is_told(data: Path, asked: list[str], told: str) -> None:
    read = rehab("log", "read", *asked, data=data)
    assert read.returncode == 1
    assert told in read.stderr


def test_a_kind_that_there_is_none_of_is_told_in_one_line(data: Path) -> None:
    read = rehab("log", "read", "--kind", "telepathy", data=data)
    assert read.returncode == 1
    assert "there is no kind telepathy" in read.stderr


def test_status_and_lag_tell_where_the_read_models_are(data: Path) -> None:
    assert "read_models" in rehab("projections", "status", data=data).stdout
    assert "0 events" in rehab("projections", "lag", data=data).stdout


def test_the_read_models_are_rebuilt_and_switched_back(data: Path) -> None:
    built = rehab("projections", "rebuild", "--workers", "1", "--expect-same", data=data)
    assert built.returncode == 0, built.stdout + built.stderr
    assert built.stdout == "version 2 answers; it is the same as the one before\n"
    back = rehab("projections", "switch", "1", data=data)
    assert back.returncode == 0, back.stdout + back.stderr
    shown = rehab("projections", "versions", data=data).stdout
    assert [line.split()[:2] for line in shown.splitlines()[1:]] == [
        ["2", "retired"],
        ["1", "live"],
    ]
    assert "answer" in rehab("projections", "drop", "1", data=data).stderr
    assert rehab("projections", "drop", "2", data=data).returncode == 0
    assert rehab("projections", "rebuild", "nonsense", data=data).returncode == 2


def test_streams_held_back_are_told(data: Path) -> None:
    assert rehab("projections", "parked", data=data).stdout == "nothing is held back\n"
    retried = rehab("projections", "retry", data=data)
    assert retried.stdout == "0 streams go on, 0 are held back still\n"
    skipped = rehab("projections", "skip", "patient-x", "--reason", "why not", data=data)
    assert skipped.returncode == 1
    assert skipped.stderr.count("\n") == 1


def test_a_second_suite_on_the_same_folder_is_refused(data: Path) -> None:
    second = rehab("up", "--port-base", "0", data=data)
    assert second.returncode == 1
    assert "is in use by another run" in second.stderr


def test_external_servers_that_are_not_told_are_all_named(tmp_path: Path) -> None:
    alone = rehab("up", "--external", "--port-base", "0", data=tmp_path)
    assert alone.returncode == 1
    assert "REHAB_POSTGRES_DSN (--postgres) and REHAB_NATS_URL (--nats)" in alone.stderr


def test_servers_of_others_are_used_when_told(data: Path, tmp_path: Path) -> None:
    note = json.loads((data / "suite.json").read_text())
    told = ("--postgres", note["postgres_dsn"], "--nats", "nats://127.0.0.1:1")
    up = rehab("up", "--external", "--port-base", "0", *told, data=tmp_path)
    assert up.returncode == 1
    assert "NATS at 127.0.0.1:1 does not answer" in up.stderr


def subjects(data: Path) -> list[str]:
    """Patients with sealed events."""
    read = rehab("log", "read", "--kind", "rep_observation", "--limit", "0", "--json", data=data)
    return sorted({json.loads(line)["envelope"]["subject_id"] for line in read.stdout.splitlines()})


def consent_of(data: Path, patient: str) -> str:
    read = rehab("log", "read", patient, "--kind", "consent", "--limit", "1", "--json", data=data)
    return str(json.loads(read.stdout)["envelope"]["consent_id"])


def clinic_of(data: Path, patient: str) -> str:
    read = rehab("log", "read", patient, "--limit", "1", "--json", data=data)
    return str(json.loads(read.stdout)["envelope"]["clinic_id"])


def test_the_log_tells_whose_data_which_service_may_have_read(data: Path) -> None:
    read = rehab("log", "read", "--kind", "access", "--limit", "0", "--bodies", "--json", data=data)
    told = [json.loads(line) for line in read.stdout.splitlines()]
    readers = {event["envelope"]["actor"]["id"] for event in told}
    assert "service-projections" in readers
    read_by_it = {
        subject for event in told for subject in event["body"]["access"].get("subject_ids", [])
    }
    everything = rehab("log", "read", "--limit", "0", "--json", data=data).stdout.splitlines()
    sealed = [one for one in map(json.loads, everything) if one["envelope"].get("phi")]
    assert {one["envelope"]["subject_id"] for one in sealed} == read_by_it


@pytest.mark.parametrize("read", ["adherence", "sessions", "weeks", "evidence", "nights"])
def test_a_read_of_a_patient_is_watched(data: Path, read: str) -> None:
    patient = subjects(data)[0]
    seen = rehab("watch", read, patient, "--answers", "1", data=data)
    assert seen.returncode == 0, seen.stdout + seen.stderr
    told = json.loads(seen.stdout)
    assert isinstance(told, list) or told["patient_id"] == patient


def test_a_change_is_shown_while_it_is_watched(data: Path) -> None:
    patient = subjects(data)[0]
    clinic = clinic_of(data, patient)
    command = [REHAB, "watch", "sessions", patient, "--answers", "2", "--data", str(data)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as watching:
        assert watching.stdout is not None
        before = json.loads(watching.stdout.readline())
        with writes(data, clinic, patient) as client, client.session(patient=patient) as session:
            name = session.session_id
        after = json.loads(watching.stdout.readline())
        assert watching.wait(30) == 0
    assert name in {one["session_id"] for one in after} - {one["session_id"] for one in before}


def test_what_is_watched_wrongly_is_told_in_one_line(data: Path) -> None:
    for words, told in (
        (["telepathy", "p"], "there is no read telepathy"),
        (["reps", "p"], "say which session: --session"),
        (["adherence", "nobody"], "Not found."),
    ):
        seen = rehab("watch", *words, data=data)
        assert seen.returncode == 1
        assert told in seen.stderr
        assert seen.stderr.count("\n") == 1


def test_a_suite_with_one_keeper_of_keys_has_none_to_move(data: Path) -> None:
    asked = rehab("keys", "move", data=data)
    assert asked.returncode == 1
    assert "EVENTSTORE_KEYS_ALSO" in asked.stdout + asked.stderr


def test_keys_are_rotated_and_wrapped_anew_without_a_body_lost(data: Path) -> None:
    before = rehab("keys", "status", data=data)
    assert before.returncode == 0, before.stderr
    assert "kept by: file" in before.stdout
    patient = subjects(data)[0]
    assert (
        f"{patient} is sealed with data key" in rehab("keys", "rotate", patient, data=data).stdout
    )
    assert "has version 2 now" in rehab("keys", "rotate", data=data).stdout
    assert "to be rewrapped" in rehab("keys", "status", data=data).stdout
    moved = rehab("keys", "rewrap", data=data)
    assert moved.returncode == 0, moved.stderr
    assert ", 0 cannot be opened" in moved.stdout
    assert "to be rewrapped" not in rehab("keys", "status", data=data).stdout
    read = rehab("log", "read", patient, "--json", "--bodies", data=data)
    assert all(isinstance(json.loads(line)["body"], dict) for line in read.stdout.splitlines())


def test_an_erased_patient_is_gone_from_the_log_and_the_read_models(data: Path) -> None:
    patient = subjects(data)[-1]
    assert rehab("log", "hold", patient, data=data).returncode == 0
    held = rehab("log", "erase", patient, "--yes", data=data)
    assert held.returncode == 1
    assert "A legal hold forbids the erasure." in held.stderr
    assert patient in rehab("log", "holds", data=data).stdout
    assert rehab("log", "release", patient, data=data).returncode == 0
    erased = rehab("log", "erase", patient, "--yes", data=data)
    assert erased.returncode == 0, erased.stderr
    proof = rehab("log", "erasure-report", patient, "--json", data=data)
    assert proof.returncode == 0
    report = json.loads(proof.stdout)
    assert report["complete"] is True
    assert report["living_keys"] == 0
    read = rehab("log", "read", patient, "--limit", "0", "--json", "--bodies", data=data)
    events = [json.loads(line) for line in read.stdout.splitlines()]
    sealed = [event for event in events if event["envelope"].get("phi")]
    assert len(sealed) == int(report["sealed_events"]) > 0
    assert {event["body"] for event in sealed} == {"erased"}
    told = events[-1]["envelope"]
    assert told["kind"] == "erasure"
    with reads(data, told["clinic_id"]) as client, pytest.raises(NotFound):
        client.patients.adherence(patient, min_position=told["position"])
    assert rehab("log", "erase", patient, "--yes", data=data).returncode == 1


def test_an_erasure_that_is_not_confirmed_changes_nothing(data: Path) -> None:
    patient = subjects(data)[0]
    command = [REHAB, "log", "erase", patient, "--data", str(data)]
    asked = subprocess.run(
        command, input="no\n", capture_output=True, text=True, timeout=180, check=False
    )
    assert asked.returncode == 1
    assert "nothing was erased" in asked.stderr
    assert rehab("log", "erasure-report", patient, data=data).returncode == 1


def test_the_log_is_verified_and_held_against_a_checkpoint_kept_apart(
    data: Path, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.json"
    signed = rehab("log", "checkpoint", "--export", str(kept), data=data)
    assert signed.returncode == 0, signed.stderr
    key = signed.stdout.split("public key ")[1].split(")")[0]
    told = ("--expect-checkpoint", str(kept), "--public-key", key)
    verified = rehab("log", "verify", *told, data=data)
    assert verified.returncode == 0, verified.stdout + verified.stderr
    assert "are what was written" in verified.stdout
    assert "the checkpoint kept of position" in verified.stdout
    stranger = b64encode(bytes(32)).decode()
    assert rehab("log", "verify", "--public-key", stranger, data=data).returncode == 1


async def test_an_event_that_was_changed_in_the_database_is_named(data: Path) -> None:
    dsn = json.loads((data / "suite.json").read_text())["postgres_dsn"]
    connection = await asyncpg.connect(dsn.rsplit("/", 1)[0] + "/eventstore")
    was = await connection.fetchval("SELECT kind FROM events WHERE position = 7")
    edit = "UPDATE events SET kind = $1 WHERE position = 7"
    await connection.execute(edit, f"no_{was}")
    try:
        verified = rehab("log", "verify", data=data)
    finally:
        await connection.execute(edit, was)
        await connection.close()
    assert verified.returncode == 1
    assert "shard 0: position 7: changed" in verified.stderr
