"""What a severe pain report sets in motion in a suite that runs, and the commands about rules."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehab_policy.shipped import shipped
from rehab_sdk import Rehab, dev_token, events
from tests.suite.test_commands import REHAB, clinic_of, data, rehab, writes

__all__ = ["REHAB", "data"]
WAIT_S = 90.0


def soon(look: Callable[[], Any]) -> Any:
    """What it finds, once it finds something."""
    deadline = time.monotonic() + WAIT_S
    while not (seen := look()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.1)
    return seen


def some_patient(data: Path) -> str:
    read = rehab("log", "read", "--kind", "enrolment", "--limit", "1", "--json", data=data)
    return str(json.loads(read.stdout.splitlines()[0])["envelope"]["subject_id"])


def alerts(data: Path, clinic: str, patient: str) -> list[dict[str, Any]]:
    seen = rehab("policy", "alerts", clinic, "--patient", patient, "--json", data=data)
    assert seen.returncode == 0, seen.stderr
    told = [json.loads(line) for line in seen.stdout.splitlines()]
    return [one for one in told if one.get("emergency")]


def reported(data: Path, clinic: str, rule: str) -> str:
    report = rehab("policy", "report", "--clinic", clinic, data=data)
    assert report.returncode == 0, report.stderr
    return next((one for one in report.stdout.splitlines() if one.split()[0] == rule), "")


def test_severe_pain_is_an_alert_that_stands_in_the_work_queue_until_it_is_ended(
    data: Path,
) -> None:
    patient = some_patient(data)
    clinic = clinic_of(data, patient)
    with writes(data, clinic, patient) as phone:
        phone.log(phone.event(patient, events.pain(9, phase="during")))
    alert = soon(lambda: alerts(data, clinic, patient))[0]
    assert alert["severity"] == "SEVERITY_CRITICAL"
    told = json.loads((data / "suite.json").read_text())["addresses"]
    therapist = alert["therapistId"]
    with Rehab.connect(
        projections=told["projections"], token=dev_token("therapist", clinic, therapist)
    ) as desk:
        queue = soon(
            lambda: [
                item
                for item in desk.work_queue.list()
                if item.patient_id == patient and "alert" in {one.code for one in item.reasons}
            ]
        )
    assert len(queue) == 1
    why = rehab("policy", "explain", alert["alertId"], data=data)
    assert why.returncode == 0, why.stderr
    assert "pain_report.nprs" in why.stdout
    who = f"therapist:{clinic}:{therapist}"
    taken = rehab("policy", "ack", alert["alertId"], "--as", who, data=data)
    assert f"is taken by {therapist}" in taken.stdout
    words = ("policy", "resolve", alert["alertId"], "--outcome", "acted", "--useful", "--as", who)
    assert "ended: acted" in rehab(*words, data=data).stdout
    assert "100%" in soon(lambda: reported(data, clinic, alert["ruleId"]))


def test_rules_are_put_approved_by_another_and_put_in_force(data: Path, tmp_path: Path) -> None:
    book = tmp_path / "book"
    book.mkdir()
    for name, text in shipped().items():
        (book / name).write_text(text.replace("\nversion: 1\n", "\nversion: 2\n", 1))
    ann, bob = "admin:clinic-1:ann", "admin:clinic-1:bob"
    put = rehab("policy", "put", str(book), "--as", ann, "--note", "a test", data=data)
    assert "version 2" in put.stdout, put.stderr
    own = rehab("policy", "approve", "2", "--as", ann, data=data)
    assert own.returncode == 1
    tried = rehab("policy", "backtest", "--version", "2", data=data)
    assert tried.returncode == 0, tried.stderr
    assert "patients" in tried.stdout
    approved = rehab("policy", "approve", "2", "--as", bob, data=data).stdout
    assert "approved by bob" in approved
    weak = approved[approved.index("needs a clinician's look") :]
    assert "form.stop" in weak, "a rule with a weak source is shown to whoever approves it"
    assert "pain_stop_nprs" in weak, "so is a limit"
    assert "is live" in rehab("policy", "live", "2", "--as", bob, data=data).stdout
    listed = rehab("policy", "rules", data=data).stdout.splitlines()
    assert [line.split()[:2] for line in listed[1:]] == [["2", "live"], ["1", "retired"]]
    assert "emergency.pain" in rehab("policy", "rules", "2", data=data).stdout


@pytest.mark.parametrize("words", [("explain", "no-such-alert"), ("approve", "99")])
def test_what_is_not_there_is_told_in_one_line(data: Path, words: tuple[str, ...]) -> None:
    seen = rehab("policy", *words, data=data)
    assert seen.returncode == 1
    assert len(seen.stderr.strip().splitlines()) == 1


def test_a_wrong_rule_is_refused_with_its_line_and_column(data: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "wrong.yaml"
    wrong.write_text("book: wrong\nversion: 9\nrules:\n  - id: one\n    when: 1 +\n")
    seen = rehab("policy", "put", str(wrong), data=data)
    assert seen.returncode == 1
    assert "wrong.yaml:4:" in seen.stderr
