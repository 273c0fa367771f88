"""VitalsService."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import grpc
from rehab_clinical import vitals
from rehab_clinical.days import day_end, day_start
from rehab_clinical.nights import Night, nights
from rehab_clinical.sources import sources_of
from rehab_clinical.vital_days import VitalDay, vital_days
from rehab_clinical.vitals import (
    CUMULATIVE,
    SLEEP,
    Counted,
    Reading,
    counted,
    metric_named,
)

from rehab.projections.v1 import projections_service_pb2 as common
from rehab.projections.v1 import vitals_service_pb2 as pb
from rehab.projections.v1 import vitals_service_pb2_grpc as pb_grpc
from rehab_projections.answers import AsOf
from rehab_projections.asked import DEFAULT_PAGE, Asked, next_page, of_patient_kept
from rehab_projections.messages import stamped
from rehab_projections.reads.spans import Span, scope_of, span_of
from rehab_projections.storage.read import Snapshot
from rehab_projections.storage.vitals import Place, metrics_of, reading_page, readings_between
from rehab_projections.watch import Watches, watching
from rehab_runtime import pages
from rehab_runtime.errors import InvalidArgument, Violation

DEFAULT_DAYS = 28
READINGS_AT_ONCE = 50_000
"""After so many a page of days ends, however many were asked for."""
LONGEST_NIGHTS = 366
_A_DAY = timedelta(days=1)
_LONGEST_SLEEP = timedelta(days=2)
_EVER = (datetime(1900, 1, 1, tzinfo=UTC), datetime(2200, 1, 1, tzinfo=UTC))
_PLACE = (datetime, datetime, str, str)

Context = grpc.aio.ServicerContext


@watching(pb.DESCRIPTOR.services_by_name["VitalsService"])
class VitalsServicer(pb_grpc.VitalsServiceServicer):
    def __init__(self, asked: Asked, watches: Watches) -> None:
        self.asked = asked
        self.watches = watches

    async def ListVitalMetrics(
        self, request: pb.ListVitalMetricsRequest, context: Context
    ) -> pb.ListVitalMetricsResponse:
        metrics = []
        async with self.asked.patient(request) as (view, fresh):
            for metric in await metrics_of(view, request.patient_id):
                newest = await reading_page(view, request.patient_id, metric, _EVER, None, 1)
                metrics.append(
                    pb.VitalMetric(
                        metric=metric,
                        cumulative=metric in CUMULATIVE,
                        newest=_reading(counted(newest)[-1]),
                    )
                )
        return pb.ListVitalMetricsResponse(metrics=metrics, freshness=fresh)

    @of_patient_kept(pb.ListReadingsResponse)
    async def ListReadings(
        self, request: pb.ListReadingsRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListReadingsResponse:
        metric, size = metric_named(request.metric), request.page_size or DEFAULT_PAGE
        scope = scope_of("readings", request, metric)
        as_of, place = self.asked.page(scope, request, *_PLACE)
        span = await span_of(view, request, as_of)
        after: Place | None = (place[0], place[1], place[2], place[3]) if place else None
        versions = await reading_page(
            view, request.patient_id, metric, _times(span, as_of), after, size + 1
        )
        told = sorted(counted(versions), key=lambda one: one.reading.key, reverse=True)
        token = ""
        if len(told) > size:
            key = told[size - 1].reading.key
            token = next_page(scope, as_of, [key.start, key.end, key.aggregation, key.sources])
        shown = versions if request.include_superseded else ()
        return pb.ListReadingsResponse(
            patient_id=request.patient_id,
            readings=[_reading(one, shown) for one in told[:size]],
            next_page_token=token,
            freshness=fresh,
            **span.told(),
        )

    @of_patient_kept(pb.ListVitalDaysResponse)
    async def ListVitalDays(
        self, request: pb.ListVitalDaysRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListVitalDaysResponse:
        metrics = sorted({metric_named(name) for name in request.metrics})
        scope = scope_of("days", request, *metrics)
        days: list[VitalDay] = []
        as_of, place = self.asked.page(scope, request, date)
        span = await span_of(view, request, as_of)
        day = pages.day_within(place[0], span.first, span.last) if place else span.last
        oldest = max(span.first, day - _A_DAY * ((request.page_size or DEFAULT_DAYS) - 1))
        read = 0
        while day >= oldest and read < READINGS_AT_ONCE:
            since, until = _times(span, as_of, day)
            told = await readings_between(view, request.patient_id, metrics, since, until)
            read += len(told)
            # Counting thousands of readings must not keep the fold waiting.
            days += await asyncio.to_thread(_days_of, told, span.zone)
            day -= _A_DAY
        more = day >= span.first
        return pb.ListVitalDaysResponse(
            patient_id=request.patient_id,
            days=[_day(one) for one in days],
            next_page_token=next_page(scope, as_of, [day]) if more else "",
            freshness=fresh,
            **span.told(),
        )

    @of_patient_kept(pb.ListNightsResponse)
    async def ListNights(
        self, request: pb.ListNightsRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.ListNightsResponse:
        as_of = self.asked.as_of(request)
        span = await span_of(view, request, as_of)
        if (span.last - span.first).days >= LONGEST_NIGHTS:
            rule = f"must be of {LONGEST_NIGHTS} days at most"
            raise InvalidArgument(violations=[Violation("window", "window.nights", rule)])
        since, until = _times(span, as_of)
        told = await readings_between(
            view, request.patient_id, [SLEEP], since - _LONGEST_SLEEP, until
        )
        found = [
            night
            for night in nights(counted(told), span.zone)
            if span.first <= night.day <= span.last
        ]
        return pb.ListNightsResponse(
            patient_id=request.patient_id,
            nights=[_night(night) for night in found],
            freshness=fresh,
            **span.told(),
        )


def _days_of(readings: list[Reading], zone: ZoneInfo) -> list[VitalDay]:
    return vital_days(counted(readings), zone)


def _times(span: Span, as_of: AsOf, day: date | None = None) -> tuple[datetime, datetime]:
    """When readings of the window, or of one day of it, may start; none after the asked time."""
    since = day_start(day or span.first, span.zone)
    until = day_end(day or span.last, span.zone)
    return since, min(until, as_of.facts_until + timedelta.resolution)


def _reading(one: Counted, versions: Iterable[Reading] = ()) -> pb.Reading:
    told = one.reading
    key = told.key
    message = pb.Reading(
        metric=key.metric,
        start=stamped(key.start),
        end=stamped(key.end),
        aggregation=key.aggregation,
        value=told.value,
        low=told.low,
        high=told.high,
        ucum=told.ucum,
        versions=one.versions,
        position=told.position,
        superseded=[
            pb.SupersededValue(value=other.value, ucum=other.ucum, position=other.position)
            for other in sorted(versions, key=lambda other: other.position)
            if other.key == key and other.digest != told.digest
        ],
    )
    message.flags.extend(sorted(_sent(message, told.told) | _flags(one)))
    return message


def _sent(message: pb.Reading, told: bytes) -> set[str]:
    """Put the reading as sent into the message; its flags are answered."""
    match message.metric:
        case vitals.SLEEP:
            message.sleep.ParseFromString(told)
            message.sources.extend(sources_of(message.sleep.sources))
        case vitals.WORKOUT:
            message.workout.ParseFromString(told)
            message.aggregation = ""
            if message.workout.heart_rate_is_recovery:
                return {"recovery_heart_rate"}
        case _:
            message.sample.ParseFromString(told)
            message.sources.extend(sources_of(message.sample.sources))
            return set(message.sample.flags)
    return set()


def _flags(one: Counted) -> set[str]:
    told = {
        "unknown_unit": not one.reading.ucum,
        "revised": one.versions > 1,
        "dropped_lower": one.dropped,
    }
    return {flag for flag, holds in told.items() if holds}


def _day(day: VitalDay) -> pb.VitalDay:
    return pb.VitalDay(
        metric=day.metric,
        local_date=day.day.isoformat(),
        ucum=day.ucum,
        readings=day.readings,
        total=day.total,
        mean=day.mean,
        lowest=day.lowest,
        highest=day.highest,
        latest=_reading(Counted(day.latest, 1, dropped=False)),
    )


def _night(night: Night) -> pb.Night:
    return pb.Night(
        local_date=night.day.isoformat(),
        start=stamped(night.start),
        end=stamped(night.end),
        asleep_h=night.asleep_h,
        stages=[pb.NightStage(stage=stage, hours=hours) for stage, hours in night.stages_h],
        source=night.source,
        other_sources=night.sources,
        positions=night.positions,
    )
