"""Notifications for receivers that prefer to pull: Bundles of the Subscriptions R5 Backport for R4.

A receiver finds a gap by the numbers of events, silence by heartbeats, and asks for what it missed
with `$events`.

Empty and id-only notifications are no disclosures: they name no patient, and their ids are UUIDs
that tell whoever cannot pull the resource neither whose it is nor what it says.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any

from rehab_emr.domain import keys
from rehab_emr.domain.resource import Json, dumped

_BACKPORT = "http://hl7.org/fhir/uv/subscriptions-backport/StructureDefinition"


class Kind(StrEnum):
    HANDSHAKE = "handshake"
    HEARTBEAT = "heartbeat"
    EVENT = "event-notification"
    QUERY = "query-event"
    """What `$events` answers."""
    STATUS = "query-status"
    """What `$status` answers."""


class Content(StrEnum):
    """How much a notification says of what happened."""

    EMPTY = "empty"
    ID_ONLY = "id-only"
    FULL = "full-resource"


@dataclass(frozen=True, slots=True)
class Subscribed:
    """`url` is the Subscription's own, `topic` the canonical URL of its topic; `status` is that of
    R4, such as "active"; `events` happened since it began, those of this notification included."""

    url: str
    topic: str
    status: str
    events: int
    content: Content


@dataclass(frozen=True, slots=True)
class Focus:
    """What an event is about: `place` is the resource's URL; `created` says that this is the first
    event of it. `content` is told in full notifications only; None where it cannot be had."""

    type: str
    place: str
    created: bool
    content: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class Happened:
    """One event of a subscription: `number` counts from 1. Of what was erased since there is no
    focus. `beside` are URLs of what belongs to it, such as its Provenance."""

    number: int
    at: datetime
    focus: Focus | None
    beside: Sequence[str] = ()


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
        focused = [one.focus for one in happened if one.focus is not None]
        entries += [_entry(one, subscribed.content) for one in _last_of_each(focused)]
    return dumped(
        {
            "resourceType": "Bundle",
            "meta": {"profile": [f"{_BACKPORT}/backport-subscription-notification-r4"]},
            "type": "history",
            "entry": entries,
        }
    )


def _status(kind: Kind, subscribed: Subscribed, happened: Sequence[Happened], number: str) -> Json:
    named = keys.opaque("notification", subscribed.url, number).id
    return {
        "fullUrl": f"urn:uuid:{named}",
        "resource": parameters(kind, subscribed, happened),
        "request": {"method": "GET", "url": f"{subscribed.url}/$status"},
        "response": {"status": "200"},
    }


def parameters(kind: Kind, subscribed: Subscribed, happened: Sequence[Happened] = ()) -> Json:
    """How a subscription stands, as R4 tells it."""
    told: list[Json] = [
        {"name": "subscription", "valueReference": {"reference": subscribed.url}},
        {"name": "topic", "valueCanonical": subscribed.topic},
        {"name": "status", "valueCode": subscribed.status},
        {"name": "type", "valueCode": kind.value},
        {"name": "events-since-subscription-start", "valueString": str(subscribed.events)},
    ]
    told += [_event(one, subscribed.content) for one in happened]
    return {
        "resourceType": "Parameters",
        "meta": {"profile": [f"{_BACKPORT}/backport-subscription-status-r4"]},
        "parameter": told,
    }


def _last_of_each(focused: Sequence[Focus]) -> Sequence[Focus]:
    """A history may hold a version of a resource once (bdl-7), and all of one are its newest."""
    return list({one.place: one for one in focused}.values())


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
    if content is not Content.EMPTY and one.focus is not None:
        parts.append({"name": "focus", "valueReference": {"reference": one.focus.place}})
        parts += [
            {"name": "additional-context", "valueReference": {"reference": place}}
            for place in one.beside
        ]
    return {"name": "notification-event", "part": parts}


def _entry(one: Focus, content: Content) -> Json:
    made: Json = {"fullUrl": one.place}
    if content is Content.FULL and one.content is not None:
        made["resource"] = dict(one.content)
    url = one.type if one.created else one.place
    made["request"] = {"method": "POST" if one.created else "PUT", "url": url}
    made["response"] = {"status": "201" if one.created else "200"}
    return made
