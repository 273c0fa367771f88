"""Due windows: where a prescription meets the local calendar."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from rehab.events.v1 import plan_pb2
from rehab_clinical.days import day_end, day_start, days_between, first_zone, instant_of
from rehab_clinical.plan import Item, PlanBook, PlanVersion, Reign, Stop

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
LONGEST_WINDOW = timedelta(hours=168)


@dataclass(frozen=True, slots=True)
class DueItem:
    """An item in one occurrence; a session started in [counts_from, counts_until) counts for it."""

    item: Item
    counts_from: datetime
    counts_until: datetime

    def admits(self, started_at: datetime) -> bool:
        return self.counts_from <= started_at < self.counts_until


@dataclass(frozen=True, slots=True)
class Occurrence:
    """What is due together at one local start. It lasts as long as its longest item's window."""

    plan_id: str
    plan_version: int
    local_date: date
    slot: str
    starts_at: datetime
    ends_at: datetime
    items: tuple[DueItem, ...]

    @property
    def counts_from(self) -> datetime:
        return min(item.counts_from for item in self.items)

    @property
    def counts_until(self) -> datetime:
        return max(item.counts_until for item in self.items)

    def order(self) -> tuple[datetime, datetime, str]:
        return self.starts_at, self.ends_at, self.plan_id


def occurrences(
    book: PlanBook, first: date, last: date, fallback_zone: str = ""
) -> list[Occurrence]:
    """Every occurrence that starts on a local day from `first` to `last`, oldest first.

    An occurrence whose window touches a pause, or the time after the plan's end, is cancelled: it
    is not due, whatever was done in it.
    """
    found: list[Occurrence] = []
    for plan_id in book.plan_ids():
        stops = book.stops(plan_id)
        for reign in book.reigns(plan_id):
            zone = first_zone(reign.version.zone, fallback_zone)
            started = day_start(book.first_day_of(plan_id), zone)
            found += [
                occurrence
                for occurrence in _of_reign(reign, first, last, zone, started)
                if not _stopped(occurrence, stops)
            ]
    return sorted(found, key=Occurrence.order)


def _stopped(occurrence: Occurrence, stops: list[Stop]) -> bool:
    return any(stop.touches(occurrence.starts_at, occurrence.ends_at) for stop in stops)


def _of_reign(
    reign: Reign, first: date, last: date, zone: ZoneInfo, plan_start: datetime
) -> Iterator[Occurrence]:
    since = max(first, reign.first)
    until = last if reign.last is None else min(last, reign.last)
    slots = sorted({at for item in reign.version.items for at in item.times})
    calendar = _Calendar(reign, since, until, zone, plan_start)
    for day in days_between(since, until):
        for slot in slots:
            due = [item for item in reign.version.items if slot in item.times and item.due_on(day)]
            if due:
                yield _occurrence(reign.version, day, slot, due, calendar)


def _occurrence(
    version: PlanVersion, day: date, slot: time, due: list[Item], calendar: _Calendar
) -> Occurrence:
    starts_at = instant_of(day, slot, calendar.zone)
    return Occurrence(
        plan_id=version.plan_id,
        plan_version=version.version,
        local_date=day,
        slot=f"{slot:%H:%M}",
        starts_at=starts_at,
        ends_at=starts_at + max(item.window for item in due),
        items=tuple(calendar.due_item(item, day, slot, starts_at) for item in due),
    )


class _Calendar:
    """Knows, for one reign of one plan, when a started session still counts for an item."""

    def __init__(
        self, reign: Reign, since: date, until: date, zone: ZoneInfo, plan_start: datetime
    ) -> None:
        self.zone = zone
        self._plan_start = plan_start
        self._reign_end = NEVER if reign.last is None else day_end(reign.last, zone)
        self._next_starts = {
            item: self._starts_after(item, since, until)
            for item in reign.version.items
            if item.policy == plan_pb2.COMPLETION_POLICY_AFTER_START
        }

    def due_item(self, item: Item, day: date, slot: time, starts_at: datetime) -> DueItem:
        ends_at = starts_at + item.window
        match item.policy:
            case plan_pb2.COMPLETION_POLICY_SAME_DAY:
                return DueItem(item, day_start(day, self.zone), day_end(day, self.zone))
            case plan_pb2.COMPLETION_POLICY_AFTER_START:
                next_start = self._next_starts[item].get((day, slot), self._reign_end)
                return DueItem(item, starts_at, next_start)
            case plan_pb2.COMPLETION_POLICY_ANYTIME:
                return DueItem(item, self._plan_start, ends_at + timedelta.resolution)
            case _:
                return DueItem(item, starts_at, ends_at)

    def _starts_after(
        self, item: Item, first: date, until: date
    ) -> dict[tuple[date, time], datetime]:
        slots = [
            (day, slot)
            for day in days_between(first, until)
            if item.due_on(day)
            for slot in item.times
        ]
        return {before: instant_of(*after, self.zone) for before, after in pairwise(slots)}
