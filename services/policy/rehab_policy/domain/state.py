"""Everything the rules remember of one patient. Bounded: what no figure asks for is forgotten."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

from rehab_clinical.days import first_zone, local_date
from rehab_clinical.pain import PainReport

from rehab.policy.v1 import facts_pb2
from rehab_policy.domain.care import Care, ToldCare
from rehab_policy.domain.points import Parts
from rehab_policy.domain.scores import Scores
from rehab_policy.domain.sessions import SessionLog

NEVER = datetime.min.replace(tzinfo=UTC)
MOST_VOID = 1_000
MOST_ALERTS = 200


@dataclass
class OpenAlert:
    """An alert that is not resolved. `own` ones were raised by a rule here, and escalate."""

    alert_id: str
    rule_id: str
    rule_version: int
    severity: int
    raised_at: datetime
    key: str = ""
    own: bool = False
    shadow: bool = False
    acknowledged: bool = False
    level: int = 0
    """Of the escalations that were done."""
    times: int = 1
    """How often its rule fired for it."""
    snoozed_until: datetime | None = None
    session_id: str = ""
    consent_id: str = ""
    episode_id: str = ""


@dataclass
class Deferred:
    """A nudge that waits for the end of quiet hours, with the event that asked for it, closed."""

    rule_id: str
    key: str
    due_at: datetime
    event: bytes
    """A serialised Event; empty when a timer asked for it."""


@dataclass(frozen=True, slots=True)
class Trialled:
    """A nudge of a trial, sent or withheld, that no session has followed yet."""

    firing_id: str
    rule_id: str
    rule_version: int
    book_version: int
    trial: str
    arm: str
    at: datetime
    until: datetime


@dataclass
class PatientState:
    """One patient. It belongs to whoever steps it: the engine moves it on in place."""

    patient_id: str
    clinic_id: str = ""
    stream_version: int = 0
    """Of the last event folded, 0 for none."""
    now: datetime = NEVER
    """The log's clock at the last event or timer; it never goes back."""
    erased: bool = False
    seen_zone: tuple[datetime, str] = (NEVER, "")
    last_consent_id: str = ""
    episode_id: str = ""
    told: dict[str, ToldCare] = field(default_factory=dict)
    care: Care = field(default_factory=Care)
    sessions: SessionLog = field(default_factory=SessionLog)
    pains: list[PainReport] = field(default_factory=list)
    scores: Scores = field(default_factory=Scores)
    points: dict[str, Parts] = field(default_factory=dict)
    """By the definition of a window."""
    last_by_kind: dict[str, datetime] = field(default_factory=dict)
    """When the patient or a device last told of anything, by kind."""
    void: OrderedDict[str, None] = field(default_factory=OrderedDict)
    """Events that others correct: not folded when they arrive late."""
    alerts: dict[str, OpenAlert] = field(default_factory=dict)
    fired: dict[tuple[str, str], datetime] = field(default_factory=dict)
    """When a rule last fired, by rule and key: cooldowns."""
    asked: dict[str, datetime] = field(default_factory=dict)
    """When a rule on a timer was last asked, by rule."""
    deferred: dict[tuple[str, str], Deferred] = field(default_factory=dict)
    trialled: dict[str, Trialled] = field(default_factory=dict)
    """By the id of the firing."""
    next_due: datetime = NEVER
    """No timer is due before: the fold looks at the timers only from then on."""
    adherence: tuple[date, facts_pb2.AdherenceFacts] | None = None
    """Reckoned once a local day, until an event of an earlier day comes late."""
    pruned: date = date.min
    kept: dict[str, Any] = field(default_factory=dict)
    """What facts and limits keep of themselves: each tells by itself how long it holds."""

    def __getstate__(self) -> dict[str, Any]:
        """For pickles: what facts and limits keep of themselves, they reckon again."""
        return {**self.__dict__, "kept": {}}

    @property
    def zone(self) -> ZoneInfo:
        """Where the patient is: of quiet hours, and of rules by the clock."""
        known = self.kept.get("zone")
        if known is None or known[0] is not self.seen_zone or known[1] is not self.care:
            zone = first_zone(self.seen_zone[1], self.care.zone)
            known = self.kept["zone"] = (self.seen_zone, self.care, zone)
        return known[2]

    @property
    def plan_zone(self) -> ZoneInfo:
        """In which days of the plan are counted, as docs/domain/adherence.md says."""
        return first_zone(self.care.plan_zone, self.care.zone, self.seen_zone[1])

    @property
    def today(self) -> date:
        known = self.kept.get("today")
        zone = self.zone
        if known is None or known[0] is not self.now or known[1] is not zone:
            known = self.kept["today"] = (self.now, zone, local_date(self.now, zone))
        return known[2]

    def erase(self) -> None:
        """The right to be forgotten: nothing of the patient stays."""
        kept = PatientState(
            self.patient_id, self.clinic_id, self.stream_version, self.now, erased=True
        )
        self.__dict__.update(kept.__dict__)
