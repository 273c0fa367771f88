"""What a receiver's CapabilityStatement promises, and what we cannot do without."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from rehab_emr.domain.requests import Manner

NAMED_BY = {"Observation": "identifier", "Device": "identifier", "Provenance": "_tag"}
"""The search parameter that finds a resource of ours by its name: R4 gives Provenance none."""
_LOOKS_FIRST = (
    "it lists no {}: each resource is looked for by its identifier before it is {}, which takes a "
    "request more and holds only where its search finds what it has just stored (EMR_SEARCH_LAG_MS)"
)


CONDITIONAL = Manner()


@dataclass(frozen=True, slots=True)
class Findings:
    """`missing` refuses the endpoint; `warnings` can be done without. Both are for people."""

    missing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    transactions: bool = True
    batches: bool = True
    provenance: bool = True
    devices: bool = True
    manner: Manner = CONDITIONAL


@dataclass(frozen=True, slots=True)
class _Type:
    """What is listed for a type of resources."""

    create: bool
    update: bool
    search: bool
    manner: Manner


def is_statement(told: Any) -> bool:
    return isinstance(told, Mapping) and told.get("resourceType") == "CapabilityStatement"


def examined(statement: Any) -> Findings:
    """Of GET [base]/metadata."""
    if not isinstance(statement, Mapping):
        return Findings(("it gives no CapabilityStatement at /metadata: is this its FHIR base?",))
    if not is_statement(statement):
        return Findings(("what it gives at /metadata is no CapabilityStatement",))
    version = str(statement.get("fhirVersion", ""))
    missing = []
    if not version.startswith("4.0"):
        missing.append(f"it speaks FHIR {version[:12] or 'of no version'}; R4 (4.0.x) is needed")
    rest = next((one for one in _list(statement, "rest") if one.get("mode") == "server"), {})
    types = {name: _listed(rest, name) for name in NAMED_BY}
    seen = types["Observation"]
    manner = seen.manner if seen else CONDITIONAL
    missing += _lacking("Observation", seen, manner)
    system = _codes(rest)
    extra = {name: not list(_lacking(name, types[name], manner)) for name in NAMED_BY}
    return Findings(
        missing=tuple(missing),
        warnings=() if missing else (*_of_manner(manner), *_of_system(system), *_left_out(extra)),
        transactions="transaction" in system,
        batches="batch" in system,
        provenance=extra["Provenance"],
        devices=extra["Device"],
        manner=manner,
    )


def _listed(rest: Mapping[str, Any], name: str) -> _Type | None:
    found = next((one for one in _list(rest, "resource") if one.get("type") == name), None)
    if found is None:
        return None
    codes = _codes(found)
    # what is listed for the whole server holds for every type
    parameters = {str(one.get("name")) for of in (rest, found) for one in _list(of, "searchParam")}
    return _Type(
        create="create" in codes,
        update="update" in codes,
        search="search-type" in codes and NAMED_BY[name] in parameters,
        manner=Manner(
            conditional_create=found.get("conditionalCreate") is True,
            conditional_update=found.get("conditionalUpdate") is True,
        ),
    )


def _lacking(name: str, found: _Type | None, manner: Manner) -> Iterable[str]:
    """What it would take to send resources of this type in that manner."""
    if found is None:
        yield f"it does not take resources of type {name}"
        return
    if not found.create:
        yield f"it does not list create for {name}"
    by = NAMED_BY[name]
    if not _creates(found, manner):
        yield (
            f"it does not list conditionalCreate for {name}, nor a search by {by}: a lost answer "
            "could make a duplicate"
        )
    # a Provenance is never changed: other content is another one
    if name != "Provenance" and not _updates(found, manner):
        yield (
            f"it does not list conditionalUpdate for {name}, nor update and a search by {by}: "
            "corrections could not be sent"
        )


def _creates(found: _Type, manner: Manner) -> bool:
    if manner.conditional_create:
        return found.manner.conditional_create
    return found.manner.conditional_update if manner.conditional_update else found.search


def _updates(found: _Type, manner: Manner) -> bool:
    if manner.conditional_update:
        return found.manner.conditional_update
    return found.search and found.update


def _of_manner(manner: Manner) -> Iterable[str]:
    if manner.conditional_update:
        if not manner.conditional_create:
            yield "it lists no conditionalCreate: what is new is sent as a conditional update"
    elif manner.conditional_create:
        yield _LOOKS_FIRST.format("conditionalUpdate", "changed")
    else:
        yield _LOOKS_FIRST.format("conditionalCreate and conditionalUpdate", "sent")


def _of_system(system: set[str]) -> Iterable[str]:
    if not system & {"transaction", "batch"}:
        yield "it takes neither transactions nor batches: each resource has a request of its own"
    elif "transaction" not in system:
        yield "it takes no transactions: each resource is sent for itself, in batches"


def _left_out(extra: Mapping[str, bool]) -> Iterable[str]:
    for name in ("Provenance", "Device"):
        if not extra[name]:
            yield f"it does not take {name}: Observations are sent without"


def _codes(of: Mapping[str, Any]) -> set[str]:
    return {str(one.get("code")) for one in _list(of, "interaction")}


def _list(of: Mapping[str, Any], name: str) -> list[Mapping[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
