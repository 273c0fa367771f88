"""Any KeyWrapper, asked in bounded batches, and again after transient trouble.

Written here rather than taken from a retry library: stamina, the best of them, logs the arguments
of what it repeats, and these are keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from random import Random, SystemRandom
from typing import TypeVar

from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeysUnavailable,
    KeyWrapper,
    Unwrapped,
    Wrapped,
)

K = TypeVar("K")
A = TypeVar("A")
T = TypeVar("T")


class Steady:
    """Waits between attempts for a random time of up to `first_s`, doubled each time up to
    `longest_s`: full jitter, so that replicas do not come back all at once. The last trouble is
    raised as it came; what is refused is not asked again."""

    def __init__(
        self,
        wrapper: KeyWrapper,
        *,
        attempts: int = 4,
        first_s: float = 0.1,
        longest_s: float = 2.0,
        batch_keys: int = 256,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        random: Random | None = None,
    ) -> None:
        if attempts < 1 or batch_keys < 1:
            raise ValueError("attempts and batch_keys must be at least 1")
        self._wrapper = wrapper
        self._attempts = attempts
        self._first_s = first_s
        self._longest_s = longest_s
        self._batch_keys = batch_keys
        self._sleep = sleep
        self._random = random or SystemRandom()

    async def newest(self) -> Kek:
        return await self._tried(self._wrapper.newest)

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        return await self._batched(self._wrapper.wrap, keys)

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        return await self._batched(self._wrapper.unwrap, keys)

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        return await self._batched(self._wrapper.rewrap, keys)

    async def _batched(
        self, ask: Callable[[Sequence[K]], Awaitable[Sequence[A]]], keys: Sequence[K]
    ) -> list[A]:
        answers: list[A] = []
        for start in range(0, len(keys), self._batch_keys):
            if start:
                await asyncio.sleep(0)  # a wrapper without I/O would keep the loop to itself
            batch = keys[start : start + self._batch_keys]
            answers += await self._tried(lambda batch=batch: ask(batch))  # type: ignore[misc]
        return answers

    async def _tried(self, ask: Callable[[], Awaitable[T]]) -> T:
        for attempt in range(self._attempts - 1):
            try:
                return await ask()
            except KeysUnavailable:
                most = min(self._longest_s, self._first_s * 2**attempt)
            await self._sleep(self._random.uniform(0, most))
        return await ask()
