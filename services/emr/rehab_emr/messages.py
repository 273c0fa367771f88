"""Between what is stored and what is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.account import OUTCOMES, Disclosure
from rehab_emr.domain.notifications import Subscribed
from rehab_emr.storage.deliveries import PENDING, TO_BE_NOTIFIED, Delivery
from rehab_emr.storage.endpoints import Endpoint, lacks
from rehab_emr.storage.subscriptions import Subscription

_SAME = (
    *("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries", "concurrency"),
    *("requests_per_second", "patient_system", "rep_series", "authority_pem", "no_backfill"),
    *("paused", "entries_now", "auth", "if_none_exist", "readings"),
)
_OPEN = {"pending", "held", "unmatched", "delivered", "dead"}


def endpoint_message(endpoint: Endpoint) -> pb.Endpoint:
    told = {name: getattr(endpoint, name) for name in _SAME}
    made = pb.Endpoint(**told, warnings=endpoint.every_warning)
    if endpoint.notify:
        name = f"NOTIFICATION_CONTENT_{endpoint.notify.replace('-', '_').upper()}"
        made.notify.content = pb.NotificationContent.Value(name)
        made.notify.heartbeat_s = endpoint.heartbeat_s
    elif endpoint.examined_at is not None:
        made.examined_at.FromDatetime(endpoint.examined_at)
    return made


def subscription_message(told: Subscribed, found: Subscription) -> pb.GetSubscriptionResponse:
    made = pb.GetSubscriptionResponse(
        url=told.url,
        topic=told.topic,
        status=told.status,
        events=found.events,
        accepted=found.accepted,
    )
    made.accepted_at.FromDatetime(found.accepted_at)
    return made


def state_of(state: str) -> pb.DeliveryState:
    return pb.DeliveryState.Value(f"DELIVERY_STATE_{state.upper()}")


def state_name(state: int) -> str:
    """Empty for any."""
    name = pb.DeliveryState.Name(pb.DeliveryState.ValueType(state))
    return name.removeprefix("DELIVERY_STATE_").lower() if state else ""


def delivery_message(delivery: Delivery) -> pb.Delivery:
    told = pb.Delivery(
        endpoint_id=delivery.endpoint_id,
        patient_id=delivery.patient_id,
        kind=delivery.kind,
        resource_id=delivery.resource_id,
        position=delivery.position,
        state=state_of(delivery.state),
        reason=delivery.reason,
        attempts=delivery.attempts,
        remote=delivery.remote,
        remote_version=delivery.remote_version,
    )
    told.changed_at.FromDatetime(delivery.changed_at)
    if delivery.state == PENDING and delivery.reason != TO_BE_NOTIFIED:
        told.next_at.FromDatetime(delivery.next_at)
    return told


def disclosure_message(disclosure: Disclosure) -> pb.Disclosure:
    told = pb.Disclosure(
        endpoint_id=disclosure.endpoint_id,
        resource_type=disclosure.resource_type,
        resource_id=disclosure.resource_id,
        event_ids=disclosure.event_ids,
        purpose=disclosure.purpose,
        consent_id=disclosure.consent_id,
        outcome=OUTCOMES[disclosure.outcome],
        remote_id=disclosure.remote_id,
    )
    told.disclosed_at.FromDatetime(disclosure.at)
    return told


def statuses(rows: Iterable[Any], threshold: int) -> list[pb.EndpointStatus]:
    """By endpoint, of rows by endpoint and state."""
    found: dict[str, pb.EndpointStatus] = {}
    for row in rows:
        one = found.get(row["endpoint_id"])
        if one is None:
            one = found[row["endpoint_id"]] = pb.EndpointStatus(
                endpoint_id=row["endpoint_id"],
                paused=row["paused"],
                breaker=_breaker(row["failures"], threshold, is_open=bool(row["is_open"])),
                warnings=lacks(row["warnings"], row["unread"]),
            )
            one.examined_at.FromDatetime(row["examined_at"])
        if row["state"] in _OPEN:
            setattr(one, row["state"], row["deliveries"])
        if row["state"] == PENDING:
            one.oldest_pending_s = row["oldest_s"]
    return list(found.values())


def _breaker(failures: int, threshold: int, *, is_open: bool) -> str:
    if is_open:
        return "open"
    return "half_open" if failures >= threshold else "closed"
