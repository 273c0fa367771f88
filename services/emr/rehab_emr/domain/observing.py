"""What every Observation of ours has."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from zoneinfo import ZoneInfo

from rehab_clinical.days import first_zone

from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.codes import Code
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.resource import Json
from rehab_emr.domain.telling import device_of


@dataclass(frozen=True)
class Asked:
    """Whose resource, which one, for whom."""

    history: History
    key: ResourceKey
    links: Links

    def concept(self, *told: Code, text: str = "") -> Json:
        return elements.concept(self.links, *told, text=text)


@dataclass(frozen=True)
class Observed:
    """The part of an Observation that differs by kind. `effective` is a date-time or a period;
    `value` a quantity, a concept or sampled data by its element's name."""

    categories: Sequence[Code]
    code: Json
    effective: Json
    value: Json = field(default_factory=dict)
    components: Sequence[Json] = ()
    body_site: Json | None = None
    profile: str = ""
    members: Sequence[ResourceKey] = ()
    derived_from: Sequence[ResourceKey] = ()
    event_ids: frozenset[str] | None = None
    """Those it rests on where these are not all parts of the key."""
    by_device: bool = True
    """Whether a device observed it; a summary is made by the suite."""


def at(instant: str) -> Json:
    return {"effectiveDateTime": instant}


def during(told: Json) -> Json:
    return {"effectivePeriod": told}


def content(asked: Asked, told: Observed, status: str, device: ResourceKey | None) -> Json:
    """In the order of the standard's elements."""
    links = asked.links
    patient = elements.patient_reference(links)
    made: Json = {"resourceType": "Observation"}
    if told.profile:
        made["meta"] = {"profile": [told.profile]}
    made["identifier"] = [elements.identifier(links.identifier(asked.key))]
    made["status"] = status
    made["category"] = [{"coding": [elements.coding(one, links)]} for one in told.categories]
    made["code"] = told.code
    made["subject"] = patient
    made |= told.effective
    made["performer"] = [patient]
    made |= told.value
    if told.body_site:
        made["bodySite"] = told.body_site
    if device is not None:
        made["device"] = elements.reference(device, links, "Device")
    for name, others in (("hasMember", told.members), ("derivedFrom", told.derived_from)):
        if others:
            made[name] = [elements.reference(one, links) for one in others]
    if told.components:
        made["component"] = list(told.components)
    return made


def device_key(asked: Asked) -> ResourceKey | None:
    """The device of the newest part that names one; None where no devices are to be told of."""
    if not asked.links.options.devices:
        return None
    parts = asked.history.parts(asked.key) or asked.history.every_part(asked.key)
    for part in reversed(parts):
        device = device_of(part.fact)
        if device is not None:
            return asked.history.key(keys.DEVICE, device)
    return None


def zone_of(asked: Asked, *names: str) -> ZoneInfo:
    """The first that is known, else the patient's."""
    return first_zone(*names, asked.history.zone.key)


_OF_VALUES = frozenset({"meta", "hasMember", "derivedFrom", "bodySite"})


def retracted(made: Json) -> Json:
    """Entered in error: what it was of, and no value. It claims no profile: some receivers take
    components without values for missing ones."""
    kept = {
        name: value
        for name, value in made.items()
        if not name.startswith("value") and name not in _OF_VALUES
    }
    kept["status"] = "entered-in-error"
    if "component" in made:
        kept["component"] = [
            {"code": one["code"], "dataAbsentReason": elements.absent("error")}
            for one in made["component"]
        ]
    if any(name.startswith("value") for name in made):
        kept["dataAbsentReason"] = elements.absent("error")
    return kept


ACTIVITY = (codes.ACTIVITY, codes.PHYSICAL_ACTIVITY)
