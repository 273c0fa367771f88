"""Since when a patient has something to do, kept until something begins or ends."""

from __future__ import annotations

from datetime import datetime

from rehab_policy.domain.care import FOREVER
from rehab_policy.domain.state import PatientState


def active_from(state: PatientState) -> datetime | None:
    """As `Care.active_from`, as of the state's now."""
    now, zone = state.now, state.plan_zone
    known = state.kept.get("active")
    if (
        known is None
        or known[0] is not state.care
        or known[1] is not zone
        or not known[2] <= now < known[3]
    ):
        until = min(state.care.turns_after(now, zone), default=FOREVER)
        known = (state.care, zone, now, until, state.care.active_from(now, zone))
        state.kept["active"] = known
    return known[4]
