"""A patient's progress in detail."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime

from rehab.projections.v1 import progress_service_pb2 as pb
from rehab_sdk.paged import Reader
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import MAX_WAIT_S, Days, window


class AsyncProgress(Reader):
    """Adherence week by week, what was missed, and sessions down to the repetition."""

    async def weeks(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.AdherenceWeek]:
        """Whole weeks that touch the window, newest first."""
        request = self._asked(
            pb.ListAdherenceWeeksRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            window=window(days),
            as_of=as_of,
        )
        async for week in self._items(self._stub.ListAdherenceWeeks, request, "weeks", max_wait_s):
            yield week

    async def missed(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        incomplete: bool = False,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.MissedSession]:
        """Due windows in which nothing was done, newest first; with `incomplete` too little."""
        request = self._asked(
            pb.ListMissedSessionsRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            include_incomplete=incomplete,
        )
        async for one in self._items(self._stub.ListMissedSessions, request, "missed", max_wait_s):
            yield one

    async def session(
        self,
        patient: str,
        session: str,
        *,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> pb.GetSessionResponse:
        """All that is known of one session."""
        request = self._asked(
            pb.GetSessionRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            session_id=session,
        )
        answer: pb.GetSessionResponse = await self._answer(
            self._stub.GetSession, request, max_wait_s
        )
        return answer

    async def reps(
        self,
        patient: str,
        session: str,
        *,
        exercise: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.RepAnalysis]:
        """The repetitions of a session, by exercise, side, set and index."""
        request = self._asked(
            pb.ListRepsRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            session_id=session,
            exercise_id=exercise,
        )
        async for rep in self._items(self._stub.ListReps, request, "reps", max_wait_s):
            yield rep

    async def pain_against_quality(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        exercise: str = "",
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> pb.GetPainAgainstQualityResponse:
        """Whether pain goes with how well the exercises were done."""
        request = self._asked(
            pb.GetPainAgainstQualityRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            window=window(days),
            as_of=as_of,
            exercise_id=exercise,
        )
        answer: pb.GetPainAgainstQualityResponse = await self._answer(
            self._stub.GetPainAgainstQuality, request, max_wait_s
        )
        return answer
