"""The read models, as the contract's messages. Every answer says which position it reflects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping, Sequence
from datetime import date, datetime
from typing import Literal

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.errors import invalid
from rehab_sdk.events._fill import SeverityName, choice, fill
from rehab_sdk.places import MinPosition, Newest, Positions
from rehab_sdk.watch import WorkQueueWatch

StatusName = Literal["", "open", "snoozed", "done"]
Days = int | Literal["whole_plan", "this_day", "this_week", "this_month"] | tuple[date, date]
"""Days up to as_of, the whole plan, the local day, week or month of as_of, or a range of local
days, both included."""
_UNITS = {
    "this_day": pb.CALENDAR_UNIT_DAY,
    "this_week": pb.CALENDAR_UNIT_WEEK,
    "this_month": pb.CALENDAR_UNIT_MONTH,
}
MAX_WAIT_S = 5.0


class Freshness:
    """Read your own writes: unless told otherwise a read reflects what this client last wrote."""

    def __init__(self, written: Newest) -> None:
        self._written = written

    def __call__(self, min_position: MinPosition, max_wait_s: float) -> pb.Consistency:
        wanted = fill(pb.Consistency(), max_wait_ms=max(1, int(max_wait_s * 1000)))
        match min_position:
            case int():
                return fill(wanted, min_position=min_position)
            case None:
                positions: Positions = self._written.positions
            case Mapping():
                positions = min_position
            case _:
                positions = {min_position.shard: min_position.position}
        for shard, position in positions.items():
            fill(wanted.min_positions.add(), shard=shard, position=position)
        return wanted


class AsyncPatients:
    """`min_position` is what an answer must reflect: the client's own last writes when None, 0 for
    whatever is there, what was Stored or Acked, or positions by shard. Errors: Stale when it is not
    reached within `max_wait_s` seconds, NotFound, AuthError, Invalid, Unavailable."""

    def __init__(self, stub: ProjectionsServiceStub, calls: Calls, fresh: Freshness) -> None:
        self._stub = stub
        self._calls = calls
        self._fresh = fresh

    async def adherence(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        occurrences: bool = False,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> pb.GetAdherenceResponse:
        """How much of the prescription was done. An absent figure means that nothing was due."""
        request = fill(
            pb.GetAdherenceRequest(),
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            include_occurrences=occurrences,
            consistency=self._fresh(min_position, max_wait_s),
        )
        return await self._calls.unary(self._stub.GetAdherence, request, wait_s=max_wait_s)

    async def quality(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        exercise: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> pb.GetQualityResponse:
        """How well it was done, by exercise and side."""
        request = fill(
            pb.GetQualityRequest(),
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            exercise_id=exercise,
            consistency=self._fresh(min_position, max_wait_s),
        )
        return await self._calls.unary(self._stub.GetQuality, request, wait_s=max_wait_s)

    async def sessions(
        self,
        patient: str,
        *,
        page_size: int = 50,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.SessionSummary]:
        """All sessions, newest first; pages are fetched as they are needed."""
        request = fill(
            pb.ListSessionsRequest(),
            patient_id=patient,
            page_size=page_size,
            consistency=self._fresh(min_position, max_wait_s),
        )
        while True:
            page = await self._calls.unary(self._stub.ListSessions, request, wait_s=max_wait_s)
            for session in page.sessions:
                yield session
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token


class AsyncWorkQueue:
    """Who needs a therapist. `clinic` is the client's own unless told."""

    def __init__(
        self, stub: ProjectionsServiceStub, calls: Calls, fresh: Freshness, clinic_id: str
    ) -> None:
        self._stub = stub
        self._calls = calls
        self._fresh = fresh
        self._clinic_id = clinic_id

    async def list(
        self,
        *,
        clinic: str = "",
        therapist: str = "",
        status: StatusName = "open",
        min_severity: SeverityName = "",
        as_of: datetime | None = None,
        limit: int = 500,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> Sequence[pb.WorkItem]:
        """The `limit` most urgent items, most urgent first."""
        request = fill(
            pb.ListWorkQueueRequest(),
            clinic_id=clinic or self._clinic_id,
            therapist_id=therapist,
            status=choice("status", pb.WorkItemStatus.DESCRIPTOR, status),
            min_severity=_severity(min_severity),
            as_of=as_of,
            consistency=self._fresh(min_position, max_wait_s),
        )
        items: list[pb.WorkItem] = []
        while len(items) < limit:
            request.page_size = min(500, limit - len(items))
            page = await self._calls.unary(self._stub.ListWorkQueue, request, wait_s=max_wait_s)
            items.extend(page.items)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        return items

    def watch(
        self, *, clinic: str = "", therapist: str = "", min_severity: SeverityName = ""
    ) -> WorkQueueWatch:
        """The list and then its changes: `async with queue.watch() as changes`."""
        request = fill(
            pb.WatchWorkQueueRequest(),
            clinic_id=clinic or self._clinic_id,
            therapist_id=therapist,
            min_severity=_severity(min_severity),
        )
        return WorkQueueWatch(self._stub, self._calls, request)


def window(days: Days) -> pb.Window:
    """The window of time meant by `days`."""
    if days == "whole_plan":
        return pb.Window(whole_plan=True)
    if isinstance(days, str):
        if days not in _UNITS:
            raise invalid("days", "days.known", "must be a number of days or a named window")
        return pb.Window(calendar=_UNITS[days])
    if isinstance(days, tuple):
        first, last = days
        return pb.Window(range=pb.DateRange(from_date=first.isoformat(), to_date=last.isoformat()))
    return fill(pb.Window(), days=days)


def _severity(name: SeverityName) -> int:
    return choice("min_severity", common_pb2.Severity.DESCRIPTOR, name)
