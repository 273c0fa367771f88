"""`rehab policy lint|test` on files of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest
from typer.testing import CliRunner

from rehab_cli.main import app
from rehab_cli.policy import SHIPPED

RULE = """
book: mine
version: 1
rules:
  - id: pain
    version: 1
    on: [pain_report]
    when: pain_report.nprs >= 8u
    action: alert
    severity: high
    cooldown: 1d
    owner: us
    rationale: because
    source: a study
    message: {en: Pain}
"""
TEST = """
tests:
  - name: severe pain is told
    given:
      - {at: "0 10:00", pain_report: {nprs: 9, phase: PAIN_PHASE_PRE}}
    expect:
      - {rule: pain, severity: SEVERITY}
"""


def called(*arguments: str) -> tuple[int, str]:
    result = CliRunner().invoke(app, ["policy", *arguments])
    return result.exit_code, result.output


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "book.yaml").write_text(RULE)
    (tmp_path / "book.test.yaml").write_text(TEST.replace("SEVERITY", "high"))
    return tmp_path


def test_the_shipped_book_lints_and_its_tests_hold() -> None:
    code, said = called("lint", "--quiet")
    assert (code, "no problem" in said) == (0, True)
    code, said = called("test", "--only", "heart rate")
    assert (code, "FAIL" in said) == (0, False)
    assert SHIPPED.is_dir()


def test_a_problem_is_told_at_its_place_and_the_exit_code_says_so(folder: Path) -> None:
    assert called("lint", str(folder))[0] == 0
    (folder / "book.yaml").write_text(RULE.replace("8u", "8"))
    code, said = called("lint", str(folder))
    assert code == 1
    assert "book.yaml:8:28: pain: when: found no matching overload" in said
    assert called("test", str(folder))[0] == 1


def test_a_test_that_does_not_hold_says_what_was_otherwise(folder: Path) -> None:
    code, said = called("test", str(folder), "--explain")
    assert (code, "pain version 1: because" in said) == (0, True)
    (folder / "book.test.yaml").write_text(TEST.replace("SEVERITY", "critical"))
    code, said = called("test", str(folder))
    assert code == 1
    assert "FAIL severe pain is told" in said
    assert "severity is 'high', not 'critical'" in said


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("tests: [{name: a, given: [{at: noon, pain_report: {}}], expect: []}]", "a day and a loc"),
        ("tests: [{name: a, given: [{at: '0 10:00', pian: {}}], expect: []}]", "has one kind"),
        ("tests: [{name: a, givn: [], expect: []}]", "unknown field 'givn'"),
        ("tests: [{name: a, given: []}]", "a list `expect`"),
        (
            "tests: [{name: a, given: [{at: '0 10:00', pain_report: {nprz: 1}}], expect: []}]",
            'has no field named "nprz"',
        ),
        ("tests: 5", "has no list `tests`"),
    ],
)
def test_a_test_that_cannot_be_run_is_a_problem(folder: Path, wrong: str, says: str) -> None:
    (folder / "book.test.yaml").write_text(wrong)
    code, said = called("lint", str(folder))
    assert code == 1
    assert says in said.replace("\n", " ")


def test_a_path_that_is_not_there_is_told_in_one_line() -> None:
    code, said = called("lint", "/nowhere/rules.yaml")
    assert code == 1
    assert "No such file" in said
    assert "Traceback" not in said
