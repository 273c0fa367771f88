"""Builders for vitals and for what bills rest on."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from rehab.events.v1 import event_pb2
from tests.projections.given import body, event


def iso(at: datetime) -> str:
    return at.isoformat().replace("+00:00", "Z")


def sample(
    start: datetime,
    value: float,
    *,
    minutes: float = 0,
    sources: Sequence[str] = ("Watch",),
    ucum: str = "{count}",
    **more: Any,
) -> dict[str, Any]:
    """A sample of one value; an instant unless it lasts some minutes, of no known unit when the
    unit is empty."""
    quantity: dict[str, Any] = {"value": value, "unit": "count"}
    if ucum:
        quantity |= {"canonical_value": value, "ucum": ucum}
    end = {"end": iso(start + timedelta(minutes=minutes))} if minutes else {}
    return {"start": iso(start), **end, "sources": list(sources), "quantity": quantity, **more}


def samples(
    *told: dict[str, Any], metric: str = "step_count", aggregation: str = "minutes"
) -> event_pb2.Body:
    return body(
        health_samples={"metric": metric, "aggregation": aggregation, "samples": list(told)}
    )


def heart_rate(start: datetime, low: float, mean: float, high: float) -> dict[str, Any]:
    told = {"min": low, "avg": mean, "max": high, "unit": "count/min", "ucum": "/min"}
    return {"start": iso(start), "sources": ["Watch"], "range": told}


def pressure(start: datetime, systolic: float, diastolic: float) -> dict[str, Any]:
    told = {"systolic_mmhg": systolic, "diastolic_mmhg": diastolic}
    return {"start": iso(start), "sources": ["Cuff"], "blood_pressure": told}


def segment(stage: str, start: datetime, hours: float) -> dict[str, Any]:
    end = start + timedelta(hours=hours)
    return {"stage": stage, "hours": hours, "start": iso(start), "end": iso(end)}


def slept(
    start: datetime, hours: float, *stages: dict[str, Any], sources: Sequence[str] = ("Watch",)
) -> event_pb2.Body:
    told = {
        "start": iso(start),
        "end": iso(start + timedelta(hours=hours)),
        "stages": list(stages),
        "sources": list(sources),
    }
    return body(sleep=told)


def monitoring(*, active: bool = True, taught: bool = True, system: str = "MUSCULOSKELETAL") -> Any:
    return body(
        monitoring={
            "active": active,
            "system": f"MONITORING_SYSTEM_{system}",
            "education_done": taught,
        }
    )


def worked(
    entry: str, start: datetime, minutes: float, activity: str = "view_data"
) -> event_pb2.Body:
    end = start + timedelta(minutes=minutes)
    logged = {"activity": activity, "start": iso(start), "end": iso(end)}
    return body(rtm_time={"entry_id": entry, "logged": logged})


def voided(entry: str) -> event_pb2.Body:
    return body(rtm_time={"entry_id": entry, "voided": {"reason": "logged twice"}})


def talked(start: datetime, mode: str = "video", minutes: float = 8) -> event_pb2.Body:
    end = iso(start + timedelta(minutes=minutes))
    return body(interaction={"mode": mode, "start": iso(start), "end": end})


def certified(first: str, last: str, discipline: str = "GP") -> event_pb2.Body:
    return body(plan_of_care={"from_date": first, "to_date": last, "discipline": discipline})


def agreed(since: datetime, consent: str = "consent-1", purpose: str = "treatment") -> Any:
    granted = {"purpose": purpose, "valid_from": iso(since)}
    return body(consent={"consent_id": consent, "granted": granted})


def withdrawn(at: datetime, consent: str = "consent-1") -> event_pb2.Body:
    return body(consent={"consent_id": consent, "revoked": {"effective_at": iso(at)}})


def billed(
    item: str, stage: str, codes: Sequence[str] = (), evidence: Sequence[str] = ()
) -> event_pb2.Body:
    return body(
        billing_item={
            "item_id": item,
            "stage": f"BILLING_STAGE_{stage}",
            "codes": list(codes),
            "evidence_event_ids": list(evidence),
        }
    )


def by_clinician(
    number: int, when: datetime, content: event_pb2.Body, who: str = "ann", credential: str = "PT"
) -> event_pb2.Event:
    """An event whose actor is a clinician with a credential."""
    made = event(number, when, content)
    made.envelope.actor.id, made.envelope.actor.credential = who, credential
    made.envelope.actor.role = event_pb2.ROLE_THERAPIST
    return made
