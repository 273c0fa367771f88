"""Firings as events of the log."""

from __future__ import annotations

from rehab.events.v1.event_pb2 import Event
from rehab_policy.domain.firing import Firing


def events_of(firing: Firing) -> list[Event]:
    """The events that a live firing appends to the patient's stream, with ids that depend on the
    firing alone. None for a shadow firing."""
    raise NotImplementedError
