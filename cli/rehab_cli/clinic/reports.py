"""What patients report of themselves: pain, symptoms, falls."""

from __future__ import annotations

import random

from rehab.events.v1 import common_pb2, report_pb2
from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic.people import Patient

PRE, DURING = report_pb2.PAIN_PHASE_PRE, report_pb2.PAIN_PHASE_DURING
POST, DAY_AFTER = report_pb2.PAIN_PHASE_POST, report_pb2.PAIN_PHASE_24H

SYMPTOMS_PER_DAY = 0.012
NEAR_FALLS_PER_DAY = 0.003
FALLS_PER_DAY = 0.0008

LOW, HIGH = common_pb2.SEVERITY_LOW, common_pb2.SEVERITY_HIGH
_SYMPTOMS = (
    ("swelling", "The joint is swollen in the evening", LOW),
    ("stiffness", "Stiff in the morning", LOW),
    ("dizziness", "Dizzy after standing up", HIGH),
    ("numbness", "Tingling in the toes", HIGH),
    ("", "Es knackt so komisch beim Treppensteigen", LOW),
)


def pain(patient: Patient, nprs: int, phase: report_pb2.PainPhase, session_id: str = "") -> Body:
    report = report_pb2.PainReport(
        nprs=nprs,
        phase=phase,
        site=patient.condition.site,
        side=patient.affected,
        session_id=session_id,
    )
    return Body(pain_report=report)


def symptom(chance: random.Random) -> Body:
    """One of the table; the last has no code, as when an app could not map the words."""
    code, text, severity = chance.choice(_SYMPTOMS)
    felt = report_pb2.Symptom(code=code, text=text, severity=severity)
    return Body(symptom_report=report_pb2.SymptomReport(symptom=felt))


def fall(chance: random.Random, *, near: bool) -> Body:
    injury = not near and chance.random() < 0.3
    told = report_pb2.Fall(near=near, injury=injury)
    return Body(symptom_report=report_pb2.SymptomReport(fall=told))
