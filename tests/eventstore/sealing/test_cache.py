"""What the cache of opened keys promises."""

from __future__ import annotations

import asyncio
from collections.abc import Collection, Mapping
from datetime import UTC, datetime

import pytest

from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.crypto.keys import DataKey, Keyring
from rehab_runtime.clock import FixedClock
from rehab_runtime.keepers.wrapper import KeysUnavailable

TTL_S = 60


class Loader:
    """Opens keys of everybody but the erased; holds loads back while `gate` is closed."""

    def __init__(self) -> None:
        self.asked: list[frozenset[str]] = []
        self.erased: set[str] = set()
        self.trouble: Exception | None = None
        self.gate = asyncio.Event()
        self.gate.set()

    async def __call__(self, patients: Collection[str]) -> Mapping[str, Keyring]:
        self.asked.append(frozenset(patients))
        told = {name: ring(name) for name in patients if name not in self.erased}
        await self.gate.wait()
        if self.trouble:
            raise self.trouble
        return told


def ring(patient: str) -> Keyring:
    return Keyring.of(patient, DataKey.new(f"{patient}-key"))


@pytest.fixture
async def load() -> Loader:
    return Loader()


@pytest.fixture
def clock() -> FixedClock:
    return FixedClock(datetime(2026, 3, 1, tzinfo=UTC))


@pytest.fixture
def cache(load: Loader, clock: FixedClock) -> KeyCache:
    return KeyCache(load, clock, ttl_s=TTL_S, max_patients=3)


async def until_asked(load: Loader, times: int) -> None:
    while len(load.asked) < times:
        await asyncio.sleep(0)


async def test_keys_are_opened_once_and_kept(cache: KeyCache, load: Loader) -> None:
    assert cache.peek("ann") is None
    first = await cache.get("ann")
    assert first is not None
    assert first.patient == "ann"
    assert await cache.get("ann") is first is cache.peek("ann")
    assert load.asked == [{"ann"}]


async def test_keys_are_kept_for_their_time_and_no_longer(
    cache: KeyCache, clock: FixedClock
) -> None:
    first = await cache.get("ann")
    clock.advance(TTL_S - 0.001)
    assert cache.peek("ann") is first  # asking does not prolong it
    clock.advance(0.001)
    assert cache.peek("ann") is None
    assert len(cache) == 0
    assert await cache.get("ann") is not first


async def test_the_oldest_keys_make_room(cache: KeyCache) -> None:
    for patient in ("ann", "bob", "cyd", "dan"):
        await cache.get(patient)
    assert len(cache) == 3
    assert cache.peek("ann") is None
    assert cache.peek("bob") is not None


async def test_more_patients_than_it_holds_are_answered_at_once(cache: KeyCache) -> None:
    names = [f"patient-{number}" for number in range(10)]
    found = await cache.get_many(names)
    assert {name: one.patient for name, one in found.items()} == {name: name for name in names}
    assert len(cache) == 3


async def test_what_has_expired_is_swept(cache: KeyCache, clock: FixedClock) -> None:
    await cache.get("ann")
    clock.advance(TTL_S / 2)
    await cache.get("bob")
    clock.advance(TTL_S / 2)
    cache.sweep()
    assert len(cache) == 1
    assert cache.peek("bob") is not None


async def test_those_who_ask_at_once_share_one_load(cache: KeyCache, load: Loader) -> None:
    load.gate.clear()
    tasks = [asyncio.create_task(cache.get("ann")) for _ in range(20)]
    await until_asked(load, 1)
    load.gate.set()
    (first, *others) = await asyncio.gather(*tasks)
    assert all(one is first for one in others)
    assert load.asked == [{"ann"}]


async def test_a_batch_loads_only_what_nobody_loads_yet(cache: KeyCache, load: Loader) -> None:
    await cache.get("ann")
    load.gate.clear()
    one = asyncio.create_task(cache.get_many(["ann", "bob"]))
    await until_asked(load, 2)
    other = asyncio.create_task(cache.get_many(["ann", "bob", "cyd"]))
    await until_asked(load, 3)
    load.gate.set()
    assert (await one)["bob"] is (await other)["bob"]
    assert load.asked == [{"ann"}, {"bob"}, {"cyd"}]


async def test_one_who_gives_up_does_not_cost_the_others_their_keys(
    cache: KeyCache, load: Loader
) -> None:
    load.gate.clear()
    leaver, stayer = (asyncio.create_task(cache.get("ann")) for _ in range(2))
    await until_asked(load, 1)
    leaver.cancel()
    with pytest.raises(asyncio.CancelledError):
        await leaver
    load.gate.set()
    assert await stayer is not None
    assert load.asked == [{"ann"}]


