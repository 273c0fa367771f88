"""Whatever a patient's stream holds, what is sent of it is valid."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from rehab.events.v1 import event_pb2
from rehab_emr.domain import validation
from rehab_emr.domain.bundles import bundled
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import KINDS
from rehab_emr.domain.links import Form, Options
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.provenances import provenance
from rehab_emr.domain.resource import Resource, Status
from rehab_emr.domain.shapes import MOST, Shapes
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import LINKS, history_of, sample
from tests.emr.domain.goldens import place
from tests.projections.given import body, event, event_id, facts

FINE = replace(LINKS, options=Options(rep_series=True, readings=True))
FAST = settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
_ZONES = ["Europe/Berlin", "Pacific/Honolulu", "Asia/Kathmandu", "", "Nowhere/At_All"]
numbers = st.floats(allow_nan=False, allow_infinity=False, width=32)
texts = st.text(max_size=20)
times = st.datetimes(datetime(2026, 1, 1), datetime(2026, 6, 30), timezones=st.just(UTC))  # noqa: DTZ001
far_times = st.datetimes(datetime(1, 1, 2), datetime(9999, 12, 30), timezones=st.just(UTC))  # noqa: DTZ001
degrees = st.floats(0, 360)
exercises = st.sampled_from(["heel_slide", "mini_squat", "plank"])
sides = st.sampled_from(["SIDE_UNSPECIFIED", "SIDE_LEFT", "SIDE_RIGHT", "SIDE_BOTH"])
sessions = st.sampled_from(["s1", "s2"])
ucums = st.sampled_from(
    ["/min", "%", "kg", "Cel", "mm[Hg]", "{count}", "kcal", "min", "", "dB[SPL]"]
)
metrics = st.sampled_from(
    [
        *("blood_pressure", "weight", "heart_rate", "step_count", "active_energy", "steps"),
        *("resting_heart_rate", "oxygen_saturation", "body_temperature", "sunshine"),
        *("respiratory_rate", "heart_rate_variability_sdnn", "apple_exercise_time"),
    ]
)
joints = st.fixed_dictionaries(
    {"joint": st.sampled_from(["knee_left", "knee_right", "trunk"])}
    | dict.fromkeys(("min_deg", "max_deg", "rom_deg"), degrees)
)
reps = st.fixed_dictionaries(
    {"index": st.integers(1, 30), "confidence": st.just(0.5), "unscored_reason": st.just(1)},
    optional={
        "start_ms": st.integers(0, 86_400_000),
        "duration_ms": st.integers(0, 600_000),
        "rom_deg": degrees,
        "score": st.floats(0, 100),
        "joints": st.lists(joints, max_size=2),
    },
)
sets = st.fixed_dictionaries(
    {"exercise_id": exercises, "side": sides, "set_index": st.integers(1, 3)},
    optional={
        "reps": st.integers(0, 1000),
        "good_reps": st.integers(0, 1000),
        "hold_s": st.floats(0, 7200),
        "duration_s": st.floats(0, 86400),
    },
)


def iso(when: datetime) -> str:
    return when.isoformat().replace("+00:00", "Z")


@st.composite
def values(draw: st.DrawFn) -> dict[str, Any]:
    ucum = draw(ucums)
    match draw(st.integers(0, 2)):
        case 0:
            told = {"value": draw(numbers), "unit": draw(texts)}
            if draw(st.booleans()):
                told |= {"canonical_value": draw(numbers), "ucum": ucum}
            return {"quantity": told}
        case 1:
            spread = {name: draw(numbers) for name in ("min", "avg", "max")}
            return {"range": {**spread, "ucum": ucum}}
        case _:
            pair = [draw(st.floats(0, 400)) for _ in range(2)]
            return {"blood_pressure": {"systolic_mmhg": pair[0], "diastolic_mmhg": pair[1]}}


@st.composite
def some_samples(draw: st.DrawFn) -> dict[str, Any]:
    start = draw(st.one_of(times, far_times))
    made = sample(start, **draw(values()))
    made["start"] = iso(start)
    if draw(st.booleans()):
        made["end"] = iso(draw(st.one_of(times, far_times)))
    return made


@st.composite
def contents(draw: st.DrawFn) -> event_pb2.Body:  # noqa: PLR0911
    when = draw(times)
    match draw(st.integers(0, 7)):
        case 0:
            action = draw(
                st.sampled_from(
                    [
                        {"started": {}},
                        {"completed": {"duration_s": 600}},
                        {"abandoned": {"reason": "pain", "duration_s": 0}},
                    ]
                )
            )
            return body(exercise_session={"session_id": draw(sessions), **action})
        case 1:
            told = {"started_at": iso(draw(far_times)), "sets": draw(st.lists(sets, max_size=2))}
            return body(exercise_session={"session_id": draw(sessions), "self_reported": told})
        case 2:
            told = {"session_id": draw(sessions), "set_completed": draw(sets)}
            return body(exercise_session=told)
        case 3:
            told = {"session_id": draw(sessions), "exercise_id": draw(exercises)}
            told |= {"set_index": draw(st.integers(1, 3)), "side": draw(sides)}
            return body(rep_observation={**told, "reps": draw(st.lists(reps, max_size=4))})
        case 4:
            told = {"nprs": draw(st.integers(0, 10)), "phase": draw(st.integers(1, 4))}
            told |= {"site": draw(st.sampled_from(["", "knee", "_"])), "side": draw(sides)}
            return body(pain_report={**told, "quality": draw(st.sampled_from(["", "dull", "_"]))})
        case 5:
            told = {"metric": draw(metrics), "aggregation": "minutes"}
            listed = draw(st.lists(some_samples(), max_size=4))
            return body(health_samples={**told, "samples": listed})
        case 6:
            stages = st.fixed_dictionaries(
                {
                    "stage": st.sampled_from(["core", "deep", "rem", "awake", "asleep", "x"]),
                    "hours": st.floats(0, 48),
                }
            )
            told = {"start": iso(when), "end": iso(when + timedelta(hours=8))}
            return body(sleep={**told, "stages": draw(st.lists(stages, max_size=3))})
        case _:
            told = {"start": iso(when), "end": iso(draw(times)), "activity": draw(texts)}
            scalars = {
                name: draw(values()).get("quantity", {})
                for name in draw(st.sets(st.sampled_from(["distance", "active_energy"])))
            }
            heart = draw(st.lists(some_samples(), max_size=2))
            return body(workout={**told, "scalars": scalars, "heart_rate": heart})


@st.composite
def plans(draw: st.DrawFn) -> event_pb2.Body:
    told: dict[str, Any] = {"plan_id": draw(st.sampled_from(["p1", "p2"])), "version": 1}
    step = draw(st.sampled_from(["prescribed", "paused", "resumed", "ended"]))
    match step:
        case "prescribed":
            schedule = {"times": ["08:00"], "window_h": draw(st.sampled_from([1, 24, 168]))}
            schedule["policy"] = draw(st.integers(1, 4))
            item = {"exercise_id": draw(exercises), "schedule": schedule}
            item["reps"] = {"sets": 1, "reps": 10}
            first = date(2026, 3, 2) + timedelta(days=draw(st.integers(-20, 40)))
            told["prescribed"] = {
                "effective_from": first.isoformat(),
                "effective_until": (first + timedelta(days=draw(st.integers(0, 20)))).isoformat(),
                "zone": "Europe/Berlin",
                "items": [item],
                "sessions_per_week": 7,
            }
        case "paused":
            told["paused"] = {"reason": "travel"}
        case _:
            told[step] = {}
    return body(plan=told)


@st.composite
def streams(draw: st.DrawFn) -> list[event_pb2.Event]:
    events: list[event_pb2.Event] = []
    for number in range(1, draw(st.integers(1, 12)) + 1):
        content = draw(st.one_of(contents(), contents(), contents(), plans()))
        corrects = ""
        if draw(st.integers(0, 4)) == 0:
            corrects = event_id(draw(st.integers(1, 14)))
        zone = draw(st.sampled_from(_ZONES))
        made = event(number, draw(times), content, zone=zone, corrects=corrects)
        if draw(st.booleans()):
            made.envelope.device_id = draw(st.sampled_from(["d1", "d2"]))
            made.envelope.source.app = draw(st.sampled_from(["", " ", "App 1"]))
            made.envelope.source.device_model = draw(st.sampled_from(["", " ", "Pixel 9"]))
        events.append(made)
    return events


def folded(events: list[event_pb2.Event]) -> tuple[History, set[Any]]:
    """The history, and every key that a step told of."""
    history, told = History.empty(fine=True), set()
    for fact in facts(events):
        told |= history.step(fact)
    return history, told


def everything(history: History, *, again: bool, kinds: frozenset[str] = KINDS) -> list[Resource]:
    wanted = sorted(key for key in history.keys() if key.kind in kinds)  # noqa: SIM118
    made = [resource(history, key, FINE, again=again) for key in wanted]
    return [one for one in made if one is not None]


@FAST
@given(streams(), st.booleans())
def test_any_history_gives_valid_resources_and_bundles(
    events: list[event_pb2.Event], again: bool
) -> None:
    history, told = folded(events)
    assert told == history.keys()
    made = everything(history, again=again)
    made += [provenance(one, history, FINE) for one in made]
    for one in made:
        assert problems(one.content) == (), one.json.decode()
        assert one.key.kind in KINDS
        assert one.references >= set(one.members)
    for form in Form:
        assert problems(bundled(made, FINE, form)) == ()


@FAST
@given(streams())
def test_every_resource_becomes_ready_and_rests_on_events_that_stand(
    events: list[event_pb2.Event],
) -> None:
    history, _ = folded(events)
    void = {one.envelope.corrects for one in events}
    for one in everything(history, again=True):
        assert history.ready_at(one.key) is not None
        if one.status is not Status.ENTERED_IN_ERROR and one.type == "Observation":
            assert not void & set(one.event_ids), one.key.kind
        if one.status is Status.ENTERED_IN_ERROR:
            assert not any(name.startswith("value") for name in one.content)


@FAST
@given(streams())
def test_a_step_tells_of_every_resource_that_it_changes(events: list[event_pb2.Event]) -> None:
    """A resource that no step names would never be sent again. Weeks are told of apart."""
    kinds = KINDS - {"week"}
    history = History.empty(fine=True)
    before: dict[Any, bytes] = {}
    for fact in facts(events):
        touched = history.step(fact)
        made = everything(history, again=True, kinds=kinds)
        after = {one.key: one.digest for one in made}
        assert {key for key in before | after if before.get(key) != after.get(key)} <= touched
        before = after


@st.composite
def prescribed_and_done(draw: st.DrawFn) -> list[event_pb2.Event]:
    """Prescriptions, and sessions that may name their window."""
    events: list[event_pb2.Event] = []
    for number in range(1, draw(st.integers(2, 8)) + 1):
        when = datetime(2026, 3, 2, 9, tzinfo=UTC) + timedelta(days=draw(st.integers(0, 30)))
        corrects = event_id(draw(st.integers(1, 8))) if draw(st.integers(0, 4)) == 0 else ""
        if draw(st.integers(0, 2)) == 0:
            content = draw(plans())
        else:
            named = {"plan_id": "p1", "local_date": "2026-03-09", "slot": "08:00"}
            action: dict[str, Any] = draw(
                st.sampled_from(
                    [
                        {"started": {"occurrence": named}},
                        {"started": {}},
                        {"set_completed": {"exercise_id": "heel_slide", "set_index": 1, "reps": 9}},
                    ]
                )
            )
            session = draw(st.sampled_from(["s1", "s2", "s3"]))
            content = body(exercise_session={"session_id": session, **action})
        events.append(event(number, when, content, corrects=corrects))
    return events


@FAST
@given(prescribed_and_done())
def test_a_step_tells_of_every_week_that_it_changes(events: list[event_pb2.Event]) -> None:
    history = History.empty()
    before: dict[Any, bytes] = {}
    for fact in facts(events):
        touched = history.step(fact)
        made = everything(history, again=True, kinds=frozenset({"week"}))
        after = {one.key: one.digest for one in made}
        assert {key for key in before | after if before.get(key) != after.get(key)} <= touched
        before = after


@FAST
@given(st.data())
def test_what_a_shape_that_is_known_lets_pass_the_model_passes_as_well(
    data: st.DataObject,
) -> None:
    """The model is not asked again of a known shape: whatever it would refuse, a rule refuses."""
    name = data.draw(st.sampled_from(["vitals", "fine-grained", "session"]))
    entries = json.loads(place(name).read_text(encoding="utf-8"))["entry"]
    made = data.draw(st.sampled_from(entries))["resource"]
    assert problems(made) == ()
    leaves = list(_leaves(made))
    parent, where = data.draw(st.sampled_from(leaves))
    before = parent[where]
    strings = st.one_of(
        texts, st.from_regex(r"[0-9]{4}-[0-9]{2}-[0-9]{2}(T[0-9:]{8}Z)?", fullmatch=True)
    )
    parent[where] = data.draw(
        strings if isinstance(before, str) else st.one_of(numbers, st.integers())
    )
    fast = problems(made)
    validation._SHAPES = Shapes()
    assert (fast == ()) == (problems(made) == ())


def _leaves(told: Any) -> Any:
    for where, value in told.items() if isinstance(told, dict) else enumerate(told):
        if isinstance(value, dict | list):
            yield from _leaves(value)
        else:
            yield told, where


@FAST
@given(streams())
def test_without_fine_grained_data_all_else_is_the_same(events: list[event_pb2.Event]) -> None:
    """Days of readings are told of without looking at each reading."""
    plain, fine = History.empty(), History.empty(fine=True)
    for fact in facts(events):
        told = frozenset(key for key in fine.step(fact) if key.kind != "reading")
        assert plain.step(fact) == told
    coarse = KINDS - {"reading"}
    for of_plain, of_fine in zip(
        everything(plain, again=False), everything(fine, again=False, kinds=coarse), strict=True
    ):
        assert of_plain.json == of_fine.json
        assert plain.ready_at(of_plain.key) == fine.ready_at(of_fine.key)


def test_no_shape_is_kept_without_end() -> None:

    shapes = Shapes()
    for number in range(2 * MOST):
        shapes.add((number,))
    assert len(shapes) <= MOST
    assert (2 * MOST - 1,) in shapes


def test_history_of_is_the_fold_of_its_events() -> None:
    made = [event(1, datetime(2026, 3, 2, tzinfo=UTC), body(pain_report={"nprs": 1, "phase": 1}))]
    assert history_of(made).keys() == folded(made)[0].keys()
