"""What is to be sent of a patient, made from the log as it is now."""

from __future__ import annotations

import hashlib
import hmac
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehab_emr import metrics
from rehab_emr.domain.account import Leaving
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.provenances import provenance
from rehab_emr.domain.resource import Resource, Status
from rehab_emr.domain.sharing import PURPOSE
from rehab_emr.domain.validation import problems
from rehab_emr.patients import Patient
from rehab_emr.storage.deliveries import DEAD, DELIVERED, HELD, PENDING, Delivery, Ended
from rehab_runtime.logging import get_logger

LONGEST_S = 3650 * 86_400.0

log = get_logger("preparing")


@dataclass(frozen=True, slots=True)
class Part:
    """One resource that may leave. `amends`: the receiver may have something else of it."""

    delivery: Delivery
    resource: Resource
    digest: bytes = field(repr=False)
    amends: bool
    leaving: Leaving
    beside: tuple[Resource, ...] = ()
    """What goes with it, and is there with it or not at all: where it came from."""

    @property
    def entries(self) -> tuple[Resource, ...]:
        return self.resource, *self.beside


@dataclass
class Prepared:
    """Parts to send, in their order; and what ended without being sent."""

    version: int
    parts: list[Part] = field(default_factory=list)
    ended: list[Ended] = field(default_factory=list)
    nothing: list[ResourceKey] = field(default_factory=list)


class Preparing:
    """`secret` keys the digests: one of what a patient said would outlive its erasure."""

    def __init__(self, secret: bytes) -> None:
        self._secret = secret

    def prepared(
        self, patient: Patient, waiting: Sequence[Delivery], links: Links, now: datetime
    ) -> Prepared:
        """Of a patient whose stream is folded to its end."""
        made = Prepared(patient.version)
        for delivery in waiting:
            told = (delivery.endpoint_id, *delivery.key) in patient.sharing.shared
            try:
                self._add(made, patient, delivery, links, now, told=told)
            except ValueError as error:
                metrics.failures.labels("mapping").inc()
                log.warning(
                    "a resource cannot be told",
                    kind=delivery.kind,
                    resource_id=delivery.resource_id,
                    error_type=type(error).__name__,
                )
                made.ended.append(Ended(delivery.key, DEAD, "cannot_be_told"))
        return made

    def _add(
        self,
        made: Prepared,
        patient: Patient,
        delivery: Delivery,
        links: Links,
        now: datetime,
        *,
        told: bool,
    ) -> None:
        key = delivery.key
        if key.kind not in links.options.kinds:
            made.ended.append(Ended(key, DEAD, "not_wanted"))
            return
        found = resource(patient.history, key, links)
        maybe_there = told or delivery.digest is not None
        if found is None or (found.status is Status.ENTERED_IN_ERROR and not maybe_there):
            made.nothing.append(key)
            return
        ready = patient.history.ready_at(key) or now
        if ready > now:
            wait_s = (ready - now).total_seconds()
            made.ended.append(Ended(key, PENDING, "not_ready", retry_s=min(wait_s, LONGEST_S)))
            return
        digest = hmac.digest(self._secret, found.digest, "sha256")
        if delivery.accepted and delivery.digest == digest:
            made.ended.append(Ended(key, DELIVERED, accepted=True))
            metrics.deliveries.labels("no_news").inc()
            return
        amends = delivery.amended or (maybe_there and delivery.digest != digest)
        if amends and found.status is Status.FINAL:
            found = resource(patient.history, key, links, again=True) or found
        consent = patient.sharing.consent(now, found.event_kinds)
        if consent is None:
            made.ended.append(Ended(key, HELD, "out_of_scope"))
            return
        if broken := problems(found.content):
            metrics.failures.labels("validation").inc()
            issues = [(one.path, one.rule) for one in broken]
            made.ended.append(Ended(key, DEAD, "invalid", outcome=outcome_of(issues)))
            return
        leaving = Leaving(
            patient.clinic_id,
            patient.patient_id,
            delivery.endpoint_id,
            consent.consent_id,
            PURPOSE,
        )
        origin = [provenance(found, patient.history, links)] if links.options.provenance else []
        made.parts.append(Part(delivery, found, digest, amends, leaving, tuple(origin)))


def outcome_of(issues: Sequence[tuple[str, str]]) -> bytes:
    """Our own OperationOutcome, of what we would not send."""
    told: Mapping[str, Any] = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "error", "code": "invariant", "diagnostics": rule, "expression": [path]}
            for path, rule in issues
        ],
    }
    return json.dumps(told).encode()


def secret_of(text: bytes) -> bytes:
    """A key for digests out of what only this service knows."""
    return hashlib.sha256(b"rehab emr digests\0" + text).digest()
