"""How often credentials were wrong. An attempt counts before it is looked at, so that a thousand at
once are no more than ten one after another."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from rehab_identity.crypto.roots import Roots
from rehab_runtime.errors import TooManyFailures
from rehab_runtime.postgres import Database, Queries


@dataclass(frozen=True, slots=True)
class Limit:
    """At most so many failures of a subject in a window. Subjects are kept as keyed hashes."""

    subject: tuple[str, ...]
    most: int


class Failures:
    def __init__(self, database: Database, queries: Queries, roots: Roots, window_s: float) -> None:
        self._database = database
        self._queries = queries
        self._roots = roots
        self._window = timedelta(seconds=window_s)

    async def attempt(self, limits: Sequence[Limit], now: datetime) -> None:
        """Count one. Raises TooManyFailures at the first limit that is passed, saying when to come
        back: so name what an attacker pays for before what would shut a victim out."""
        for limit in limits:
            row = await self._database.fetchrow(
                self._queries["attempt"], self._hashed(limit), now, now + self._window
            )
            assert row is not None
            if row["attempts"] > limit.most:
                wait = (row["window_ends"] - now).total_seconds()
                raise TooManyFailures(limit.subject[0], retry_after_s=max(wait, 1))

    async def succeeded(self, limits: Sequence[Limit], *, forgive: Limit | None = None) -> None:
        """The attempt was none; of one subject all before are forgiven."""
        for limit in limits:
            name = "forgive" if limit == forgive else "succeeded"
            await self._database.execute(self._queries[name], self._hashed(limit))

    async def forget(self, before: datetime) -> None:
        await self._database.execute(self._queries["forget_failures"], before)

    def _hashed(self, limit: Limit) -> bytes:
        return self._roots.hashed("failure", *limit.subject)
