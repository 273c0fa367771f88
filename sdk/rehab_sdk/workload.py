"""The work of a clinic."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime

from rehab.projections.v1 import projections_service_pb2 as common
from rehab.projections.v1 import work_service_pb2 as pb
from rehab_sdk.paged import Reader
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import MAX_WAIT_S


class AsyncWorkload(Reader):
    """Who has how much to do, how fast it is answered, and by which rules."""

    async def therapists(
        self,
        clinic: str,
        *,
        as_of: datetime | None = None,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> Sequence[pb.TherapistLoad]:
        """By therapist; the empty id is what nobody owns."""
        request = self._asked(
            pb.ListTherapistLoadsRequest(),
            min_position,
            max_wait_s,
            clinic_id=clinic,
            as_of=as_of,
        )
        answer = await self._answer(self._stub.ListTherapistLoads, request, max_wait_s)
        therapists: Sequence[pb.TherapistLoad] = answer.therapists
        return therapists

    async def days(
        self,
        clinic: str,
        first: date,
        last: date,
        *,
        zone: str = "",
        therapist: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> Sequence[pb.WorkDay]:
        """What came, what was answered and what was left on each local day, both included."""
        days = common.DateRange(from_date=first.isoformat(), to_date=last.isoformat())
        request = self._asked(
            pb.ListWorkDaysRequest(),
            min_position,
            max_wait_s,
            clinic_id=clinic,
            days=days,
            zone=zone,
            therapist_id=therapist,
        )
        answer = await self._answer(self._stub.ListWorkDays, request, max_wait_s)
        told: Sequence[pb.WorkDay] = answer.days
        return told

    async def templates(self) -> Sequence[pb.WorkTemplate]:
        """The rules that put patients on the list, with what to do about each."""
        request = pb.ListWorkTemplatesRequest()
        answer = await self._answer(self._stub.ListWorkTemplates, request, 0)
        templates: Sequence[pb.WorkTemplate] = answer.templates
        return templates
