"""Rules of the resources that stand beside Observations."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehab_emr.domain.observation_rules import reference_problems
from rehab_emr.domain.problems import Problem

_ROLES = frozenset({"derivation", "revision", "quotation", "source", "removal"})
_WHO = frozenset(
    {
        *("Practitioner", "PractitionerRole", "RelatedPerson", "Patient", "Device"),
        "Organization",
    }
)
_DEVICE_STATUSES = frozenset({"active", "inactive", "entered-in-error", "unknown"})
_NAMES = frozenset(
    {
        *("udi-label-name", "user-friendly-name", "patient-reported-name"),
        *("manufacturer-name", "model-name", "other"),
    }
)
_COMPOSITION_STATUSES = frozenset({"preliminary", "final", "amended", "entered-in-error"})
_GENDERS = frozenset({"male", "female", "other", "unknown"})


def provenance(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    for index, agent in enumerate(content.get("agent", ())):
        found += reference_problems(agent.get("who", {}), f"agent[{index}].who", _WHO)
    found += [
        Problem(f"entity[{index}].role", "required binding: provenance-entity-role")
        for index, one in enumerate(content.get("entity", ()))
        if one.get("role") not in _ROLES
    ]
    return found


def device(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    if content.get("status", "active") not in _DEVICE_STATUSES:
        found.append(Problem("status", "required binding: device-status"))
    found += [
        Problem(f"deviceName[{index}].type", "required binding: device-nametype")
        for index, one in enumerate(content.get("deviceName", ()))
        if one.get("type") not in _NAMES
    ]
    if "patient" in content:
        found += reference_problems(content["patient"], "patient", frozenset({"Patient"}))
    return found


def composition(content: Mapping[str, Any]) -> list[Problem]:
    if content.get("status") not in _COMPOSITION_STATUSES:
        return [Problem("status", "required binding: composition-status")]
    return []


def patient(content: Mapping[str, Any]) -> list[Problem]:
    if content.get("gender", "unknown") not in _GENDERS:
        return [Problem("gender", "required binding: administrative-gender")]
    return []
