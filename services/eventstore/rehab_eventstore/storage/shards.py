"""How many shards a log has. It is told once, before the first event."""

from __future__ import annotations

from rehab_runtime.postgres import Database, Queries
from rehab_runtime.startup import StartupError


async def require_shards(database: Database, queries: Queries, wanted: int) -> int:
    """How many the log has; an empty log is given those wanted, 0 leaves it as it is. Raises
    StartupError when the log has another number: streams would be looked for where they are not."""
    async with database.transaction() as connection:
        heads = await connection.fetch(queries["heads_locked"])
        if wanted in (0, len(heads)):
            return len(heads)
        if any(head["position"] for head in heads):
            raise StartupError(
                f"the log has {len(heads)} shards and is told to have {wanted}",
                f"set EVENTSTORE_SHARDS={len(heads)}: a log keeps the shards that it began with",
            )
        for query in ("trim_leases", "trim_keys", "trim_heads"):
            await connection.execute(queries[query], wanted)
        for query in ("add_heads", "add_keys", "add_leases"):
            await connection.execute(queries[query], wanted)
    return wanted
