"""One prescribed exercise from another system."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Any

from rehab.events.v1 import common_pb2, plan_pb2
from rehab_emr.domain.codes import SITES, SNOMED
from rehab_emr.domain.links import Links

_TIMES: Mapping[int, tuple[str, ...]] = MappingProxyType(
    {1: ("08:00",), 2: ("08:00", "18:00"), 3: ("08:00", "13:00", "18:00")}
)
_WEEKDAYS: Mapping[int, tuple[int, ...]] = MappingProxyType(
    {
        1: (1,),
        2: (1, 4),
        3: (1, 3, 5),
        4: (1, 2, 4, 5),
        5: (1, 2, 3, 4, 5),
        6: (1, 2, 3, 4, 5, 6),
        7: (),
    }
)
_DAY_NAMES = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_SIDES: Mapping[str, common_pb2.Side] = MappingProxyType(
    {
        "7771000": common_pb2.SIDE_LEFT,
        "24028007": common_pb2.SIDE_RIGHT,
        "51440002": common_pb2.SIDE_BOTH,
        **{
            code.code: common_pb2.SIDE_LEFT if side == "left" else common_pb2.SIDE_RIGHT
            for (_, side), code in SITES.items()
        },
    }
)
"""SNOMED CT's qualifiers left, right and bilateral, and the sites that have a side."""
_REPETITIONS = frozenset({"{repetitions}", "{rep}", "{reps}", "{repetition}"})
_WINDOW_H = {1: 12, 2: 8, 3: 4}
_LONGEST_TEXT = 2000
_MOST_TIMES, _MOST_SETS, _MOST_REPS, _LONGEST_HOLD_S, _LONGEST_MIN = 24, 50, 500, 3600, 600
"""As plans can say (rehab.events.v1)."""
_EXERCISE_ID = re.compile(r"[a-z0-9][a-z0-9_-]{0,63}\Z")


class NotUnderstood(ValueError):
    """An order that cannot become a plan: the element and the rule, no value."""

    def __init__(self, path: str, rule: str) -> None:
        super().__init__(f"{path}: {rule}")
        self.path, self.rule = path, rule


class Assumed:
    """What was left open, and how it was decided."""

    def __init__(self) -> None:
        self._told: dict[str, None] = {}

    def that(self, path: str, sentence: str) -> None:
        self._told[f"{path}: {sentence}"] = None

    def sentences(self) -> tuple[str, ...]:
        return tuple(self._told)


def item_of(
    told: Mapping[str, Any], path: str, links: Links, assumed: Assumed
) -> plan_pb2.PlanItem:
    """Of a CarePlan's activity detail or a ServiceRequest. Raises NotUnderstood."""
    before = f"{path}." if path else ""
    item = plan_pb2.PlanItem(exercise_id=_exercise(told, f"{before}code", links))
    item.side = _side(told)
    timing = told.get("scheduledTiming") or told.get("occurrenceTiming")
    if not isinstance(timing, Mapping) or not timing.get("repeat"):
        raise NotUnderstood(f"{before}timing.repeat", "says how often")
    repeat = timing["repeat"]
    _schedule(item, repeat, f"{before}timing.repeat", assumed)
    _dose(item, told, repeat, before, links)
    text = told.get("patientInstruction") or told.get("description") or ""
    item.instructions = text_at(text, f"{before}description")[:_LONGEST_TEXT]
    return item


def text_at(told: Any, path: str) -> str:
    if not isinstance(told, str):
        raise NotUnderstood(path, "is a string")
    return told


def _exercise(told: Mapping[str, Any], path: str, links: Links) -> str:
    system = f"{links.base}/fhir/CodeSystem/exercise"
    for one in told.get("code", {}).get("coding", ()):
        if one.get("system") == system and _EXERCISE_ID.match(str(one.get("code"))):
            return text_at(one["code"], path)
    raise NotUnderstood(path, "has a code of the exercise library")


def _side(told: Mapping[str, Any]) -> common_pb2.Side:
    sites = told.get("bodySite", [])
    for site in sites if isinstance(sites, list) else [sites]:
        for one in site.get("coding", ()):
            if one.get("system") == SNOMED and one.get("code") in _SIDES:
                return _SIDES[one["code"]]
    return common_pb2.SIDE_UNSPECIFIED


