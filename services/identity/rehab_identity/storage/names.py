"""Names of devices and keys that stand in the clear since before they were sealed."""

from __future__ import annotations

from rehab_identity.crypto.profiles import Profiles
from rehab_identity.storage import api_keys, devices
from rehab_runtime.postgres import Database, Queries

AT_ONCE = 200
_QUERIES = {devices.KIND: "seal_device_name", api_keys.KIND: "seal_api_key_name"}


async def seal_names(database: Database, queries: Queries, profiles: Profiles) -> int:
    """Seal those that are left; how many there were is returned."""
    count = 0
    while rows := await database.fetch(queries["clear_names"], AT_ONCE):
        for row in rows:
            of = row["account_id"], row["data_key"], row["of"], row["id"]
            sealed = profiles.seal_name(row["name"], *of)
            await database.execute(queries[_QUERIES[row["of"]]], row["id"], sealed)
        count += len(rows)
    return count
