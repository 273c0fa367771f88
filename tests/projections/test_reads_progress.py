"""Progress and the work of a clinic over a real channel, from a real log."""

from __future__ import annotations

from datetime import timedelta

import pytest

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import projections_service_pb2 as common
from rehab_projections.messages import stamped
from rehab_runtime.auth import Principal
from rehab_runtime.errors import NotFound, PermissionDenied
from tests.projections.asking import asking
from tests.projections.given import (
    CLINIC,
    KNEE,
    PATIENT,
    at,
    body,
    event,
    item,
    observed,
    pain,
    prescribed,
    rep,
    whole_session,
)
from tests.projections.given_care import by_clinician
from tests.projections.service import Clinic, refused, since

MONDAY = at("2026-03-02T08:05")
DAY, HOUR = timedelta(days=1), timedelta(hours=1)
ASKED = {"patient_id": PATIENT, "as_of": stamped(at("2026-03-16T00:00"))}


def two_weeks():
    """Every day of the first week in full, two of the second, one of them by half."""
    events = [
        event(
            1,
            at("2026-03-01T00:00"),
            prescribed(item(rom_target_deg=125.0), sessions_per_week=7),
        )
    ]
    for n, reps in enumerate([30] * 7 + [30, 15]):
        begin = MONDAY + n * DAY
        events += whole_session(100 + 10 * n, f"s{n}", begin, [reps])
        scores = [rep(i, 90 - 5 * n + i) for i in range(1, 6)]
        events.append(event(1000 + n, begin, observed(f"s{n}", scores)))
        events.append(event(2000 + n, begin + HOUR, pain(n, "POST", f"s{n}")))
    return events


async def test_weeks_come_newest_first_in_pages(running: Clinic):
    position = await running.log.append(*two_weeks())
    asked = {**ASKED, "window": common.Window(days=14)}
    async with asking(running) as ask:
        told = await ask("Progress", "ListAdherenceWeeks", consistency=since(position), **asked)
        pages = await ask.pages("Progress", "ListAdherenceWeeks", "weeks", page_size=1, **asked)
    assert [(week.monday, week.due, week.started, week.full, week.missed) for week in told.weeks][
        1:
    ] == [("2026-03-09", 7, 2, 1, 5), ("2026-03-02", 7, 7, 7, 0)]
    newest, second, first = told.weeks
    assert (newest.monday, newest.ended, newest.HasField("dose_ratio")) == (
        "2026-03-16",
        False,
        False,
    )
    assert (first.frequency, first.monitoring_days, first.worst_pain) == (1, 7, 6)
    assert second.dose_ratio == pytest.approx(1.5 / 7)
    assert [week for page in pages for week in page] == list(told.weeks)


async def test_missed_sessions_come_newest_first_in_pages(running: Clinic):
    position = await running.log.append(*two_weeks())
    async with asking(running) as ask:
        told = await ask("Progress", "ListMissedSessions", consistency=since(position), **ASKED)
        days = [one.occurrence.local_date for one in told.missed]
        assert days == [f"2026-03-{day}" for day in (15, 14, 13, 12, 11)]
        asked = {**ASKED, "include_incomplete": True}
        pages = await ask.pages("Progress", "ListMissedSessions", "missed", page_size=4, **asked)
        assert [len(page) for page in pages] == [4, 2]
        assert (pages[1][1].occurrence.local_date, pages[1][1].incomplete) == ("2026-03-10", True)


async def test_a_session_is_told_whole(running: Clinic):
    said = {"session_id": "s1", "exercise_id": KNEE, "exertion": {"cr10": 6}}
    skip = {"exercise_id": "squat", "reason": "pain"}
    position = await running.log.append(
        *two_weeks(),
        event(3000, MONDAY + DAY, body(feedback=said)),
        event(
            3001,
            MONDAY + DAY,
            body(exercise_session={"session_id": "s1", "exercise_skipped": skip}),
        ),
    )
    async with asking(running) as ask:
        told = await ask(
            "Progress",
            "GetSession",
            patient_id=PATIENT,
            session_id="s1",
            consistency=since(position),
        )
        assert (told.summary.status, told.summary.local_date) == ("completed", "2026-03-03")
        (knee,) = told.exercises
        assert (knee.reps, knee.median_score, knee.rom_target_pct) == (5, 88, 80)
        (one,) = told.sets
        assert (one.reps_seen, one.reps_told, one.reps) == (5, 30, 30)
        assert (told.occurrence.local_date, told.occurrence.dose_ratio) == ("2026-03-03", 1)
        assert [(one.nprs, one.phase) for one in told.pain] == [(1, "post")]
        assert [(one.exercise_id, one.rating) for one in told.exertion] == [(KNEE, 6)]
        assert [(one.exercise_id, one.reason) for one in told.skipped] == [("squat", "pain")]
        error = await refused(ask("Progress", "GetSession", patient_id=PATIENT, session_id="no"))
        assert isinstance(error, NotFound)


