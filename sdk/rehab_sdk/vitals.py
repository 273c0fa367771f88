"""Readings of health apps and sensors."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from datetime import datetime

from rehab.projections.v1 import vitals_service_pb2 as pb
from rehab_sdk.paged import Reader
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import MAX_WAIT_S, Days, window


class AsyncVitals(Reader):
    """Heart rate, blood pressure, sleep, activity, weight, and any other metric."""

    async def metrics(
        self, patient: str, *, min_position: MinPosition = None, max_wait_s: float = MAX_WAIT_S
    ) -> Sequence[pb.VitalMetric]:
        """The metrics there are, each with its newest reading."""
        request = self._asked(
            pb.ListVitalMetricsRequest(), min_position, max_wait_s, patient_id=patient
        )
        answer = await self._answer(self._stub.ListVitalMetrics, request, max_wait_s)
        metrics: Sequence[pb.VitalMetric] = answer.metrics
        return metrics

    async def readings(
        self,
        patient: str,
        metric: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        superseded: bool = False,
        page_size: int = 500,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.Reading]:
        """All readings of a metric, newest first; pages are fetched as they are needed."""
        request = self._asked(
            pb.ListReadingsRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            metric=metric,
            window=window(days),
            as_of=as_of,
            include_superseded=superseded,
            page_size=page_size,
        )
        async for reading in self._items(self._stub.ListReadings, request, "readings", max_wait_s):
            yield reading

    async def days(
        self,
        patient: str,
        metrics: Sequence[str],
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> AsyncIterator[pb.VitalDay]:
        """Metrics by local day, newest first; a day without readings is not told."""
        request = self._asked(
            pb.ListVitalDaysRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            metrics=metrics,
            window=window(days),
            as_of=as_of,
        )
        async for day in self._items(self._stub.ListVitalDays, request, "days", max_wait_s):
            yield day

    async def nights(
        self,
        patient: str,
        *,
        days: Days = 28,
        as_of: datetime | None = None,
        min_position: MinPosition = None,
        max_wait_s: float = MAX_WAIT_S,
    ) -> Sequence[pb.Night]:
        """Nights of sleep, oldest first."""
        request = self._asked(
            pb.ListNightsRequest(),
            min_position,
            max_wait_s,
            patient_id=patient,
            window=window(days),
            as_of=as_of,
        )
        answer = await self._answer(self._stub.ListNights, request, max_wait_s)
        nights: Sequence[pb.Night] = answer.nights
        return nights
