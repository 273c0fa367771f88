"""What a receiver's CapabilityStatement promises, and what we cannot do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Findings:
    """`missing` refuses the endpoint; `warnings` can be done without. Both are for people."""

    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    transactions: bool = True
    provenance: bool = True
    devices: bool = True


def examined(statement: Any, needed: Iterable[str] = ("Observation",)) -> Findings:
    """Of GET [base]/metadata; `needed` are the types of resources that are sent."""
    if not isinstance(statement, Mapping):
        return Findings(("it gives no CapabilityStatement at /metadata: is this its FHIR base?",))
    if statement.get("resourceType") != "CapabilityStatement":
        return Findings(("what it gives at /metadata is no CapabilityStatement",))
    version = str(statement.get("fhirVersion", ""))
    missing = []
    if not version.startswith("4.0"):
        missing.append(f"it speaks FHIR {version[:12] or 'of no version'}; R4 (4.0.x) is needed")
    rest = next((one for one in _list(statement, "rest") if one.get("mode") == "server"), {})
    types = {str(one.get("type")): one for one in _list(rest, "resource")}
    warnings: list[str] = []
    for name in needed:
        missing += _of_type(name, types.get(name))
    system = {str(one.get("code")) for one in _list(rest, "interaction")}
    if not system & {"transaction", "batch"}:
        missing.append("it takes neither transaction nor batch Bundles")
    elif "transaction" not in system:
        warnings.append("it takes no transactions: each resource is sent for itself, in batches")
    extra = {name: not list(_of_type(name, types.get(name))) for name in ("Provenance", "Device")}
    left_out = [name for name, taken in extra.items() if not taken]
    warnings += [f"it does not take {name}: Observations are sent without" for name in left_out]
    transactions = "transaction" in system
    return Findings(tuple(missing), tuple(warnings), transactions, *extra.values())


def _of_type(name: str, found: Mapping[str, Any] | None) -> Iterable[str]:
    if found is None:
        yield f"it does not take resources of type {name}"
        return
    codes = {str(one.get("code")) for one in _list(found, "interaction")}
    if "create" not in codes:
        yield f"it does not list create for {name}"
    if not found.get("conditionalCreate"):
        yield f"it does not list conditionalCreate for {name}: a lost answer could make a duplicate"
    if not found.get("conditionalUpdate"):
        yield f"it does not list conditionalUpdate for {name}: corrections could not be sent"


def _list(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
