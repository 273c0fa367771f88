from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

import pytest

from rehab.events.v1 import common_pb2, event_pb2
from rehab_emr.domain.inbound import PlanDraft, plan_of
from rehab_emr.domain.inbound_items import NotUnderstood
from rehab_runtime.validation import violations
from tests.emr.domain.given import BASE, LINKS

EXERCISES = f"{BASE}/fhir/CodeSystem/exercise"
ZONE = "Europe/Berlin"


def exercise(code: str = "heel_slide") -> Any:
    return {"coding": [{"system": EXERCISES, "code": code}], "text": code}


def detail(**told: Any) -> Any:
    repeat = {"frequency": 2, "period": 1, "periodUnit": "d"}
    whole = {
        "kind": "ServiceRequest",
        "status": "scheduled",
        "code": exercise(),
        "scheduledTiming": {"repeat": repeat},
        "quantity": {"value": 10, "code": "{repetitions}", "unit": "repetitions"},
        "description": "Slowly, heel on the floor.",
    }
    return {"detail": {**whole, **told}}


def care_plan(*activities: Any, **told: Any) -> Any:
    return {
        "resourceType": "CarePlan",
        "identifier": [{"system": "https://h.example.org/orders", "value": "A-17"}],
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "period": {"start": "2026-03-02", "end": "2026-04-12"},
        "activity": list(activities) or [detail()],
        **told,
    }


def service_request(**told: Any) -> Any:
    return {
        "resourceType": "ServiceRequest",
        "id": "sr1",
        "status": "active",
        "intent": "order",
        "subject": {"reference": "Patient/1"},
        "authoredOn": "2026-03-01T09:00:00Z",
        "code": exercise(),
        "bodySite": [{"coding": [{"system": "http://snomed.info/sct", "code": "82169009"}]}],
        "occurrenceTiming": {
            "repeat": {
                "frequency": 1,
                "period": 1,
                "periodUnit": "wk",
                "dayOfWeek": ["fri", "mon"],
                "timeOfDay": ["09:30:00"],
            }
        },
        "quantityQuantity": {"value": 15, "code": "min", "unit": "min"},
        **told,
    }


def drafted(content: Any, **how: Any) -> PlanDraft:
    """A draft whose plan the log would take."""
    draft = plan_of(content, LINKS, zone=ZONE, **how)
    body = event_pb2.Body(plan=draft.plan)
    assert violations(body) == []
    return draft


def test_a_care_plan_becomes_a_plan() -> None:
    plan = drafted(care_plan(), version=3).plan
    assert plan.version == 3
    told = plan.prescribed
    assert (told.effective_from, told.effective_until, told.zone) == (
        "2026-03-02",
        "2026-04-12",
        ZONE,
    )
    (item,) = told.items
    assert item.exercise_id == "heel_slide"
    assert (item.reps.sets, item.reps.reps) == (1, 10)
    assert list(item.schedule.times) == ["08:00", "18:00"]
    assert list(item.schedule.weekdays) == []
    assert told.sessions_per_week == 14
    assert item.instructions == "Slowly, heel on the floor."


def test_a_service_request_is_a_plan_of_one_exercise() -> None:
    draft = drafted(service_request())
    (item,) = draft.plan.prescribed.items
    assert item.side == common_pb2.SIDE_LEFT
    assert item.duration.minutes == 15
    assert list(item.schedule.weekdays) == [1, 5]
    assert list(item.schedule.times) == ["09:30"]
    assert draft.plan.prescribed.effective_from == "2026-03-01"
    assert draft.assumptions == ("period: begins on the day it was written",)


def test_the_same_order_gives_the_same_plan() -> None:
    assert drafted(care_plan()).plan.plan_id == drafted(care_plan()).plan.plan_id
    other = care_plan(identifier=[{"system": "https://h.example.org/orders", "value": "A-18"}])
    assert drafted(other).plan.plan_id != drafted(care_plan()).plan.plan_id


def test_what_an_order_leaves_open_is_told_as_an_assumption() -> None:
    repeat = {"frequency": 3, "period": 1, "periodUnit": "wk"}
    draft = drafted(care_plan(detail(scheduledTiming={"repeat": repeat})))
    (item,) = draft.plan.prescribed.items
    assert list(item.schedule.weekdays) == [1, 3, 5]
    path = "activity[0].detail.timing.repeat"
    assert draft.assumptions == (
        f"{path}.dayOfWeek: days are spread over the week",
        f"{path}.timeOfDay: times are morning, noon and evening",
    )


