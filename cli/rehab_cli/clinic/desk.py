"""The therapist's side: taking a patient on, revising the plan, reviews."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import date, datetime, timedelta

from rehab.events.v1 import alert_pb2, patient_pb2, plan_pb2
from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic.deeds import Paused, Prescribed, Resumed
from rehab_cli.clinic.happening import Author, Happening
from rehab_cli.clinic.library import ICD10
from rehab_cli.clinic.people import Patient
from rehab_cli.clinic.prescription import Plan

CONSENT_TEXT = b"Consent to treatment with remote monitoring, version 3"
BETWEEN = timedelta(minutes=1)


def admission(patient: Patient, at: datetime, plan: Plan, today: date) -> Iterator[Happening]:
    """Consent first, then enrolment, episode, care team, monitoring, the first prescription."""
    for number, body in enumerate(_admission_bodies(patient, at, today)):
        yield _said(at + number * BETWEEN, body)
    yield prescription(plan, at + 5 * BETWEEN)


def _admission_bodies(patient: Patient, at: datetime, today: date) -> Iterator[Body]:
    granted = patient_pb2.ConsentGranted(
        purpose="treatment",
        text_sha256=hashlib.sha256(CONSENT_TEXT).digest(),
        text_version="3",
        mode="written",
    )
    granted.valid_from.FromDatetime(at)
    consent = patient_pb2.Consent(consent_id=patient.consent_id, granted=granted)
    yield Body(consent=consent)
    joined = patient_pb2.PatientEnrolled(zone=patient.zone, language=patient.language)
    yield Body(enrolment=patient_pb2.Enrolment(enrolled=joined))
    yield Body(enrolment=patient_pb2.Enrolment(episode_opened=_episode(patient, today)))
    team = patient_pb2.CareTeam(
        therapist_id=patient.therapist.id,
        action=patient_pb2.CARE_TEAM_ACTION_ASSIGNED,
        primary=True,
    )
    yield Body(care_team=team)
    monitoring = patient_pb2.Monitoring(
        active=True,
        system=patient_pb2.MONITORING_SYSTEM_MUSCULOSKELETAL,
        education_done=True,
        device=patient.device_model,
    )
    yield Body(monitoring=monitoring)


def _episode(patient: Patient, today: date) -> patient_pb2.EpisodeOpened:
    condition = patient.condition
    opened = patient_pb2.EpisodeOpened(
        episode_id=patient.episode_id,
        side=patient.affected,
        surgery_date=(today - timedelta(days=21)).isoformat() if condition.surgery else "",
    )
    opened.condition.system = ICD10
    opened.condition.code = condition.code(patient.affected)
    opened.condition.display = condition.display
    return opened


def prescription(plan: Plan, at: datetime) -> Happening:
    return _said(at, Body(plan=plan.message()), Prescribed(plan), version=plan.version)


def pause(plan: Plan, at: datetime, reason: str, until: datetime | None) -> Happening:
    paused = plan_pb2.PlanPaused(reason=reason)
    if until is not None:
        paused.until.FromDatetime(until)
    step = plan_pb2.Plan(plan_id=plan.plan_id, version=plan.version, paused=paused)
    return _said(at, Body(plan=step), Paused(at, until), version=plan.version)


def resumption(plan: Plan, at: datetime) -> Happening:
    step = plan_pb2.Plan(plan_id=plan.plan_id, version=plan.version, resumed=plan_pb2.PlanResumed())
    return _said(at, Body(plan=step), Resumed(at), version=plan.version)


def review(patient: Patient, at: datetime, outcome: str) -> Happening:
    """The therapist has been through what waited for the patient, and closes it."""
    closed = alert_pb2.Review(
        item_id=f"work:{patient.id}", closed=alert_pb2.ReviewClosed(outcome=outcome)
    )
    return _said(at, Body(review=closed))


def _said(
    at: datetime, body: Body, deed: Prescribed | Paused | Resumed | None = None, version: int = 0
) -> Happening:
    return Happening(at, Author.CLINICIAN, body, (deed,) if deed else (), "", version)
