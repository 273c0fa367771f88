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


@dataclass(frozen=True, slots=True)
class Endpoint:
    """`secret` is sealed. `revision` counts changes of what it is; `open_until` is of the
    breaker."""

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
    entries_now: int = 1
    paused: str = ""
    revision: int = 1
    failures: int = 0
    open_until: datetime | None = None


_TOLD = (
    *("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries"),
    *("requests_per_second", "concurrency", "patient_system", "rep_series", "authority_pem"),
    *("no_backfill", "auth", "secret", "takes_transactions", "takes_provenance"),
    *("takes_devices", "warnings", "if_none_exist"),
)


class Endpoints:
    """Raises Unavailable when PostgreSQL does not answer."""

    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def put(self, endpoint: Endpoint) -> Endpoint:
        """Raises AlreadyExists for the name of another clinic's."""
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

    async def as_batch(self, endpoint_id: str) -> None:
        await self._database.execute(self._queries["as_batch"], endpoint_id)

    async def _changed(self, query: str, endpoint_id: str, *told: object) -> Endpoint:
        row = await self._database.fetchrow(self._queries[query], endpoint_id, *told)
        if row is None:
            raise NotFound("no such endpoint")
        return _endpoint(row)


def _endpoint(row: Any) -> Endpoint:
    told = {name: row[name] for name in Endpoint.__dataclass_fields__}
    return Endpoint(**told | {"warnings": tuple(row["warnings"])})
