"""BillingService."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from typing import cast
from zoneinfo import ZoneInfo

import grpc
from rehab_clinical.days import local_date

from rehab.events.v1 import event_pb2, patient_pb2
from rehab.projections.v1 import billing_service_pb2 as pb
from rehab.projections.v1 import billing_service_pb2_grpc as pb_grpc
from rehab.projections.v1 import projections_service_pb2 as common
from rehab_projections.answers import AsOf, care_of, patient_zone
from rehab_projections.asked import DEFAULT_PAGE, Asked, next_page
from rehab_projections.domain import rtm
from rehab_projections.domain.rtm import Proof, RtmRecord
from rehab_projections.domain.rtm_gaps import Gap, gaps
from rehab_projections.domain.rtm_months import ClinicianTime, ManagementMonth, management_months
from rehab_projections.domain.rtm_periods import DevicePeriod, device_periods
from rehab_projections.domain.rtm_worksheet import Figures, State, row
from rehab_projections.messages import stamped
from rehab_projections.questions import zone_of
from rehab_projections.reads.spans import PLANNING, span_of
from rehab_projections.storage.billing import all_marks, billed_patients, billing_facts
from rehab_projections.storage.read import Snapshot
from rehab_projections.watch import Watches, watching
from rehab_runtime.errors import InvalidArgument, Violation

DEFAULT_PAYER = "medicare"
GAPS = "/rehab.projections.v1.BillingService/ListBillingGaps"
Context = grpc.aio.ServicerContext


@watching(pb.DESCRIPTOR.services_by_name["BillingService"])
class BillingServicer(pb_grpc.BillingServiceServicer):
    def __init__(self, asked: Asked, watches: Watches) -> None:
        self.asked = asked
        self.watches = watches

    async def GetBillingEvidence(
        self, request: pb.GetBillingEvidenceRequest, context: Context
    ) -> pb.GetBillingEvidenceResponse:
        make = partial(self._evidence, request)
        return await self.asked.answer(request, pb.GetBillingEvidenceResponse, make)

    async def _evidence(
        self, request: pb.GetBillingEvidenceRequest, view: Snapshot, fresh: common.Freshness
    ) -> pb.GetBillingEvidenceResponse:
        as_of = self.asked.as_of(request)
        span = await span_of(view, request, as_of)
        clinic_zone = zone_of("clinic_zone", request.clinic_zone, span.zone)
        record = await _record(view, request.patient_id, as_of)
        periods = await _periods(view, request, record, span.zone, as_of)
        months = management_months(
            record, span.first, span.last, clinic_zone, as_of.instant, _payer(request)
        )
        prove = _Prove(fresh.shard)
        return pb.GetBillingEvidenceResponse(
            patient_id=request.patient_id,
            clinic_zone=clinic_zone.key,
            periods=[
                prove.period(period, record)
                for period in periods
                if period.first <= span.last and period.last >= span.first
            ],
            months=[prove.month(month, record) for month in months],
            freshness=fresh,
            **span.told(),
        )

    async def ListBillingGaps(
        self, request: pb.ListBillingGapsRequest, context: Context
    ) -> pb.ListBillingGapsResponse:
        scope = ("gaps", request.clinic_id, request.clinic_zone, request.payer)
        size = request.page_size or DEFAULT_PAGE
        found: list[pb.BillingGap] = []
        async with self.asked.clinic(request) as (view, fresh):
            as_of, place = self.asked.page(scope, request, str)
            after = place[0] if place else ""
            patients = await billed_patients(view, request.clinic_id, after, size + 1)
            shown = await self.asked.shown(GAPS, patients[:size])
            for patient_id in patients[:size]:
                if patient_id not in shown:
                    continue
                told = await _gaps(view, patient_id, request, as_of)
                found += [_gap(patient_id, one) for one in told]
        token = ""
        if len(patients) > size:
            token = next_page(scope, as_of, [patients[size - 1]])
        return pb.ListBillingGapsResponse(gaps=found, next_page_token=token, freshness=fresh)


Request = pb.GetBillingEvidenceRequest | pb.ListBillingGapsRequest


def _payer(request: Request) -> str:
    return request.payer or DEFAULT_PAYER


async def _record(view: Snapshot, patient_id: str, as_of: AsOf) -> RtmRecord:
    told = await billing_facts(view, patient_id)
    return rtm.fold(fact for fact in told if fact.stamp.at <= as_of.facts_until)


async def _periods(
    view: Snapshot, request: Request, record: RtmRecord, zone: ZoneInfo, as_of: AsOf, who: str = ""
) -> list[DevicePeriod]:
    patient_id = who or getattr(request, "patient_id", "")
    marks = await all_marks(view, patient_id)
    known = [mark for mark in marks if mark.first_at <= as_of.facts_until]
    try:
        return device_periods(record, known, zone, as_of.instant, _payer(request))
    except LookupError:
        rule = "must be a payer with policy rows"
        raise InvalidArgument(violations=[Violation("payer", "payer.known", rule)]) from None


async def _gaps(
    view: Snapshot, patient_id: str, request: pb.ListBillingGapsRequest, as_of: AsOf
) -> list[Gap]:
    care = await care_of(view, patient_id, PLANNING)
    zone = await patient_zone(view, patient_id, care)
    clinic_zone = zone_of("clinic_zone", request.clinic_zone, zone)
    record = await _record(view, patient_id, as_of)
    periods = await _periods(view, request, record, zone, as_of, patient_id)
    today = local_date(as_of.instant, clinic_zone)
    months = management_months(record, today, today, clinic_zone, as_of.instant, _payer(request))
    return gaps(periods, months, zone, clinic_zone, as_of.instant)


def _gap(patient_id: str, gap: Gap) -> pb.BillingGap:
    return pb.BillingGap(
        patient_id=patient_id,
        code=gap.code,
        missing=gap.missing,
        days_left=gap.days_left,
        deadline=gap.deadline.isoformat(),
        item_id=gap.item_id,
    )


class _Prove:
    """Makes messages whose evidence names the shard that a patient's positions count in."""

    def __init__(self, shard: int) -> None:
        self._shard = shard

    def _evidence(self, proof: Proof) -> pb.Evidence:
        at = event_pb2.LogPosition(shard=self._shard, position=proof.position)
        return pb.Evidence(at=at, event_id=proof.event_id)

    def _row(self, figures: Figures, record: RtmRecord) -> pb.WorksheetRow:
        told = row(figures, record)
        return pb.WorksheetRow(
            item_id=figures.item_id,
            from_date=figures.first.isoformat(),
            to_date=figures.last.isoformat(),
            state=_STATES[told.state],
            proposed=[pb.BillingCode(code=code, units=units) for code, units in told.proposed],
            blocked_by=figures.blocked_by,
            evidence=[self._evidence(proof) for proof in told.evidence],
            policy_version=figures.policy.version,
            inputs_sha256=told.sha256,
            approved_by=told.approved_by,
            approved_codes=told.approved_codes,
            added_event_ids=told.added,
            removed_event_ids=told.removed,
        )

    def period(self, period: DevicePeriod, record: RtmRecord) -> pb.DevicePeriod:
        return pb.DevicePeriod(
            row=self._row(period, record),
            system=cast("patient_pb2.MonitoringSystem", period.system),
            episode_id=period.episode_id,
            monitored_until=period.monitored_until.isoformat(),
            days=[
                pb.DataDay(
                    local_date=day.day.isoformat(),
                    evidence=[self._evidence(proof) for proof in day.proofs],
                )
                for day in period.days
            ],
            started=self._evidence(period.started),
            days_missing=period.days_missing,
            days_left=period.days_left,
        )

    def month(self, month: ManagementMonth, record: RtmRecord) -> pb.ManagementMonth:
        return pb.ManagementMonth(
            row=self._row(month, record),
            minutes=month.minutes,
            clinicians=self._clinicians(month.clinicians),
            live=[
                pb.LiveInteraction(
                    mode=one.mode,
                    start=stamped(one.start),
                    end=stamped(one.end),
                    evidence=self._evidence(one.proof),
                )
                for one in month.live
            ],
            modifiers=month.modifiers,
            minutes_missing=month.minutes_missing,
        )

    def _clinicians(self, told: Iterable[ClinicianTime]) -> list[pb.ClinicianTime]:
        return [
            pb.ClinicianTime(
                clinician_id=one.clinician_id,
                credential=one.credential,
                seconds=int(one.worked.total_seconds()),
                entries=[
                    pb.TimeEntry(
                        entry_id=entry.entry_id,
                        activity=entry.activity,
                        start=stamped(entry.start),
                        end=stamped(entry.end),
                        evidence=self._evidence(entry.proof),
                    )
                    for entry in one.entries
                ],
            )
            for one in told
        ]


_STATES = {
    State.OPEN: pb.WORKSHEET_STATE_OPEN,
    State.BLOCKED: pb.WORKSHEET_STATE_BLOCKED,
    State.READY: pb.WORKSHEET_STATE_READY,
    State.APPROVED: pb.WORKSHEET_STATE_APPROVED,
    State.EXPORTED: pb.WORKSHEET_STATE_EXPORTED,
    State.REOPENED: pb.WORKSHEET_STATE_REOPENED,
}
