"""Searching the trail: who saw or was denied what in a clinic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import UUID

from rehab.identity.v1 import identity_service_pb2 as pb
from rehab_identity.domain.accesses import Entry
from rehab_identity.facts.messages import moment_of
from rehab_identity.facts.storage import entry_of
from rehab_runtime import pages
from rehab_runtime.postgres import Database, Queries

PAGE_SIZE = 50
_ALLOWED = {pb.ACCESS_OUTCOME_ALLOWED: True, pb.ACCESS_OUTCOME_DENIED: False}
_PLACE = (datetime, str, str)
"""Time, event and patient: one event may tell of several patients."""


class Searching:
    def __init__(self, database: Database, queries: Queries) -> None:
        self._database = database
        self._queries = queries

    async def page(self, request: pb.SearchAccessRequest) -> tuple[Sequence[Entry], str]:
        """What was asked for, and the token of the next page. Raises InvalidArgument for a token
        of another question."""
        wanted = _wanted(request)
        scope = ("search", str(request.oldest_first), *map(str, wanted))
        limit = request.page_size or PAGE_SIZE
        place = _place(scope, request.page_token)
        query = self._queries["search_oldest" if request.oldest_first else "search_newest"]
        async with self._database.transaction() as connection:
            await connection.execute(self._queries["plan_anew"])
            rows = await connection.fetch(query, *wanted, *place, limit + 1)
        found = [entry_of(row) for row in rows[:limit]]
        if len(rows) <= limit:
            return found, ""
        last = found[-1]
        return found, pages.issue(scope, [last.at, last.event_id, last.patient_id])


def _wanted(request: pb.SearchAccessRequest) -> tuple[Any, ...]:
    asked = request.filter
    return (
        *(request.clinic_id, asked.patient_id, asked.actor_id, asked.rpc),
        *(moment_of(asked, "since"), moment_of(asked, "until")),
        *(_ALLOWED.get(asked.outcome), asked.emergency),
    )


def _place(scope: tuple[str, ...], token: str) -> tuple[Any, ...]:
    """A forged token may name anything: the ids of events are UUIDs."""
    place = pages.redeem(scope, token, _PLACE)
    if place is None:
        return (None, None, None)
    try:
        return (place[0], UUID(place[1]), place[2])
    except ValueError:
        raise pages.refused() from None
