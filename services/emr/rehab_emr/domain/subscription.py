"""What a system that pulls reads of its subscription, and of who serves it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from rehab_emr.domain import keys
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.notifications import Kind, Subscribed, parameters
from rehab_emr.domain.places import linked
from rehab_emr.domain.resource import Json, Resource

GUIDE = "http://hl7.org/fhir/uv/subscriptions-backport"
_DEFINITIONS = f"{GUIDE}/StructureDefinition"
_OPERATIONS = f"{GUIDE}/OperationDefinition"
TYPES = ("Device", "Observation", "Provenance")
"""What is pulled."""


@dataclass(frozen=True, slots=True)
class Channel:
    """Where notifications go, and how. `heartbeat_s` 0 is never."""

    endpoint: str
    content: str
    heartbeat_s: int
    most_events: int


def topic_of(base: str) -> str:
    """The canonical URL of the one topic: what patients share became known, or other."""
    return f"{base}/fhir/SubscriptionTopic/shared"


def url_of(facade: str, endpoint_id: str) -> str:
    return f"{facade}/Subscription/{endpoint_id}"


def type_of(kind: str) -> str:
    return {keys.DEVICE: "Device", keys.PROVENANCE: "Provenance"}.get(kind, "Observation")


def place_of(key: ResourceKey) -> str:
    """The reference by which a resource is pulled, below the base."""
    return f"{type_of(key.kind)}/{key.id}"


def subscription(endpoint_id: str, topic: str, status: str, channel: Channel) -> Json:
    """R4's Subscription, as the Backport extends it. What shows the receiver who we are is not in
    it."""
    extensions: list[Json] = [
        {"url": f"{_DEFINITIONS}/backport-max-count", "valuePositiveInt": channel.most_events}
    ]
    if channel.heartbeat_s:
        url = f"{_DEFINITIONS}/backport-heartbeat-period"
        extensions.append({"url": url, "valueUnsignedInt": channel.heartbeat_s})
    content = {"url": f"{_DEFINITIONS}/backport-payload-content", "valueCode": channel.content}
    return {
        "resourceType": "Subscription",
        "id": endpoint_id,
        "meta": {"profile": [f"{_DEFINITIONS}/backport-subscription"]},
        "status": status,
        "reason": "What patients share with this system",
        "criteria": topic,
        "channel": {
            "extension": extensions,
            "type": "rest-hook",
            "endpoint": channel.endpoint,
            "payload": "application/fhir+json",
            "_payload": {"extension": [content]},
        },
    }


def status_bundle(subscribed: Subscribed) -> Json:
    """What `$status` answers."""
    named = keys.opaque("notification", subscribed.url, "status").id
    entry: Json = {
        "fullUrl": f"urn:uuid:{named}",
        "resource": parameters(Kind.STATUS, subscribed),
        "search": {"mode": "match"},
    }
    return {"resourceType": "Bundle", "type": "searchset", "total": 1, "entry": [entry]}


def presented(of: Resource, links: Links, version: str) -> Json:
    """The resource as it is pulled: under its own id, other resources of ours by reference."""
    places = {links.identifier(key): place_of(key) for key in of.references}
    told = linked(of.content, places)
    meta = {**told.pop("meta", {}), "versionId": version}
    return {"resourceType": told.pop("resourceType"), "id": of.key.id, "meta": meta, **told}


def version_of(digest: bytes, *, amended: bool) -> str:
    """Of one content, by its keyed digest: the same again when the content is."""
    return f"{digest.hex()[:24]}{'-a' if amended else ''}"


def outcome(code: str, text: str, severity: str = "error") -> Json:
    """`code` is of R4's issue types."""
    issue = {"severity": severity, "code": code, "diagnostics": text}
    return {"resourceType": "OperationOutcome", "issue": [issue]}


def capabilities(facade: str, software: str, at: datetime) -> Json:
    """What is served, and nothing else."""
    read: Sequence[Mapping[str, Any]] = [{"code": "read"}]
    operations = [
        {"name": name, "definition": f"{_OPERATIONS}/backport-subscription-{name}"}
        for name in ("status", "events")
    ]
    served: list[Json] = [{"type": one, "interaction": read} for one in TYPES]
    observed = next(one for one in served if one["type"] == "Observation")
    observed["interaction"] = [*read, {"code": "search-type"}]
    observed["searchParam"] = [
        {"name": "patient", "type": "reference", "documentation": "patient:identifier"},
        {"name": "subject", "type": "reference", "documentation": "subject:identifier"},
        {"name": "_lastUpdated", "type": "date", "documentation": "ge and gt: when it was told of"},
    ]
    served.append(
        {
            "type": "Subscription",
            "supportedProfile": [f"{_DEFINITIONS}/backport-subscription"],
            "interaction": read,
            "operation": operations,
        }
    )
    return {
        "resourceType": "CapabilityStatement",
        "status": "active",
        "date": at.astimezone(UTC).isoformat(timespec="seconds"),
        "kind": "instance",
        "software": {"name": software},
        "implementation": {"description": "What patients share, to be pulled", "url": facade},
        "fhirVersion": "4.0.1",
        "format": ["json"],
        "implementationGuide": [f"{GUIDE}/ImplementationGuide/hl7.fhir.uv.subscriptions-backport"],
        "rest": [
            {
                "mode": "server",
                "security": {
                    "description": "Authorization: Bearer, with the token told at registration"
                },
                "resource": served,
            }
        ],
    }
