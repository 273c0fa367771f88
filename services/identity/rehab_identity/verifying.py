"""Whose API key it is. What a wrong key costs: a checksum; with the right checksum a look at one
row; argon2 only for one that may be right, and only so often."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehab_identity.crypto.passwords import Passwords
from rehab_identity.crypto.roots import Roots
from rehab_identity.domain.credentials import read_api_key
from rehab_identity.domain.people import ACTIVE, ApiKey
from rehab_identity.storage.accounts import Accounts
from rehab_identity.storage.api_keys import ApiKeys
from rehab_identity.storage.failures import Failures, Limit
from rehab_runtime.access.tokens import KEY_S
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Overloaded, Unauthenticated, Unavailable

CACHED = 10_000


@dataclass(frozen=True, slots=True)
class Verified:
    """A key was right, as of a generation of it, and counts as right until a time."""

    generation: int
    until: datetime


class Verifier:
    def __init__(
        self,
        api_keys: ApiKeys,
        accounts: Accounts,
        failures: Failures,
        passwords: Passwords,
        roots: Roots,
        clock: Clock,
        most_failures: int,
    ) -> None:
        self._api_keys = api_keys
        self._accounts = accounts
        self._failures = failures
        self._passwords = passwords
        self._roots = roots
        self._clock = clock
        self._most = most_failures
        self._verified: OrderedDict[bytes, Verified] = OrderedDict()
        self._hashing: dict[bytes, asyncio.Task[Verified]] = {}

    async def verify(self, told: str) -> tuple[Principal, datetime]:
        """Who it is, and until when that holds. Raises Unauthenticated, TooManyFailures,
        Overloaded."""
        shown = read_api_key(self._roots.checksum_key, told)
        if shown is None:
            raise Unauthenticated("no API key")
        now = self._clock.now()
        key = await self._api_keys.find(shown.key_id)
        if key is None or not key.hashes(now):
            raise Unauthenticated("an API key that does not work")
        # keyed, and of the whole key: who reads this memory has nothing to try keys against
        place = self._roots.hashed("api key", told)
        known = self._verified.get(place)
        if known is None or known.generation != key.generation or known.until <= now:
            known = await self._hashed(place, key, shown.secret)
        account = await self._accounts.get(key.account_id)
        if account.status != ACTIVE:
            raise Unauthenticated("the account is not active")
        principal = Principal(
            id=account.account_id,
            role=account.role,
            clinic_id=account.clinic_id,
            patient_id=account.patient_id,
            session_id=key.key_id,
            scopes=frozenset(key.scopes),
        )
        return principal, min(known.until, key.expires_at)

    async def _hashed(self, place: bytes, key: ApiKey, secret: str) -> Verified:
        """Callers with the same key wait for one hash."""
        task = self._hashing.get(place)
        if task is None:
            task = asyncio.create_task(self._hash(place, key, secret))
            self._hashing[place] = task
            task.add_done_callback(lambda _: self._hashing.pop(place, None))
        return await asyncio.shield(task)

    async def _hash(self, place: bytes, key: ApiKey, secret: str) -> Verified:
        now = self._clock.now()
        limits = (Limit(("api key", key.key_id), self._most),)
        await self._failures.attempt(limits, now)
        try:
            number = await self._passwords.verify(key.hashes(now), secret)
        except (Overloaded, Unavailable):
            await self._failures.succeeded(limits)
            raise
        if number is None:
            raise Unauthenticated("an API key with another secret")
        await self._failures.succeeded(limits)
        until = now + timedelta(seconds=KEY_S)
        if number and key.old_until is not None:
            until = min(until, key.old_until)
        known = Verified(key.generation, until)
        self._verified[place] = known
        self._verified.move_to_end(place)
        while len(self._verified) > CACHED:
            self._verified.popitem(last=False)
        return known
