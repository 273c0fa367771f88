"""Occurrences, matching and means as they are defined, with no thought of how long they take."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from zoneinfo import ZoneInfo

from hypothesis import strategies as st
from rehab_clinical.adherence import Session
from rehab_clinical.days import day_end, day_start, days_between, first_zone, instant_of
from rehab_clinical.done import Done
from rehab_clinical.facts import Stamp
from rehab_clinical.occurrences import NEVER, DueItem, Occurrence
from rehab_clinical.plan import Item, PlanBook, PlanStep, PlanVersion, Reign, Unit
from rehab_clinical.sessions import OccurrenceRef

from rehab.events.v1 import plan_pb2

FIRST_DAY = date(2026, 3, 16)
"""Two weeks before the clocks of Berlin go forward."""
ZONE = "Europe/Berlin"
DAYS = 40


def occurrences_of(book: PlanBook, first: date, last: date) -> list[Occurrence]:
    found = []
    for plan_id in book.plan_ids():
        for reign in book.reigns(plan_id):
            zone = first_zone(reign.version.zone, ZONE)
            start = day_start(book.first_day_of(plan_id), zone)
            for one in _of_reign(reign, first, last, zone, start):
                stops = book.stops(plan_id)
                if not any(stop.touches(one.starts_at, one.ends_at) for stop in stops):
                    found.append(one)
    return sorted(found, key=Occurrence.order)


def _of_reign(
    reign: Reign, first: date, last: date, zone: ZoneInfo, start: datetime
) -> Iterator[Occurrence]:
    since, until = max(first, reign.first), min(last, reign.last or last)
    for day in days_between(since, until):
        for slot in sorted({at for item in reign.version.items for at in item.times}):
            due = [item for item in reign.version.items if slot in item.times and item.due_on(day)]
            if due:
                begins = instant_of(day, slot, zone)
                items = tuple(_due(item, reign, (day, slot), until, zone, start) for item in due)
                yield Occurrence(
                    *(reign.version.plan_id, reign.version.version, day, f"{slot:%H:%M}"),
                    *(begins, begins + max(item.window for item in due), items),
                    min(item.counts_from for item in items),
                    max(item.counts_until for item in items),
                )


def _due(
    item: Item, reign: Reign, at: tuple[date, time], until: date, zone: ZoneInfo, start: datetime
) -> DueItem:
    begins = instant_of(*at, zone)
    ends = begins + item.window
    if item.policy == plan_pb2.COMPLETION_POLICY_SAME_DAY:
        return DueItem(item, day_start(at[0], zone), day_end(at[0], zone))
    if item.policy == plan_pb2.COMPLETION_POLICY_ANYTIME:
        return DueItem(item, start, ends + timedelta.resolution)
    if item.policy == plan_pb2.COMPLETION_POLICY_AFTER_START:
        later = ((day, slot) for day in days_between(at[0], until) for slot in item.times)
        after = (other for other in later if other > at and item.due_on(other[0]))
        reigns_until = NEVER if reign.last is None else day_end(reign.last, zone)
        following = next(after, None)
        return DueItem(item, begins, instant_of(*following, zone) if following else reigns_until)
    return DueItem(item, begins, ends)


def matched(every: Sequence[Occurrence], sessions: Sequence[Session]) -> dict[int, list[str]]:
    """Ids of the sessions of each occurrence, by its index."""
    found: dict[int, list[str]] = {}
    for session in sorted(sessions, key=lambda one: (one.started_at, one.session_id)):
        at = session.started_at
        admit = [i for i, one in enumerate(every) if any(item.admits(at) for item in one.items)]
        meant = [
            i for i in admit
            if (every[i].plan_id, every[i].local_date, every[i].slot) == session.ref
        ]  # fmt: skip
        free = sorted(
            (i for i in admit if i not in found), key=lambda i: (every[i].ends_at, every[i].order())
        )
        begun = [i for i in admit if every[i].starts_at <= at]
        last = sorted(begun or admit, key=lambda i: every[i].order())[-1:]
        for chosen in (meant or free or last)[:1]:
            found.setdefault(chosen, []).append(session.session_id)
    return found


def mean(ratios: Sequence[Fraction]) -> Fraction:
    return sum(ratios, Fraction(0)) / len(ratios)


def _stamp(day: int, number: int) -> Stamp:
    at = instant_of(FIRST_DAY + timedelta(days=day), time(7), first_zone(ZONE))
    return Stamp(at, f"event-{number}")


_TIMES = st.sets(
    st.sampled_from([time(2, 30), time(8), time(12), time(20)]), min_size=1, max_size=2
)
_ITEMS = st.builds(
    Item,
    exercise_id=st.sampled_from(["squat", "bridge"]),
    side=st.sampled_from([1, 4]),
    unit=st.just(Unit.REPS),
    amount=st.integers(1, 30),
    weekdays=st.one_of(st.just(frozenset()), st.frozensets(st.integers(1, 7), min_size=1)),
    times=_TIMES.map(lambda found: tuple(sorted(found))),
    window=st.sampled_from([timedelta(hours=hours) for hours in (1, 12, 168)]),
    policy=st.sampled_from([1, 2, 3, 4]),
    tempo_s=st.just(()),
    rom_target_deg=st.none(),
)


@st.composite
def books(draw: st.DrawFn) -> PlanBook:
    versions = {}
    for number in range(draw(st.integers(1, 3))):
        key = draw(st.sampled_from(["plan-a", "plan-b"])), number
        begins = draw(st.integers(0, DAYS))
        lasts = draw(st.one_of(st.none(), st.integers(0, DAYS)))
        first = FIRST_DAY + timedelta(days=begins)
        versions[key] = PlanVersion(
            *key,
            _stamp(begins, number),
            first,
            None if lasts is None else first + timedelta(days=lasts),
            draw(st.sampled_from([ZONE, "", "America/New_York"])),
            7,
            tuple(draw(st.lists(_ITEMS, min_size=1, max_size=3))),
        )
    steps = [
        PlanStep(key[0], _stamp(draw(st.integers(0, DAYS)), 100 + number), action)
        for number, (key, action) in enumerate(
            draw(
                st.lists(
                    st.tuples(
                        st.sampled_from(sorted(versions)),
                        st.sampled_from(["paused", "resumed", "ended"]),
                    ),
                    max_size=3,
                )
            )
        )
    ]
    return PlanBook(versions, frozenset(steps))


@st.composite
def sessions(draw: st.DrawFn) -> list[Session]:
    found = []
    for number in range(draw(st.integers(0, 12))):
        day = draw(st.integers(0, DAYS))
        at = time(draw(st.sampled_from([1, 3, 8, 12, 21])), draw(st.integers(0, 59)))
        local = FIRST_DAY + timedelta(days=day)
        slot = draw(st.sampled_from(["", "08:00", "20:00"]))
        done = {
            (draw(st.sampled_from(["squat", "bridge"])), 4): Done(reps=draw(st.integers(0, 40)))
        }
        found.append(
            Session(
                f"s-{number}",
                instant_of(local, at, first_zone(ZONE)),
                ZONE,
                OccurrenceRef("plan-a", local, slot) if slot else None,
                lambda done=done: done,  # type: ignore[misc]
            )
        )
    return found
