"""Public keys that somebody else publishes, at hand.

They are fetched when they are first needed, again when they have grown old (while the old ones go
on) and for a key id that is not known, though not more often than every few seconds: whoever sends
made-up ids makes nobody fetch without end. When they cannot be had, those at hand go on for a day.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from rehab_runtime.access.jws import PublicKey, public_keys
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError, Unauthenticated, Unavailable
from rehab_runtime.logging import get_logger

Fetch = Callable[[], Awaitable[Mapping[str, Any]]]

log = get_logger("keysets")

FRESH_S = 60.0
REFETCH_S = 5.0
STALE_S = 86_400.0


class KeySet:
    def __init__(
        self,
        fetch: Fetch,
        clock: Clock,
        *,
        fresh_s: float = FRESH_S,
        refetch_s: float = REFETCH_S,
        stale_s: float = STALE_S,
    ) -> None:
        """`fetch` bounds its own time and raises any RehabError when there is nothing to be had."""
        self._fetch = fetch
        self._clock = clock
        self._fresh_s, self._refetch_s, self._stale_s = fresh_s, refetch_s, stale_s
        self._keys: dict[str, PublicKey] = {}
        self._fetched = self._tried = float("-inf")
        self._fetching: asyncio.Task[None] | None = None

    async def key(self, key_id: str) -> PublicKey:
        """Raises Unauthenticated for a key id that is not published, Unavailable when that cannot
        be known."""
        age = self._clock.monotonic() - self._fetched
        if key_id in self._keys and age <= self._stale_s:
            if age > self._fresh_s:
                self._fetch_again()
            return self._keys[key_id]
        fetching = self._fetch_again()
        if fetching is not None:
            await asyncio.shield(fetching)
        if self._clock.monotonic() - self._fetched > self._stale_s:
            raise Unavailable("the keys that verify tokens cannot be had", retry_after_s=1)
        if key_id not in self._keys:
            raise Unauthenticated("a token of an unknown key")
        return self._keys[key_id]

    def _fetch_again(self) -> asyncio.Task[None] | None:
        """The fetch under way, or a new one unless the last was just now."""
        if self._fetching is not None:
            return self._fetching
        if self._clock.monotonic() - self._tried < self._refetch_s:
            return None
        self._fetching = asyncio.create_task(self._fetch_once())
        return self._fetching

    async def _fetch_once(self) -> None:
        self._tried = self._clock.monotonic()
        try:
            self._keys = public_keys(await self._fetch())
            self._fetched = self._clock.monotonic()
        except (RehabError, ValueError, TypeError) as error:
            log.warning("keys cannot be fetched", error_type=type(error).__name__)
        finally:
            self._fetching = None
