"""The bar of a long piece of work: how far it is, how fast, how long still."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeRemainingColumn,
)

from rehab_cli.console import err


class Moved(Protocol):
    def __call__(self, done: int, total: int, note: str = "") -> None: ...


@contextmanager
def bar(of: str) -> Iterator[Moved]:
    """A bar that counts `of`, gone when the work is done. Without a note it tells the rate."""
    columns = (
        *(TextColumn(of), BarColumn(), MofNCompleteColumn()),
        *(TextColumn("{task.fields[note]}"), TimeRemainingColumn()),
    )
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("", total=None, note="")

        def moved(done: int, total: int, note: str = "") -> None:
            speed = progress.tasks[task].speed
            rate = f"{speed:,.0f}/s" if speed else ""
            progress.update(task, completed=done, total=total, note=note or rate)

        yield moved
