"""Accounts, their profiles, and what ends with them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

import asyncpg

from rehab.identity.v1.account_service_pb2 import Profile
from rehab_identity.crypto.profiles import Profiles
from rehab_identity.crypto.roots import Roots
from rehab_identity.domain.people import ACTIVE, ERASED, Account
from rehab_identity.storage.revoking import ids_of, tell_revoked
from rehab_runtime.errors import AlreadyExists, Erased, NotFound
from rehab_runtime.postgres import Database, Queries

EMAIL = "email"
ERASURE = "erased"


class Accounts:
    def __init__(
        self, database: Database, queries: Queries, profiles: Profiles, roots: Roots
    ) -> None:
        self._database = database
        self._queries = queries
        self._profiles = profiles
        self._roots = roots

    async def add(self, account: Account, password: str | None) -> bool:
        """False when the id is taken. Raises AlreadyExists when the e-mail address is."""
        data_key = self._profiles.new_key(account.account_id)
        try:
            found = await self._database.fetchrow(
                self._queries["add_account"],
                account.account_id,
                account.clinic_id,
                account.role,
                account.created_at,
                data_key,
                self._profiles.seal(account.profile, account.account_id, data_key),
                self._email_index(account.clinic_id, account.profile.email),
                password,
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyExists("the e-mail address") from None
        return found is not None

    async def get(self, account_id: str) -> Account:
        """Raises NotFound."""
        row = await self._database.fetchrow(self._queries["account"], account_id)
        if row is None:
            raise NotFound("an account")
        return self._account(row)

    async def password(self, account_id: str) -> str | None:
        row = await self._database.fetchrow(self._queries["account"], account_id)
        return row["password"] if row is not None else None

    async def by_email(self, clinic_id: str, email: str) -> tuple[Account, str | None] | None:
        """With the hash of the password, if there is one."""
        index = self._email_index(clinic_id, email)
        if index is None:
            return None
        row = await self._database.fetchrow(self._queries["account_by_email"], clinic_id, index)
        return (self._account(row), row["password"]) if row is not None else None

    async def page(
        self, clinic_id: str, *, after: str, role: str, email: str, limit: int
    ) -> Sequence[Account]:
        index = self._email_index(clinic_id, email)
        rows = await self._database.fetch(
            self._queries["accounts"], clinic_id, after, role, index, limit
        )
        return [self._account(row) for row in rows]

    async def set_profile(self, account: Account, profile: Profile) -> None:
        """Raises AlreadyExists when the e-mail address is another account's, Erased."""
        row = await self._database.fetchrow(self._queries["account"], account.account_id)
        if row is None or row["data_key"] is None:
            raise Erased
        sealed = self._profiles.seal(profile, account.account_id, row["data_key"])
        index = self._email_index(account.clinic_id, profile.email)
        try:
            changed = await self._database.execute(
                self._queries["set_profile"], account.account_id, sealed, index
            )
        except asyncpg.UniqueViolationError:
            raise AlreadyExists("the e-mail address") from None
        _require_changed(changed)

    async def set_password(
        self, account_id: str, hashed: str, at: datetime, *, but_session: str
    ) -> Sequence[str]:
        """Ends the account's sessions, all but one; they are returned. Raises Erased."""
        async with self._database.transaction() as connection:
            _require_changed(
                await connection.execute(self._queries["set_password"], account_id, hashed)
            )
            ended = await ids_of(
                connection, self._queries, "end_sessions", account_id, at, but_session
            )
            await tell_revoked(connection, self._queries, ended, at)
        return ended

    async def rehash(self, account_id: str, old: str, new: str) -> None:
        await self._database.execute(self._queries["rehash_password"], account_id, old, new)

    async def set_status(
        self, account_id: str, status: str, at: datetime, reason: str
    ) -> Sequence[str]:
        """What may do nothing any more is returned. Raises Erased."""
        async with self._database.transaction() as connection:
            _require_changed(
                await connection.execute(self._queries["set_status"], account_id, status)
            )
            if status == ACTIVE:
                return []
            return await self._shut(connection, account_id, at, reason)

    async def erase(self, account_id: str, at: datetime) -> Sequence[str]:
        """Destroy what is known of the person, and what lets them in: its data key, profile, index,
        password and links. Again, or for an account that never was, nothing happens. What may do
        nothing any more is returned."""
        async with self._database.transaction() as connection:
            return await self.erase_in(connection, account_id, at)

    async def erase_in(
        self, connection: asyncpg.Connection, account_id: str, at: datetime
    ) -> Sequence[str]:
        """The same as part of a transaction; to be its last step."""
        row = await connection.fetchrow(self._queries["account"], account_id)
        if row is None or row["status"] == ERASED:
            return []
        for name in ("erase_account", "unlink_issuers", "unname"):
            await connection.execute(self._queries[name], account_id)
        return await self._shut(connection, account_id, at, ERASURE)

    async def link(self, account: Account, issuer: str, subject: str) -> None:
        """Raises AlreadyExists when the subject is linked to another account."""
        found = await self._database.fetchrow(
            self._queries["link_issuer"],
            issuer,
            self._roots.hashed("issuer subject", issuer, subject),
            account.account_id,
        )
        if found is None or found["account_id"] != account.account_id:
            raise AlreadyExists("the subject")

    async def linked(self, issuer: str, subject: str) -> Account | None:
        index = self._roots.hashed("issuer subject", issuer, subject)
        row = await self._database.fetchrow(self._queries["linked"], issuer, index)
        return await self.get(row["account_id"]) if row is not None else None

    async def _shut(
        self, connection: asyncpg.Connection, account_id: str, at: datetime, reason: str
    ) -> Sequence[str]:
        """Sessions, keys and devices end with the account. Rows are locked in the order account,
        device, session, as everywhere: two who wait for each other would both fail."""
        queries = self._queries
        revoked = [
            account_id,
            *await ids_of(connection, queries, "revoke_devices", account_id, at, reason),
            *await ids_of(connection, queries, "end_sessions", account_id, at, ""),
            *await ids_of(connection, queries, "revoke_api_keys", account_id, at),
        ]
        await connection.execute(queries["drop_enrolments"], account_id)
        await tell_revoked(connection, queries, revoked, at)
        return revoked

    def _email_index(self, clinic_id: str, email: str) -> bytes | None:
        return self._roots.blind_index(clinic_id, EMAIL, email) if email.strip() else None

    def _account(self, row: asyncpg.Record) -> Account:
        profile = Profile()
        if row["profile"] is not None and row["data_key"] is not None:
            profile = self._profiles.open(row["profile"], row["account_id"], row["data_key"])
        return Account(
            row["account_id"],
            row["clinic_id"],
            row["role"],
            row["status"],
            row["created_at"],
            profile,
        )


def _require_changed(told: str) -> None:
    if told == "UPDATE 0":
        raise Erased
