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
from tests.fuzz.house import Held, House, Neighbour, house
from tests.fuzz.reconnects import come_and_go
from tests.fuzz.run import TARGETS, Plan, through_parsers, throw_at

SHARE = 0.25
"""Of the inputs, as requests to services that run; the others go to parsers and folds."""
LEAST = 20_000
"""So many as requests, when there are so many at all."""
WARM = 500
"""Phones that come and go before it is looked what is held."""
GROWN_MB = 30
"""What a process may hold more: memory that its allocator keeps."""


class Progress:
    """One line that is written over, or a line now and then where nobody looks on."""

    def __init__(self, inputs: int, what: str = "inputs") -> None:
        self._inputs, self._what = inputs, what
        self._began = self._said = time.monotonic()
        self._ended = False
        self._often = 0.2 if sys.stderr.isatty() else 10.0

    def __call__(self, done: int, what: str) -> None:
        now = time.monotonic()
        last = done >= self._inputs
        if self._ended or (now - self._said < self._often and not last):
            return
        self._ended = last
        self._said = now
        rate = done / max(now - self._began, 0.001)
        end = "\r" if sys.stderr.isatty() and not last else "\n"
        line = f"{done:>9,} of {self._inputs:,} {self._what}  {rate:>7,.0f}/s  {what:<12}"
        print(line, end=end, file=sys.stderr, flush=True)


async def come_and_leave(house: House, count: int) -> list[str]:
    """What is wrong after so many phones have come and gone: nothing of them may be left."""
    if not count:
        return []
    await come_and_go(house, WARM)
    before = await house.settled("ingest", Held(2**31, 0, 1))
    came = await come_and_go(house, count, Progress(count, "reconnects"))
    after = await house.settled("ingest", before)
    lost = came.came - came.welcomed
    held = f"ingest held {before} and holds {after} after {count} phones came and went"
    grown = after.resident_mb > before.resident_mb + GROWN_MB
    left = after.files > before.files + 4 or after.calls > before.calls
    return [f"{lost} phones of {count} were not welcomed"] * bool(lost) + [held] * (grown or left)


async def attack(plan: Plan, progress: Progress, before: int, reconnects: int) -> int:
    """On a suite of its own; how many inputs were thrown. Raises Finding."""
    with tempfile.TemporaryDirectory(prefix="fuzz-") as folder:
        async with house(Path(folder)) as one:
            neighbour = Neighbour(one)
            task = asyncio.create_task(neighbour.run())
            try:
                thrown = await throw_at(one, plan, lambda done, what: progress(before + done, what))
                wrong = await come_and_leave(one, reconnects)
            except Finding as found:
                for line in await one.wrong():
                    found.add_note(line)
                raise
            finally:
                neighbour.leave()
                await task
            wrong += [*await neighbour.wrong(), *await one.caught_up(), *await one.wrong()]
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
    told.add_argument("--reconnects", type=int, default=10_000, help="phones that come and go")
    told.add_argument("--seconds", type=float, default=1800, help="begin nothing after that")
    asked = told.parse_args()
    until = time.monotonic() + asked.seconds
    wire = max(round(asked.inputs * SHARE), min(LEAST, asked.inputs))
    counts = (asked.inputs - wire, wire)
    if asked.only:
        asked.reconnects = 0
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
            done += asyncio.run(attack(plan, progress, done, asked.reconnects))
    except Finding as found:
        print("\n" + "\n  ".join((str(found), *getattr(found, "__notes__", ()))))
        return 1
    short = "" if done >= asked.inputs else f" in {asked.seconds:.0f} s, of {asked.inputs:,}"
    print(f"{done:,} inputs thrown{short}: nothing found (seed {asked.seed})")
    return 0


if __name__ == "__main__":
    sys.exit(main())
