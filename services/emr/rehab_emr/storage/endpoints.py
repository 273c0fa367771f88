"""FHIR servers as clinics registered them, their pace and their breakers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehab_runtime.errors import AlreadyExists, NotFound
from rehab_runtime.postgres import Database, Queries

CHANNEL = "emr_endpoints"
"""Told when endpoints changed."""
STATEMENT = "statement: "
"""What begins why an endpoint is paused that no longer promises what is needed."""


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`secret` is sealed. `revision` counts changes of what it is; `open_until` is of the
    breaker. `notify` is how much a notification says, empty for one that is pushed to."""

    endpoint_id: str
    clinic_id: str
    base_url: str
    bundle_type: int
    most_entries: int
    requests_per_second: float
    concurrency: int
    patient_system: str
    rep_series: bool
    authority_pem: str
    no_backfill: bool
    auth: str
    secret: bytes = field(repr=False)
    takes_transactions: bool = True
    takes_provenance: bool = True
    takes_devices: bool = True
    warnings: tuple[str, ...] = ()
    if_none_exist: str = "parameters"
    conditional_create: bool = True
    conditional_update: bool = True
    takes_batches: bool = True
    readings: bool = False
    entries_now: int = 1
    paused: str = ""
    revision: int = 1
    failures: int = 0
    open_until: datetime | None = None
    notify: str = ""
    heartbeat_s: int = 0
    disproved: tuple[str, ...] = ()
    """What it promised and did not hold: "transactions", "batches"."""
    unread: str = ""
    """Why its CapabilityStatement could not be read since it was last, as a code."""
    examined_at: datetime | None = None

    @property
    def every_warning(self) -> tuple[str, ...]:
        return lacks(self.warnings, self.unread)


_TOLD = (
    *("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries"),
    *("requests_per_second", "concurrency", "patient_system", "rep_series", "authority_pem"),
    *("no_backfill", "auth", "secret", "takes_transactions", "takes_provenance"),
    *("takes_devices", "warnings", "if_none_exist", "notify", "heartbeat_s"),
    *("conditional_create", "conditional_update", "takes_batches", "readings"),
)


_FOUND = (
    *("endpoint_id", "revision", "takes_transactions", "takes_batches", "takes_provenance"),
    *("takes_devices", "conditional_create", "conditional_update", "warnings", "disproved"),
)


class Endpoints:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def put(self, endpoint: Endpoint) -> Endpoint:
        """Raises AlreadyExists for the name of another clinic's, or of one of the other way."""
        told = [getattr(endpoint, name) for name in _TOLD]
        row = await self._database.fetchrow(self._queries["put"], *told)
        if row is None:
            raise AlreadyExists("an endpoint of that name")
        return _endpoint(row)

    async def all(self) -> Sequence[Endpoint]:
        return [_endpoint(row) for row in await self._database.fetch(self._queries["all"])]

    async def of_clinic(self, clinic_id: str) -> Sequence[Endpoint]:
        rows = await self._database.fetch(self._queries["of_clinic"], clinic_id)
        return [_endpoint(row) for row in rows]

    async def one(self, endpoint_id: str, clinic_id: str = "") -> Endpoint:
        """Raises NotFound, also for another clinic's."""
        row = await self._database.fetchrow(self._queries["one"], endpoint_id)
        if row is None or (clinic_id and row["clinic_id"] != clinic_id):
            raise NotFound("no such endpoint")
        return _endpoint(row)

    async def pause(self, endpoint_id: str, why: str) -> Endpoint:
        return await self._changed("pause", endpoint_id, why)

    async def resume(self, endpoint_id: str) -> Endpoint:
        return await self._changed("resume", endpoint_id)

    async def take_turn(self, endpoint_id: str, rate: float, burst: int, most_s: float) -> float:
        """Seconds until a request may leave: `rate` a second, `burst` at once. One that would have
        to wait longer than `most_s` has taken no turn."""
        told = (endpoint_id, 1 / rate, (burst - 1) / rate, most_s)
        row = await self._database.fetchrow(self._queries["take_turn"], *told)
        return float(row["wait_s"]) if row is not None else 0.0

    async def failed(self, endpoint_id: str, threshold: int, open_s: float) -> int:
        """Failures in a row; from `threshold` on the breaker is open, twice as long each time."""
        told = (endpoint_id, threshold, open_s)
        row = await self._database.fetchrow(self._queries["failed"], *told)
        return int(row["failures"]) if row is not None else 0

    async def wait(self, endpoint_id: str, seconds: float) -> None:
        await self._database.execute(self._queries["wait"], endpoint_id, seconds)

    async def worked(self, endpoint_id: str) -> None:
        await self._database.execute(self._queries["worked"], endpoint_id)

    async def came_back(self, endpoint_id: str, threshold: int) -> None:
        await self._database.execute(self._queries["came_back"], endpoint_id, threshold)

    async def shrink(self, endpoint_id: str, entries: int) -> None:
        await self._database.execute(self._queries["shrink"], endpoint_id, entries)

    async def disproved(self, endpoint_id: str, what: str) -> None:
        """`what` it promised, "transactions" or "batches", is not so."""
        await self._database.execute(self._queries["disproved"], endpoint_id, what)

    async def to_look_at(self, old_s: float, most: int) -> Sequence[Endpoint]:
        """At most so many whose CapabilityStatement is older than that: now ours to read."""
        rows = await self._database.fetch(self._queries["to_look_at"], old_s, most)
        return [_endpoint(row) for row in rows]

    async def look_now(self, endpoint_id: str, after_s: float) -> Endpoint | None:
        """None when somebody looked less than `after_s` ago."""
        row = await self._database.fetchrow(self._queries["look_now"], endpoint_id, after_s)
        return _endpoint(row) if row is not None else None

    async def is_being_read(self, endpoint_id: str, longest_s: float) -> bool:
        """Whether somebody looks, and began to less than `longest_s` ago."""
        row = await self._database.fetchrow(self._queries["being_read"], endpoint_id, longest_s)
        return row is not None

    async def examined(self, found: Endpoint, why: str, *, changed: bool) -> Endpoint | None:
        """As it is now; None when it became another one since. `why` nothing can be sent to it,
        empty when it can."""
        told = [getattr(found, name) for name in _FOUND]
        row = await self._database.fetchrow(self._queries["examined"], *told, why, changed)
        return _endpoint(row) if row is not None else None

    async def unread(self, endpoint_id: str, why: str) -> None:
        await self._database.execute(self._queries["unread"], endpoint_id, why)

    async def _changed(self, query: str, endpoint_id: str, *told: object) -> Endpoint:
        row = await self._database.fetchrow(self._queries[query], endpoint_id, *told)
        if row is None:
            raise NotFound("no such endpoint")
        return _endpoint(row)


def lacks(warnings: Sequence[str], unread: str) -> tuple[str, ...]:
    """What a receiver lacks, for people; with why that may be old."""
    if not unread:
        return tuple(warnings)
    old = f"its CapabilityStatement cannot be read ({unread}): what it said before still holds"
    return (*warnings, old)


def _endpoint(row: Any) -> Endpoint:
    told = {name: row[name] for name in Endpoint.__dataclass_fields__}
    lists = {name: tuple(row[name]) for name in ("warnings", "disproved")}
    return Endpoint(**told | lists)
