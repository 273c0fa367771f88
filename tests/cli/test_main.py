"""The tree of commands: every name leads to a function, and to no more than is asked for."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from rehab_cli.lazily import Group
from rehab_cli.main import REHAB, app


def paths(group: Group, *above: str) -> Iterator[tuple[str, ...]]:
    yield above
    for name, told in group.commands.items():
        if isinstance(told, Group):
            yield from paths(told, *above, name)
        else:
            yield *above, name


@pytest.mark.parametrize("path", list(paths(REHAB)), ids=" ".join)
def test_every_command_tells_what_it_does(path: tuple[str, ...]) -> None:
    told = CliRunner().invoke(app, [*path, "--help"])
    assert told.exit_code == 0, told.output
    assert " ".join(("Usage:", "root", *path)) in told.output
    lines = [line for line in told.output.splitlines() if line.strip()]
    assert not lines[1].startswith("╭"), "what it does is said first"


@pytest.mark.parametrize(
    ("words", "meant"), [(["projectons"], "projections"), (["policy", "lnt"], "lint")]
)
def test_who_mistypes_is_told_what_was_meant(words: list[str], meant: str) -> None:
    told = CliRunner().invoke(app, words)
    assert told.exit_code == 2
    assert f"Did you mean '{meant}'?" in told.output


@pytest.mark.parametrize(
    "words",
    [
        "policy lint /absent",
        "policy put /absent",
        "policy backtest /absent",
        "log verify --public-key no-base64",
        "log verify --expect-checkpoint /absent",
        "audit verify --public-key bm90LWEta2V5",
    ],
)
def test_what_cannot_be_read_is_told_in_a_line(words: str) -> None:
    told = CliRunner().invoke(app, words.split())
    assert (told.exit_code, type(told.exception)) == (1, SystemExit)


def test_a_command_imports_what_it_needs_alone() -> None:
    """A simulated clinic, rules and databases are nothing for who reads the log."""
    code = (
        "import sys; from rehab_cli.main import app\n"
        "try: app(['log', 'read', '--help'])\n"
        "except SystemExit: print(*sys.modules, file=sys.stderr)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = set(ran.stderr.split())
    assert "rehab_cli.looking" in loaded
    assert not loaded & {"numpy", "asyncpg", "rehab_policy", "pydantic_settings", "rehab_edge.main"}
