"""The server's HTTP."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from tests.support.fhir_server.bundles import TYPES, Bundles, Refused, outcome
from tests.support.fhir_server.faults import Chance, Faults
from tests.support.fhir_server.smart import Doorkeeper
from tests.support.fhir_server.store import Store, Write

FHIR = "application/fhir+json"
GRADE = "http://hl7.org/fhir/StructureDefinition/match-grade"


class Cut(Exception):
    """The connection ends without an answer."""


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
        response = await self._answered(request)
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
                return await self._bundle(request)
            case "POST", "/fhir/Patient/_search":
                return self._patients(await _form(request))
            case "POST", "/fhir/Patient/$match":
                return self._matched(await request.json())
        return _fhir(outcome("not-found", "nothing here"), 404)

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

    async def _bundle(self, request: Request) -> Response:
        faults, chance = self._faults, self._chance
        if chance.happens(faults.busy):
            self._store.count("bundle", 429)
            told = {"retry-after": faults.retry_after}
            return _fhir(outcome("throttled", "later"), 429, told)
        if faults.whole or chance.happens(faults.broken):
            status = faults.whole or 500
            self._store.count("bundle", status)
            return _fhir(outcome("exception", "something broke"), status)
        try:
            answer = await self._bundles.run(json.loads(await request.body()))
        except Refused as error:
            self._store.count("bundle", error.status)
            return _fhir(error.outcome, error.status)
        self._store.count("bundle", 200)
        if chance.happens(faults.hang):
            await asyncio.sleep(faults.hang_s)
        if chance.happens(faults.cut):
            raise Cut
        if chance.happens(faults.html):
            return Response("<html>please log in</html>", media_type="text/html")
        return _fhir(answer)

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
        resource = {
            "interaction": [{"code": code} for code in ("create", "update", "read")],
            "conditionalCreate": True,
            "conditionalUpdate": True,
        }
        rest = {
            "mode": "server",
            "resource": [{"type": type_, **resource} for type_ in TYPES],
            "interaction": [{"code": "transaction"}, {"code": "batch"}],
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
