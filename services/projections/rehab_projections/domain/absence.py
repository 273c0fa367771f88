"""Patients who do not come: no session for a while, or much less done than before."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from zoneinfo import ZoneInfo

from rehab_clinical.adherence import Session, dosed_occurrences, mean_dose
from rehab_clinical.days import day_end, day_start, first_zone, local_date
from rehab_clinical.dose import Dosed
from rehab_clinical.plan import PlanBook, Stop

from rehab_projections.domain import rules


@dataclass(frozen=True, slots=True)
class Span:
    """A time in which some plan is in force and not paused; `until` None is an open end."""

    since: datetime
    until: datetime | None

    def covers(self, instant: datetime) -> bool:
        return self.since <= instant and (self.until is None or instant < self.until)


def active_spans(book: PlanBook, zone_name: str) -> tuple[Span, ...]:
    """When the patient has something to do, oldest first, without overlaps."""
    spans: list[Span] = []
    for plan_id in book.plan_ids():
        stops = book.stops(plan_id)
        for reign in book.reigns(plan_id):
            zone = first_zone(reign.version.zone, zone_name)
            until = None if reign.last is None else day_end(reign.last, zone)
            pieces = [Span(day_start(reign.first, zone), until)]
            for stop in stops:
                pieces = [rest for piece in pieces for rest in _without(piece, stop)]
            spans += pieces
    return _united(spans)


def _without(span: Span, stop: Stop) -> list[Span]:
    rest = []
    if span.since < stop.since:
        until = stop.since if span.until is None else min(stop.since, span.until)
        rest.append(Span(span.since, until))
    if stop.until is not None and (span.until is None or stop.until < span.until):
        rest.append(Span(max(stop.until, span.since), span.until))
    return rest


def _united(spans: Iterable[Span]) -> tuple[Span, ...]:
    united: list[Span] = []
    for span in sorted(spans, key=lambda span: span.since):
        last = united[-1] if united else None
        if last is None or (last.until is not None and last.until < span.since):
            united.append(span)
        elif last.until is not None:
            until = None if span.until is None else max(last.until, span.until)
            united[-1] = Span(last.since, until)
    return tuple(united)


def absence(
    spans: Sequence[Span],
    last_session_at: datetime | None,
    closed_at: datetime | None,
    as_of: datetime,
) -> tuple[rules.Rule, datetime] | None:
    """The rule that an absence breaks as of a time, and since when; None when none.

    Reckoned from the last session or from when something became due again, whichever is later.
    What had been crossed when a therapist closed the item stays closed; a patient who stays away
    comes back to the list when the long threshold passes once more.
    """
    span = next((span for span in spans if span.covers(as_of)), None)
    if span is None:
        return None
    missed_from = span.since if last_session_at is None else max(span.since, last_session_at)
    long_since = missed_from + rules.ABSENCE_HIGH_AFTER
    if closed_at is not None and long_since <= closed_at:
        long_since = closed_at + rules.ABSENCE_HIGH_AFTER
    if long_since <= as_of:
        return rules.ABSENCE_HIGH, long_since
    short_since = missed_from + rules.ABSENCE_LOW_AFTER
    if short_since <= as_of and (closed_at is None or short_since > closed_at):
        return rules.ABSENCE_LOW, short_since
    return None


def drop_since(
    book: PlanBook, sessions: Sequence[Session], as_of: datetime, zone: ZoneInfo
) -> datetime | None:
    """When adherence dropped, as ADHERENCE_DROP says; None when it did not.

    Judged at the start of each local day, over ended days only. The answer is the start of the
    first of the unbroken row of days, up to today, at which the rule held.
    """
    today = local_date(as_of, zone)
    span = timedelta(days=rules.DROP_RECENT_DAYS + rules.DROP_BEFORE_DAYS)
    first = today - span - timedelta(days=rules.DROP_BEFORE_DAYS)
    yesterday = today - timedelta(days=1)
    due = dosed_occurrences(book, sessions, as_of, zone, (first, yesterday))
    since: date | None = None
    day = today
    while day - span >= first and _dropped(due, day, zone):
        since, day = day, day - timedelta(days=1)
    return None if since is None else day_start(since, zone)


def _dropped(due: Sequence[Dosed], day: date, zone: ZoneInfo) -> bool:
    """Whether the rule holds at the start of a local day."""
    start = day_start(day, zone)
    recent_from = day - timedelta(days=rules.DROP_RECENT_DAYS)
    before_from = recent_from - timedelta(days=rules.DROP_BEFORE_DAYS)
    ended = [one for one in due if one.occurrence.ends_at <= start]
    recent = [one for one in ended if recent_from <= one.occurrence.local_date < day]
    before = [one for one in ended if before_from <= one.occurrence.local_date < recent_from]
    if len(recent) < rules.DROP_MIN_RECENT_DUE or len(before) < rules.DROP_MIN_BEFORE_DUE:
        return False
    recent_dose, before_dose = mean_dose(recent), mean_dose(before)
    assert recent_dose is not None
    assert before_dose is not None
    return before_dose - recent_dose >= rules.DROP_BY
