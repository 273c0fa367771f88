"""What one patient's events add to vitals, billing evidence and session notes."""

from __future__ import annotations

from dataclasses import dataclass, field

from rehab_clinical import vitals
from rehab_clinical.facts import Fact
from rehab_clinical.vitals import Reading

from rehab.events.v1.event_pb2 import RecordedEvent
from rehab_projections.domain import rtm
from rehab_projections.domain.session_notes import NOTED, is_note, session_of

KINDS = vitals.KINDS | rtm.KINDS | NOTED
"""The kinds of events that are gathered."""


@dataclass
class Gathered:
    """Readings one by one, not yet united; events as told. Session notes go by session."""

    readings: list[Reading] = field(default_factory=list)
    billing: list[RecordedEvent] = field(default_factory=list)
    notes: list[tuple[str, RecordedEvent]] = field(default_factory=list)

    def add(self, fact: Fact, event: RecordedEvent) -> None:
        """Raises ValueError for what could not be reckoned with later."""
        if fact.kind in vitals.KINDS:
            self.readings += vitals.readings_of(fact)
        elif fact.kind in rtm.KINDS:
            rtm.fold([fact])
            self.billing.append(event)
        elif is_note(fact):
            self.notes.append((session_of(fact), event))
