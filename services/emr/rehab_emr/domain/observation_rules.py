"""Rules of Observation: bindings, references, invariants, and the profiles of vital signs."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from rehab_emr.domain import codes
from rehab_emr.domain.codes import CATEGORY, LOINC, UCUM
from rehab_emr.domain.problems import Problem

STATUSES = frozenset(
    {
        *("registered", "preliminary", "final", "amended", "corrected", "cancelled"),
        *("entered-in-error", "unknown"),
    }
)
_TARGETS: Mapping[str, frozenset[str]] = MappingProxyType(
    {
        "subject": frozenset({"Patient", "Group", "Device", "Location"}),
        "device": frozenset({"Device", "DeviceMetric"}),
        "performer": frozenset(
            {
                *("Practitioner", "PractitionerRole", "Organization", "CareTeam", "Patient"),
                "RelatedPerson",
            }
        ),
        "hasMember": frozenset({"Observation", "QuestionnaireResponse", "MolecularSequence"}),
        "derivedFrom": frozenset(
            {
                *("DocumentReference", "ImagingStudy", "Media", "QuestionnaireResponse"),
                *("Observation", "MolecularSequence"),
            }
        ),
        "basedOn": frozenset(
            {
                *("CarePlan", "DeviceRequest", "ImmunizationRecommendation"),
                *("MedicationRequest", "NutritionOrder", "ServiceRequest"),
            }
        ),
    }
)
_CORE = "http://hl7.org/fhir/StructureDefinition/"
_PROFILES: Mapping[str, tuple[str, frozenset[str]]] = MappingProxyType(
    {
        f"{_CORE}heartrate": (codes.HEART_RATE.code, frozenset({"/min"})),
        f"{_CORE}resprate": (codes.RESPIRATORY_RATE.code, frozenset({"/min"})),
        f"{_CORE}oxygensat": (codes.OXYGEN_SATURATION.code, frozenset({"%"})),
        f"{_CORE}bodytemp": (codes.BODY_TEMPERATURE.code, frozenset({"Cel", "[degF]"})),
        f"{_CORE}bodyweight": (codes.BODY_WEIGHT.code, frozenset({"g", "kg", "[lb_av]"})),
        f"{_CORE}bp": (codes.BLOOD_PRESSURE.code, frozenset()),
    }
)
"""The code and the units that a profile of vital signs fixes."""


def problems(content: Mapping[str, Any]) -> list[Problem]:
    found = [*_bindings(content), *_references(content), *_values(content)]
    profiles = content.get("meta", {}).get("profile", ())
    if profiles or _in_category(content, "vital-signs"):
        found += _vital_signs(content)
    for one in profiles:
        if one in _PROFILES:
            found += _profile(content, one)
    return found


def _bindings(content: Mapping[str, Any]) -> list[Problem]:
    if content.get("status") not in STATUSES:
        return [Problem("status", "required binding: observation-status")]
    return []


def reference_problems(told: Any, path: str, allowed: frozenset[str]) -> list[Problem]:
    """One reference: it points somewhere, and where it says of what type, at one that may be."""
    if not any(name in told for name in ("reference", "identifier", "display")):
        return [Problem(path, "Reference: names what it is of")]
    literal = str(told.get("reference", ""))
    type_ = str(told.get("type", ""))
    if not type_ and not literal.startswith(("urn:", "#")):
        type_ = literal.partition("?")[0].rpartition("/")[0].rpartition("/")[2]
        type_ = type_ or literal.partition("?")[0]
    if type_ and type_ not in allowed:
        return [Problem(path, "Reference: a type that may stand here")]
    return []


def _references(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    for name, allowed in _TARGETS.items():
        told = content.get(name, ())
        if isinstance(told, Mapping):
            found += reference_problems(told, name, allowed)
            continue
        for index, one in enumerate(told):
            found += reference_problems(one, f"{name}[{index}]", allowed)
    return found


def _values(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    has_value = _has_value(content)
    if has_value and "dataAbsentReason" in content:
        found.append(Problem("dataAbsentReason", "obs-6: only where there is no value"))
    own = _codings(content.get("code", {}))
    for index, one in enumerate(content.get("component", ())):
        path = f"component[{index}]"
        if _has_value(one) and "dataAbsentReason" in one:
            found.append(Problem(f"{path}.dataAbsentReason", "obs-6: only where there is no value"))
        if has_value and own & _codings(one.get("code", {})):
            found.append(Problem(path, "obs-7: the code of the observation, which has a value"))
    return found


def _vital_signs(content: Mapping[str, Any]) -> list[Problem]:
    """The base of all vital signs' profiles."""
    found: list[Problem] = []
    if not _in_category(content, "vital-signs"):
        found.append(Problem("category", "vitalsigns: has the category vital-signs"))
    effective = content.get("effectiveDateTime", "2000-01-01")
    if "effectiveDateTime" not in content and "effectivePeriod" not in content:
        found.append(Problem("effective[x]", "vitalsigns: is required"))
    if len(effective) < 10:
        found.append(Problem("effectiveDateTime", "vs-1: to the day at least"))
    grouped = "component" in content or "hasMember" in content
    if not grouped and not _told(content):
        found.append(Problem("value[x]", "vs-2: a value or why there is none"))
    found += [
        Problem(f"component[{index}].value[x]", "vs-3: a value or why there is none")
        for index, one in enumerate(content.get("component", ()))
        if not _told(one)
    ]
    return found


def _profile(content: Mapping[str, Any], profile: str) -> list[Problem]:
    code, units = _PROFILES[profile]
    name = profile.rpartition("/")[2]
    found: list[Problem] = []
    if (LOINC, code) not in _codings(content.get("code", {})):
        found.append(Problem("code", f"{name}: the profile's code"))
    if profile == f"{_CORE}bp":
        return found + _pressure(content)
    value = content.get("valueQuantity")
    if value is not None:
        found += _profiled(value, "valueQuantity", name, units)
    elif _has_value(content):
        found.append(Problem("value[x]", f"{name}: a quantity"))
    return found


def _pressure(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    for code in (codes.SYSTOLIC.code, codes.DIASTOLIC.code):
        parts = [
            (index, one)
            for index, one in enumerate(content.get("component", ()))
            if (LOINC, code) in _codings(one.get("code", {}))
        ]
        if len(parts) != 1:
            found.append(Problem("component", "bp: one systolic and one diastolic"))
        for index, one in parts:
            if "valueQuantity" in one:
                path = f"component[{index}].valueQuantity"
                found += _profiled(one["valueQuantity"], path, "bp", frozenset({"mm[Hg]"}))
    return found


def _profiled(
    value: Mapping[str, Any], path: str, name: str, units: frozenset[str]
) -> list[Problem]:
    whole = all(part in value for part in ("value", "unit", "system", "code"))
    if not whole or value["system"] != UCUM or value["code"] not in units:
        return [Problem(path, f"{name}: value, unit, and the profile's UCUM code")]
    return []


def _has_value(told: Mapping[str, Any]) -> bool:
    return any(name.startswith("value") for name in told)


def _told(told: Mapping[str, Any]) -> bool:
    return _has_value(told) or "dataAbsentReason" in told


def _codings(concept: Mapping[str, Any]) -> set[tuple[Any, Any]]:
    return {(one.get("system"), one.get("code")) for one in concept.get("coding", ())}


def _in_category(content: Mapping[str, Any], code: str) -> bool:
    return any((CATEGORY, code) in _codings(one) for one in content.get("category", ()))
