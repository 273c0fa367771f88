"""One endpoint's HTTP: certificates always verified, nothing followed, answers bounded, and called
only at addresses that were looked at."""

from __future__ import annotations

import asyncio
import json
import ssl
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import httpx

from rehab_emr.domain.verdicts import Answer
from rehab_emr.net.guard import Guard, Unreachable

FHIR_JSON = "application/fhir+json"
MAX_ANSWER_BYTES = 16 * 1024 * 1024
_JSON = ("application/fhir+json", "application/json", "application/json+fhir")


@dataclass(frozen=True, slots=True)
class Identity:
    """How a connection shows who we are, and whom it believes; empty for neither."""

    authority_pem: str = ""
    certificate_pem: str = ""
    key_pem: str = field(default="", repr=False)


class Client:
    """Calls one host. Close it when it is not needed any more."""

    def __init__(self, guard: Guard, identity: Identity, timeout_s: float) -> None:
        """Raises ValueError for a certificate or key that is none."""
        self._guard = guard
        self._timeout_s = timeout_s
        # settings of the machine's proxies would take the call past the guard
        self._http = httpx.AsyncClient(
            verify=_context(identity),
            timeout=httpx.Timeout(timeout_s),
            follow_redirects=False,
            trust_env=False,
            limits=httpx.Limits(max_connections=64, max_keepalive_connections=8),
        )

    async def close(self) -> None:
        await self._http.aclose()

    async def call(
        self,
        method: str,
        url: str,
        *,
        content: bytes | None = None,
        form: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        accept: str = FHIR_JSON,
    ) -> Answer:
        """Never raises for what the other side does: what went wrong is a code in the answer."""
        try:
            place = await self._guard.place(url)
        except Unreachable as error:
            return Answer(0, fault=error.code)
        try:
            target = httpx.URL(url)
        except httpx.InvalidURL:
            return Answer(0, fault="url_invalid")
        host = target.netloc.decode("ascii")
        told = {"accept": accept, **(headers or {}), "host": host}
        if content is not None:
            told.setdefault("content-type", FHIR_JSON)
        request = self._http.build_request(
            method,
            target.copy_with(host=place.address),
            content=content,
            data=dict(form) if form is not None else None,
            headers=told,
            extensions={"sni_hostname": place.host},
        )
        try:
            # httpx bounds each step; an answer that trickles in would have no end
            async with asyncio.timeout(self._timeout_s):
                response = await self._http.send(request, stream=True)
                try:
                    return await _read(response)
                finally:
                    await response.aclose()
        except (httpx.TimeoutException, TimeoutError):
            return Answer(0, fault="timeout")
        except httpx.ConnectError as error:
            return Answer(0, fault="tls" if _is_tls(error) else "no_connection")
        except (httpx.HTTPError, httpx.StreamError):
            return Answer(0, fault="connection_lost")


async def _read(response: httpx.Response) -> Answer:
    size, pieces = 0, []
    async for piece in response.aiter_bytes():
        size += len(piece)
        if size > MAX_ANSWER_BYTES:
            return Answer(0, fault="answer_too_large")
        pieces.append(piece)
    return Answer(response.status_code, dict(response.headers), _body(response, b"".join(pieces)))


def _body(response: httpx.Response, text: bytes) -> Mapping[str, Any] | None:
    kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
    if kind not in _JSON:
        return None
    try:
        told = json.loads(text)
    except ValueError:
        return None
    return told if isinstance(told, dict) else None


def _context(identity: Identity) -> ssl.SSLContext:
    context = ssl.create_default_context(cadata=identity.authority_pem or None)
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    # Alike on every Python, whose defaults changed with 3.13: who is trusted may be an authority in
    # between, and authorities of hospitals leave out identifiers that RFC 5280 wants.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    context.verify_flags &= ~ssl.VERIFY_X509_STRICT
    if identity.certificate_pem:
        _show(context, identity)
    return context


def _show(context: ssl.SSLContext, identity: Identity) -> None:
    # OpenSSL reads keys from files only: one that nobody else may read, and only for that moment
    with tempfile.TemporaryDirectory() as folder:
        cert, key = Path(folder, "cert.pem"), Path(folder, "key.pem")
        for path, text in ((cert, identity.certificate_pem), (key, identity.key_pem)):
            path.touch(mode=0o600)
            path.write_text(text)
        context.load_cert_chain(cert, key)


def _is_tls(error: httpx.ConnectError) -> bool:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return True
        cause = cause.__cause__ or cause.__context__
    return False
