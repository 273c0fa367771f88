"""The patient: enrolment, consent, who treats them, and what they tell."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from rehab.events.v1 import alert_pb2, patient_pb2, report_pb2
from rehab.events.v1.event_pb2 import Body
from rehab_sdk.events._fill import SeverityName, SideName, choice, fill, severity_of, side_of

Purpose = Literal["treatment", "emr_share", "research", "location", "notification"]
ConsentMode = Literal["", "written", "electronic", "verbal"]
PainPhaseName = Literal["pre", "during", "post", "24h"]
ReviewOutcome = Literal["contacted", "plan_changed", "no_action", "referred"]


def enrolled(zone: str, language: str = "") -> Body:
    """The patient joined; `zone` is their IANA time zone, `language` a BCP 47 tag."""
    joined = fill(patient_pb2.PatientEnrolled(), zone=zone, language=language)
    return Body(enrolment=patient_pb2.Enrolment(enrolled=joined))


def episode_opened(episode_id: str, *, side: SideName = "", surgery_date: date | str = "") -> Body:
    opened = fill(
        patient_pb2.EpisodeOpened(),
        episode_id=episode_id,
        side=side_of(side),
        surgery_date=str(surgery_date),
    )
    return Body(enrolment=patient_pb2.Enrolment(episode_opened=opened))


def episode_closed(episode_id: str, reason: str) -> Body:
    closed = fill(patient_pb2.EpisodeClosed(), episode_id=episode_id, reason=reason)
    return Body(enrolment=patient_pb2.Enrolment(episode_closed=closed))


def consent_granted(
    consent_id: str,
    *,
    valid_from: datetime,
    purpose: Purpose = "treatment",
    scope: Sequence[str] = (),
    valid_until: datetime | None = None,
    text_version: str = "",
    text_sha256: bytes = b"",
    mode: ConsentMode = "",
) -> Body:
    """The patient agreed; `scope` lists the kinds of events covered, none means all."""
    granted = fill(
        patient_pb2.ConsentGranted(),
        purpose=purpose,
        scope=scope,
        valid_from=valid_from,
        valid_until=valid_until,
        text_version=text_version,
        text_sha256=text_sha256,
        mode=mode,
    )
    return Body(consent=fill(patient_pb2.Consent(), consent_id=consent_id, granted=granted))


def consent_revoked(consent_id: str, effective_at: datetime) -> Body:
    revoked = fill(patient_pb2.ConsentRevoked(), effective_at=effective_at)
    return Body(consent=fill(patient_pb2.Consent(), consent_id=consent_id, revoked=revoked))


def care_team(therapist_id: str, *, assigned: bool = True, primary: bool = False) -> Body:
    """A clinician begins, or ceases, to treat the patient."""
    action = choice(
        "action", patient_pb2.CareTeamAction.DESCRIPTOR, "assigned" if assigned else "released"
    )
    change = fill(patient_pb2.CareTeam(), therapist_id=therapist_id, action=action, primary=primary)
    return Body(care_team=change)


def pain(
    nprs: int,
    *,
    phase: PainPhaseName,
    site: str = "",
    side: SideName = "",
    quality: str = "",
    session_id: str = "",
    exercise: str = "",
) -> Body:
    """Pain on the numeric rating scale, 0 (none) to 10 (worst imaginable)."""
    report = fill(
        report_pb2.PainReport(),
        nprs=nprs,
        phase=choice("phase", report_pb2.PainPhase.DESCRIPTOR, phase, required=True),
        site=site,
        side=side_of(side),
        quality=quality,
        session_id=session_id,
        exercise_id=exercise,
    )
    return Body(pain_report=report)


def symptom(
    code: str = "", *, text: str = "", severity: SeverityName = "", session_id: str = ""
) -> Body:
    """A symptom by its code, such as "dizziness"; one without a code goes before a person."""
    felt = fill(report_pb2.Symptom(), code=code, text=text, severity=severity_of(severity))
    return Body(
        symptom_report=fill(report_pb2.SymptomReport(), symptom=felt, session_id=session_id)
    )


def fall(*, near: bool = False, injury: bool = False, text: str = "", session_id: str = "") -> Body:
    """A fall, or nearly one."""
    fell = fill(report_pb2.Fall(), near=near, injury=injury, text=text)
    return Body(symptom_report=fill(report_pb2.SymptomReport(), fall=fell, session_id=session_id))


def review_closed(item_id: str, outcome: ReviewOutcome, note: str = "") -> Body:
    """A clinician dealt with a work item."""
    closed = fill(alert_pb2.ReviewClosed(), outcome=outcome, note=note)
    return Body(review=fill(alert_pb2.Review(), item_id=item_id, closed=closed))


def review_snoozed(item_id: str, until: datetime) -> Body:
    snoozed = fill(alert_pb2.AlertSnoozed(), until=until)
    return Body(review=fill(alert_pb2.Review(), item_id=item_id, snoozed=snoozed))
