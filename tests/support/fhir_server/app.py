"""The server's HTTP."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.support.fhir_server.bundles import TYPES, Bundles, Refused, outcome
from tests.support.fhir_server.faults import Chance, Faults
from tests.support.fhir_server.smart import Doorkeeper
from tests.support.fhir_server.store import Store, Write

FHIR = "application/fhir+json"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


Work = Callable[[], Awaitable[dict[str, Any]]]


class Cut(Exception):
    """The connection ends without an answer."""


class Replaced(Exception):
    """A proxy answers in its place."""


class App:
    def __init__(self, folder: Path, doorkeeper: Doorkeeper, store: Store, base: str) -> None:
        self._path = folder / "faults.json"
        self._doorkeeper = doorkeeper
        self._store = store
        self._base = base
        self._take(Faults.load(self._path))

    def _take(self, faults: Faults) -> None:
        self._faults = faults
        self._chance = Chance(faults.seed)
        self._bundles = Bundles(self._store, faults, self._chance)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        assert scope["type"] == "http"
        request = Request(scope, receive)
        try:
            response = await self._answered(request)
        except Replaced:
            response = Response("<html>please log in</html>", media_type="text/html")
        await response(scope, receive, send)

    async def _answered(self, request: Request) -> Response:
        path = request.url.path
        if path.startswith("/_"):
            return await self._told(request, path)
        if path == "/fhir/.well-known/smart-configuration":
            return JSONResponse({"token_endpoint": f"{self._base}/token"})
        if path == "/fhir/token":
            return await self._token(request)
        if not self._doorkeeper.lets_in(request.headers.get("authorization", "")):
            self._store.count("refused", 401)
            return _fhir(outcome("login", "who are you"), 401)
        return await self._let_in(request, path)

    async def _let_in(self, request: Request, path: str) -> Response:
        match request.method, path:
            case "GET", "/fhir/metadata":
                return _fhir(self._capabilities())
            case "POST", "/fhir" | "/fhir/":
                content = await request.json()
                return await self._disturbed("bundle", lambda: self._bundle(content))
            case "POST", "/fhir/Patient/_search":
                return self._patients(await _form(request))
            case "POST", "/fhir/Patient/$match":
                return self._matched(await request.json())
        return await self._rest(request, path.removeprefix("/fhir/"))

    async def _rest(self, request: Request, url: str) -> Response:
        """One interaction by itself."""
        kind = f"{request.method} {url.partition('/')[0]}"
        if request.method == "POST" and url.endswith("/_search"):
            search, type_ = urlencode(await _form(request)), url.removesuffix("/_search")
            asked = {"method": "GET", "url": unquote(f"{type_}?{search}")}
            return await self._disturbed(
                f"search {type_}", lambda: self._bundles.one({"request": asked})
            )
        search = f"?{request.url.query}" if request.url.query else ""
        conditions = {"ifNoneExist": "if-none-exist", "ifMatch": "if-match"}
        asked = {
            "method": request.method,
            "url": unquote(f"{url}{search}"),
            **{name: request.headers.get(header, "") for name, header in conditions.items()},
        }
        told = {"request": asked}
        if request.method != "GET":
            told["resource"] = await request.json()
        return await self._disturbed(kind, lambda: self._bundles.one(told))

    async def _bundle(self, content: dict[str, Any]) -> dict[str, Any]:
        return {"resource": await self._bundles.run(content)}

    async def _token(self, request: Request) -> Response:
        form, own_url = await _form(request), f"{self._base}/token"
        status, told = await self._doorkeeper.token(form, own_url)
        self._store.count("token", status)
        return JSONResponse(told, status)

    async def _told(self, request: Request, path: str) -> Response:
        """For tests: faults, what is stored, and what was asked."""
        match path:
            case "/_faults":
                self._take(self._faults.changed(await request.json()))
                self._faults.save(self._path)
                return JSONResponse({})
            case "/_counts":
                return JSONResponse(self._store.counts())
            case "/_put":
                told = await request.json()
                self._store.write([Write(told["resourceType"], told.get("id", ""), told)])
                return JSONResponse({})
        _, _, type_, *rest = path.split("/")
        return JSONResponse(
            self._store.versions(type_, rest[0]) if rest else self._store.all(type_)
        )

    async def _disturbed(
        self, kind: str, work: Callable[[], Awaitable[dict[str, Any]]]
    ) -> Response:
        """The answer of an entry as HTTP, if nothing goes wrong."""
        faults, chance = self._faults, self._chance
        if chance.happens(faults.busy):
            self._store.count(kind, 429)
            told = {"retry-after": faults.retry_after}
            return _fhir(outcome("throttled", "later"), 429, told)
        if faults.whole or chance.happens(faults.broken):
            status = faults.whole or 500
            self._store.count(kind, status)
            return _fhir(outcome("exception", "something broke"), status)
        before = self._store.written
        try:
            answer = await work()
        except Refused as error:
            self._store.count(kind, error.status)
            return _fhir(error.outcome, error.status)
        response = answer.get("response", {"status": "200"})
        status = int(response["status"][:3])
        self._store.count(kind, status)
        if faults.looks or self._store.written > before:
            await self._lose(faults, chance)
        headers = {name: response[name] for name in ("location", "etag") if name in response}
        return _fhir(answer.get("resource", {}), status, headers)

    async def _lose(self, faults: Faults, chance: Chance) -> None:
        """What is committed may not be told. Raises Cut, Replaced."""
        if chance.happens(faults.hang):
            self._store.count("lost", 0)
            await asyncio.sleep(faults.hang_s)
        if chance.happens(faults.cut):
            self._store.count("lost", 0)
            raise Cut
        if chance.happens(faults.html):
            self._store.count("lost", 0)
            raise Replaced

    def _patients(self, form: dict[str, Any]) -> Response:
        found = self._store.found("Patient", "identifier", str(form.get("identifier", "")))
        entries = [{"resource": (self._store.get("Patient", one) or (0, {}))[1]} for one in found]
        return _fhir({"resourceType": "Bundle", "type": "searchset", "entry": entries})

    def _matched(self, told: dict[str, Any]) -> Response:
        """By family name and day of birth: both for certain, one perhaps."""
        wanted = next(one["resource"] for one in told["parameter"] if one.get("name") == "resource")
        entries = []
        for patient in self._store.all("Patient"):
            same = [
                patient.get("birthDate") == wanted.get("birthDate"),
                [one.get("family") for one in patient.get("name", [])]
                == [one.get("family") for one in wanted.get("name", [])],
            ]
            if any(same):
                grade = {"url": GRADE, "valueCode": "certain" if all(same) else "possible"}
                entries.append({"resource": patient, "search": {"extension": [grade]}})
        return _fhir({"resourceType": "Bundle", "type": "searchset", "entry": entries})

    def _capabilities(self) -> dict[str, Any]:
        path = self._path.with_name("capabilities.json")
        if path.exists():
            return dict(json.loads(path.read_text()))
        lists = self._faults.lists
        codes = ["create", "update", "read", *(one for one in lists if one == "search-type")]
        resource = {
            "interaction": [{"code": code} for code in codes],
            "conditionalCreate": "conditionalCreate" in lists,
            "conditionalUpdate": "conditionalUpdate" in lists,
            "searchParam": [{"name": "identifier", "type": "token"}],
        }
        bundles = [one for one in ("transaction", "batch") if one in lists]
        rest = {
            "mode": "server",
            "resource": [{"type": type_, **resource} for type_ in TYPES],
            "interaction": [{"code": code} for code in bundles],
            "searchParam": [{"name": "_tag", "type": "token"}],
        }
        return {
            "resourceType": "CapabilityStatement",
            "status": "active",
            "fhirVersion": "4.0.1",
            "rest": [rest],
        }


async def _form(request: Request) -> dict[str, str]:
    return dict(parse_qsl((await request.body()).decode()))


def _fhir(
    told: dict[str, Any], status: int = 200, headers: dict[str, str] | None = None
) -> Response:
    return Response(json.dumps(told), status, headers, media_type=FHIR)
