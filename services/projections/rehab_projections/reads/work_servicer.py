"""WorkService."""

from __future__ import annotations

from datetime import timedelta
from typing import cast

import grpc
from rehab_clinical.days import UTC_ZONE, day_end, day_start

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import work_service_pb2 as pb
from rehab.projections.v1 import work_service_pb2_grpc as pb_grpc
from rehab_projections.asked import Asked
from rehab_projections.board import Board
from rehab_projections.domain import rules
from rehab_projections.domain.templates import Template, templates
from rehab_projections.domain.workload import RECENT, TherapistLoad, WorkDay, loads, work_days
from rehab_projections.questions import date_range, zone_of
from rehab_projections.storage.progress import episodes_of
from rehab_projections.watch import Watches, watching
from rehab_runtime.errors import InvalidArgument, Violation

LONGEST_DAYS = 366
Context = grpc.aio.ServicerContext


@watching(pb.DESCRIPTOR.services_by_name["WorkService"])
class WorkServicer(pb_grpc.WorkServiceServicer):
    def __init__(self, asked: Asked, watches: Watches, board: Board) -> None:
        self.asked = asked
        self.watches = watches
        self._board = board

    async def ListTherapistLoads(
        self, request: pb.ListTherapistLoadsRequest, context: Context
    ) -> pb.ListTherapistLoadsResponse:
        async with self.asked.clinic(request) as (view, fresh):
            as_of, live = self.asked.as_of(request), not request.HasField("as_of")
            rows = await view.work_candidates(request.clinic_id)
            items = await self._board.items(view, request.clinic_id, as_of, live=live)
            until = as_of.instant + timedelta.resolution
            told = await episodes_of(view, request.clinic_id, as_of.instant - RECENT, until)
        owners = [row.standing.therapist_id for row in rows]
        return pb.ListTherapistLoadsResponse(
            therapists=[_load(one) for one in loads(items, owners, told, as_of.instant)],
            freshness=fresh,
        )

    async def ListWorkDays(
        self, request: pb.ListWorkDaysRequest, context: Context
    ) -> pb.ListWorkDaysResponse:
        async with self.asked.clinic(request) as (view, fresh):
            zone = zone_of("zone", request.zone, UTC_ZONE)
            asked = date_range(request.days, "days")
            if (asked.last - asked.first).days >= LONGEST_DAYS:
                rule = f"must be {LONGEST_DAYS} days at most"
                raise InvalidArgument(violations=[Violation("days", "days.count", rule)])
            since, until = day_start(asked.first, zone), day_end(asked.last, zone)
            told = await episodes_of(view, request.clinic_id, since, until)
        if request.therapist_id:
            wanted = request.therapist_id
            told = [one for one in told if (one.closed_by or one.therapist_id) == wanted]
        return pb.ListWorkDaysResponse(
            days=[_day(one) for one in work_days(told, asked.first, asked.last, zone)],
            zone=zone.key,
            freshness=fresh,
        )

    async def ListWorkTemplates(
        self, request: pb.ListWorkTemplatesRequest, context: Context
    ) -> pb.ListWorkTemplatesResponse:
        self.asked.require_role(request)
        return pb.ListWorkTemplatesResponse(templates=[_template(one) for one in templates()])


def _load(load: TherapistLoad) -> pb.TherapistLoad:
    return pb.TherapistLoad(
        therapist_id=load.therapist_id,
        patients=load.patients,
        critical=load.open(rules.CRITICAL),
        high=load.open(rules.HIGH),
        low=load.open(rules.LOW),
        overdue=load.overdue,
        snoozed=load.snoozed,
        expected_minutes=load.expected_minutes,
        closed_28d=load.closed,
        in_time_28d=load.in_time,
        median_answer_s=load.median_answer_s,
        days_of_work=load.days_of_work,
    )


def _day(day: WorkDay) -> pb.WorkDay:
    return pb.WorkDay(
        local_date=day.day.isoformat(),
        opened=day.opened,
        closed=day.closed,
        in_time=day.in_time,
        late=day.late,
        open_at_end=day.open_at_end,
        overdue_at_end=day.overdue_at_end,
        median_answer_s=day.median_answer_s,
    )


def _template(one: Template) -> pb.WorkTemplate:
    within = rules.ANSWER_WITHIN.get(one.severity)
    return pb.WorkTemplate(
        code=one.code,
        severity=cast("common_pb2.Severity", one.severity),
        rule=one.words,
        source=one.source,
        answer_within_s=int(within.total_seconds()) if within else 0,
        expected_minutes=one.minutes,
        steps=one.steps,
    )
