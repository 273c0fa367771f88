"""Elements of FHIR: codings, quantities, times, references."""

from __future__ import annotations

import math
from datetime import UTC, datetime
from fractions import Fraction
from zoneinfo import ZoneInfo

from rehab_emr.domain import codes
from rehab_emr.domain.codes import UCUM, Code, Mark
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Identifier, Links
from rehab_emr.domain.resource import Json
from rehab_emr.domain.units import UNITS

_DECIMALS = 4
"""No sensor here measures finer; more would show how a float was reckoned, not what was seen."""


def coding(code: Code, links: Links) -> Json:
    told: Json = {"system": code.system or links.code_system(), "code": code.code}
    if code.display:
        told["display"] = code.display
    return told


def concept(links: Links, *told: Code, text: str = "") -> Json:
    """Of several codes of the same meaning. One that was only read in secondary sources is left out
    where the receiver wants none such; our own, which stands beside it, stays."""
    checked = links.options.checked_codes_only
    codings = [coding(one, links) for one in told if not (checked and one.mark is Mark.SECONDARY)]
    made: Json = {"coding": codings} if codings else {}
    text = text or next((one.display for one in told if one.display), "")
    if text:
        made["text"] = text
    return made


def own_value(value: str, links: Links) -> Json:
    """A value of our own code system (`codes.VALUES`)."""
    told = {
        "system": links.code_system(),
        "code": value.replace("_", "-"),
        "display": codes.VALUES[value],
    }
    return {"coding": [told], "text": codes.VALUES[value]}


def number(value: float | Fraction) -> int | float:
    """Raises ValueError for what is no finite number."""
    told = float(value)
    if not math.isfinite(told):
        raise ValueError("a value that is no finite number")
    rounded = round(told, _DECIMALS)
    return int(rounded) if rounded == int(rounded) else rounded


def quantity(value: float | Fraction, unit: str) -> Json:
    """`unit` is a UCUM code of UNITS."""
    return {"value": number(value), "unit": UNITS[unit] or unit, "system": UCUM, "code": unit}


def percent(ratio: Fraction | float) -> Json:
    return quantity(100 * ratio, "%")


def date_time(instant: datetime, zone: ZoneInfo) -> str:
    """Local time with its offset. Before zones had whole minutes, UTC."""
    local = instant.astimezone(zone)
    offset = local.utcoffset()
    if offset is None or offset.total_seconds() % 60:
        local = instant.astimezone(UTC)
    return local.isoformat(timespec="milliseconds" if local.microsecond else "seconds")


def period(start: datetime, end: datetime, zone: ZoneInfo) -> Json:
    return {"start": date_time(start, zone), "end": date_time(max(start, end), zone)}


def identifier(told: Identifier) -> Json:
    return {"system": told.system, "value": told.value}


def reference(key: ResourceKey, links: Links, type_: str = "Observation") -> Json:
    """By identifier; `bundle` makes it literal where it can."""
    return {"type": type_, "identifier": identifier(links.identifier(key))}


def patient_reference(links: Links) -> Json:
    """Raises ValueError when the links name no patient."""
    if links.patient:
        return {"reference": links.patient}
    if links.patient_identifier is None:
        raise ValueError("links: a patient's reference or identifier is needed")
    return {"type": "Patient", "identifier": identifier(links.patient_identifier)}


def component(code: Json, value: Json | None) -> Json:
    """With a quantity or a concept; None says that the value is not known."""
    if value is None:
        return {"code": code, "dataAbsentReason": absent("unknown")}
    return {"code": code, "valueQuantity" if "value" in value else "valueCodeableConcept": value}


def absent(reason: str) -> Json:
    """`reason` is a code of the standard's own system."""
    return {"coding": [{"system": codes.ABSENT, "code": reason}]}
