"""Holding the log against what was signed of it."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from uuid import UUID

import asyncpg

from rehab_eventstore.proof.checkpoints import Checkpoint, checkpoint_of
from rehab_eventstore.proof.finding import Damage, Finding
from rehab_runtime.postgres import Database, Queries

PAGE = 1000
LEAST = -(2**63)


@dataclass
class Stated:
    """Checkpoints looked at. `reached` is the last position that one of them covers."""

    holding: int = 0
    reached: int = 0
    signers: set[str] = field(default_factory=set)
    findings: list[Finding] = field(default_factory=list)

    def take(self, checkpoint: Checkpoint, finding: Finding | None) -> None:
        if finding is not None:
            self.findings.append(finding)
            return
        self.holding += 1
        self.reached = max(self.reached, checkpoint.position)
        self.signers.add(checkpoint.key_id)


class Statements:
    """Every method raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def beyond(self, shard: int, trusted: Sequence[bytes]) -> list[Finding]:
        """What is signed of positions that the log does not have."""
        findings = []
        for row in await self._database.fetch(self._queries["beyond"], shard):
            checkpoint = checkpoint_of(row)
            message = f"the log ends here, and a checkpoint was signed at {checkpoint.position}"
            cut = Finding(row["head"] + 1, Damage.TRUNCATED, message)
            findings.append(_forged(checkpoint, trusted) or cut)
        return findings

    async def judge(
        self, shard: int, first: int, last: int, trusted: Sequence[bytes], stated: Stated
    ) -> None:
        """Hold events against all that is signed of positions first to last; 0 is no first."""
        async for row in self._between(shard, first or LEAST, last):
            checkpoint = checkpoint_of(row)
            finding = _forged(checkpoint, trusted)
            if finding is None and row["found"] != checkpoint.hash:
                message = "the checkpoint here was signed for another event"
                finding = Finding(checkpoint.position, Damage.CHECKPOINT, message)
            stated.take(checkpoint, finding)

    async def _between(self, shard: int, first: int, last: int) -> AsyncIterator[asyncpg.Record]:
        after, below = UUID(int=0), LEAST
        while True:
            rows = await self._database.fetch(
                self._queries["between"], shard, after, below, first, last, PAGE
            )
            for row in rows:
                yield row
            if len(rows) < PAGE:
                return
            after, below = rows[-1]["incarnation"], rows[-1]["position"]


def _forged(checkpoint: Checkpoint, trusted: Sequence[bytes]) -> Finding | None:
    if not checkpoint.holds():
        message = "the checkpoint here is not signed by the key that it names"
        return Finding(checkpoint.position, Damage.CHECKPOINT, message)
    if trusted and checkpoint.public_key not in trusted:
        message = f"the checkpoint here is signed by {checkpoint.key_id}, which is not trusted"
        return Finding(checkpoint.position, Damage.SIGNER, message)
    return None
