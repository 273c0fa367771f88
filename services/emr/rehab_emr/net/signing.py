"""The keys that sign our assertions, and the set that receivers read."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from joserfc import jwt
from joserfc.jwk import ECKey

from rehab_emr.settings import Settings
from rehab_runtime.box import Box
from rehab_runtime.clock import uuid7
from rehab_runtime.postgres import Database, Queries

ALG = "ES384"
"""One of the two that every SMART server must take."""
TOLD_AFTER_S = 3600.0
"""A key that signs no more is told a little longer than its last assertion may live."""
DAY_S = 86_400.0


class SigningKeys:
    """One signs, the next one is told before it does. All replicas have the same."""

    def __init__(self, database: Database, queries: Queries, box: Box, settings: Settings) -> None:
        self._database = database
        self._queries = queries
        self._box = box
        self._life_s = settings.signing_key_d * DAY_S
        self._lead_s = min(settings.signing_lead_s, self._life_s / 2)

    async def ensure(self) -> None:
        """There is a key that signs, and in time the next one. Raises Unavailable."""
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["lock_keys"])
            rows = await connection.fetch(self._queries["keys"])
            if not rows:
                await self._add(connection, 0.0)
                return
            newest = max(row["signs_from"] for row in rows)
            age = await connection.fetchval(
                "SELECT extract(epoch FROM clock_timestamp() - $1::timestamptz)", newest
            )
            if float(age) > self._life_s - self._lead_s:
                await self._add(connection, self._lead_s)

    async def sign(self, claims: Mapping[str, Any]) -> str:
        rows = await self._database.fetch(self._queries["keys"])
        row = rows[0]
        private = self._box.open(row["private_key"], "signing key", row["kid"])
        key = ECKey.import_key(json.loads(private))
        header = {"alg": ALG, "kid": row["kid"], "typ": "JWT"}
        return jwt.encode(header, dict(claims), key, algorithms=[ALG])

    async def told(self) -> dict[str, Any]:
        """The JWK set: public keys only."""
        rows = await self._database.fetch(self._queries["keys"])
        return {"keys": [json.loads(row["public_jwk"]) for row in rows]}

    async def _add(self, connection: Any, lead_s: float) -> None:
        kid = str(uuid7())
        key = ECKey.generate_key("P-384", {"kid": kid, "alg": ALG, "use": "sig"})
        private = json.dumps(key.as_dict(private=True)).encode()
        sealed = self._box.seal(private, "signing key", kid)
        public = json.dumps({**key.as_dict(private=False), "key_ops": ["verify"]})
        until_s = lead_s + self._life_s + self._lead_s + TOLD_AFTER_S
        await connection.execute(self._queries["add_key"], kid, public, sealed, lead_s, until_s)
