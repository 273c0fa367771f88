"""What a receiver has of a resource, by its answer to a search or a read."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from rehab_emr.domain.requests import There
from rehab_emr.domain.resource import Resource
from rehab_emr.domain.verdicts import Json, Verdict, What, entry_verdict

MORE_THAN_ONE = "duplicate_at_receiver"
GONE = ("404", "410")
_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")
_VERSION = re.compile(r"[A-Za-z0-9.-]{1,64}")


@dataclass(frozen=True, slots=True)
class Looked:
    """`there` None is nothing; a `verdict` says why it cannot be told, and ends the sending of it.
    `ignored`: what came is not what was asked for, the search was no search."""

    there: There | None = None
    verdict: Verdict | None = None
    ignored: bool = False


def looked_for(entry: Any, of: Resource, now: datetime) -> Looked:
    """By the answer's entry to a search for its name."""
    bundle, verdict = _content(entry, now, "Bundle")
    if bundle is None:
        return Looked(verdict=verdict)
    found = [one for one in _resources(bundle) if one.get("resourceType") == of.type]
    named = [one for one in found if _is_named(one, of)]
    if len(named) < len(found):
        return Looked(ignored=True)
    places = {place.reference: place for one in named if (place := _place(one)) is not None}
    if len(places) > 1:
        return Looked(verdict=_ambiguous(sorted(places)))
    if not places and (found or _goes_on(bundle)):
        return Looked(verdict=Verdict(What.RETRY, "search_incomplete"))
    return Looked(there=next(iter(places.values()), None))


def read(entry: Any, of: Resource, now: datetime) -> Looked:
    """By the answer's entry to a read of where it was: another's now, or gone, is nothing."""
    response = entry.get("response") if isinstance(entry, Mapping) else None
    if isinstance(response, Mapping) and str(response.get("status"))[:3] in GONE:
        return Looked()
    content, verdict = _content(entry, now, of.type)
    if content is None:
        return Looked(verdict=verdict)
    return Looked(there=_place(content) if _is_named(content, of) else None)


def _content(entry: Any, now: datetime, type_: str) -> tuple[Json | None, Verdict]:
    """The resource of that type in an entry, or why there is none."""
    verdict = entry_verdict(entry, None, now)
    if verdict.what is not What.ACCEPTED:
        return None, replace(verdict, reason=f"search_{verdict.reason}")
    content = entry.get("resource")
    if not isinstance(content, Mapping) or content.get("resourceType") != type_:
        return None, Verdict(What.RETRY, "search_not_fhir")
    return content, verdict


def _resources(bundle: Json) -> Sequence[Json]:
    """Matches; what a server adds, such as an OperationOutcome, is none."""
    found = []
    for entry in _list(bundle, "entry"):
        search, content = entry.get("search"), entry.get("resource")
        mode = search.get("mode", "match") if isinstance(search, Mapping) else "match"
        if mode == "match" and isinstance(content, Mapping):
            found.append(content)
    return found


def _is_named(content: Json, of: Resource) -> bool:
    name = of.identifier.system, of.identifier.value
    if any((one.get("system"), one.get("value")) == name for one in _list(content, "identifier")):
        return True
    meta = content.get("meta")
    tags = _list(meta, "tag") if isinstance(meta, Mapping) else []
    return any((one.get("system"), one.get("code")) == name for one in tags)


def _place(content: Json) -> There | None:
    if not _ID.fullmatch(str(content.get("id", ""))):
        return None
    meta = content.get("meta")
    version = str(meta.get("versionId", "")) if isinstance(meta, Mapping) else ""
    told = version if _VERSION.fullmatch(version) else ""
    return There(f"{content['resourceType']}/{content['id']}", told)


def _goes_on(bundle: Json) -> bool:
    return any(one.get("relation") == "next" for one in _list(bundle, "link"))


def _ambiguous(places: Sequence[str]) -> Verdict:
    text = f"{len(places)} resources have this identifier: {', '.join(places[:5])}"
    issue = {"severity": "error", "code": "multiple-matches", "diagnostics": text}
    outcome = {"resourceType": "OperationOutcome", "issue": [issue]}
    return Verdict(What.DEAD, MORE_THAN_ONE, outcome=outcome)


def _list(of: Json, name: str) -> Sequence[Json]:
    found = of.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []
