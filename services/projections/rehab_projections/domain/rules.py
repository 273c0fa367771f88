"""Defaults of the work queue, held as data with their sources.

They decide who a therapist sees first. None of them makes this software an emergency service.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from fractions import Fraction

from rehab.events.v1 import common_pb2

LOW = common_pb2.SEVERITY_LOW
HIGH = common_pb2.SEVERITY_HIGH
CRITICAL = common_pb2.SEVERITY_CRITICAL

_PATHWAYS = "Medbridge Pathways escalation table"
_CLINICAL = "clinical consensus; needs clinician review"
_CARDIAC_SHEET = "warning sheet for cardiac rehabilitation, weak source; needs clinician review"


@dataclass(frozen=True, slots=True)
class Rule:
    """Why a patient is on the list. `words` are shown to the therapist, without patient data."""

    code: str
    severity: int
    words: str
    source: str


PAIN_SEVERE_NPRS = 7
PAIN_SEVERE = Rule("pain_severe", CRITICAL, "pain of 7 or more", _PATHWAYS)
PAIN_RISE_HIGH_BY = 2
PAIN_RISE_HIGH = Rule(
    "pain_rise", HIGH, "pain 2 or more above the report before, same phase", _PATHWAYS
)
PAIN_RISE_LOW_NPRS = 5
PAIN_RISE_LOW_BY = 1
PAIN_RISE_LOW = Rule(
    "pain_rise", LOW, "pain of 5 or more and 1 above the report before, same phase", _PATHWAYS
)

FALL = Rule("fall", CRITICAL, "a fall was reported", _PATHWAYS)
NEAR_FALL = Rule("near_fall", HIGH, "a fall was just avoided", _PATHWAYS)

_RED_FLAGS_CLINICAL = ("syncope", "weakness", "numbness", "bladder_change", "bowel_change")
_RED_FLAGS_CARDIAC = (
    "chest_pain",
    "chest_pressure",
    "breathlessness",
    "dizziness",
    "palpitations",
    "cold_sweat",
    "nausea",
    "unusual_fatigue",
)
RED_FLAGS = {
    code: Rule("red_flag_symptom", CRITICAL, f"red-flag symptom: {code}", source)
    for codes, source in ((_RED_FLAGS_CLINICAL, _CLINICAL), (_RED_FLAGS_CARDIAC, _CARDIAC_SHEET))
    for code in codes
}
UNMAPPED_SYMPTOM = Rule(
    "unmapped_symptom", HIGH, "a symptom that could not be mapped to a code", _CLINICAL
)
UNRULED_SYMPTOM = Rule(
    "unmapped_symptom", LOW, "a symptom that no rule knows, at least as severe as told", _CLINICAL
)

ABSENCE_LOW_AFTER = timedelta(hours=49)
ABSENCE_LOW = Rule("no_session", LOW, "no session for 49 hours under an active plan", _PATHWAYS)
ABSENCE_HIGH_AFTER = timedelta(days=14)
ABSENCE_HIGH = Rule("no_session", HIGH, "no session for 14 days under an active plan", _PATHWAYS)

DROP_RECENT_DAYS = 7
DROP_BEFORE_DAYS = 21
DROP_MIN_RECENT_DUE = 3
DROP_MIN_BEFORE_DUE = 6
DROP_BY = Fraction(3, 10)
ADHERENCE_DROP = Rule(
    "adherence_drop",
    LOW,
    "mean dose of the last 7 ended days at least 0.3 below that of the 21 days before",
    _CLINICAL,
)

ANSWER_WITHIN: Mapping[int, timedelta] = {
    CRITICAL: timedelta(hours=1),
    HIGH: timedelta(hours=24),
    LOW: timedelta(hours=72),
}
"""How soon a reason should be answered, by severity; clinical consensus, needs clinician review."""
