"""Folds' states in PostgreSQL, sealed like the events they were made of. A wrong or missing one
only costs the time to fold again."""

from __future__ import annotations

from dataclasses import dataclass

import asyncpg

from rehab_eventstore.crypto import bodies
from rehab_eventstore.crypto.keys import Keyring
from rehab_eventstore.sealing import KeySealer
from rehab_runtime.errors import Erased
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.sealed import Bound, CannotOpen

NOTHING = "INSERT 0 0"

log = get_logger("snapshots")


@dataclass(frozen=True)
class Place:
    """Whose state, of which fold in which version of its code."""

    stream: str
    fold: str
    code_version: int

    def bound(self, stream_version: int) -> Bound:
        """What a sealed state is bound to: no event has such a kind."""
        return Bound(str(stream_version), self.stream, f"snapshot/{self.fold}", self.code_version)


@dataclass(frozen=True)
class State:
    stream_version: int
    state: bytes


class Snapshots:
    """Every method raises Unavailable when PostgreSQL does not answer. `kept` is how many of a
    place are kept."""

    def __init__(
        self, database: Database, queries: Queries, sealer: KeySealer, *, kept: int
    ) -> None:
        self._database = database
        self._queries = queries
        self._sealer = sealer
        self._kept = kept

    async def save(self, place: Place, state: State) -> None:
        """Raises Erased."""
        key = (await self._sealer.keyring(place.stream)).newest
        sealed = bodies.seal(key, state.state, place.bound(state.stream_version))
        where = (place.stream, place.fold, place.code_version)
        async with self._database.transaction() as connection:
            saved = await connection.execute(
                self._queries["save"], *where, state.stream_version, key.key_id, sealed
            )
            if saved == NOTHING:
                raise Erased
            await connection.execute(self._queries["thin"], *where, self._kept)

    async def load(self, place: Place, until_version: int) -> State | None:
        """The newest one at or before a version that can be opened. Raises Erased."""
        rows = await self._database.fetch(
            self._queries["load"], place.stream, place.fold, place.code_version, until_version
        )
        if not rows:
            return None
        keyring = await self._sealer.keyring(place.stream)
        for row in rows:
            opened = _opened(keyring, place, row)
            if opened is not None:
                return opened
        return None


def _opened(keyring: Keyring, place: Place, row: asyncpg.Record) -> State | None:
    version, key = row["stream_version"], keyring.keys.get(row["key_id"])
    try:
        if key is not None:
            return State(version, bodies.open_(key, row["state"], place.bound(version)))
    except CannotOpen as error:
        log.warning(
            "a snapshot cannot be opened: an older one is used, or the stream folded anew",
            error_type=type(error).__qualname__,
            key_id=row["key_id"],
        )
    return None
