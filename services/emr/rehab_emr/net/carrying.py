"""Carries requests to a receiver, in the way it takes: in Bundles, or each by itself."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Any
from urllib.parse import unquote

from rehab_emr import metrics
from rehab_emr.domain.bundles import bundle_of
from rehab_emr.domain.links import Form
from rehab_emr.domain.requests import Request
from rehab_emr.domain.resource import dumped
from rehab_emr.domain.verdicts import Answer
from rehab_emr.net.receiver import Receiver

Hold = Callable[[], Awaitable[None]]
OF_THE_RESOURCE = frozenset({200, 201, 400, 409, 410, 412, 422})
"""Statuses that say something of the resource; others are of the receiver."""
NOT_ASKED = "424"
"""Failed dependency (RFC 4918, 11.4): one before it failed."""


async def carried(
    receiver: Receiver, requests: Sequence[Request], form: Form, hold: Hold | None = None
) -> Answer:
    """As a Bundle is answered, however they went. `hold` is asked between two requests, and raises
    when there is to be no other one."""
    if form is Form.SINGLY:
        return await _singly(receiver, requests, hold)
    return _counted(await receiver.send(dumped(bundle_of(requests, form))))


async def _singly(receiver: Receiver, requests: Sequence[Request], hold: Hold | None) -> Answer:
    """In their order, as far as it goes."""
    entries: list[Mapping[str, Any]] = []
    for one in requests:
        if entries and hold is not None:
            await hold()
        answer = _counted(await _alone(receiver, one))
        by_id = one.method != "POST" and "?" not in one.url
        if answer.status not in OF_THE_RESOURCE and not (by_id and answer.status == 404):
            return answer
        if answer.status in (200, 201) and not _is_fhir(answer):
            return Answer(answer.status, answer.headers)
        entries.append(_entry(answer))
        if answer.status not in (200, 201) and one.method != "GET":
            break
    left = len(requests) - len(entries)
    entries += [{"response": {"status": NOT_ASKED}}] * left
    return Answer(200, {}, {"resourceType": "Bundle", "entry": entries})


async def _alone(receiver: Receiver, one: Request) -> Answer:
    if one.method == "GET" and "?" in one.url:
        type_, _, search = one.url.partition("?")
        name, _, value = unquote(search).partition("=")
        return await receiver.search(type_, {name: value})
    conditions = {"if-none-exist": one.if_none_exist, "if-match": one.if_match}
    headers = {name: told for name, told in conditions.items() if told}
    content = dumped(one.resource) if one.resource is not None else None
    return await receiver.ask(one.method, f"/{one.url}", content, headers)


def _is_fhir(answer: Answer) -> bool:
    """And no page of a proxy. A write may be answered without a body."""
    return answer.body is not None or "location" in answer.headers or "etag" in answer.headers


def _entry(answer: Answer) -> Mapping[str, Any]:
    body = answer.body or {}
    told = {name: answer.headers[name] for name in ("location", "etag") if name in answer.headers}
    response: dict[str, Any] = {"status": str(answer.status), **told}
    if body.get("resourceType") == "OperationOutcome":
        return {"response": response | {"outcome": body}}
    return {"response": response, "resource": body}


def _counted(answer: Answer) -> Answer:
    metrics.requests.labels(answer.fault or f"http_{answer.status}").inc()
    return answer