def test_sets_are_told_by_our_own_extension() -> None:
    dose = {
        "url": f"{BASE}/fhir/StructureDefinition/exercise-dose",
        "extension": [
            {"url": "sets", "valuePositiveInt": 3},
            {"url": "hold", "valuePositiveInt": 30},
        ],
    }
    (item,) = drafted(care_plan(detail(extension=[dose]))).plan.prescribed.items
    assert (item.hold.sets, item.hold.hold_s) == (3, 30)


def test_many_times_a_day_are_a_plan_all_the_same() -> None:
    times = [f"{hour:02}:00:00" for hour in range(24)]
    repeat = {"frequency": 24, "period": 1, "periodUnit": "d", "timeOfDay": times}
    plan = drafted(care_plan(detail(scheduledTiming={"repeat": repeat}))).plan
    assert len(plan.prescribed.items[0].schedule.times) == 24
    assert plan.prescribed.sessions_per_week == 100


def test_an_activity_may_be_a_request_within_the_plan() -> None:
    content = care_plan({"reference": {"reference": "#sr1"}}, contained=[service_request(id="sr1")])
    (item,) = drafted(content).plan.prescribed.items
    assert item.duration.minutes == 15


@pytest.mark.parametrize(
    ("status", "action"),
    [("on-hold", "paused"), ("completed", "ended"), ("revoked", "ended")],
)
def test_an_order_that_is_over_ends_or_pauses_the_plan(status: str, action: str) -> None:
    assert drafted(care_plan(status=status)).plan.WhichOneof("action") == action


REPEAT = {"frequency": 1, "period": 1, "periodUnit": "d"}
REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: {"resourceType": "MedicationRequest"}, "resourceType"),
    (lambda: care_plan(status="draft"), "status"),
    (lambda: care_plan(status="nonsense", activity="walk"), "activity"),
    (lambda: care_plan(identifier=[]), "identifier"),
    (lambda: care_plan(period=None), "period.start"),
    (lambda: care_plan(period={"start": "2026"}), "period.start"),
    (lambda: care_plan(detail(code={"text": "walk"})), "activity[0].detail.code"),
    (lambda: care_plan(detail(quantity=None)), "activity[0].detail.quantity"),
    (
        lambda: care_plan(detail(quantity={"value": 1.5, "code": "{repetitions}"})),
        "activity[0].detail.quantity",
    ),
    (
        lambda: care_plan(detail(quantity={"value": -3, "code": "{repetitions}"})),
        "activity[0].detail.quantity",
    ),
    (
        lambda: care_plan(detail(quantity={"value": 501, "code": "{repetitions}"})),
        "activity[0].detail.quantity",
    ),
    (lambda: care_plan(detail(code=exercise("Heel Slide"))), "activity[0].detail.code"),
    (lambda: care_plan(detail(scheduledTiming=None)), "activity[0].detail.timing.repeat"),
    (
        lambda: care_plan(detail(scheduledTiming={"repeat": {**REPEAT, "period": 2}})),
        "activity[0].detail.timing.repeat",
    ),
    (
        lambda: care_plan(detail(scheduledTiming={"repeat": {"frequency": 1}})),
        "activity[0].detail.timing.repeat",
    ),
    (
        lambda: care_plan(detail(scheduledTiming={"repeat": {**REPEAT, "frequency": 5}})),
        "activity[0].detail.timing.repeat.timeOfDay",
    ),
    (lambda: care_plan(detail(doNotPerform=True)), "activity[0].detail.doNotPerform"),
    (lambda: care_plan({"reference": {"reference": "#x"}}), "activity[0].reference"),
    (
        lambda: care_plan(modifierExtension=[{"url": "https://x.org", "valueBoolean": True}]),
        "modifierExtension",
    ),
    (lambda: service_request(doNotPerform=True), "modifierExtension"),
]


@pytest.mark.parametrize(("make", "path"), REFUSED)
def test_what_cannot_be_understood_is_refused_by_name(make: Callable[[], Any], path: str) -> None:
    content = {name: value for name, value in make().items() if value is not None}
    for activity in content.get("activity", ()):
        if isinstance(activity, dict) and "detail" in activity:
            activity["detail"] = {k: v for k, v in activity["detail"].items() if v is not None}
    before = copy.deepcopy(content)
    with pytest.raises(NotUnderstood) as refused:
        plan_of(content, LINKS, zone=ZONE)
    assert refused.value.path == path
    assert content == before
