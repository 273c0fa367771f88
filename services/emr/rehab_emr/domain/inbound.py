"""A prescription from another system: a CarePlan or ServiceRequest as a plan of ours.

The result is a draft: what the source leaves open is decided here in one fixed way and told as an
assumption, for a clinician to see. What cannot be understood is refused, never guessed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

from fhir.resources.R4B.careplan import CarePlan
from fhir.resources.R4B.servicerequest import ServiceRequest
from pydantic import BaseModel, ValidationError

from rehab.events.v1 import plan_pb2
from rehab_emr.domain import keys
from rehab_emr.domain.inbound_items import Assumed, NotUnderstood, item_of, text_at
from rehab_emr.domain.links import Links

_ENDED = {"completed": "completed", "revoked": "replaced", "entered-in-error": "other"}
_MOST_ITEMS = 64
_MOST_SESSIONS = 100
"""A week, as plans can say."""
_MODELS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {"CarePlan": CarePlan, "ServiceRequest": ServiceRequest}
)


@dataclass(frozen=True)
class PlanDraft:
    """`assumptions` are sentences without patient data, by path of what they are about."""

    plan: plan_pb2.Plan
    assumptions: tuple[str, ...]


def plan_of(content: Mapping[str, Any], links: Links, *, zone: str, version: int = 1) -> PlanDraft:
    """`zone` is the IANA zone in which days and times are meant, `version` that of the new plan.

    The plan's id is made of the source's identifier: the same order gives the same plan. Raises
    NotUnderstood, which names the element and the rule.
    """
    type_ = str(content.get("resourceType"))
    if type_ not in _MODELS:
        raise NotUnderstood("resourceType", "is CarePlan or ServiceRequest")
    content = _told(content)
    try:
        _MODELS[type_].model_validate(content)
    except (TypeError, KeyError):
        # a contained resource of no type
        raise NotUnderstood("contained", "has resources of known types") from None
    except ValidationError as error:
        first = error.errors(include_input=False, include_url=False, include_context=False)[0]
        path = ".".join(map(str, first["loc"]))
        raise NotUnderstood(path, f"model: {first['type']}") from None
    if content.get("doNotPerform") or content.get("modifierExtension"):
        raise NotUnderstood("modifierExtension", "changes the meaning, and is not known here")
    plan = plan_pb2.Plan(plan_id=_plan_id(content), version=version)
    status = content.get("status")
    if status in _ENDED:
        plan.ended.reason = _ENDED[str(status)]
        return PlanDraft(plan, ())
    if status == "on-hold":
        plan.paused.reason = "clinician"
        return PlanDraft(plan, ())
    if status != "active":
        raise NotUnderstood("status", "is active, on-hold, completed, revoked or entered-in-error")
    assumed = Assumed()
    sources = _activities(content) if type_ == "CarePlan" else [("", content)]
    if not 1 <= len(sources) <= _MOST_ITEMS:
        raise NotUnderstood("activity", f"has 1 to {_MOST_ITEMS} exercises")
    prescribed = plan.prescribed
    prescribed.zone = zone
    prescribed.items.extend(item_of(one, path, links, assumed) for path, one in sources)
    per_week = max(_per_week(item) for item in prescribed.items)
    prescribed.sessions_per_week = min(per_week, _MOST_SESSIONS)
    prescribed.effective_from, prescribed.effective_until = _days(content, sources, assumed)
    return PlanDraft(plan, assumed.sentences())


def _told(content: Any) -> Any:
    """Without nulls, which some systems write for what is not told."""
    if isinstance(content, Mapping):
        return {name: _told(value) for name, value in content.items() if value is not None}
    if isinstance(content, list):
        return [_told(one) for one in content if one is not None]
    return content


def _plan_id(content: Mapping[str, Any]) -> str:
    for named in content.get("identifier", ()):
        if named.get("value"):
            return keys.opaque("plan", str(named.get("system", "")), str(named["value"])).id
    if content.get("id"):
        return keys.opaque("plan", str(content["resourceType"]), str(content["id"])).id
    raise NotUnderstood("identifier", "names the order, or its id does")


def _activities(content: Mapping[str, Any]) -> list[tuple[str, Mapping[str, Any]]]:
    contained = {f"#{one.get('id')}": one for one in content.get("contained", ())}
    found: list[tuple[str, Mapping[str, Any]]] = []
    for index, activity in enumerate(content.get("activity", ())):
        path = f"activity[{index}]"
        detail = activity.get("detail")
        if detail is None:
            reference = str(activity.get("reference", {}).get("reference", ""))
            detail = contained.get(reference)
            path = f"{path}.reference"
            if detail is None or detail.get("resourceType") != "ServiceRequest":
                raise NotUnderstood(path, "is a ServiceRequest contained in the plan")
        elif detail.get("kind", "ServiceRequest") != "ServiceRequest":
            continue
        else:
            path = f"{path}.detail"
        if detail.get("doNotPerform"):
            raise NotUnderstood(f"{path}.doNotPerform", "is no exercise")
        if detail.get("status") in ("cancelled", "stopped", "completed", "revoked"):
            continue
        found.append((path, detail))
    return found


def _per_week(item: plan_pb2.PlanItem) -> int:
    return len(item.schedule.times) * (len(item.schedule.weekdays) or 7)


def _days(
    content: Mapping[str, Any],
    sources: Sequence[tuple[str, Mapping[str, Any]]],
    assumed: Assumed,
) -> tuple[str, str]:
    """The first and the last local day, the last empty for no end."""
    periods = [content.get("period"), content.get("occurrencePeriod")]
    for _, one in sources:
        timing = one.get("scheduledTiming") or one.get("occurrenceTiming") or {}
        periods.append(timing.get("repeat", {}).get("boundsPeriod"))
    for told in periods:
        if told and told.get("start"):
            return _day(told["start"], "period.start"), _day(told.get("end", ""), "period.end")
    for name in ("authoredOn", "created"):
        if content.get(name):
            assumed.that("period", "begins on the day it was written")
            return _day(content[name], name), ""
    raise NotUnderstood("period.start", "says when it begins")


def _day(told: Any, path: str) -> str:
    day = text_at(told, path)[:10]
    if day and len(day) < 10:
        raise NotUnderstood(path, "is told to the day")
    return day
