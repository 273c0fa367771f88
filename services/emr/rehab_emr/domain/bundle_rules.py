"""Rules of Bundle."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rehab_emr.domain.problems import Problem

_TYPES = frozenset(
    {
        *("document", "message", "transaction", "transaction-response", "batch"),
        *("batch-response", "history", "searchset", "collection"),
    }
)
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "PATCH"})
_REQUESTS = frozenset({"batch", "transaction", "history"})
_RESPONSES = frozenset({"batch-response", "transaction-response", "history"})


def problems(content: Mapping[str, Any]) -> list[Problem]:
    type_ = content.get("type")
    entries: Sequence[Mapping[str, Any]] = content.get("entry", ())
    found: list[Problem] = []
    if type_ not in _TYPES:
        found.append(Problem("type", "required binding: bundle-type"))
    if "total" in content and type_ not in ("searchset", "history"):
        found.append(Problem("total", "bdl-1: only of a search or history"))
    for index, entry in enumerate(entries):
        found += _entry(entry, f"entry[{index}]", str(type_))
    found += _identities(entries, str(type_))
    if type_ == "document":
        found += _document(content, entries)
    return found


def _entry(entry: Mapping[str, Any], path: str, type_: str) -> list[Problem]:
    found: list[Problem] = []
    request = entry.get("request")
    if (request is not None) != (type_ in _REQUESTS):
        found.append(Problem(f"{path}.request", "bdl-3: in batch, transaction, history, only"))
    if ("response" in entry) != (type_ in _RESPONSES):
        found.append(Problem(f"{path}.response", "bdl-4: in responses and history, only"))
    if not any(name in entry for name in ("resource", "request", "response")):
        found.append(Problem(path, "bdl-5: a resource, unless a request or response"))
    if "/_history/" in str(entry.get("fullUrl", "")):
        found.append(Problem(f"{path}.fullUrl", "bdl-8: of no version"))
    if request is not None:
        found += _request(request, f"{path}.request")
    return found


def _request(request: Mapping[str, Any], path: str) -> list[Problem]:
    found: list[Problem] = []
    method = request.get("method")
    if method not in _METHODS:
        found.append(Problem(f"{path}.method", "required binding: http-verb"))
    if "ifNoneExist" in request and method != "POST":
        found.append(Problem(f"{path}.ifNoneExist", "a conditional create is a POST"))
    if method == "POST" and "?" in str(request.get("url", "")):
        found.append(Problem(f"{path}.url", "a create goes to the type"))
    return found


def _identities(entries: Sequence[Mapping[str, Any]], type_: str) -> list[Problem]:
    """bdl-7, and that no two requests are of one identity: receivers make duplicates of those, or
    drop one."""
    found: list[Problem] = []
    seen: set[Any] = set()
    for index, entry in enumerate(entries):
        request = entry.get("request", {})
        search = str(request.get("ifNoneExist") or request.get("url", ""))
        names = {("fullUrl", entry.get("fullUrl"))}
        if type_ in ("batch", "transaction") and "=" in search:
            names.add(("identity", search.rpartition("?")[2]))
        found += [
            Problem(f"entry[{index}].{what}", "bdl-7: once in a Bundle")
            for what, value in sorted(names & seen, key=str)
            if value is not None
        ]
        seen |= names
    return found


def _document(content: Mapping[str, Any], entries: Sequence[Mapping[str, Any]]) -> list[Problem]:
    found: list[Problem] = []
    named = content.get("identifier", {})
    if "system" not in named or "value" not in named:
        found.append(Problem("identifier", "bdl-9: a document has one, with system and value"))
    if "timestamp" not in content:
        found.append(Problem("timestamp", "bdl-10: a document has one"))
    first = entries[0].get("resource", {}) if entries else {}
    if first.get("resourceType") != "Composition":
        found.append(Problem("entry[0].resource", "bdl-11: a document begins with a Composition"))
    return found
