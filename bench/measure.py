"""Measuring: callers at the same time for a while, medians of interleaved runs, one table."""

from __future__ import annotations

import argparse
import asyncio
import json
import statistics
import time
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import uvloop


@dataclass(frozen=True)
class Rate:
    """Events a second, and the 99th percentile of a call's time in milliseconds."""

    per_s: float
    p99_ms: float = 0.0


Measure = Callable[[], Awaitable[Rate]]


async def many(
    callers: int, seconds: float, once: Callable[[int], Awaitable[None]], each: int = 1
) -> Rate:
    """Call as fast as it goes, each caller after its last call is answered; a call stands for
    `each` events."""
    times: list[float] = []
    end = time.perf_counter() + seconds

    async def call(number: int) -> None:
        began = time.perf_counter()
        while began < end:
            await once(number)
            now = time.perf_counter()
            times.append(now - began)
            began = now

    began = time.perf_counter()
    await asyncio.gather(*(call(number) for number in range(callers)))
    return Rate(len(times) * each / (time.perf_counter() - began), p99_ms(times))


def p99_ms(seconds: Sequence[float]) -> float:
    if len(seconds) < 2:
        return 0.0
    return statistics.quantiles(seconds, n=100)[98] * 1000


async def interleaved(measures: Mapping[str, Measure], runs: int) -> dict[str, Rate]:
    """The median of each, measured in turn so that a noisy minute meets all of them."""
    seen: dict[str, list[Rate]] = {name: [] for name in measures}
    for run in range(runs):
        for name, measure in measures.items():
            seen[name].append(await measure())
            print(f"  {run + 1}/{runs} {name}: {seen[name][-1].per_s:,.0f}/s", flush=True)
    return {
        name: Rate(
            statistics.median(rate.per_s for rate in rates),
            statistics.median(rate.p99_ms for rate in rates),
        )
        for name, rates in seen.items()
    }


@dataclass(frozen=True)
class Row:
    """One figure beside its baseline. `goal` is the ratio to reach; `holds` is None without one."""

    what: str
    value: float
    unit: str
    baseline: str
    baseline_value: float
    ratio: float
    goal: str = ""
    holds: bool | None = None


def beside(what: str, rate: Rate, baseline: str, base: Rate, least: float | None = None) -> Row:
    """Events a second beside a baseline of the same run; `least` is the ratio wanted."""
    ratio = rate.per_s / base.per_s if base.per_s else 0.0
    return Row(
        f"{what} (p99 {rate.p99_ms:.1f} ms)" if rate.p99_ms else what,
        round(rate.per_s),
        "events/s",
        baseline,
        round(base.per_s),
        round(ratio, 2),
        f">= {least:g} x" if least is not None else "",
        ratio >= least if least is not None else None,
    )


def show(rows: Sequence[Row], path: Path | None) -> None:
    """Print the table; write it for a machine, too, where a path is told."""
    for row in rows:
        verdict = {True: "holds", False: "MISSED", None: ""}[row.holds]
        print(f"{row.what}\n  {row.value:>12,.6g} {row.unit}")
        print(f"  {row.baseline_value:>12,.6g} {row.baseline}")
        print(f"  {row.ratio:>12,.2f} x   {row.goal:<10} {verdict}")
    if path is not None:
        path.write_text(json.dumps([asdict(row) for row in rows], indent=2) + "\n")


def main(name: str, measure: Callable[[], Coroutine[Any, Any, Sequence[Row]]]) -> None:
    """A benchmark as a program: `--json PATH` writes what it shows."""
    parser = argparse.ArgumentParser(prog=name)
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        show(runner.run(measure()), path)
