"""A FHIR server as the sender speaks to it: Bundles, patients, its capabilities."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from rehab_emr.domain.verdicts import Answer
from rehab_emr.net.auth import Auth, NotLetIn
from rehab_emr.net.client import Client


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
        return [
            f"Patient/{one['resource']['id']}"
            for one in answer.body.get("entry") or []
            if (one.get("resource") or {}).get("resourceType") == "Patient"
        ]

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
        certain = [one for one in answer.body.get("entry") or [] if _is_certain(one)]
        return f"Patient/{certain[0]['resource']['id']}" if len(certain) == 1 else ""

    async def _call(
        self,
        method: str,
        path: str,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
    ) -> Answer:
        """With a new token once, when the one there was is not taken."""
        for last in (False, True):
            try:
                headers = await self._auth.headers()
            except NotLetIn as error:
                # 401 has no token as its cause here, and makes a person look
                return Answer(0, fault=error.code) if error.later else Answer(401)
            answer = await self._client.call(
                method, f"{self._base_url}{path}", content=content, form=form, headers=headers
            )
            if answer.status != 401 or last or not self._auth.drop(headers):
                break
        return answer


def _is_certain(entry: Mapping[str, Any]) -> bool:
    """By the grade that the standard's extension gives a match, and nothing else."""
    resource = entry.get("resource") or {}
    grades = [
        one.get("valueCode")
        for one in (entry.get("search") or {}).get("extension") or []
        if str(one.get("url", "")).endswith("/StructureDefinition/match-grade")
    ]
    return resource.get("resourceType") == "Patient" and grades == ["certain"]


def _no(answer: Answer) -> NoAnswer:
    later = answer.status in (0, 429) or answer.status >= 500
    return NoAnswer(answer.fault or f"http_{answer.status}", later=later)
