"""Between what is stored and what is told."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr.domain.account import OUTCOMES, Disclosure
from rehab_emr.storage.deliveries import PENDING, Delivery
from rehab_emr.storage.endpoints import Endpoint

_SAME = (
    *("endpoint_id", "clinic_id", "base_url", "bundle_type", "most_entries", "concurrency"),
    *("requests_per_second", "patient_system", "rep_series", "authority_pem", "no_backfill"),
    *("paused", "entries_now", "auth", "if_none_exist"),
)
_OPEN = {"pending", "held", "unmatched", "delivered", "dead"}


def endpoint_message(endpoint: Endpoint) -> pb.Endpoint:
    told = {name: getattr(endpoint, name) for name in _SAME}
    return pb.Endpoint(**told, warnings=endpoint.warnings)


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
    if delivery.state == PENDING:
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
        one = found.setdefault(
            row["endpoint_id"],
            pb.EndpointStatus(
                endpoint_id=row["endpoint_id"],
                paused=row["paused"],
                breaker=_breaker(row["failures"], threshold, is_open=bool(row["is_open"])),
            ),
        )
        if row["state"] in _OPEN:
            setattr(one, row["state"], row["deliveries"])
        if row["state"] == PENDING:
            one.oldest_pending_s = row["oldest_s"]
    return list(found.values())


def _breaker(failures: int, threshold: int, *, is_open: bool) -> str:
    if is_open:
        return "open"
    return "half_open" if failures >= threshold else "closed"