async def test_an_error_goes_to_all_who_wait_and_is_not_remembered(
    cache: KeyCache, load: Loader
) -> None:
    load.gate.clear()
    load.trouble = KeysUnavailable("down", "wait")
    tasks = [asyncio.create_task(cache.get("ann")) for _ in range(3)]
    await until_asked(load, 1)
    load.gate.set()
    told = await asyncio.gather(*tasks, return_exceptions=True)
    assert told == [load.trouble] * 3
    load.trouble = None
    assert await cache.get("ann") is not None


async def test_an_error_that_nobody_waits_for_is_not_left_over(
    cache: KeyCache, load: Loader
) -> None:
    load.gate.clear()
    load.trouble = KeysUnavailable("down", "wait")
    task = asyncio.create_task(cache.get("ann"))
    await until_asked(load, 1)
    task.cancel()
    await asyncio.wait([task])
    load.gate.set()
    load.trouble = None
    assert await cache.get("ann") is not None


async def test_a_patient_without_keys_is_asked_for_again(cache: KeyCache, load: Loader) -> None:
    load.erased.add("ann")
    assert await cache.get("ann") is None
    load.erased.clear()
    assert await cache.get("ann") is not None


async def test_forgotten_keys_are_gone_and_others_stay(cache: KeyCache, load: Loader) -> None:
    await cache.get_many(["ann", "bob"])
    load.erased.add("ann")
    cache.forget("ann")
    assert cache.peek("ann") is None
    assert await cache.get("ann") is None
    assert cache.peek("bob") is not None


async def test_keys_that_were_under_way_when_forgotten_are_not_handed_out(
    cache: KeyCache, load: Loader
) -> None:
    load.gate.clear()
    task = asyncio.create_task(cache.get_many(["ann", "bob"]))
    await until_asked(load, 1)
    load.erased.add("ann")
    cache.forget("ann")
    load.gate.set()
    assert set(await task) == {"bob"}
    assert cache.peek("ann") is None
    assert load.asked == [{"ann", "bob"}, {"ann"}]


async def test_keys_forgotten_after_the_load_and_before_they_arrive_are_not_handed_out(
    cache: KeyCache, load: Loader
) -> None:
    load.gate.clear()
    task = asyncio.create_task(cache.get("ann"))
    await until_asked(load, 1)
    load.gate.set()
    while cache.peek("ann") is None:  # loaded, but the task that asked has not run yet
        await asyncio.sleep(0)
        assert not task.done()
    load.erased.add("ann")
    cache.forget("ann")
    assert await task is None


async def test_keys_at_hand_that_are_forgotten_while_others_load_are_not_handed_out(
    cache: KeyCache, load: Loader
) -> None:
    await cache.get("ann")
    load.gate.clear()
    task = asyncio.create_task(cache.get_many(["ann", "bob"]))
    await until_asked(load, 2)
    load.erased.add("ann")
    cache.forget("ann")
    load.gate.set()
    assert set(await task) == {"bob"}


async def test_an_old_load_does_not_end_a_newer_one(cache: KeyCache, load: Loader) -> None:
    load.gate.clear()
    old = asyncio.create_task(cache.get("ann"))
    await until_asked(load, 1)
    cache.forget("ann")
    new = asyncio.create_task(cache.get("ann"))
    await until_asked(load, 2)
    load.gate.set()
    assert await old is await new is cache.peek("ann")
    assert load.asked == [{"ann"}, {"ann"}]


async def test_clearing_forgets_everybody(cache: KeyCache, load: Loader) -> None:
    await cache.get("ann")
    load.gate.clear()
    task = asyncio.create_task(cache.get("bob"))
    await until_asked(load, 2)
    load.erased.update(("ann", "bob"))
    cache.clear()
    load.gate.set()
    assert await task is None
    assert len(cache) == 0


@pytest.mark.parametrize("loaded", [{"ann": "bob"}, {"ann": "ann", "bob": "bob"}])
async def test_keys_of_another_patient_are_never_handed_out(
    clock: FixedClock, loaded: dict[str, str]
) -> None:
    async def mixed_up(_: Collection[str]) -> Mapping[str, Keyring]:
        return {name: ring(owner) for name, owner in loaded.items()}

    cache = KeyCache(mixed_up, clock)
    with pytest.raises(RuntimeError, match="another patient"):
        await cache.get("ann")
    assert len(cache) == 0


async def test_the_cache_shows_no_keys(cache: KeyCache) -> None:
    await cache.get("ann")
    assert repr(cache) == "KeyCache(1 patients)"


@pytest.mark.parametrize("wrong", [{"ttl_s": 0}, {"max_patients": 0}])
async def test_bounds_that_bound_nothing_are_refused(
    load: Loader, clock: FixedClock, wrong: dict[str, int]
) -> None:
    with pytest.raises(ValueError, match="ttl_s must be above 0"):
        KeyCache(load, clock, **wrong)
