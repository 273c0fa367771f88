"""Transactions and batches, as the standard has them, conditional by a token."""

from __future__ import annotations

import asyncio
import json
import re
import uuid
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from tests.support.fhir_server.faults import Chance, Faults
from tests.support.fhir_server.store import Store, Write

Json = dict[str, Any]
TYPES = ("Observation", "Device", "Provenance", "Patient")
_REFERENCE = re.compile(r'"(urn:uuid:[0-9a-f-]{36})"')


def outcome(code: str, text: str) -> Json:
    issue = {"severity": "error", "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


class Refused(Exception):
    def __init__(self, status: int, code: str, text: str) -> None:
        super().__init__(text)
        self.status = status
        self.outcome = outcome(code, text)


@dataclass
class Step:
    """What an entry comes to: a write, or a resource that is there."""

    type: str
    url: str
    content: Json
    id: str = ""
    is_there: bool = False
    if_match: str = ""
    answer: Json | None = None
    """Of what is asked, and changes nothing."""


class Bundles:
    def __init__(self, store: Store, faults: Faults, chance: Chance) -> None:
        self._store = store
        self._faults = faults
        self._chance = chance

    async def run(self, bundle: Json) -> Json:
        """Raises Refused for the whole."""
        kind = bundle.get("type")
        if bundle.get("resourceType") != "Bundle" or kind not in ("transaction", "batch"):
            raise Refused(400, "structure", "a Bundle of type transaction or batch is wanted")
        entries = bundle.get("entry") or []
        if self._faults.most_entries and len(entries) > self._faults.most_entries:
            raise Refused(413, "too-costly", "too many entries")
        if self._faults.no_bundles or (kind == "transaction" and self._faults.no_transactions):
            raise Refused(405, "not-supported", "no such Bundles")
        if kind == "transaction" and not self._faults.as_batch:
            answers = await self._transaction(entries)
        else:
            answers = [await self._alone(one) for one in entries]
        return {"resourceType": "Bundle", "type": f"{kind}-response", "entry": answers}

    async def _transaction(self, entries: list[Json]) -> list[Json]:
        steps = [self._step(one) for one in entries]
        urls = [one.url for one in steps if not (one.is_there or one.answer) and one.url]
        if len(set(urls)) < len(urls):
            raise Refused(400, "invalid", "identities overlap")
        await asyncio.sleep(self._faults.slow_s)
        return self._commit(steps)

    async def _alone(self, entry: Json) -> Json:
        if self._chance.happens(self._faults.busy_entries):
            told = {"status": "429", "outcome": outcome("throttled", "later")}
            return {"response": told}
        try:
            return await self.one(entry)
        except Refused as error:
            return {"response": {"status": str(error.status), "outcome": error.outcome}}

    async def one(self, entry: Json) -> Json:
        """Raises Refused."""
        step = self._step(entry)
        await asyncio.sleep(self._faults.slow_s)
        return self._commit([step])[0]

    def _commit(self, steps: list[Step]) -> list[Json]:
        for one in steps:
            self._require_version(one)
        ids = {one.url: one.id or uuid.uuid4().hex for one in steps if one.url}
        places = {url: f"{one.type}/{ids[url]}" for one in steps if (url := one.url)}
        writes = [
            Write(one.type, ids.get(one.url) or one.id, _resolved(one.content, places))
            for one in steps
            if not (one.is_there or one.answer)
        ]
        done = iter(self._store.write(writes))
        return [
            one.answer or self._answer(one, None if one.is_there else next(done)) for one in steps
        ]

    def _require_version(self, step: Step) -> None:
        if not step.if_match:
            return
        known = self._store.get(step.type, step.id)
        if known is None or step.if_match != f'W/"{known[0]}"':
            raise Refused(412, "conflict", "it is another version by now")

    def _answer(self, step: Step, written: tuple[str, int] | None) -> Json:
        if written is None:
            known = self._store.get(step.type, step.id)
            assert known is not None
            id_, version, status = step.id, known[0], "200 OK"
        else:
            id_, version = written
            status = "201 Created" if version == 1 else "200 OK"
        location = f"{step.type}/{id_}/_history/{version}"
        return {"response": {"status": status, "location": location, "etag": f'W/"{version}"'}}

    def _step(self, entry: Json) -> Step:
        """Raises Refused."""
        content, request = entry.get("resource") or {}, entry.get("request") or {}
        type_, url = str(content.get("resourceType")), str(request.get("url", ""))
        if request.get("method") == "GET":
            return Step("", "", {}, answer=self._looked(url))
        step = Step(type_, str(entry.get("fullUrl", "")), content)
        self._require(content, type_)
        method, condition = request.get("method"), ""
        if method == "POST" and url == type_:
            condition = str(request.get("ifNoneExist", ""))
        elif method == "PUT" and url.startswith(f"{type_}?"):
            condition = url.partition("?")[2]
        elif method == "PUT" and url.startswith(f"{type_}/"):
            step.id, step.if_match = url.partition("/")[2], str(request.get("ifMatch", ""))
            if content.get("id") != step.id:
                raise Refused(400, "invalid", "the resource must have the id of the URL")
            return step
        else:
            raise Refused(400, "invalid", f"{method} of {url[:40]} is not known here")
        condition = self._taken(method, condition)
        found = self._matches(type_, condition) if condition else []
        if len(found) > 1:
            raise Refused(412, "multiple-matches", "several match")
        if found:
            step.id, step.is_there = found[0], method == "POST"
        return step

    def _taken(self, method: str, condition: str) -> str:
        """Raises Refused."""
        if not condition or self._faults.conditional == "takes":
            return condition
        if method == "PUT":
            raise Refused(400, "not-supported", "no conditional updates")
        if self._faults.conditional == "refuses":
            raise Refused(412, "not-supported", "no conditional creates")
        return ""

    def _looked(self, url: str) -> Json:
        """Raises Refused."""
        type_, mark, search = url.partition("?")
        if mark:
            return {"response": {"status": "200"}, "resource": self.searched(type_, search)}
        type_, _, id_ = url.partition("/")
        known = self._store.get(type_, id_)
        if known is None:
            raise Refused(404, "not-found", "nothing here")
        told = {"status": "200", "etag": f'W/"{known[0]}"'}
        return {"response": told, "resource": known[1]}

    def searched(self, type_: str, search: str) -> Json:
        if self._faults.searches:
            ids = self._matches(type_, search, self._faults.lag_s)
            found = [(self._store.get(type_, one) or (0, {}))[1] for one in ids]
        else:
            found = self._store.all(type_)
        entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
        return {"resourceType": "Bundle", "type": "searchset", "entry": entries}

    def _matches(self, type_: str, condition: str, lag_s: float = 0.0) -> list[str]:
        told = parse_qsl(condition, keep_blank_values=True)
        # a search by what is no parameter finds nothing: some servers are so, and then store twice
        if len(told) != 1 or told[0][0] not in ("identifier", "_tag"):
            return []
        return self._store.found(type_, *told[0], lag_s)

    def _require(self, content: Json, type_: str) -> None:
        if type_ not in TYPES:
            raise Refused(422, "not-supported", f"no {type_[:40]}")
        if type_ == "Observation" and not (content.get("code") and content.get("status")):
            raise Refused(422, "required", "code and status are required")
        values = {one.get("value") for one in content.get("identifier") or []}
        if values & set(self._faults.refuse):
            raise Refused(422, "business-rule", f"{content.get('code')} is not wanted here")


def _resolved(content: Json, places: dict[str, str]) -> Json:
    text = _REFERENCE.sub(
        lambda found: json.dumps(places.get(found[1], found[1])), json.dumps(content)
    )
    return dict(json.loads(text))
