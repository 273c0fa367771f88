"""Due windows: where a prescription meets the local calendar."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from operator import attrgetter
from typing import NamedTuple
from zoneinfo import ZoneInfo

from rehab.events.v1 import plan_pb2
from rehab_clinical.days import ONE_DAY, day_end, day_start, days_between, first_zone, instant_of
from rehab_clinical.plan import Item, PlanBook, PlanVersion, Reign, Stop

NEVER = datetime(9999, 1, 1, tzinfo=UTC)
LONGEST_WINDOW = timedelta(hours=168)
NEXT_START = timedelta(days=8)
"""Of an item that counts until its next start: within a week that is there, or the end of the
version's reign. What is as far from the last day asked for does not depend on it."""
_FROM, _UNTIL, _WINDOW = (attrgetter(name) for name in ("counts_from", "counts_until", "window"))


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
    """What is due together at one local start. It lasts as long as its longest item's window. A
    session started outside of [counts_from, counts_until) counts for none of its items."""

    plan_id: str
    plan_version: int
    local_date: date
    slot: str
    starts_at: datetime
    ends_at: datetime
    items: tuple[DueItem, ...]
    counts_from: datetime
    counts_until: datetime

    def admits(self, started_at: datetime) -> bool:
        """Whether a session that started then counts for any of its items."""
        return any(item.counts_from <= started_at < item.counts_until for item in self.items)

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
            if reign.first > last or (reign.last is not None and reign.last < first):
                continue
            zone = first_zone(reign.version.zone, fallback_zone)
            started = day_start(book.first_day_of(plan_id), zone)
            every = _of_reign(reign, first, last, zone, started)
            found += [one for one in every if not _stopped(one, stops)] if stops else every
    return sorted(found, key=Occurrence.order)


class Sliding:
    """Occurrences of one book, asked for days that move on: only what is new is reckoned."""

    def __init__(self, book: PlanBook, fallback_zone: str) -> None:
        self._book = book
        self._zone = fallback_zone
        items = (item for version in book.versions.values() for item in version.items)
        follows = any(item.policy == plan_pb2.COMPLETION_POLICY_AFTER_START for item in items)
        self._unsettled = NEXT_START if follows else timedelta(0)
        self._first = self._last = date.max
        self._known: list[Occurrence] = []

    def between(self, first: date, last: date) -> list[Occurrence]:
        """What `occurrences` tells of these days."""
        settled = self._last - self._unsettled
        if self._first <= first <= settled and self._last <= last:
            old = [one for one in self._known if first <= one.local_date <= settled]
            new = occurrences(self._book, settled + ONE_DAY, last, self._zone)
            found = sorted([*old, *new], key=Occurrence.order)
        else:
            found = occurrences(self._book, first, last, self._zone)
        self._first, self._last, self._known = first, last, found
        return found


def _stopped(occurrence: Occurrence, stops: Sequence[Stop]) -> bool:
    return any(stop.touches(occurrence.starts_at, occurrence.ends_at) for stop in stops)


def _of_reign(
    reign: Reign, first: date, last: date, zone: ZoneInfo, plan_start: datetime
) -> Iterator[Occurrence]:
    since = max(first, reign.first)
    until = last if reign.last is None else min(last, reign.last)
    calendar = _Calendar(reign, since, until, zone, plan_start)
    items = reign.version.items
    daily = not any(item.weekdays for item in items)
    weekdays: dict[int, list[_Slot]] = {}
    for day in days_between(since, until):
        weekday = 0 if daily else day.isoweekday()
        slots = weekdays.get(weekday)
        if slots is None:
            slots = weekdays[weekday] = _slots(items, day)
        for slot in slots:
            yield _occurrence(reign.version, day, slot, calendar)


class _Slot(NamedTuple):
    """What is due together at a time of day; `window` is the longest of it."""

    at: time
    shown: str
    items: list[Item]
    window: timedelta


def _slots(items: Iterable[Item], day: date) -> list[_Slot]:
    """Of every day of that weekday."""
    due: dict[time, list[Item]] = {}
    for item in items:
        for at in dict.fromkeys(item.times) if item.due_on(day) else ():
            due.setdefault(at, []).append(item)
    return [_Slot(at, f"{at:%H:%M}", due[at], max(map(_WINDOW, due[at]))) for at in sorted(due)]


def _occurrence(version: PlanVersion, day: date, slot: _Slot, calendar: _Calendar) -> Occurrence:
    starts_at = instant_of(day, slot.at, calendar.zone)
    items = tuple([calendar.due_item(item, day, slot.at, starts_at) for item in slot.items])
    return Occurrence(
        plan_id=version.plan_id,
        plan_version=version.version,
        local_date=day,
        slot=slot.shown,
        starts_at=starts_at,
        ends_at=starts_at + slot.window,
        items=items,
        counts_from=min(map(_FROM, items)),
        counts_until=max(map(_UNTIL, items)),
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
