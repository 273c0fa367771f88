"""The service's own secrets, made at its first start."""

from __future__ import annotations

import os

from rehab_identity.crypto.roots import ROOT_BYTES, Roots
from rehab_runtime.box import Box
from rehab_runtime.postgres import Database, Queries


async def roots(database: Database, queries: Queries, box: Box) -> Roots:
    """Raises Internal when the key file is not the one that sealed them."""
    return Roots(
        await _secret(database, queries, box, "index root"),
        await _secret(database, queries, box, "pepper"),
    )


async def _secret(database: Database, queries: Queries, box: Box, name: str) -> bytes:
    made = box.seal(os.urandom(ROOT_BYTES), "secret", name)
    await database.execute(queries["add_secret"], name, made)
    row = await database.fetchrow(queries["secret"], name)
    assert row is not None
    return box.open(row["sealed"], "secret", name)
