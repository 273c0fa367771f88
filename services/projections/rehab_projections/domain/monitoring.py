"""Days with data that qualify for remote therapeutic monitoring.

They are local days where the patient was: counted in UTC, an evening in California moves to the
next day, and a month of 22 days shows 13.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.days import first_zone, local_date
from rehab_clinical.facts import Fact

from rehab.events.v1.kinds import rtm_qualifying

_QUARTER = timedelta(minutes=15)


@dataclass(frozen=True, slots=True)
class Mark:
    """A quarter of an hour with qualifying data, and the first moment of it with such data.

    `event_id` and `position` are of the event that told of that moment: they prove the day. Every
    UTC offset in use is a multiple of a quarter of an hour, so that a quarter never spans
    two local days, in whatever zone it is read later.
    """

    zone: str
    quarter: datetime
    first_at: datetime
    event_id: str = ""
    position: int = 0

    def order(self) -> tuple[datetime, str]:
        return self.first_at, self.event_id

    def local_date(self, zone: ZoneInfo) -> date:
        """In the event's own zone, in the given one where the event names none."""
        return local_date(self.first_at, first_zone(self.zone, zone.key))


class MarkFold:
    """Folds events into marks: one per zone and quarter, the one with the earliest moment."""

    def __init__(self) -> None:
        self._earliest: dict[tuple[str, datetime], Mark] = {}
        self._last: Mark | None = None
        self._until: datetime | None = None

    def add(self, fact: Fact) -> None:
        """An event that does not qualify changes nothing."""
        if not rtm_qualifying(fact.body):
            return
        last, at = self._last, fact.stamp.at
        if (
            last is not None
            and last.order() <= fact.stamp
            and self._until is not None
            and at < self._until
            and last.zone == fact.zone
        ):
            # most events follow one of their own quarter; to look for it costs twice as much
            return
        quarter = at.replace(minute=at.minute // 15 * 15, second=0, microsecond=0)
        place = (fact.zone, quarter)
        known = self._earliest.get(place)
        if known is None or fact.stamp < known.order():
            known = Mark(fact.zone, quarter, at, fact.stamp.event_id, fact.position)
            self._earliest[place] = known
        self._last, self._until = known, quarter + _QUARTER

    def marks(self) -> frozenset[Mark]:
        return frozenset(self._earliest.values())


def marks_of(facts: Iterable[Fact]) -> frozenset[Mark]:
    fold = MarkFold()
    for fact in facts:
        fold.add(fact)
    return fold.marks()


def monitoring_days(
    marks: Iterable[Mark], first: date, last: date, as_of: datetime, zone: ZoneInfo
) -> int:
    """Distinct local days from `first` to `last`, both included, with data up to a time.

    Days are those of the event's own zone, of the patient's where the event names none.
    """
    days = {mark.local_date(zone) for mark in marks if mark.first_at <= as_of}
    return sum(first <= day <= last for day in days)
