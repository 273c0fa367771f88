"""Random but meaningful streams of one patient, for properties that hold for all of them."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

from hypothesis import strategies as st

from rehab.events.v1 import event_pb2
from tests.projections.given import (
    KNEE,
    at,
    body,
    completed,
    ended,
    event,
    item,
    observed,
    pain,
    paused,
    prescribed,
    rep,
    resumed,
    set_completed,
    started,
)

BEGIN = at("2026-03-20T00:00")
DAYS = 14  # across the change to summer time of Europe on the 29th
ZONES = ("Europe/Berlin", "America/Los_Angeles", "", "Nowhere/Land")
EXERCISES = (KNEE, "squat")
SIDES = ("SIDE_UNSPECIFIED", "SIDE_LEFT", "SIDE_RIGHT", "SIDE_BOTH")
POLICIES = ("DURING_WINDOW", "SAME_DAY", "AFTER_START", "ANYTIME")

sessions = st.sampled_from([f"session-{n}" for n in range(4)])
exercises = st.sampled_from(EXERCISES)
sides = st.sampled_from(SIDES)
indexes = st.integers(1, 3)
scores = st.one_of(st.none(), st.integers(0, 100))
days = st.integers(0, DAYS - 1).map(lambda n: (BEGIN + timedelta(days=n)).date().isoformat())
slots = st.sampled_from(["02:30", "08:00", "14:00", "20:00"])


@st.composite
def items(draw: st.DrawFn) -> dict[str, Any]:
    dose: dict[str, Any] = draw(
        st.sampled_from([{}, {"hold": {"sets": 2, "hold_s": 6}}, {"duration": {"minutes": 1}}])
    )
    return item(
        draw(exercises),
        sets=draw(indexes),
        reps=draw(st.integers(1, 6)),
        side=draw(sides),
        times=draw(st.lists(slots, min_size=1, max_size=2, unique=True)),
        window_h=draw(st.sampled_from([2, 12, 30])),
        policy=f"COMPLETION_POLICY_{draw(st.sampled_from(POLICIES))}",
        rom_target_deg=120.0,
        tempo_s=[1.0, 0.0, 1.0, 0.0],
        **dose,
    )


@st.composite
def prescriptions(draw: st.DrawFn) -> event_pb2.Body:
    return prescribed(
        *draw(st.lists(items(), min_size=1, max_size=2)),
        plan=draw(st.sampled_from(["plan-1", "plan-2"])),
        version=draw(indexes),
        effective_from=draw(days),
        zone=draw(st.sampled_from(ZONES[:2])),
        sessions_per_week=draw(st.integers(0, 3)),
    )


@st.composite
def starts(draw: st.DrawFn) -> event_pb2.Body:
    ref = st.tuples(st.sampled_from(["plan-1", "plan-2"]), days.map(date.fromisoformat), slots)
    return started(draw(sessions), ref=draw(st.none() | ref))


@st.composite
def observations(draw: st.DrawFn) -> event_pb2.Body:
    drawn = draw(st.dictionaries(st.integers(1, 5), scores, min_size=1, max_size=4))
    made = [
        rep(index, score, phases_ms=[900, 0, 1100, 0], symmetry_pct=float(index))
        for index, score in drawn.items()
    ]
    session, exercise, side = draw(sessions), draw(exercises), draw(sides)
    return observed(session, made, index=draw(indexes), exercise=exercise, side=side)


@st.composite
def summaries(draw: st.DrawFn) -> event_pb2.Body:
    more = {"side": draw(sides), "hold_s": draw(indexes), "duration_s": 20 * draw(indexes)}
    return set_completed(
        draw(sessions), draw(indexes), draw(st.integers(0, 8)), draw(exercises), **more
    )


@st.composite
def self_reports(draw: st.DrawFn) -> event_pb2.Body:
    begun = BEGIN + timedelta(hours=draw(st.integers(0, 24 * DAYS)))
    sets = [{"exercise_id": draw(exercises), "set_index": 1, "reps": draw(indexes)}]
    told = {"started_at": begun.isoformat().replace("+00:00", "Z"), "sets": sets}
    return body(exercise_session={"session_id": draw(sessions), "self_reported": told})


summaries_of_one = st.integers(0, 8).map(lambda reps: set_completed("session-0", 1, reps))
one_set = st.one_of(
    summaries_of_one,
    st.builds(
        lambda drawn: observed("session-0", [rep(index, score) for index, score in drawn.items()]),
        st.dictionaries(st.integers(1, 3), scores, min_size=1, max_size=3),
    ),
    st.just(started("session-0")),
    st.integers(1, 3).map(lambda minutes: completed("session-0", 60 * minutes)),
    prescriptions(),
)
reports = st.one_of(
    st.builds(pain, st.integers(0, 10), st.sampled_from(["PRE", "POST"]), sessions),
    st.just(body(symptom_report={"fall": {"near": True}})),
    st.just(body(symptom_report={"symptom": {"code": "", "text": "?"}})),
)
plans = st.one_of(
    prescriptions(),
    st.sampled_from([paused(), paused("2026-03-28T00:00:00Z"), resumed(), ended()]),
    st.sampled_from(ZONES[:2]).map(lambda zone: body(enrolment={"enrolled": {"zone": zone}})),
)
everything = st.one_of(
    starts(),
    observations(),
    summaries(),
    self_reports(),
    sessions.map(completed),
    reports,
    plans,
)
# Events that meet are what order could matter to: so some streams are about one thing only.
topics = st.sampled_from([everything, one_set, summaries_of_one, reports, plans])


@st.composite
def streams(draw: st.DrawFn, max_size: int = 24) -> list[event_pb2.Event]:
    """Events of one patient with different ids; some correct an earlier one."""
    events: list[event_pb2.Event] = []
    told = draw(st.lists(draw(topics), min_size=4, max_size=max_size))
    for number, content in enumerate(told, 1):
        minutes = draw(st.integers(0, 24 * 60 * DAYS))
        corrects = ""
        if events and draw(st.integers(0, 9)) == 0:
            corrects = draw(st.sampled_from(events)).envelope.event_id
        when = BEGIN + timedelta(minutes=minutes)
        zone = draw(st.sampled_from(ZONES))
        events.append(event(number, when, content, zone=zone, corrects=corrects))
    return events
