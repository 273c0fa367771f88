"""Several resources in one request."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from rehab_emr.domain.links import Dialect, Form, Links
from rehab_emr.domain.places import full_url, linked, literals
from rehab_emr.domain.requests import Manner, Request, requests_of, require_apart
from rehab_emr.domain.resource import Json, Resource, dumped

PLAIN = Dialect()
CONDITIONAL = Manner()


def bundle(
    resources: Sequence[Resource],
    links: Links,
    form: Form,
    dialect: Dialect = PLAIN,
    manner: Manner = CONDITIONAL,
) -> bytes:
    """A Bundle with one entry a resource, in their order: entry n of the answer is of resource n.

    What is final is created unless it is there (`ifNoneExist`); what is amended or entered in error
    is updated by a conditional PUT; `manner` tells what the receiver does instead. References go to
    the receiver's own ids where `links.known` has them, within a transaction or collection to the
    entry, otherwise to the identifier.

    Raises ValueError for two resources of one key: identities must not overlap.
    """
    return dumped(bundled(resources, links, form, dialect, manner))


def bundled(
    resources: Sequence[Resource],
    links: Links,
    form: Form,
    dialect: Dialect = PLAIN,
    manner: Manner = CONDITIONAL,
) -> Json:
    """The same before it is text."""
    if form is Form.COLLECTION:
        return _collection(resources, links)
    asked = requests_of(resources, links, form, dialect, manner)
    return bundle_of([one for one in asked if one is not None], form)


def bundle_of(requests: Iterable[Request], form: Form) -> Json:
    """With an entry a request, in their order."""
    kind = Form.BATCH if form is Form.SINGLY else form
    made: Json = {"resourceType": "Bundle", "type": kind.value}
    if entries := [one.entry for one in requests]:
        made["entry"] = entries
    return made


def _collection(resources: Sequence[Resource], links: Links) -> Json:
    require_apart(resources)
    places = literals(links) | {one.identifier: full_url(one.key) for one in resources}
    made: Json = {"resourceType": "Bundle", "type": Form.COLLECTION.value}
    if resources:
        made["entry"] = [
            {"fullUrl": full_url(one.key), "resource": linked(one.content, places)}
            for one in resources
        ]
    return made
