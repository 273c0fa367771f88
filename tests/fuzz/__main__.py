"""Throws inputs at the front door, and ends at the first that is not taken as it should be.

    python -m tests.fuzz --inputs 100000 --seed 1

The same seed throws the same. What a finding prints throws it alone: FUZZ_ONLY names the target and
FUZZ_FROM the input.
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
import time
from pathlib import Path

from tests.fuzz import parsers
from tests.fuzz.finding import Finding
from tests.fuzz.house import Neighbour, house
from tests.fuzz.run import TARGETS, Plan, through_parsers, throw_at

SHARE = 0.25
"""Of the inputs, as requests to services that run; the others go to parsers and folds."""
LEAST = 20_000
"""So many as requests, when there are so many at all."""


class Progress:
    """One line that is written over, or a line now and then where nobody looks on."""

    def __init__(self, inputs: int) -> None:
        self._inputs = inputs
        self._began = self._said = time.monotonic()
        self._often = 0.2 if sys.stderr.isatty() else 10.0

    def __call__(self, done: int, what: str) -> None:
        now = time.monotonic()
        if now - self._said < self._often and done < self._inputs:
            return
        self._said = now
        rate = done / max(now - self._began, 0.001)
        end = "\r" if sys.stderr.isatty() and done < self._inputs else "\n"
        line = f"{done:>9,} of {self._inputs:,} inputs  {rate:>7,.0f}/s  {what:<12}"
        print(line, end=end, file=sys.stderr, flush=True)


async def attack(plan: Plan, progress: Progress, before: int) -> int:
    """On a suite of its own; how many inputs were thrown. Raises Finding."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        async with house(Path(folder)) as one:
            neighbour = Neighbour(one)
            task = asyncio.create_task(neighbour.run())
            try:
                thrown = await throw_at(one, plan, lambda done, what: progress(before + done, what))
            except Finding as found:
                for line in await one.wrong():
                    found.add_note(line)
                raise
            finally:
                neighbour.leave()
                await task
            wrong = [*await neighbour.wrong(), *await one.caught_up(), *await one.wrong()]
    if wrong:
        told = f"after {thrown} inputs from {plan.first}:\n  " + "\n  ".join(wrong[:20])
        raise Finding("suite", plan.seed, plan.first, b"", told)
    return thrown


def main() -> int:
    told = argparse.ArgumentParser(prog="make fuzz", description=__doc__.split("\n", maxsplit=1)[0])
    told.add_argument("--inputs", type=int, default=100_000)
    told.add_argument("--seed", type=int, default=int(time.time()))
    told.add_argument("--first", type=int, default=0, help="number of the first input")
    told.add_argument("--only", default="", choices=["", *parsers.TARGETS, *TARGETS])
    told.add_argument("--seconds", type=float, default=1800, help="begin nothing after that")
    asked = told.parse_args()
    until = time.monotonic() + asked.seconds
    wire = max(round(asked.inputs * SHARE), min(LEAST, asked.inputs))
    counts = (asked.inputs - wire, wire)
    if asked.only:
        pure = asked.only in parsers.TARGETS
        counts = (asked.inputs, 0) if pure else (0, asked.inputs)
    progress = Progress(asked.inputs)
    print(f"seed {asked.seed}", file=sys.stderr)
    only = {asked.only} if asked.only else set()
    try:
        plan = Plan(asked.seed, asked.first, counts[0], only & parsers.TARGETS.keys(), until)
        done = through_parsers(plan, progress)
        if counts[1]:
            plan = Plan(asked.seed, asked.first, counts[1], only & TARGETS.keys(), until)
            done += asyncio.run(attack(plan, progress, done))
    except Finding as found:
        print("\n" + "\n  ".join((str(found), *getattr(found, "__notes__", ()))))
        return 1
    short = "" if done >= asked.inputs else f" in {asked.seconds:.0f} s, of {asked.inputs:,}"
    print(f"{done:,} inputs thrown{short}: nothing found (seed {asked.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
