"""Whether a resource is valid, by its model and by what the model does not check."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType
from typing import Any

from fhir.resources.R4B.bundle import Bundle
from fhir.resources.R4B.codesystem import CodeSystem
from fhir.resources.R4B.composition import Composition
from fhir.resources.R4B.device import Device
from fhir.resources.R4B.observation import Observation
from fhir.resources.R4B.parameters import Parameters
from fhir.resources.R4B.patient import Patient
from fhir.resources.R4B.provenance import Provenance
from pydantic import BaseModel, ValidationError

from rehab_emr.domain import bundle_rules, observation_rules, provenance_rules, structure_rules
from rehab_emr.domain.problems import Problem
from rehab_emr.domain.shapes import Shapes, shape_of

_MODELS: Mapping[str, type[BaseModel]] = MappingProxyType(
    {
        "Bundle": Bundle,
        "CodeSystem": CodeSystem,
        "Composition": Composition,
        "Device": Device,
        "Observation": Observation,
        "Parameters": Parameters,
        "Patient": Patient,
        "Provenance": Provenance,
    }
)
"""What is sent. R4B has the elements of R4 for these types; others differ, so none else passes."""

_SHAPES = Shapes()


def problems(content: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Everything wrong with a resource of a type that is sent here, nothing when it is valid.

    `fhir.resources` checks names, shapes and types; the rest is ours: required bindings, UCUM,
    types of references, the invariants of Observation, Bundle and Period, vital-signs profiles. A
    Bundle is checked with all that is in it. The model is not asked again of a shape that was right
    (`shapes`).
    """
    type_ = content.get("resourceType")
    model = _MODELS.get(type_) if isinstance(type_, str) else None
    if model is None:
        return (Problem("resourceType", "is none of those that are sent"),)
    shape = shape_of(content) if type_ != "Bundle" else ()
    found = [] if shape in _SHAPES else _of_model(model, content)
    if not found:
        found = [*structure_rules.problems(content), *_of_type(type_, content)]
        if shape and not found:
            _SHAPES.add(shape)
        if type_ == "Bundle":
            for index, entry in enumerate(content.get("entry", ())):
                inner = entry.get("resource")
                if inner is not None:
                    found += _within(f"entry[{index}].resource", inner)
    return tuple(found)


def _within(path: str, inner: Mapping[str, Any]) -> list[Problem]:
    """The Bundle's model and the rules of structure have seen it already."""
    type_ = inner.get("resourceType")
    if type_ not in _MODELS:
        return [Problem(f"{path}.resourceType", "is none of those that are sent")]
    return [Problem(f"{path}.{one.path}", one.rule) for one in _of_type(type_, inner)]


def _of_model(model: type[BaseModel], content: Mapping[str, Any]) -> list[Problem]:
    try:
        model.model_validate(content)
    except ValidationError as error:
        return [
            Problem(".".join(map(str, one["loc"])), f"model: {one['type']}")
            for one in error.errors(include_input=False, include_url=False, include_context=False)
        ]
    return []


def _of_type(type_: Any, content: Mapping[str, Any]) -> list[Problem]:
    rules = _RULES.get(type_)
    return rules(content) if rules else []


_RULES: Mapping[str, Callable[[Mapping[str, Any]], list[Problem]]] = MappingProxyType(
    {
        "Bundle": bundle_rules.problems,
        "Composition": provenance_rules.composition,
        "Device": provenance_rules.device,
        "Observation": observation_rules.problems,
        "Patient": provenance_rules.patient,
        "Provenance": provenance_rules.provenance,
    }
)
