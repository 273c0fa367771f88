"""`rehab policy lint|test`: a rule book on this machine, before anybody relies on it."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Annotated

import typer
from rich.text import Text

import rehab_policy
from rehab_cli.commands import run
from rehab_cli.console import err, out, problem
from rehab_cli.errors import SuiteError
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.explaining import explain
from rehab_policy.domain.linting import Lint, lint
from rehab_policy.domain.problems import BookError
from rehab_policy.domain.trials import Verdict, run_tests

SHIPPED = Path(rehab_policy.__file__).with_name("book")

Paths = Annotated[
    list[Path] | None, typer.Argument(help="Files or folders of a rule book; the shipped without.")
]


def check(
    paths: Paths = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="Problems only, no remarks.")] = False,
) -> None:
    """Say what is wrong with a rule book: file, line, column and why."""

    async def work() -> int:
        found = _read(paths)
        for told in found.problems:
            problem(told)
        for remark in () if quiet else found.remarks:
            err.print(Text(remark, "yellow"))
        if found.rules is not None and found.good:
            out.print(f"{len(found.rules.rules)} rules, {len(found.trials)} tests: no problem")
        return 0 if found.good else 1

    run(work)


def try_out(
    paths: Paths = None,
    only: Annotated[str, typer.Option("--only", help="Tests whose name has this in it.")] = "",
    why: Annotated[bool, typer.Option("--explain", help="Say why each rule fired.")] = False,
) -> None:
    """Run the tests beside the rules."""

    async def work() -> int:
        found = _read(paths)
        for told in found.problems:
            problem(told)
        if found.rules is None or not found.good:
            return 1
        chosen = [trial for trial in found.trials if only in trial.name]
        verdicts = run_tests(found.rules, chosen)
        for verdict in verdicts:
            _show(verdict)
            for firing in verdict.firings if why else ():
                out.print(Text("\n".join(explain(firing, found.rules).lines())))
        good = sum(verdict.good for verdict in verdicts)
        out.print(f"{good} of {len(verdicts)} tests hold")
        return 0 if verdicts and good == len(verdicts) else 1

    run(work)


def _read(paths: list[Path] | None) -> Lint:
    return _told(lambda: lint(paths or [SHIPPED], Cel()))


def _told(read: Callable[[], Lint]) -> Lint:
    try:
        return read()
    except (OSError, BookError) as error:
        raise SuiteError(str(error)) from None


def _show(verdict: Verdict) -> None:
    mark = Text("ok   ", "green") if verdict.good else Text("FAIL ", "bold red")
    out.print(Text.assemble(mark, verdict.trial.name))
    for difference in verdict.differences:
        problem(f"       {difference}")
