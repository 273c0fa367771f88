"""When a patient's data key has sealed long enough, or enough, another one seals what comes."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass

from rehab_eventstore import metrics
from rehab_eventstore.crypto.cache import KeyCache
from rehab_eventstore.crypto.keys import Keyring, KeyUse
from rehab_eventstore.storage.keys import KeyStore
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.logging import get_logger

PAUSE_S = 60.0
NONCES = 1 << 32
"""AES-GCM under one key with random nonces of 96 bits: at most 2^32 invocations (NIST SP 800-38D,
section 8.3)."""

log = get_logger("keys")


@dataclass(frozen=True)
class Limits:
    """`max_age_s` 0 is no limit. `max_events` leaves room below NONCES for snapshots, and for what
    is sealed between two looks."""

    max_age_s: float
    max_events: int

    def passed(self, use: KeyUse) -> bool:
        return use.events >= self.max_events or 0 < self.max_age_s <= use.age_s


class Rotation:
    """A key's use is known as of when it was opened, so a limit is kept to within the time for
    which the cache keeps it. While no new key can be had, the old one goes on sealing."""

    def __init__(self, keys: KeyStore, cache: KeyCache, clock: Clock, limits: Limits) -> None:
        self._keys = keys
        self._cache = cache
        self._clock = clock
        self._limits = limits
        self._not_before = 0.0

    def is_due(self, keyring: Keyring) -> bool:
        return self._limits.passed(keyring.use) and self._clock.monotonic() >= self._not_before

    async def renew(self, keyrings: Collection[Keyring]) -> None:
        """New keys for those patients, or none of them when trouble forbids it for now."""
        try:
            made = await self._keys.renew(keyrings)
        except RehabError as error:
            self._not_before = self._clock.monotonic() + PAUSE_S
            log.warning("data keys that are due cannot be rotated yet", reason=error.detail)
            return
        for keyring in keyrings:
            self._cache.forget(keyring.patient)
        metrics.rotated.inc(made)
        log.info("data keys were rotated", count=made)
