"""The read models, as the contract's messages. Every answer says which position it reflects."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import projections_service_pb2 as pb
from rehab.projections.v1.projections_service_pb2_grpc import ProjectionsServiceStub
from rehab_sdk.calls import Calls
from rehab_sdk.events._fill import SeverityName, choice, fill
from rehab_sdk.paged import Reader
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import MAX_WAIT_S, Days, Freshness, window
from rehab_sdk.watch import WorkQueueWatch

StatusName = Literal["", "open", "snoozed", "done"]


class AsyncPatients(Reader):
    """`min_position` is what an answer must reflect: the client's own last writes when None, 0 for
    whatever is there, what was Stored or Acked, or positions by shard. Errors: Stale when it is not
    reached within `max_wait_s` seconds, NotFound, AuthError, Invalid, Unavailable."""

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
        request = self._asked(
            *(pb.GetAdherenceRequest(), min_position, max_wait_s),
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            include_occurrences=occurrences,
        )
        answer: pb.GetAdherenceResponse = await self._answer(
            self._stub.GetAdherence, request, max_wait_s
        )
        return answer

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
        request = self._asked(
            *(pb.GetQualityRequest(), min_position, max_wait_s),
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            exercise_id=exercise,
        )
        answer: pb.GetQualityResponse = await self._answer(
            self._stub.GetQuality, request, max_wait_s
        )
        return answer

    def sessions(
        self,
        patient: str,
        *,
        page_size: int = 50,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.SessionSummary]:
        """All sessions, newest first; pages are fetched as they are needed."""
        request = self._asked(
            *(pb.ListSessionsRequest(), min_position, max_wait_s),
            patient_id=patient,
            page_size=page_size,
        )
        return self._items(self._stub.ListSessions, request, "sessions", max_wait_s)


class AsyncWorkQueue(Reader):
    """Who needs a therapist. `clinic` is the client's own unless told."""

    def __init__(
        self, stub: ProjectionsServiceStub, calls: Calls, fresh: Freshness, clinic_id: str
    ) -> None:
        super().__init__(stub, calls, fresh)
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
        request = self._asked(
            *(pb.ListWorkQueueRequest(), min_position, max_wait_s),
            clinic_id=clinic or self._clinic_id,
            therapist_id=therapist,
            status=choice("status", pb.WorkItemStatus.DESCRIPTOR, status),
            min_severity=_severity(min_severity),
            as_of=as_of,
        )
        items: list[pb.WorkItem] = []
        while len(items) < limit:
            request.page_size = min(500, limit - len(items))
            page = await self._answer(self._stub.ListWorkQueue, request, max_wait_s)
            items.extend(page.items)
            if not page.next_page_token:
                break
            request.page_token = page.next_page_token
        return items

    def watch(
        self,
        *,
        clinic: str = "",
        therapist: str = "",
        min_severity: SeverityName = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> WorkQueueWatch:
        """The list and then its changes: `async with queue.watch() as changes`."""
        request = fill(
            pb.WatchWorkQueueRequest(),
            clinic_id=clinic or self._clinic_id,
            therapist_id=therapist,
            min_severity=_severity(min_severity),
            consistency=self._fresh(min_position, max_wait_s),
        )
        return WorkQueueWatch(self._stub.WatchWorkQueue, self._calls, request)


def _severity(name: SeverityName) -> int:
    return choice("min_severity", common_pb2.Severity.DESCRIPTOR, name)
