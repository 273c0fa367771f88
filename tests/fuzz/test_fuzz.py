"""A short run of the fuzzer: `make fuzz` is the long one, of the same."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from rehab_ingest.domain.tokens import Tokens
from tests.fuzz import parsers
from tests.fuzz.finding import Finding
from tests.fuzz.house import Neighbour, house
from tests.fuzz.messages import event
from tests.fuzz.mutator import Mutator, joined, parts
from tests.fuzz.parsers import TARGETS
from tests.fuzz.run import Plan, through_parsers, throw_at

SEED = 20_261_121
PURE, WIRE = 9_000, 1_500


def silent(done: int, what: str) -> None:
    """Nobody looks on."""


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_whatever_a_parser_door_or_fold_is_given_it_takes_or_refuses(target: str) -> None:
    count = PURE // len(TARGETS)
    assert through_parsers(Plan(SEED, 0, count, {target}), silent) == count


async def test_whatever_the_services_are_sent_they_serve_on_and_nobody_else_notices(
    tmp_path: Path,
) -> None:
    async with house(tmp_path) as attacked:
        neighbour = Neighbour(attacked)
        task = asyncio.create_task(neighbour.run())
        assert await throw_at(attacked, Plan(SEED, 0, WIRE), silent) >= WIRE
        neighbour.leave()
        await task
        assert await neighbour.wrong() == []
        assert await attacked.caught_up() == []
        assert await attacked.wrong() == []
        assert len(neighbour.sent) > 10


def test_a_seed_throws_the_same_again() -> None:
    good = event(Mutator(1).random).SerializeToString()
    thrown = [Mutator(f"{SEED}:{number}").mutated(good) for number in range(200)]
    again = [Mutator(f"{SEED}:{number}").mutated(good) for number in range(200)]
    assert thrown == again
    assert len(set(thrown)) > 150


def test_a_message_taken_apart_and_put_together_is_the_same() -> None:
    good = event(Mutator(2).random).SerializeToString()
    told = parts(good)
    assert told is not None
    assert joined(told) == good


def test_a_fault_is_found_and_told_with_what_throws_it_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def faulty(self: Tokens, hello: object) -> int | None:
        raise IndexError("a parser with a fault")

    monkeypatch.setattr(Tokens, "read", faulty)
    with pytest.raises(Finding, match="IndexError") as found:
        parsers.throw("resume", SEED, 5)
    assert f"FUZZ_SEED={SEED} FUZZ_FROM=5 FUZZ_INPUTS=1 FUZZ_ONLY=resume" in str(found.value)
