"""Searches of systems that pull: Observations of one patient of which they were told."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from urllib.parse import urlencode

from rehab_emr.domain.resource import Json
from rehab_emr.domain.subscription import place_of
from rehab_emr.errors import broken_rule
from rehab_emr.pull.answers import number
from rehab_emr.pull.pulling import Pulling, Reason
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.subscriptions import Noted, Subscriptions
from rehab_emr.wanting import patient_system_of

PATIENT = ("patient:identifier", "subject:identifier")
KNOWN = frozenset({*PATIENT, "_lastUpdated", "_count", "_after", "_format"})
COUNT, MOST = 50, 100
_EVER = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Asked:
    """`after` is the number of the event after which it goes on; `patient_id` is empty for whoever
    is not known by that identifier."""

    patient_id: str
    since: datetime
    after: int
    count: int


class Searching:
    """`base` begins the systems of our identifiers; `facade` is the URL that is searched."""

    def __init__(
        self, subscriptions: Subscriptions, pulling: Pulling, base: str, facade: str
    ) -> None:
        self._subscriptions = subscriptions
        self._pulling = pulling
        self._base = base
        self._facade = facade

    async def found(self, endpoint: Endpoint, told: Mapping[str, str], reason: Reason) -> Json:
        """A Bundle of type searchset. What may not be had is not looked for: a page is filled with
        what comes after, so that how much there is tells nothing. Raises InvalidArgument."""
        asked = await self._asked(endpoint, told)
        entries: list[Json] = []
        after, goes_on = asked.after, bool(asked.patient_id)
        while goes_on and len(entries) < asked.count:
            lane = (endpoint.endpoint_id, asked.patient_id)
            most = asked.count - len(entries)
            events = await self._subscriptions.search(lane, asked.since, after, most + 1)
            page = events[:most]
            given = await self._pulling.several(endpoint, page, reason)
            entries += [
                self._entry(one, given[one.number].content) for one in page if one.number in given
            ]
            after = page[-1].number if page else after
            goes_on = len(events) > most
        made: Json = {"resourceType": "Bundle", "type": "searchset"}
        made["link"] = [{"relation": "self", "url": self._url(told)}]
        if goes_on:
            # by the number of an event: whose it is need not stand in a URL again
            following = {"_after": str(after), "_count": str(asked.count)}
            if "_lastUpdated" in told:
                following["_lastUpdated"] = told["_lastUpdated"]
            made["link"].append({"relation": "next", "url": self._url(following)})
        return made | ({"entry": entries} if entries else {})

    async def _asked(self, endpoint: Endpoint, told: Mapping[str, str]) -> Asked:
        for name in told:
            if name not in KNOWN:
                raise broken_rule(name, "known", "is no parameter that is understood here")
        count = max(1, min(MOST, number(told, "_count", COUNT)))
        since = _since(told.get("_lastUpdated", ""))
        after = number(told, "_after", 0)
        identifiers = [told[name] for name in PATIENT if name in told]
        if after and not identifiers:
            before = await self._subscriptions.events(endpoint.endpoint_id, after, after, 1)
            patient_id = before[0].patient_id if before else None
            return Asked(patient_id or "", since, after, count)
        if len(identifiers) != 1:
            raise broken_rule(PATIENT[0], "required", "must be given, once: system|value")
        system, bar, value = identifiers[0].partition("|")
        if not bar or not value:
            raise broken_rule(PATIENT[0], "token", "must be system|value")
        known = system == patient_system_of(endpoint, self._base) and "\0" not in value
        return Asked(value if known else "", since, after, count)

    def _entry(self, event: Noted, content: Mapping[str, object]) -> Json:
        assert event.key is not None
        url = f"{self._facade}/{place_of(event.key)}"
        return {"fullUrl": url, "resource": dict(content), "search": {"mode": "match"}}

    def _url(self, told: Mapping[str, str]) -> str:
        return f"{self._facade}/Observation?{urlencode(told)}"


def _since(told: str) -> datetime:
    """Of "ge" or "gt" with a date or an instant; a date begins in UTC."""
    if not told:
        return _EVER
    try:
        at = datetime.fromisoformat(told[2:])
    except ValueError:
        at = None
    if at is None or told[:2] not in ("ge", "gt") or not 1970 <= at.year <= 9000:
        raise broken_rule("_lastUpdated", "instant", "must be ge or gt and a date or an instant")
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    # times of events have milliseconds
    return at + timedelta(milliseconds=1) if told[:2] == "gt" else at
