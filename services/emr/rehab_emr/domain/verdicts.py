"""What a receiver's answer means for each resource that was sent. It is judged entry by entry,
always: a transaction may have been run as a batch, and 200 may hold refusals."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from enum import StrEnum
from typing import Any

Json = Mapping[str, Any]
LATER = frozenset({408, 423, 424, 425, 429}) | frozenset(range(500, 600))
"""Statuses of HTTP that say nothing of the resource."""
TOO_LARGE = frozenset({"too-costly", "too-long"})
"""Codes of an OperationOutcome: there was too much at once."""
LONGEST_WAIT_S = 86_400.0
_REFERENCE = re.compile(
    r"(?:^|/)([A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64})(?:/_history/([A-Za-z0-9.-]{1,64}))?$"
)
_ETAG = re.compile(r'^(?:W/)?"([!#-~]{1,64})"$')


class What(StrEnum):
    """What became of one resource."""

    ACCEPTED = "accepted"
    RETRY = "retry"
    DEAD = "dead"


class Whole(StrEnum):
    """What became of a request as a whole, when nothing is known of its entries."""

    RETRY = "retry"
    """The receiver is not well, or its answer was lost: all of it again, later."""
    SPLIT = "split"
    """It refuses all for what may be wrong with one: find out which."""
    SHRINK = "shrink"
    """There is too much in it: less at once, from now on."""
    AS_BATCH = "as_batch"
    """It takes no such Bundles, or none at all: send in a simpler way."""
    PAUSE = "pause"
    """The endpoint is wrong, not the resources: a person must look."""


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` 0 is no answer; `body` is None unless it is JSON of FHIR."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json | None = field(default=None, repr=False)
    fault: str = ""
    """Why there is no answer, as a code."""


@dataclass(frozen=True, slots=True)
class Verdict:
    """`reason` is a code. `outcome` may echo patient data."""

    what: What
    reason: str = ""
    remote: str = ""
    version: str = ""
    outcome: Json | None = field(default=None, repr=False)
    retry_after_s: float | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """Either a verdict on each entry, in their order, or one on the whole."""

    entries: tuple[Verdict, ...] = ()
    whole: Whole | None = None
    reason: str = ""
    outcome: Json | None = field(default=None, repr=False)
    retry_after_s: float | None = None
    quiet_s: float = 0.0
    """So long nothing of the patient is asked or sent again: what became of it may not show yet."""


def judge(answer: Answer, count: int, now: datetime) -> Judgement:
    """Of a Bundle with so many entries."""
    if answer.status == 0:
        return Judgement(whole=Whole.RETRY, reason=answer.fault or "no_answer")
    wait_s = retry_after_s(answer.headers, answer.body, now)
    if not 200 <= answer.status < 300:
        whole = _refused(answer, count)
        return Judgement((), whole, f"http_{answer.status}", answer.body, wait_s)
    body = answer.body
    if body is None or body.get("resourceType") != "Bundle":
        return Judgement(whole=Whole.RETRY, reason="not_fhir", retry_after_s=wait_s)
    entries = body.get("entry") or []
    if not isinstance(entries, list) or len(entries) != count:
        return Judgement(whole=Whole.RETRY, reason="entries_missing", retry_after_s=wait_s)
    return Judgement(
        tuple(entry_verdict(one, wait_s, now) for one in entries), retry_after_s=wait_s
    )


def _refused(answer: Answer, count: int) -> Whole:
    status = answer.status
    if status in (405, 501):
        return Whole.AS_BATCH
    if status == 413 or (status == 504 and count > 1) or _says_too_large(answer):
        return Whole.SHRINK
    if status in LATER:
        return Whole.RETRY
    if status in (400, 409, 412, 422):
        return Whole.SPLIT
    return Whole.PAUSE


def _says_too_large(answer: Answer) -> bool:
    issues = (answer.body or {}).get("issue")
    return answer.status in (400, 403, 422) and any(
        isinstance(one, Mapping) and str(one.get("code")) in TOO_LARGE
        for one in (issues if isinstance(issues, list) else [])
    )


def alone(judgement: Judgement) -> Verdict:
    """Of one resource whose request was refused as a whole."""
    status = int(judgement.reason.removeprefix("http_"))
    what = What.RETRY if status == 409 or status in LATER else What.DEAD
    return Verdict(
        what,
        _reason(status),
        outcome=judgement.outcome,
        retry_after_s=judgement.retry_after_s,
    )


def entry_verdict(entry: Any, whole_wait_s: float | None, now: datetime) -> Verdict:
    """Of one entry of an answer."""
    response = entry.get("response") if isinstance(entry, Mapping) else None
    try:
        status = int(str(response["status"])[:3])  # type: ignore[index]
    except (TypeError, KeyError, ValueError):
        return Verdict(What.RETRY, "entry_without_status")
    assert isinstance(response, Mapping)
    outcome = response.get("outcome")
    if status in (200, 201):
        remote, version = _stored(entry, response)
        return Verdict(What.ACCEPTED, remote=remote, version=version)
    if status in LATER or status == 409:
        wait_s = retry_after_s({}, outcome, now)
        return Verdict(
            What.RETRY, _reason(status), outcome=outcome, retry_after_s=wait_s or whole_wait_s
        )
    return Verdict(What.DEAD, _reason(status), outcome=outcome)


def _reason(status: int) -> str:
    return "duplicate_at_receiver" if status == 412 else f"http_{status}"


def _stored(entry: Json, response: Json) -> tuple[str, str]:
    """The reference at the receiver, and the version."""
    found = _REFERENCE.search(str(response.get("location") or ""))
    remote, version = (found[1], found[2] or "") if found else ("", "")
    resource = entry.get("resource")
    if not remote and isinstance(resource, Mapping) and resource.get("id"):
        told = _REFERENCE.search(f"{resource.get('resourceType')}/{resource['id']}")
        remote = told[1] if told else ""
    tag = _ETAG.match(str(response.get("etag") or ""))
    return remote, tag[1] if tag else version[:64]


def retry_after_s(headers: Mapping[str, str], body: Any, now: datetime) -> float | None:
    """How long the receiver wants to be left alone; None when it does not say. Retry-After has
    seconds or a date (RFC 9110, 10.2.3); Microsoft's server tells milliseconds, Medplum seconds in
    an extension of its OperationOutcome."""
    told = {name.lower(): value for name, value in headers.items()}
    found = [_milliseconds(told.get("x-ms-retry-after-ms", ""))]
    found += [_seconds(told.get("retry-after", ""), now), _extension(body)]
    known = [one for one in found if one is not None]
    return min(max(0.0, *known), LONGEST_WAIT_S) if known else None


def _milliseconds(text: str) -> float | None:
    return int(text) / 1000 if text.isascii() and text.isdigit() else None


def _seconds(text: str, now: datetime) -> float | None:
    if text.isascii() and text.isdigit():
        return float(text)
    try:
        at = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return (at if at.tzinfo else at.replace(tzinfo=UTC)).timestamp() - now.timestamp()


def _extension(body: Any) -> float | None:
    extensions = body.get("extension") if isinstance(body, Mapping) else None
    for one in extensions if isinstance(extensions, list) else []:
        if isinstance(one, Mapping) and str(one.get("url", "")).endswith("/rate-limit-reset"):
            for name in ("valueInteger", "valueUnsignedInt", "valueDecimal"):
                if isinstance(value := one.get(name), int | float):
                    return float(value)
    return None
