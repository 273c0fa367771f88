"""Tells other replicas how far this one has folded, after it has: a notification within the fold's
transaction would wait for every other commit that notifies."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Iterable

from rehab_projections.storage.cursors import Cursor
from rehab_projections.storage.leases import Leases, Moved
from rehab_runtime.errors import RehabError


class Teller:
    """What moves while it tells is told together, next."""

    def __init__(self, leases: Leases) -> None:
        self._leases = leases
        self._cursors: dict[int, Cursor] = {}
        self._clinics: dict[int, set[str]] = {}
        self._news = asyncio.Event()

    def moved(self, cursor: Cursor, clinics: Iterable[str]) -> None:
        self._cursors[cursor.shard] = cursor
        self._clinics.setdefault(cursor.shard, set()).update(clinics)
        self._news.set()

    async def run(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            cursors, self._cursors = self._cursors, {}
            clinics, self._clinics = self._clinics, {}
            moved = [
                Moved(self._leases.version, shard, one.position, sorted(clinics[shard]))
                for shard, one in cursors.items()
            ]
            # whoever was not told looks for itself, a little later
            with contextlib.suppress(RehabError):
                await self._leases.tell(moved)
