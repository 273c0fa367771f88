"""What Steady promises: bounded batches, bounded patience, and no second try of what is refused."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pytest

from rehab_runtime.keepers.steady import Steady
from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeysUnavailable,
    KeyWrapper,
    Unwrapped,
    Wrapped,
)

KEK = Kek("kek", "1")


class Shaky:
    """A wrapper whose next calls meet the given troubles; it wraps by reversing."""

    def __init__(self, *troubles: Exception) -> None:
        self.troubles = list(troubles)
        self.sizes: list[int] = []

    def _met(self, size: int) -> None:
        self.sizes.append(size)
        if self.troubles:
            raise self.troubles.pop(0)

    async def newest(self) -> Kek:
        self._met(0)
        return KEK

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        self._met(len(keys))
        return [Wrapped(key.context, KEK, key.secret[::-1]) for key in keys]

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        self._met(len(keys))
        return [Unwrapped(key.context, key.blob[::-1]) for key in keys]

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        self._met(len(keys))
        return list(keys)


class Sleeps:
    def __init__(self) -> None:
        self.slept: list[float] = []

    async def __call__(self, seconds: float) -> None:
        self.slept.append(seconds)


def trouble(number: int = 0) -> KeysUnavailable:
    return KeysUnavailable(f"trouble {number}", "wait")


def steady(wrapper: KeyWrapper, sleep: Sleeps, batch_keys: int = 256) -> Steady:
    return Steady(wrapper, sleep=sleep, batch_keys=batch_keys, random=Random(1))


def some(count: int) -> list[Unwrapped]:
    return [Unwrapped(f"patient-{number}", f"{number:064}".encode()) for number in range(count)]


async def test_trouble_that_passes_is_not_seen() -> None:
    shaky, sleep = Shaky(trouble(), trouble(), trouble()), Sleeps()
    assert await steady(shaky, sleep).newest() == KEK
    assert len(shaky.sizes) == 4


async def test_trouble_that_lasts_is_raised_as_it_came_last() -> None:
    shaky, sleep = Shaky(*map(trouble, range(9))), Sleeps()
    with pytest.raises(KeysUnavailable, match="trouble 3"):
        await steady(shaky, sleep).wrap(some(1))
    assert len(shaky.sizes) == 4


async def test_what_is_refused_is_not_asked_again() -> None:
    shaky, sleep = Shaky(KeyRefused("no", "never")), Sleeps()
    with pytest.raises(KeyRefused):
        await steady(shaky, sleep).unwrap([Wrapped("patient", KEK, b"")])
    assert len(shaky.sizes) == 1
    assert sleep.slept == []


async def test_waits_are_random_grow_and_are_bounded() -> None:
    slept: list[list[float]] = []
    for seed in range(50):
        shaky, sleep = Shaky(*map(trouble, range(9))), Sleeps()
        made = Steady(
            shaky, attempts=8, first_s=0.1, longest_s=1.0, sleep=sleep, random=Random(seed)
        )
        with pytest.raises(KeysUnavailable):
            await made.newest()
        slept.append(sleep.slept)
    bounds = [0.1, 0.2, 0.4, 0.8, 1.0, 1.0, 1.0]
    for waits, bound in zip(zip(*slept, strict=True), bounds, strict=True):
        assert max(waits) <= bound
        assert max(waits) > bound * 0.8
        assert min(waits) < bound * 0.2
        assert len(set(waits)) == 50


async def test_many_keys_go_in_bounded_batches_and_keep_their_order() -> None:
    shaky, sleep = Shaky(), Sleeps()
    made = steady(shaky, sleep, batch_keys=10)
    keys = some(25)
    wrapped = await made.wrap(keys)
    assert await made.unwrap(await made.rewrap(wrapped)) == keys  # type: ignore[arg-type]
    assert shaky.sizes == [10, 10, 5] * 3


async def test_trouble_in_one_batch_repeats_that_batch_alone() -> None:
    shaky, sleep = Shaky(), Sleeps()
    made = steady(shaky, sleep, batch_keys=10)
    wrapped = await made.wrap(some(20))
    shaky.sizes.clear()
    shaky.troubles = [trouble()]
    assert await made.unwrap(wrapped) == some(20)
    assert shaky.sizes == [10, 10, 10]


@pytest.mark.parametrize("wrong", [{"attempts": 0}, {"batch_keys": 0}])
def test_bounds_that_bound_nothing_are_refused(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        Steady(Shaky(), **wrong)  # type: ignore[arg-type]
