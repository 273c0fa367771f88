"""Questions and answers over HTTP as FHIR has them: JSON of R4, errors as OperationOutcome."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qsl

from starlette.requests import Request
from starlette.responses import Response

from rehab_emr.domain.notifications import Content
from rehab_emr.domain.resource import dumped
from rehab_emr.domain.subscription import outcome
from rehab_emr.errors import broken_rule
from rehab_emr.net.client import FHIR_JSON

MOST_BODY_BYTES, MOST_PARAMETERS = 8192, 20
_NUMBER = re.compile(r"[0-9]{1,18}")
# a plus in a URL that nobody has escaped is a space
_READS = frozenset(
    {
        "application/fhir+json",
        "application/fhir json",
        "application/json",
        "application/*",
        "*/*",
        "json",
    }
)


class Refused(Exception):
    """`code` is of R4's issue types; what is said names no patient."""

    def __init__(
        self, status: int, code: str, text: str, headers: Mapping[str, str] | None = None
    ) -> None:
        super().__init__(text)
        self.status, self.code, self.text = status, code, text
        self.headers = dict(headers or {})


def answered(
    content: Mapping[str, Any] | bytes, headers: Mapping[str, str] | None = None, status: int = 200
) -> Response:
    """Patients' data: nobody in between keeps it."""
    body = content if isinstance(content, bytes) else dumped(content)
    told = {"content-type": FHIR_JSON, "cache-control": "no-store", **(headers or {})}
    return Response(body, status, told)


def not_there() -> Refused:
    return Refused(404, "not-found", "it is not there")


def refusal(refused: Refused) -> Response:
    return answered(outcome(refused.code, refused.text), refused.headers, refused.status)


def require_readable(request: Request) -> None:
    """Raises Refused for whoever reads no JSON, or another FHIR than R4."""
    asked = request.query_params.get("_format") or request.headers.get("accept") or "*/*"
    for one in asked.split(","):
        kind, *told = (part.strip().lower() for part in one.split(";"))
        versions = [part.partition("=")[2] for part in told if part.startswith("fhirversion=")]
        if kind in _READS and all(version.startswith("4.0") for version in versions):
            return
    raise Refused(406, "not-supported", "there is application/fhir+json of FHIR 4.0, nothing else")


def parameters_of(request: Request, body: bytes) -> dict[str, str]:
    """Of a search, in the URL or in the body of a POST: there no proxy's log has them. Raises
    InvalidArgument for what is told twice, Refused for too many."""
    told = request.query_params.multi_items()
    try:
        told += parse_qsl(body.decode("utf-8", "replace"), max_num_fields=MOST_PARAMETERS)
    except ValueError:
        raise _too_many() from None
    if len(told) > MOST_PARAMETERS:
        raise _too_many()
    for name, times in Counter(name for name, _ in told).items():
        if times > 1:
            raise broken_rule(name, "once", "must be told once")
    return dict(told)


def _too_many() -> Refused:
    return Refused(400, "too-long", "a search has fewer parameters")


async def body_of(request: Request) -> bytes:
    """Raises Refused for what is too long."""
    read = b""
    async for piece in request.stream():
        read += piece
        if len(read) > MOST_BODY_BYTES:
            raise Refused(413, "too-long", "a search is shorter")
    return read


def number(told: Mapping[str, str], name: str, otherwise: int) -> int:
    """Raises InvalidArgument."""
    if name not in told:
        return otherwise
    if not _NUMBER.fullmatch(told[name]):
        raise broken_rule(name, "number", "must be a number")
    return int(told[name])


def content_of(request: Request, otherwise: Content) -> Content:
    told = request.query_params.get("content")
    if told is None:
        return otherwise
    try:
        return Content(told)
    except ValueError:
        names = ", ".join(one.value for one in Content)
        raise broken_rule("content", "code", f"must be one of {names}") from None
