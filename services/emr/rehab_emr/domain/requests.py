"""What is asked of a receiver for each resource, in a Bundle or by itself."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType

from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Dialect, Form, IfNoneExist, Links
from rehab_emr.domain.places import full_url, linked, literals
from rehab_emr.domain.resource import Json, Resource, Status


@dataclass(frozen=True, slots=True)
class Manner:
    """What a receiver does on a condition (R4, 3.1.0.4.3 and 3.1.0.8.1). For what it does not do
    so, it is asked first what it has."""

    conditional_create: bool = True
    conditional_update: bool = True

    def looks_first(self, status: Status) -> bool:
        if self.conditional_update:
            # it creates what it does not find, too
            return False
        return status is not Status.FINAL or not self.conditional_create


@dataclass(frozen=True, slots=True)
class There:
    """What the receiver has of a resource: its own reference, and the version, empty where it gives
    none."""

    reference: str
    version: str = ""


@dataclass(frozen=True, slots=True)
class Request:
    """One interaction; `url` is relative to the receiver's base."""

    method: str
    url: str
    full_url: str = ""
    resource: Json | None = field(default=None, repr=False)
    if_none_exist: str = ""
    if_match: str = ""

    @property
    def is_blind(self) -> bool:
        """Sent twice, it makes two resources."""
        return self.method == "POST" and not self.if_none_exist

    @property
    def entry(self) -> Json:
        """Of a batch or transaction."""
        asked: Json = {"method": self.method, "url": self.url}
        if self.if_none_exist:
            asked["ifNoneExist"] = self.if_none_exist
        if self.if_match:
            asked["ifMatch"] = self.if_match
        if self.resource is None:
            return {"request": asked}
        return {"fullUrl": self.full_url, "resource": self.resource, "request": asked}


NOTHING: Mapping[ResourceKey, There] = MappingProxyType({})


def requests_of(
    resources: Sequence[Resource],
    links: Links,
    form: Form,
    dialect: Dialect,
    manner: Manner,
    there: Mapping[ResourceKey, There] = NOTHING,
) -> list[Request | None]:
    """One for each resource, in their order; None for what is there as it was first told.

    References go to the receiver's own ids where `there` or `links.known` has them, within a
    transaction or collection to the entry, otherwise to the identifier. Raises ValueError for two
    resources of one key: identities must not overlap.
    """
    require_apart(resources)
    places = literals(links)
    if form is Form.TRANSACTION:
        places |= {one.identifier: full_url(one.key) for one in resources}
    places |= {links.identifier(key): one.reference for key, one in there.items()}
    return [
        _request(one, linked(one.content, places), dialect, manner, there.get(one.key))
        for one in resources
    ]


def require_apart(resources: Sequence[Resource]) -> None:
    if len({one.key for one in resources}) < len(resources):
        raise ValueError("bundle: two resources of one key")


def searches(resources: Iterable[Resource], dialect: Dialect) -> list[Request]:
    return [Request("GET", f"{one.type}?{_condition(one, dialect)}") for one in resources]


def _request(
    one: Resource, content: Json, dialect: Dialect, manner: Manner, there: There | None
) -> Request | None:
    place = full_url(one.key)
    if there is not None:
        if one.status is Status.FINAL:
            return None
        told = {**content, "id": there.reference.rpartition("/")[2]}
        match = f'W/"{there.version}"' if there.version else ""
        return Request("PUT", there.reference, place, told, if_match=match)
    if manner.conditional_update and not (one.status is Status.FINAL and manner.conditional_create):
        return Request("PUT", f"{one.type}?{_condition(one, dialect)}", place, content)
    search = _if_none_exist(one, dialect) if manner.conditional_create else ""
    return Request("POST", one.type, place, content, if_none_exist=search)


def _condition(one: Resource, dialect: Dialect) -> str:
    return one.condition.replace("|", "%7C") if dialect.encode_separator else one.condition


def _if_none_exist(one: Resource, dialect: Dialect) -> str:
    search = _condition(one, dialect)
    match dialect.if_none_exist:
        case IfNoneExist.QUESTION_MARK:
            return f"?{search}"
        case IfNoneExist.TYPED:
            return f"{one.type}?{search}"
    return search
