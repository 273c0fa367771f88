"""Folds' states in PostgreSQL, sealed like the events they were made of. A wrong or missing one
only costs the time to fold again."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_eventstore.crypto import bodies
from rehab_eventstore.sealing import KeySealer
from rehab_runtime.logging import get_logger
from rehab_runtime.postgres import Database, Queries
from rehab_runtime.sealed import Bound, CannotOpen

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
            await connection.execute(
                self._queries["save"], *where, state.stream_version, key.key_id, sealed
            )
            await connection.execute(self._queries["thin"], *where, self._kept)

    async def load(self, place: Place, until_version: int) -> State | None:
        """The newest one at or before a version; None too when it cannot be opened."""
        row = await self._database.fetchrow(
            self._queries["load"], place.stream, place.fold, place.code_version, until_version
        )
        if row is None:
            return None
        key = (await self._sealer.keyring(place.stream)).keys.get(row["key_id"])
        if key is None:
            return None
        version = row["stream_version"]
        try:
            return State(version, bodies.open_(key, row["state"], place.bound(version)))
        except CannotOpen as error:
            log.warning(
                "a snapshot cannot be opened: the stream is folded anew",
                error_type=type(error).__qualname__,
                key_id=row["key_id"],
            )
            return None
