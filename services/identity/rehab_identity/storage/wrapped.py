"""What the box seals, in its rows: which version wraps what, and all of it wrapped anew."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

from rehab_identity.storage import signing_keys
from rehab_runtime.box import Box
from rehab_runtime.postgres import Database, Queries

AT_ONCE = 500
ACCOUNT, SECRET, SIGNING = "account", "secret", "signing key"
_CONTEXTS = {ACCOUNT: "account key", SECRET: "secret", SIGNING: signing_keys.CONTEXT}
_REWRAPS = {ACCOUNT: "rewrap_account", SECRET: "rewrap_secret", SIGNING: "rewrap_signing_key"}


@dataclass(frozen=True, slots=True)
class Count:
    """What one version wraps."""

    version: int
    accounts: int
    secrets: int


class Wrapping:
    def __init__(self, database: Database, queries: Queries, box: Box) -> None:
        self._database = database
        self._queries = queries
        self._box = box

    async def census(self) -> list[Count]:
        """By version."""
        rows = await self._database.fetch(self._queries["wrapped_census"])
        return [Count(row["version"], row["accounts"], row["secrets"]) for row in rows]

    async def left(self) -> int:
        """How much is not under the newest version."""
        newest = self._box.newest
        return sum(
            one.accounts + one.secrets for one in await self.census() if one.version != newest
        )

    async def rewrap(self) -> AsyncIterator[int]:
        """Put all under the newest version; how much was moved is told step by step. What others
        change meanwhile is looked at again. Raises Internal for what cannot be opened."""
        while rows := await self._database.fetch(
            self._queries["wrapped_before"], self._box.newest, AT_ONCE
        ):
            for row in rows:
                context = _CONTEXTS[row["of"]], row["id"]
                opened = self._box.open(row["sealed"], *context)
                sealed = self._box.seal(opened, *context)
                # unless it was erased, or wrapped anew by somebody else
                query = self._queries[_REWRAPS[row["of"]]]
                await self._database.execute(query, row["id"], row["sealed"], sealed)
            yield len(rows)
