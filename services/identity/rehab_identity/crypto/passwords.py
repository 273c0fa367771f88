"""Argon2id on threads of its own, with a bounded queue.

Parameters: OWASP Password Storage Cheat Sheet, argon2id with 19 MiB, 2 passes, 1 lane: about 20 ms.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import Any, TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from rehab_runtime.errors import Overloaded
from rehab_runtime.metrics import declare_counter

T = TypeVar("T")
MEMORY_KIB = 19_456
PASSES = 2
LANES = 1

hashings = declare_counter(
    "identity_hashings_total",
    "Passwords and API keys hashed with argon2id, 20 ms of a core each.",
    "more than log-ins explain: somebody tries credentials; lower IDENTITY_FAILURES_*",
)


class Passwords:
    def __init__(self, threads: int, queue: int) -> None:
        self._hasher = PasswordHasher(PASSES, MEMORY_KIB, LANES)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="argon2")
        self._most = threads + queue
        self._running = 0
        self._dummy = self._hasher.hash("nobody's password")

    async def hash(self, password: str) -> str:
        """Raises Overloaded when too many wait."""
        return await self._run(partial(self._hasher.hash, password))

    async def verify(self, hashes: Sequence[str | None], password: str) -> int | None:
        """Which of the hashes it is of; None if of none. One is always computed, for no hash too,
        so that the time tells nothing. Raises Overloaded when too many wait."""
        known = [one for one in hashes if one is not None]
        for number, one in enumerate(known or [self._dummy]):
            if await self._run(partial(self._matches, one, password)):
                return number if known else None
        return None

    def outdated(self, hashed: str) -> bool:
        """Whether it was made with other parameters than new ones are."""
        return self._hasher.check_needs_rehash(hashed)

    def close(self) -> None:
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _matches(self, hashed: str, password: str) -> bool:
        try:
            return bool(self._hasher.verify(hashed, password))
        except (VerificationError, InvalidHashError):
            return False

    async def _run(self, work: Callable[[], T]) -> T:
        if self._running >= self._most:
            raise Overloaded("too many passwords wait to be checked", retry_after_s=1)
        self._running += 1
        hashings.inc()
        job = asyncio.get_running_loop().run_in_executor(self._pool, work)
        # whoever leaves does not stop the thread: its place is free when that is
        job.add_done_callback(self._ended)
        return await asyncio.shield(job)

    def _ended(self, job: asyncio.Future[Any]) -> None:
        self._running -= 1
        if not job.cancelled():
            job.exception()
