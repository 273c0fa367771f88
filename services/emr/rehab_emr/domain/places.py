"""Where resources of ours are: in a Bundle, or at a receiver."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rehab_emr.domain import keys
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Identifier, Links
from rehab_emr.domain.resource import Json

_LINKING = ("device", "hasMember", "derivedFrom", "target")
"""The elements in which resources of ours refer to each other."""


def full_url(key: ResourceKey) -> str:
    return f"urn:uuid:{keys.opaque('entry', key.kind, key.id).id}"


def literals(links: Links) -> dict[Identifier, str]:
    """Where the receiver is known to have resources of ours."""
    return {links.identifier(key): place for key, place in links.known.items()}


def linked(content: Mapping[str, Any], places: Mapping[Identifier, str]) -> Json:
    """The content with references made literal where a place is known."""
    made = dict(content)
    for name in _LINKING:
        if name in made:
            told = made[name]
            if isinstance(told, list):
                made[name] = [_literal(one, places) for one in told]
            else:
                made[name] = _literal(told, places)
    return made


def _literal(told: Json, places: Mapping[Identifier, str]) -> Json:
    named = told.get("identifier")
    if named is None:
        return told
    place = places.get(Identifier(named["system"], named["value"]))
    return told if place is None else {"reference": place, **told}
