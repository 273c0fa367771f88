"""Several resources in one request."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehab_emr.domain import keys
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Dialect, Form, Identifier, IfNoneExist, Links
from rehab_emr.domain.resource import Json, Resource, Status, dumped

PLAIN = Dialect()
_LINKING = ("device", "hasMember", "derivedFrom", "target")
"""The elements in which resources of ours refer to each other."""


def bundle(
    resources: Sequence[Resource], links: Links, form: Form, dialect: Dialect = PLAIN
) -> bytes:
    """A Bundle with one entry a resource, in their order: entry n of the answer is of resource n.

    What is final is created unless it is there (`ifNoneExist`); what is amended or entered in error
    is updated by a conditional PUT. References go to the receiver's own ids where `links.known` has
    them, within a transaction or collection to the entry, otherwise to the identifier.

    Raises ValueError for two resources of one key: identities must not overlap.
    """
    return dumped(bundled(resources, links, form, dialect))


def bundled(
    resources: Sequence[Resource], links: Links, form: Form, dialect: Dialect = PLAIN
) -> Json:
    """The same before it is text."""
    if len({one.key for one in resources}) < len(resources):
        raise ValueError("bundle: two resources of one key")
    places = literals(links)
    if form is not Form.BATCH:
        places |= {one.identifier: full_url(one.key) for one in resources}
    entries = []
    for one in resources:
        entry: Json = {"fullUrl": full_url(one.key), "resource": linked(one.content, places)}
        if form is not Form.COLLECTION:
            entry["request"] = _request(one, dialect)
        entries.append(entry)
    made: Json = {"resourceType": "Bundle", "type": form.value}
    if entries:
        made["entry"] = entries
    return made


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


def _request(one: Resource, dialect: Dialect) -> Json:
    search = one.condition
    if dialect.encode_separator:
        search = search.replace("|", "%7C")
    if one.status is not Status.FINAL:
        return {"method": "PUT", "url": f"{one.type}?{search}"}
    match dialect.if_none_exist:
        case IfNoneExist.QUESTION_MARK:
            search = f"?{search}"
        case IfNoneExist.TYPED:
            search = f"{one.type}?{search}"
    return {"method": "POST", "url": one.type, "ifNoneExist": search}