async def test_repetitions_come_in_order_in_pages(running: Clinic):
    position = await running.log.append(*two_weeks())
    asked = {"patient_id": PATIENT, "session_id": "s0"}
    async with asking(running) as ask:
        await ask("Progress", "ListReps", consistency=since(position), **asked)
        pages = await ask.pages("Progress", "ListReps", "reps", page_size=2, **asked)
        none = await ask("Progress", "ListReps", exercise_id="squat", **asked)
    assert [[one.rep.index for one in page] for page in pages] == [[1, 2], [3, 4], [5]]
    assert [one.score_from_median for page in pages for one in page] == [-2, -1, 0, 1, 2]
    assert all(one.good and one.rom_target_pct == 80 for page in pages for one in page)
    assert not none.reps


async def test_pain_stands_against_quality(running: Clinic):
    position = await running.log.append(*two_weeks())
    async with asking(running) as ask:
        told = await ask("Progress", "GetPainAgainstQuality", consistency=since(position), **ASKED)
        few = await ask(
            "Progress",
            "GetPainAgainstQuality",
            patient_id=PATIENT,
            as_of=stamped(MONDAY + 3 * DAY),
        )
    assert [(one.worst_pain, one.median_score) for one in told.sessions][:2] == [(0, 93), (1, 88)]
    assert (told.tau, told.association) == (-1, "more_pain_lower_quality")
    assert (few.HasField("tau"), few.association) == (False, "unknown")


async def test_quality_tells_its_trend_with_confidence(running: Clinic):
    position = await running.log.append(*two_weeks())
    told = await running.reads.quality(
        patient_id=PATIENT, as_of=ASKED["as_of"], consistency=since(position)
    )
    line = told.exercises[0].trend_line
    assert (line.slope_per_week, line.low_per_week, line.high_per_week) == (-35, -35, -35)
    assert (line.days, line.change) == (9, "steady")


REVIEW = f"work:{PATIENT}"


async def test_loads_and_days_tell_the_work_of_a_clinic(running: Clinic):
    noon = at("2026-03-02T12:00")
    assigned = {"item_id": REVIEW, "assigned": {"therapist_id": "ann"}}
    closed = {"item_id": REVIEW, "closed": {"outcome": "contacted"}}
    position = await running.log.append(
        by_clinician(1, noon, body(review=assigned)),
        event(2, noon, pain(8)),
        by_clinician(3, noon + HOUR / 2, body(review=closed)),
        event(4, noon + HOUR, pain(9)),
    )
    asked = {"clinic_id": CLINIC, "consistency": since(position)}
    days = common.DateRange(from_date="2026-03-02", to_date="2026-03-03")
    async with asking(running) as ask:
        as_of = stamped(noon + 5 * HOUR)
        (ann,) = (await ask("Work", "ListTherapistLoads", as_of=as_of, **asked)).therapists
        assert (ann.therapist_id, ann.critical, ann.overdue, ann.closed_28d) == ("ann", 1, 1, 1)
        assert (ann.median_answer_s, ann.expected_minutes) == (1800, 15)
        told = await ask("Work", "ListWorkDays", days=days, zone="Europe/Berlin", **asked)
        assert [(day.opened, day.closed, day.open_at_end) for day in told.days] == [
            (2, 1, 1),
            (0, 0, 1),
        ]
        bob = await ask("Work", "ListWorkDays", days=days, therapist_id="bob", **asked)
        assert [day.opened for day in bob.days] == [0, 0]
        (waiting,) = (await running.reads.work(as_of=as_of, consistency=since(position))).items
        assert (waiting.age_s, waiting.remaining_s) == (4 * 3600, -3 * 3600)


async def test_templates_are_told_to_who_has_a_queue_only(running: Clinic):
    async with asking(running) as ask:
        told = await ask("Work", "ListWorkTemplates")
    first = told.templates[0]
    assert (first.severity, first.answer_within_s) == (common_pb2.SEVERITY_CRITICAL, 3600)
    assert all(one.steps and one.rule and one.source for one in told.templates)
    async with asking(running, Principal(PATIENT, "patient", CLINIC)) as ask:
        assert isinstance(await refused(ask("Work", "ListWorkTemplates")), PermissionDenied)
