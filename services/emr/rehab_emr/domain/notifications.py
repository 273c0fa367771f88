"""Notifications for receivers that prefer to pull: Bundles of the Subscriptions R5 Backport for R4.

A receiver finds a gap by the numbers of events, silence by heartbeats, and asks for what it missed
with `$events`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum

from rehab_emr.domain import keys
from rehab_emr.domain.resource import Json, Resource, Status, dumped

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


class Kind(StrEnum):
    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    EVENT = "event-notification"
    QUERY = "query-event"
    """What `$events` answers."""


class Content(StrEnum):
    """How much a notification says of what happened."""

    EMPTY = "empty"
    ID_ONLY = "id-only"
    FULL = "full-resource"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """`url` is the Subscription's own, `topic` the canonical URL of its topic; `status` is that of
    R4, such as "active"; `events` were told since it began, those of this notification included."""

    url: str
    topic: str
    status: str
    events: int
    content: Content


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a subscription: `number` counts from 1; `place` is the resource's URL."""

    number: int
    at: datetime
    place: str
    resource: Resource


def notification(
    kind: Kind, subscribed: Subscribed, happened: Sequence[Happened], number: str
) -> bytes:
    """A Bundle of type history whose first entry is the subscription's status. `number` makes this
    notification's own names, so that one that is sent again is the same.

    Raises ValueError for a handshake or heartbeat with events.
    """
    if happened and kind in (Kind.HANDSHAKE, Kind.HEARTBEAT):
        raise ValueError("notification: only one of events has events")
    entries = [_status(kind, subscribed, happened, number)]
    if subscribed.content is not Content.EMPTY:
        entries += [_entry(one, subscribed.content) for one in happened]
    return dumped(
        {
            "resourceType": "Bundle",
            "meta": {"profile": [f"{_BACKPORT}/backport-subscription-notification-r4"]},
            "type": "history",
            "entry": entries,
        }
    )


def _status(kind: Kind, subscribed: Subscribed, happened: Sequence[Happened], number: str) -> Json:
    told: list[Json] = [
        {"name": "subscription", "valueReference": {"reference": subscribed.url}},
        {"name": "topic", "valueCanonical": subscribed.topic},
        {"name": "status", "valueCode": subscribed.status},
        {"name": "type", "valueCode": kind.value},
        {"name": "events-since-subscription-start", "valueString": str(subscribed.events)},
    ]
    told += [_event(one, subscribed.content) for one in happened]
    named = keys.opaque("notification", subscribed.url, number).id
    return {
        "fullUrl": f"urn:uuid:{named}",
        "resource": {
            "resourceType": "Parameters",
            "meta": {"profile": [f"{_BACKPORT}/backport-subscription-status-r4"]},
            "parameter": told,
        },
        "request": {"method": "GET", "url": f"{subscribed.url}/$status"},
        "response": {"status": "200"},
    }


def _event(one: Happened, content: Content) -> Json:
    parts: list[Json] = [
        {"name": "event-number", "valueString": str(one.number)},
        {
            "name": "timestamp",
            "valueInstant": one.at.astimezone(UTC)
            .isoformat(timespec="milliseconds")
            .replace("+00:00", "Z"),
        },
    ]
    if content is not Content.EMPTY:
        parts.append({"name": "focus", "valueReference": {"reference": one.place}})
    return {"name": "notification-event", "part": parts}


def _entry(one: Happened, content: Content) -> Json:
    created = one.resource.status is Status.FINAL
    made: Json = {"fullUrl": one.place}
    if content is Content.FULL:
        made["resource"] = dict(one.resource.content)
    url = one.resource.type if created else one.place
    made["request"] = {"method": "POST" if created else "PUT", "url": url}
    made["response"] = {"status": "201" if created else "200"}
    return made
