"""A run: so many inputs, from a seed, until a time."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from dataclasses import dataclass

from tests.fuzz import calls, parsers, streams
from tests.fuzz.house import House

EVERY = 500
"""Inputs between two looks at parsers' progress."""

Say = Callable[[int, str], None]
"""Told how many are thrown so far, and where."""
Throw = Callable[[House, int, int], Awaitable[int | None]]
TARGETS: Mapping[str, Throw] = {calls.TARGET: calls.throw, streams.TARGET: streams.throw}


@dataclass(frozen=True)
class Plan:
    """Inputs `first` and so many after it of a seed, at some targets or all, begun before `until`
    in monotonic seconds."""

    seed: int
    first: int
    inputs: int
    only: Collection[str] = ()
    until: float = float("inf")


def through_parsers(plan: Plan, say: Say) -> int:
    """Each input to one of them, in turn. Raises Finding."""
    names = sorted(plan.only or parsers.TARGETS)
    for done in range(plan.inputs):
        if done % EVERY == 0:
            say(done, "parsers")
            if time.monotonic() > plan.until:
                return done
        parsers.throw(names[done % len(names)], plan.seed, plan.first + done // len(names))
    return plan.inputs


async def throw_at(house: House, plan: Plan, say: Say) -> int:
    """Many at once; a conversation counts as many as it has frames. Raises Finding."""
    thrown = 0
    turns = _turns(plan)

    async def work() -> None:
        nonlocal thrown
        while thrown < plan.inputs and time.monotonic() < plan.until:
            target, number = next(turns)
            frames = await TARGETS[target](house, plan.seed, number)
            thrown += frames or 1
            say(min(thrown, plan.inputs), target)

    tasks = [asyncio.create_task(work()) for _ in range(min(calls.AT_ONCE, plan.inputs))]
    try:
        await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    return thrown


def _turns(plan: Plan) -> Iterator[tuple[str, int]]:
    """Three calls, then a conversation."""
    order = [one for one in ("calls", "calls", "calls", "streams") if one in (plan.only or TARGETS)]
    numbers = dict.fromkeys(TARGETS, plan.first)
    while True:
        for target in order:
            yield target, numbers[target]
            numbers[target] += 1
