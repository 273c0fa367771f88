"""`rehab-edge models`: what is shipped, which runtimes work here, and what was chosen."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from rehab_edge.errors import EdgeError
from rehab_edge.interpreter import RUNTIMES, Choice, self_test
from rehab_edge.models import FORM, MODELS
from rehab_edge.plugins import Found, scorers, sensors
from rehab_edge.scoring.learned import LearnedScorer
from rehab_edge.scoring.network import Network


def models(
    card: Annotated[bool, typer.Option("--card", help="The model card, whole.")] = False,
) -> None:
    """Models, runtimes and scorers on this device, each tested."""
    if card:
        typer.echo((MODELS / "CARD.md").read_text(encoding="utf-8"))
        return
    console = Console()
    console.print(_runtimes())
    try:
        network = Network.load(FORM)
    except EdgeError as error:
        console.print(f"The learned scorer cannot run: {error}")
        raise typer.Exit(1) from None
    facts = json.loads((MODELS / "training.json").read_text(encoding="utf-8"))
    console.print(
        f"Model form {LearnedScorer().version}, trained on {facts['repetitions']} repetitions of"
        f" {len(facts['subjects'])} healthy volunteers; no therapist rated them. --card tells more."
    )
    console.print(_choices({"plain": network.plain, "calibrated": network.calibrated}))
    console.print(_plugins("scorer", scorers()))
    console.print(_plugins("sensor", sensors()))


def _runtimes() -> Table:
    table = Table("runtime", "version", "self-test", title="Runtimes")
    for name in RUNTIMES:
        test = self_test(name)
        table.add_row(name, test.version or "-", "ok" if test.ok else test.problem)
    return table


def _choices(choices: dict[str, Choice]) -> Table:
    table = Table("network", "runtime", "variant", "median us", "", title="Measured just now")
    for name, choice in choices.items():
        for one in choice.timings:
            chosen = (one.runtime, one.variant) == (choice.runtime, choice.variant)
            said = one.problem or ("chosen" if chosen else "")
            us = "-" if one.problem else f"{one.median_us:.0f}"
            table.add_row(name, one.runtime, one.variant, us, said)
    return table


def _plugins(what: str, found: Sequence[Found]) -> Table:
    table = Table(what, "version", "self-test", title=f"{what.capitalize()}s")
    for one in found:
        table.add_row(one.name, getattr(one.plugin, "version", "-"), one.problem or "ok")
    return table
