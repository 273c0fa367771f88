"""Happenings put into envelopes: ids, times and whose they are, never who the person is."""

from __future__ import annotations

import random
from datetime import timedelta
from zoneinfo import ZoneInfo

from rehab.events.v1 import event_pb2 as pb
from rehab.events.v1.kinds import KINDS, kind_of
from rehab_cli.clinic.happening import Author, Happening
from rehab_cli.clinic.ids import event_id
from rehab_cli.clinic.people import Patient

MODEL_ID = "form-sim-1"
_MINUTE = timedelta(minutes=1)


class Scribe:
    """Makes one patient's events."""

    def __init__(self, patient: Patient) -> None:
        self._patient = patient
        self._zone = ZoneInfo(patient.zone)
        self._chance = random.Random(f"{patient.chance_seed}:ids")
        self._templates: dict[tuple[Author, str], pb.Envelope] = {}

    def event(self, told: Happening) -> pb.Event:
        kind = kind_of(told.body)
        assert kind is not None
        event = pb.Event(envelope=self._template(told.author, kind), body=told.body)
        envelope = event.envelope
        envelope.event_id = event_id(self._chance, told.at)
        envelope.occurred_at.FromDatetime(told.at)
        offset = told.at.astimezone(self._zone).utcoffset()
        envelope.utc_offset_min = (offset or timedelta()) // _MINUTE
        envelope.plan_version = told.plan_version
        envelope.correlation_id = told.session_id
        return event

    def device_id(self, author: Author) -> str:
        clinician = author is Author.CLINICIAN
        return self._patient.therapist.device_id if clinician else self._patient.device_id

    def _template(self, author: Author, kind: str) -> pb.Envelope:
        known = self._templates.get((author, kind))
        if known is None:
            known = self._templates[author, kind] = self._made(author, kind)
        return known

    def _made(self, author: Author, kind: str) -> pb.Envelope:
        patient, facts = self._patient, KINDS[kind]
        return pb.Envelope(
            clinic_id=patient.clinic_id,
            subject_id=patient.id,
            kind=kind,
            schema_version=facts.schema_version,
            zone=patient.zone,
            actor=self._actor(author),
            device_id=self.device_id(author),
            source=self._source(author, kind),
            provenance=_PROVENANCE[author],
            episode_id=patient.episode_id,
            phi=facts.phi,
            consent_id=patient.consent_id if facts.phi else "",
            consent_purpose="treatment" if facts.phi else "",
        )

    def _actor(self, author: Author) -> pb.Actor:
        if author is Author.CLINICIAN:
            return pb.Actor(id=self._patient.therapist.id, role=pb.ROLE_THERAPIST, credential="PT")
        return pb.Actor(id=self._patient.id, role=pb.ROLE_PATIENT)

    def _source(self, author: Author, kind: str) -> pb.Source:
        if author is Author.CLINICIAN:
            return pb.Source(app="RehabTrack Desk", app_version="1.0")
        return pb.Source(
            app="RehabTrack Phone",
            app_version="1.0",
            device_model=self._patient.device_model,
            os=self._patient.os,
            model_id=MODEL_ID if kind == "rep_observation" else "",
        )


_PROVENANCE = {
    Author.CLINICIAN: pb.PROVENANCE_CLINICIAN,
    Author.SEEN: pb.PROVENANCE_CAMERA,
    Author.TOLD: pb.PROVENANCE_SELF_REPORT,
}