def _schedule(
    item: plan_pb2.PlanItem, repeat: Mapping[str, Any], path: str, assumed: Assumed
) -> None:
    frequency, unit = (
        _count(repeat.get("frequency", 1), f"{path}.frequency", _MOST_TIMES),
        repeat.get("periodUnit"),
    )
    if repeat.get("period", 1) != 1 or unit not in ("d", "wk"):
        raise NotUnderstood(path, "is so often a day or a week")
    days = _weekdays(repeat.get("dayOfWeek", ()), path)
    times = sorted({text_at(one, path)[:5] for one in repeat.get("timeOfDay", ())})
    if len(times) > _MOST_TIMES:
        raise NotUnderstood(f"{path}.timeOfDay", f"has at most {_MOST_TIMES} times")
    if unit == "wk" and not days:
        if frequency not in _WEEKDAYS:
            raise NotUnderstood(f"{path}.frequency", "is 1 to 7 a week")
        days = list(_WEEKDAYS[frequency])
        if days:
            assumed.that(f"{path}.dayOfWeek", "days are spread over the week")
    a_day = frequency if unit == "d" else 1
    if not times:
        if a_day not in _TIMES:
            raise NotUnderstood(f"{path}.timeOfDay", "is told for more than 3 a day")
        times = list(_TIMES[a_day])
        assumed.that(f"{path}.timeOfDay", "times are morning, noon and evening")
    schedule = item.schedule
    schedule.weekdays.extend(days)
    schedule.times.extend(times)
    schedule.window_h = _WINDOW_H.get(len(schedule.times), 2)


def _weekdays(told: Sequence[str], path: str) -> list[int]:
    unknown = [one for one in told if one not in _DAY_NAMES]
    if unknown:
        raise NotUnderstood(f"{path}.dayOfWeek", "is mon to sun")
    return sorted({_DAY_NAMES.index(one) + 1 for one in told})


def _dose(
    item: plan_pb2.PlanItem,
    told: Mapping[str, Any],
    repeat: Mapping[str, Any],
    before: str,
    links: Links,
) -> None:
    """By our own extension, or by the quantity, or by the length of time."""
    parts = _dose_parts(told, links)
    sets = _count(parts.get("sets", 1), f"{before}extension", _MOST_SETS)
    quantity = told.get("quantity") or told.get("quantityQuantity") or {}
    amount, unit = quantity.get("value"), quantity.get("code") or quantity.get("unit")
    path = f"{before}quantity"
    if "reps" in parts or "hold" in parts:
        unit = "{repetitions}" if "reps" in parts else "s"
        amount, path = parts.get("reps", parts.get("hold")), f"{before}extension"
    elif not quantity and repeat.get("durationUnit") == "min":
        unit, amount, path = "min", repeat.get("duration"), f"{before}timing.repeat.duration"
    if unit in _REPETITIONS:
        item.reps.sets, item.reps.reps = sets, _count(amount, path, _MOST_REPS)
    elif unit == "s":
        item.hold.sets, item.hold.hold_s = sets, _count(amount, path, _LONGEST_HOLD_S)
    elif unit == "min":
        item.duration.minutes = _count(amount, path, _LONGEST_MIN)
    else:
        raise NotUnderstood(path, "says how many repetitions, seconds or minutes")


def _dose_parts(told: Mapping[str, Any], links: Links) -> dict[str, Any]:
    """Of the extension exercise-dose: `sets`, and `reps` or `hold` in seconds."""
    url = f"{links.base}/fhir/StructureDefinition/exercise-dose"
    for one in told.get("extension", ()):
        if one.get("url") == url:
            return {
                str(part.get("url")): part.get("valuePositiveInt")
                for part in one.get("extension", ())
            }
    return {}


def _count(told: Any, path: str, most: int) -> int:
    if isinstance(told, bool) or not isinstance(told, int | float) or told % 1 != 0:
        raise NotUnderstood(path, "is a whole number")
    if not 1 <= told <= most:
        raise NotUnderstood(path, f"is 1 to {most}")
    return int(told)
