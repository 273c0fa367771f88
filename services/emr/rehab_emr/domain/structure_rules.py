"""Rules of every element, wherever it stands: strings, times, quantities, references."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import date, datetime
from types import MappingProxyType
from typing import Any

from rehab_emr.domain.codes import UCUM
from rehab_emr.domain.problems import Problem
from rehab_emr.domain.units import UNITS

_ID = re.compile(r"[A-Za-z0-9.-]{1,64}\Z")
_CODE = re.compile(r"[^\s]+( [^\s]+)*\Z")
_DATE_TIME = re.compile(
    r"[0-9]{4}(-(0[1-9]|1[0-2])(-(0[1-9]|[12][0-9]|3[01])"
    r"(T([01][0-9]|2[0-3]):[0-5][0-9]:([0-5][0-9]|60)(\.[0-9]+)?"
    r"(Z|[+-]((0[0-9]|1[0-3]):[0-5][0-9]|14:00)))?)?)?\Z"
)
_INSTANT = re.compile(
    r"[0-9]{4}-(0[1-9]|1[0-2])-(0[1-9]|[12][0-9]|3[01])T.*(Z|[+-][0-9]{2}:[0-9]{2})\Z"
)
_REFERENCE = re.compile(
    r"(urn:(uuid|oid):\S+|#\S*|(https?://\S+/)?[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}"
    r"(/_history/[A-Za-z0-9.-]{1,64})?|[A-Z][A-Za-z]+\?\S+)\Z"
)
_SAMPLES = re.compile(r"((-?[0-9]+(\.[0-9]+)?|E|U|L)( |\Z))+\Z")
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f]")
_BLANK = re.compile(r"\s")
_COMPARATORS = frozenset({"<", "<=", ">=", ">"})
_IDENTIFIER_USES = frozenset({"usual", "official", "temp", "secondary", "old"})
_INSTANTS = frozenset({"recorded", "issued", "timestamp", "lastUpdated"})


def problems(content: Mapping[str, Any]) -> list[Problem]:
    found: list[Problem] = []
    _element("", content, found)
    return found


def _element(path: str, told: Mapping[str, Any], found: list[Problem]) -> None:
    """Written for speed, as every element of every resource passes here: a path is only made for
    what has parts, a rule or a problem."""
    if not told:
        found.append(Problem(path, "ele-1: an element has a value or children"))
    before = f"{path}." if path else ""
    for name, value in told.items():
        rule = _NAMED.get(name)
        if rule is not None:
            found += rule(f"{before}{name}", value)
        type_ = type(value)
        if type_ is str:
            if value.isspace() or not value or _CONTROL.search(value):
                found.append(Problem(f"{before}{name}", "string: is not blank, without controls"))
        elif type_ is dict:
            _element(f"{before}{name}", value, found)
        elif type_ is list:
            _list(f"{before}{name}", value, found)
        elif type_ is float and not math.isfinite(value):
            found.append(Problem(f"{before}{name}", "decimal: is finite"))


def _list(path: str, told: list[Any], found: list[Problem]) -> None:
    if not told:
        found.append(Problem(path, "ele-1: a list is not empty"))
    for index, one in enumerate(told):
        if type(one) is dict:
            _element(f"{path}[{index}]", one, found)
        elif isinstance(one, str) and (not one.strip() or _CONTROL.search(one)):
            found.append(Problem(f"{path}[{index}]", "string: is not blank, without controls"))


def _id(path: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and not _ID.match(value):
        yield Problem(path, "id: at most 64 letters, digits, '-' and '.'")


def _code(path: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and not _CODE.match(value):
        yield Problem(path, "code: no outer or double blanks")


def _date_time(path: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, str):
        return
    if not _DATE_TIME.match(value):
        yield Problem(path, "dateTime: a time has seconds and an offset")
    elif len(value) >= 10 and not _is_day(value[:10]):
        yield Problem(path, "dateTime: a day that there is")
    elif path.rpartition(".")[2] in _INSTANTS and not _INSTANT.match(value):
        yield Problem(path, "instant: a date with time and offset")


def _is_day(told: str) -> bool:
    try:
        date.fromisoformat(told)
    except ValueError:
        return False
    return True


def _uri(path: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and _BLANK.search(value):
        yield Problem(path, "uri: no blanks")


def _period(path: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        return
    for name in ("start", "end"):
        yield from _date_time(f"{path}.{name}", value.get(name, "2000"))
    start, end = value.get("start"), value.get("end")
    if start and end and _is_after(start, end):
        yield Problem(path, "per-1: the start is not after the end")


def _is_after(start: str, end: str) -> bool:
    if len(start) > 10 and len(end) > 10:
        try:
            return datetime.fromisoformat(start) > datetime.fromisoformat(end)
        except ValueError:
            return True
    shorter = min(len(start), len(end), 10)
    return start[:shorter] > end[:shorter]


def _quantity(path: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        return
    if "code" in value and "system" not in value:
        yield Problem(path, "qty-3: a code has its system")
    if value.get("system") == UCUM and value.get("code") not in UNITS:
        yield Problem(f"{path}.code", "UCUM: is none of the units that are sent")
    if value.get("comparator", "<") not in _COMPARATORS:
        yield Problem(f"{path}.comparator", "required binding: quantity-comparator")


def _sampled(path: str, value: Any) -> Iterator[Problem]:
    if not isinstance(value, Mapping):
        return
    yield from _quantity(f"{path}.origin", value.get("origin"))
    if not _SAMPLES.match(value.get("data", "")):
        yield Problem(f"{path}.data", "SampledData: decimals, E, U or L between single blanks")
    if "comparator" in value.get("origin", {}):
        yield Problem(f"{path}.origin", "sqty-1: no comparator")


def _identifiers(path: str, value: Any) -> Iterator[Problem]:
    for index, one in enumerate(value if isinstance(value, list) else [value]):
        if one.get("use", "usual") not in _IDENTIFIER_USES:
            yield Problem(f"{path}[{index}].use", "required binding: identifier-use")
        if ":" not in one.get("system", ":"):
            yield Problem(f"{path}[{index}].system", "uri: is absolute")


def _reference(path: str, value: Any) -> Iterator[Problem]:
    if isinstance(value, str) and not _REFERENCE.match(value):
        yield Problem(path, "Reference: literal, absolute, within the Bundle, or conditional")


_NAMED: Mapping[str, Callable[[str, Any], Iterator[Problem]]] = MappingProxyType(
    {
        "id": _id,
        "code": _code,
        "effectiveDateTime": _date_time,
        "occurredDateTime": _date_time,
        "recorded": _date_time,
        "issued": _date_time,
        "timestamp": _date_time,
        "lastUpdated": _date_time,
        "date": _date_time,
        "effectivePeriod": _period,
        "occurredPeriod": _period,
        "period": _period,
        "valuePeriod": _period,
        "valueQuantity": _quantity,
        "valueSampledData": _sampled,
        "identifier": _identifiers,
        "reference": _reference,
        "fullUrl": _uri,
        "url": _uri,
    }
)
"""Rules by the name of the element, which says its type in what is sent here."""
