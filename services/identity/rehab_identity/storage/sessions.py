"""Sessions and their refresh tokens."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

import asyncpg

from rehab_identity.crypto.roots import Roots
from rehab_identity.domain.credentials import (
    RefreshSecret,
    new_id,
    new_secret,
    refresh_token,
)
from rehab_identity.domain.people import ACTIVE, Refresh, Session, on_refresh
from rehab_identity.storage.revoking import ids_of, tell_revoked
from rehab_runtime.errors import NotFound, Unauthenticated
from rehab_runtime.postgres import Database, Queries

REFRESH = "refresh token"


@dataclass(frozen=True, slots=True)
class Terms:
    """How long sessions last, in seconds."""

    idle_s: float
    max_s: float
    grace_s: float

    def expiry(self, created_at: datetime, now: datetime) -> datetime:
        idle, most = timedelta(seconds=self.idle_s), timedelta(seconds=self.max_s)
        return min(now + idle, created_at + most)


@dataclass(frozen=True, slots=True)
class Stolen:
    """A refresh token was shown by two: what has ended because of it."""

    ended: Sequence[str]


class Sessions:
    def __init__(self, database: Database, queries: Queries, roots: Roots, terms: Terms) -> None:
        self._database = database
        self._queries = queries
        self._roots = roots
        self._terms = terms

    async def begin(
        self,
        account_id: str,
        method: str,
        now: datetime,
        *,
        device_id: str = "",
        hashed: str | None = None,
    ) -> tuple[Session, str]:
        """With its refresh token. `hashed` is the password that was found right. Raises
        Unauthenticated when account or device may not come in, or the password was replaced;
        whoever does that after this ends this session, too."""
        session = Session(
            new_id(), account_id, device_id, method, now, now, self._terms.expiry(now, now)
        )
        async with self._database.transaction() as connection:
            await self._require_welcome(connection, account_id, device_id, hashed)
            await connection.execute(
                self._queries["add_session"],
                session.session_id,
                account_id,
                device_id or None,
                method,
                now,
                session.expires_at,
            )
            token = await self._add_token(connection, session.session_id, session.generation)
        return session, token

    async def refresh(self, shown: RefreshSecret, now: datetime) -> tuple[Session, str] | Stolen:
        """The session with its next refresh token. Raises Unauthenticated."""
        async with self._database.transaction() as connection:
            row = await connection.fetchrow(self._queries["lock_session"], shown.session_id)
            hashed = self._roots.hashed(REFRESH, shown.session_id, shown.secret)
            given = await connection.fetchval(
                self._queries["refresh_generation"], shown.session_id, hashed
            )
            if row is None or given is None:
                raise Unauthenticated("a refresh token that was not given")
            session = _session(row)
            match on_refresh(session, given, now, self._terms.grace_s):
                case Refresh.OVER:
                    raise Unauthenticated("the session has ended")
                case Refresh.STOLEN:
                    return Stolen(await self._end(connection, session.session_id, now))
                case Refresh.NEXT:
                    expires_at = self._terms.expiry(session.created_at, now)
                    await connection.execute(
                        self._queries["renew_session"], session.session_id, now, expires_at
                    )
                    session = replace(
                        session,
                        generation=session.generation + 1,
                        refreshed_at=now,
                        expires_at=expires_at,
                    )
                case Refresh.AGAIN:
                    await connection.execute(self._queries["mark_asked_again"], session.session_id)
            token = await self._add_token(connection, session.session_id, session.generation)
            return session, token

    async def get(self, session_id: str) -> Session:
        """Raises NotFound."""
        row = await self._database.fetchrow(self._queries["session"], session_id)
        if row is None:
            raise NotFound("a session")
        return _session(row)

    async def of(self, account_id: str, now: datetime) -> Sequence[Session]:
        rows = await self._database.fetch(self._queries["sessions"], account_id, now)
        return [_session(row) for row in rows]

    async def end(self, session_id: str, now: datetime) -> Sequence[str]:
        """What has ended now; nothing for one that had ended before."""
        async with self._database.transaction() as connection:
            return await self._end(connection, session_id, now)

    async def forget(self, before: datetime) -> None:
        """Those that were over before a time."""
        await self._database.execute(self._queries["forget_sessions"], before)

    async def _end(
        self, connection: asyncpg.Connection, session_id: str, now: datetime
    ) -> Sequence[str]:
        ended = await ids_of(connection, self._queries, "end_session", session_id, now)
        await tell_revoked(connection, self._queries, ended, now)
        return ended

    async def _require_welcome(
        self,
        connection: asyncpg.Connection,
        account_id: str,
        device_id: str,
        hashed: str | None,
    ) -> None:
        account = await connection.fetchrow(self._queries["lock_account"], account_id)
        if account is None or account["status"] != ACTIVE:
            raise Unauthenticated("the account is not active")
        if hashed is not None and account["password"] != hashed:
            raise Unauthenticated("the password was replaced meanwhile")
        if device_id:
            found = await connection.fetchrow(self._queries["lock_device"], device_id)
            if found is None or found["revoked_at"] is not None:
                raise Unauthenticated("the device was revoked")

    async def _add_token(
        self, connection: asyncpg.Connection, session_id: str, generation: int
    ) -> str:
        secret = new_secret()
        hashed = self._roots.hashed(REFRESH, session_id, secret)
        await connection.execute(self._queries["add_refresh"], session_id, hashed, generation)
        return refresh_token(session_id, secret)


def _session(row: asyncpg.Record) -> Session:
    return Session(**{**dict(row), "device_id": row["device_id"] or ""})
