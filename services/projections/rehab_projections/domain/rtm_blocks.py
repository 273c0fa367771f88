"""What keeps any code of some days from being billed, whatever the figures say."""

from __future__ import annotations

import re
from datetime import date
from zoneinfo import ZoneInfo

from rehab_clinical.days import day_end, day_start

from rehab.events.v1 import care_pb2
from rehab_projections.domain.rtm import BillingStep, Proof, RtmRecord
from rehab_projections.domain.rtm_policy import RPM_CODES

_MONTH = re.compile(r"20[0-9]{2}-(0[1-9]|1[0-2])")


def common_blocks(
    record: RtmRecord, first: date, last: date, zone: ZoneInfo
) -> tuple[list[str], list[Proof]]:
    """What keeps any code of these days from being billed, and what proves that nothing does.

    Consent to treatment, a certified plan of care, and no physiologic monitoring billed beside it
    (DOMAIN section 2.2 and finding 10).
    """
    since, until = day_start(first, zone), day_end(last, zone)
    consents = [
        one.proof
        for one in record.consents
        if one.since < until and (one.until is None or one.until > since)
    ]
    plans = [one.proof for one in record.plans if one.first <= last and one.last >= first]
    blocked = []
    if not consents:
        blocked.append("no_consent")
    if not plans:
        blocked.append("no_plan_of_care")
    if _rpm_billed(record, first, last):
        blocked.append("rpm_billed")
    return blocked, [*consents, *plans]


def _rpm_billed(record: RtmRecord, first: date, last: date) -> bool:
    """Whether an item of physiologic monitoring stands for a month that these days touch.

    An item is of the month that its id names, as this worksheet's own do, else of that in which it
    was told.
    """
    months = {f"{day:%Y-%m}" for day in (first, last)}
    newest = {step.item_id: step for step in record.billing}
    return any(
        step.codes & RPM_CODES and _month_of(step) in months
        for step in newest.values()
        if step.stage != care_pb2.BILLING_STAGE_WITHDRAWN
    )


def _month_of(step: BillingStep) -> str:
    named = _MONTH.search(step.item_id)
    return named[0] if named else f"{step.stamp.at:%Y-%m}"
