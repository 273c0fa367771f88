"""Devices, the codes that enrol them, and the statements they have made."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

import asyncpg

from rehab_identity.crypto.profiles import Profiles
from rehab_identity.crypto.roots import Roots
from rehab_identity.domain.people import ACTIVE, Account, Device
from rehab_identity.storage.revoking import ids_of, tell_revoked
from rehab_runtime.errors import NotFound, Unauthenticated
from rehab_runtime.postgres import Database, Queries

CODE = "enrolment code"
KIND = "device"


class Devices:
    def __init__(
        self, database: Database, queries: Queries, profiles: Profiles, roots: Roots
    ) -> None:
        self._database = database
        self._queries = queries
        self._profiles = profiles
        self._roots = roots

    async def add_code(
        self, code: str, patient: Account, expires_at: datetime, now: datetime
    ) -> None:
        hashed = self._roots.hashed(CODE, code)
        await self._database.execute(
            self._queries["add_enrolment"], hashed, patient.account_id, expires_at, now
        )

    async def enrol(
        self, code: str, device_id: str, public_key: bytes, model: str, now: datetime
    ) -> Device:
        """Raises Unauthenticated unless the code is good; then it is good no more but for the same
        key, which is told of the same device."""
        queries = self._queries
        hashed = self._roots.hashed(CODE, code)
        async with self._database.transaction() as connection:
            patient_id = await connection.fetchval(
                queries["use_enrolment"], hashed, now, device_id, public_key
            )
            if patient_id is None:
                known = await connection.fetchrow(queries["enrolled_by"], hashed, now, public_key)
                if known is None:
                    raise Unauthenticated("no such enrolment code")
                return Device(model=model, **dict(known))
            account = await connection.fetchrow(queries["lock_account"], patient_id)
            if account is None or account["status"] != ACTIVE:
                raise Unauthenticated("the account is not active")
            device = Device(device_id, patient_id, account["clinic_id"], public_key, model, now)
            key = account["data_key"]
            sealed = self._profiles.seal_name(model, patient_id, key, KIND, device_id)
            await connection.execute(
                queries["add_device"],
                *(device_id, patient_id, device.clinic_id, public_key, sealed, now),
            )
        return device

    async def get(self, device_id: str) -> Device:
        """Without its name. Raises NotFound."""
        row = await self._database.fetchrow(self._queries["device"], device_id)
        if row is None:
            raise NotFound("a device")
        return Device(**dict(row))

    async def of(self, patient_id: str) -> Sequence[Device]:
        rows = await self._database.fetch(self._queries["devices"], patient_id)
        return [self._opened(dict(row)) for row in rows]

    def _opened(self, row: dict[str, Any]) -> Device:
        key, account = row.pop("data_key"), row["patient_id"]
        row["model"] = self._profiles.open_name(row["model"], account, key, KIND, row["device_id"])
        return Device(**row)

    async def revoke(self, device_id: str, now: datetime, reason: str) -> Sequence[str]:
        """The device and its sessions; nothing for one that was revoked before."""
        async with self._database.transaction() as connection:
            revoked = await self._revoked(connection, device_id, now, reason)
            await tell_revoked(connection, self._queries, revoked, now)
        return revoked

    async def _revoked(
        self, connection: asyncpg.Connection, device_id: str, now: datetime, reason: str
    ) -> list[str]:
        revoked = await ids_of(connection, self._queries, "revoke_device", device_id, now, reason)
        if not revoked:
            return []
        return revoked + await ids_of(
            connection, self._queries, "end_device_sessions", device_id, now
        )

    async def see(self, device_id: str, jti: str, expires_at: datetime) -> bool:
        """False when a statement of that id was seen before."""
        hashed = self._roots.hashed("assertion", device_id, jti)
        row = await self._database.fetchrow(self._queries["see_assertion"], hashed, expires_at)
        return row is not None

    async def forget(self, before: datetime) -> None:
        await self._database.execute(self._queries["forget_assertions"], before)
