"""A FHIR server as the sender speaks to it: Bundles, patients, its capabilities."""

from __future__ import annotations

import asyncio
import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehab_emr.domain.verdicts import Answer
from rehab_emr.net.auth import Auth, NotLetIn
from rehab_emr.net.client import Client

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}")


class NoAnswer(Exception):
    """The receiver could not be asked; a code says why. `later` when it may answer in a while."""

    def __init__(self, code: str, *, later: bool = True) -> None:
        super().__init__(code)
        self.code = code
        self.later = later


@dataclass(frozen=True, slots=True)
class Person:
    """Passed on to $match, and not kept."""

    family: str = ""
    given: Sequence[str] = ()
    birth_date: str = ""
    gender: str = ""


class Receiver:
    """Close it when it is not needed any more. `slots` bounds the requests under way at once."""

    def __init__(self, base_url: str, client: Client, auth: Auth, concurrency: int) -> None:
        self._base_url = base_url.rstrip("/")
        self._client = client
        self._auth = auth
        self.slots = asyncio.Semaphore(concurrency)

    async def close(self) -> None:
        await self._auth.close()
        await self._client.close()

    async def send(self, bundle: bytes) -> Answer:
        """Never raises for what the other side does."""
        return await self._call("POST", "", content=bundle)

    async def ask(
        self, method: str, path: str, content: bytes | None, headers: Mapping[str, str]
    ) -> Answer:
        """One interaction. Never raises for what the other side does."""
        return await self._call(method, path, content=content, more=headers)

    async def search(self, type_: str, form: Mapping[str, str]) -> Answer:
        """What it does not understand it is to refuse, not to leave out. Never raises for what the
        other side does."""
        strict = {"prefer": "handling=strict"}
        return await self._call("POST", f"/{type_}/_search", form=form, more=strict)

    async def capabilities(self) -> Mapping[str, Any]:
        """Raises NoAnswer."""
        answer = await self._call("GET", "/metadata")
        if answer.status != 200 or answer.body is None:
            raise _no(answer)
        return answer.body

    async def found_by(self, system: str, value: str) -> Sequence[str]:
        """References of the patients who have the identifier. By POST: in a URL it would be in
        everybody's logs. Raises NoAnswer."""
        form = {"identifier": f"{system}|{value}", "_count": "2"}
        answer = await self._call("POST", "/Patient/_search", form=form)
        if answer.status != 200 or answer.body is None:
            raise _no(answer)
        return [patient for one in _entries(answer) if (patient := _patient(one))]

    async def matched(self, person: Person) -> str:
        """The reference of the only patient whom the receiver is certain of; empty for none. Raises
        NoAnswer."""
        name = {"family": person.family, "given": list(person.given)}
        patient: dict[str, Any] = {
            "resourceType": "Patient",
            "name": [{key: told for key, told in name.items() if told}],
            "birthDate": person.birth_date,
            "gender": person.gender,
        }
        parameters = {
            "resourceType": "Parameters",
            "parameter": [
                {"name": "resource", "resource": {key: one for key, one in patient.items() if one}},
                {"name": "onlyCertainMatches", "valueBoolean": True},
            ],
        }
        content = json.dumps(parameters).encode()
        answer = await self._call("POST", "/Patient/$match", content=content)
        if answer.status != 200 or answer.body is None:
            raise _no(answer)
        certain = [one for one in _entries(answer) if _is_certain(one)]
        return _patient(certain[0]) if len(certain) == 1 else ""

    async def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> Answer:
        """With `more` headers; with a new token once, when the one there was is not taken."""
        for last in (False, True):
            try:
                headers = await self._auth.headers()
            except NotLetIn as error:
                # 401 has no token as its cause here, and makes a person look
                return Answer(0, fault=error.code) if error.later else Answer(401)
            told = {**headers, **(more or {})}
            answer = await self._client.call(
                method, f"{self._base_url}{path}", content=content, form=form, headers=told
            )
            if answer.status != 401 or last or not self._auth.drop(headers):
                break
        return answer


def _entries(answer: Answer) -> Sequence[Mapping[str, Any]]:
    return _list(answer.body or {}, "entry")


def _patient(entry: Mapping[str, Any]) -> str:
    """The reference of the Patient that an entry holds; empty for anything else."""
    found = entry.get("resource")
    if not isinstance(found, Mapping) or found.get("resourceType") != "Patient":
        return ""
    return f"Patient/{found['id']}" if _ID.fullmatch(str(found.get("id", ""))) else ""


def _is_certain(entry: Mapping[str, Any]) -> bool:
    """By the grade that the standard's extension gives a match, and nothing else."""
    search = entry.get("search")
    grades = [
        one.get("valueCode")
        for one in _list(search if isinstance(search, Mapping) else {}, "extension")
        if str(one.get("url", "")).endswith("/StructureDefinition/match-grade")
    ]
    return bool(_patient(entry)) and grades == ["certain"]


def _list(of: Mapping[str, Any], name: str) -> Sequence[Mapping[str, Any]]:
    found = of.get(name)
    return [one for one in found if isinstance(one, Mapping)] if isinstance(found, list) else []


def _no(answer: Answer) -> NoAnswer:
    later = answer.status in (0, 429) or answer.status >= 500
    return NoAnswer(answer.fault or f"http_{answer.status}", later=later)
