"""The local days that a question about a patient's window means."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from rehab_clinical import windows
from rehab_clinical.plan import PlanBook

from rehab_projections.answers import AsOf, care_of, zone_and_day
from rehab_projections.domain.care import CareRecord
from rehab_projections.questions import window_told
from rehab_projections.storage.read import Snapshot

PLANNING = ("plan", "enrolment")


@dataclass(frozen=True)
class Span:
    """The local days asked about, in the patient's zone, with the care that decides it."""

    care: CareRecord
    zone: ZoneInfo
    book: PlanBook
    first: date
    last: date

    def told(self) -> dict[str, str]:
        """As fields of an answer."""
        return {
            "from_date": self.first.isoformat(),
            "to_date": self.last.isoformat(),
            "zone": self.zone.key,
        }


async def span_of(
    view: Snapshot, request: Any, as_of: AsOf, kinds: tuple[str, ...] = PLANNING
) -> Span:
    """What `request.window` means for its patient. Raises InvalidArgument."""
    window = window_told(request.window)
    care = await care_of(view, request.patient_id, kinds)
    zone, today = await zone_and_day(view, request.patient_id, care, as_of)
    book = care.plans.as_of(as_of.facts_until)
    first, last = windows.bounds(window, today, book.first_day())
    return Span(care, zone, book, first, last)


def scope_of(name: str, request: Any, *more: str) -> tuple[str, ...]:
    """What a page token is good for: one question about one patient and window."""
    window = request.window.SerializeToString(deterministic=True).hex()
    return (name, request.patient_id, window, *more)
