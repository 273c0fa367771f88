"""API keys."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from rehab_identity.crypto.profiles import Profiles
from rehab_identity.domain.people import ACTIVE, ApiKey
from rehab_identity.storage.revoking import ids_of, tell_revoked
from rehab_runtime.errors import NotFound
from rehab_runtime.postgres import Database, Queries

KIND = "api key"


class ApiKeys:
    def __init__(self, database: Database, queries: Queries, profiles: Profiles) -> None:
        self._database = database
        self._queries = queries
        self._profiles = profiles

    async def add(self, key: ApiKey) -> None:
        """Raises NotFound for an account that is not active."""
        async with self._database.transaction() as connection:
            account = await connection.fetchrow(self._queries["lock_account"], key.account_id)
            if account is None or account["status"] != ACTIVE:
                raise NotFound("an account that is let in")
            of = (key.account_id, account["data_key"], KIND, key.key_id)
            await connection.execute(
                self._queries["add_api_key"],
                *(key.key_id, key.account_id, self._profiles.seal_name(key.name, *of)),
                list(key.scopes),
                *(key.created_at, key.expires_at, key.hash),
            )

    async def find(self, key_id: str) -> ApiKey | None:
        """Without its name."""
        row = await self._database.fetchrow(self._queries["api_key"], key_id)
        return _key(row) if row is not None else None

    async def get(self, key_id: str) -> ApiKey:
        """Without its name. Raises NotFound."""
        found = await self.find(key_id)
        if found is None:
            raise NotFound("an API key")
        return found

    async def of(self, account_id: str) -> Sequence[ApiKey]:
        rows = await self._database.fetch(self._queries["api_keys"], account_id)
        return [self._opened(dict(row)) for row in rows]

    def _opened(self, row: dict[str, Any]) -> ApiKey:
        key, account = row.pop("data_key"), row["account_id"]
        row["name"] = self._profiles.open_name(row["name"], account, key, KIND, row["key_id"])
        return _key(row)

    async def rotate(self, key_id: str, hashed: str, old_until: datetime, now: datetime) -> None:
        """Raises NotFound for one that does not work any more."""
        row = await self._database.fetchrow(
            self._queries["rotate_api_key"], key_id, hashed, old_until, now
        )
        if row is None:
            raise NotFound("an API key that works")

    async def revoke(self, key_id: str, now: datetime) -> Sequence[str]:
        """Nothing for one that was revoked before."""
        async with self._database.transaction() as connection:
            revoked = await ids_of(connection, self._queries, "revoke_api_key", key_id, now)
            await tell_revoked(connection, self._queries, revoked, now)
        return revoked


def _key(row: Mapping[str, Any]) -> ApiKey:
    return ApiKey(**{**dict(row), "scopes": tuple(row["scopes"])})
