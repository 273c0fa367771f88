"""The envelope: everything about an event but what happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from rehab.events.v1 import event_pb2 as pb
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_sdk.clock import Clock, EventIds, SystemClock
from rehab_sdk.errors import invalid
from rehab_sdk.events._fill import choice, fill, timestamp

RoleName = Literal["patient", "therapist", "admin", "emergency", "service", "device"]
ProvenanceName = Literal["", "sensor", "camera", "self_report", "clinician", "import", "system"]


@dataclass(frozen=True)
class Actor:
    """Who does it: a principal's id, never a name. `credential` such as "PT" for a clinician."""

    id: str
    role: RoleName
    credential: str = ""


@dataclass(frozen=True)
class Source:
    """The program and device that make the events."""

    app: str = ""
    app_version: str = ""
    device_model: str = ""
    os: str = ""
    model_id: str = ""


@dataclass(frozen=True)
class Context:
    """What a program's events have in common, and the maker of events from bodies."""

    clinic_id: str
    actor: Actor
    device_id: str = ""
    consent_id: str = ""
    zone: str = ""
    """IANA time zone of the patient, in which days are counted."""
    episode_id: str = ""
    plan_version: int = 0
    provenance: ProvenanceName = ""
    correlation_id: str = ""
    source: Source = Source()
    clock: Clock = field(default_factory=SystemClock)
    new_id: Callable[[], str] | None = None
    """Maker of event ids; UUIDs version 7 by the clock unless told otherwise."""

    def __post_init__(self) -> None:
        if self.new_id is None:
            object.__setattr__(self, "new_id", EventIds(self.clock))

    def event(
        self,
        patient: str,
        body: pb.Body,
        *,
        occurred_at: datetime | None = None,
        consent_id: str | None = None,
        actor: Actor | None = None,
        zone: str | None = None,
        provenance: ProvenanceName | None = None,
        causation_id: str = "",
        corrects: str = "",
        clock_skew_ms: int = 0,
    ) -> pb.Event:
        """An event of the patient's stream. What is not told comes from the context; an event of
        consent names itself as the consent. Raises Invalid."""
        kind = kind_of(body)
        if kind is None:
            raise invalid("body.kind", "oneof", "must be set")
        at = occurred_at if occurred_at is not None else self.clock.now()
        zone = self.zone if zone is None else zone
        event = pb.Event(body=body)
        assert self.new_id is not None
        fill(
            event.envelope,
            event_id=self.new_id(),
            clinic_id=self.clinic_id,
            subject_id=patient,
            kind=kind,
            schema_version=KINDS[kind].schema_version,
            occurred_at=timestamp(at, "occurred_at"),
            zone=zone,
            utc_offset_min=_offset_min(at, zone),
            clock_skew_ms=clock_skew_ms,
            actor=_actor(actor or self.actor),
            device_id=self.device_id,
            source=_source(self.source),
            provenance=_provenance(self.provenance if provenance is None else provenance),
            episode_id=self.episode_id,
            plan_version=self.plan_version,
            correlation_id=self.correlation_id,
            causation_id=causation_id,
            corrects=corrects,
            phi=KINDS[kind].phi,
        )
        if KINDS[kind].phi:
            own = body.consent.consent_id if kind == "consent" else self.consent_id
            fill(event.envelope, consent_id=own if consent_id is None else consent_id)
        return event


def _offset_min(at: datetime, zone: str) -> int:
    if not zone:
        offset = at.utcoffset()
    else:
        try:
            offset = at.astimezone(ZoneInfo(zone)).utcoffset()
        except (ZoneInfoNotFoundError, ValueError):
            raise invalid("zone", "zone.known", "must be an IANA time zone known here") from None
    return (offset or timedelta()) // timedelta(minutes=1)


def _actor(actor: Actor) -> pb.Actor:
    role = choice("actor.role", pb.Role.DESCRIPTOR, actor.role, required=True)
    return fill(pb.Actor(), id=actor.id, role=role, credential=actor.credential)


def _source(source: Source) -> pb.Source | None:
    return fill(pb.Source(), **vars(source)) if source != Source() else None


def _provenance(name: ProvenanceName) -> int:
    return choice("provenance", pb.Provenance.DESCRIPTOR, name)
