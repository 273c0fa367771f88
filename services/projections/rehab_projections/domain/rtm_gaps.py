"""What is missing to a code that can still be reached in time (DOMAIN section 2.3).

Examples there: "2 days short with 4 left", "no live contact this month", "9 min".
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from rehab_clinical.days import local_date

from rehab_projections.domain.rtm_months import ManagementMonth
from rehab_projections.domain.rtm_periods import DevicePeriod

CLOSE_MINUTES = 10
"""Minutes that may be missing for it to be worth a row: half a block."""
_PAPERS = ("no_consent", "no_plan_of_care", "education_not_recorded")


@dataclass(frozen=True, slots=True)
class Gap:
    """`missing` days or minutes, 0 where nothing is counted. `days_left` includes today."""

    code: str
    missing: int
    days_left: int
    deadline: date
    item_id: str

    def order(self) -> tuple[date, str, str]:
        return self.deadline, self.item_id, self.code


def gaps(
    periods: Iterable[DevicePeriod],
    months: Iterable[ManagementMonth],
    zone: ZoneInfo,
    clinic_zone: ZoneInfo,
    as_of: datetime,
) -> list[Gap]:
    """Of what still goes on as of a time, by deadline."""
    today = local_date(as_of, zone)
    found: list[Gap] = []
    for period in periods:
        if period.closed or period.monitored_until < today:
            continue
        if period.days_missing is not None:
            days = (period.days_missing, period.days_left, period.monitored_until)
            found.append(Gap("days_short", *days, period.item_id))
        left = (period.last - today).days + 1
        found += [
            Gap(code, 0, left, period.last, period.item_id)
            for code in _PAPERS
            if code in period.blocked_by and period.days
        ]
    clinic_today = local_date(as_of, clinic_zone)
    for month in months:
        if not month.closed and month.minutes:
            found += _of_month(month, (month.last - clinic_today).days + 1)
    return sorted(found, key=Gap.order)


def _of_month(month: ManagementMonth, left: int) -> list[Gap]:
    found = []
    if month.minutes_missing <= CLOSE_MINUTES:
        found.append(Gap("minutes_short", month.minutes_missing, left, month.last, month.item_id))
    found += [
        Gap(code, 0, left, month.last, month.item_id)
        for code in ("no_live_interaction", *_PAPERS)
        if code in month.blocked_by
    ]
    return found
