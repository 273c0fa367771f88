"""The prescription."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, datetime
from typing import Literal

from rehab.events.v1 import plan_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_sdk.errors import invalid
from rehab_sdk.events._fill import SideName, choice, fill, side_of

PolicyName = Literal["", "during_window", "same_day", "after_start", "anytime"]
PauseReason = Literal["illness", "travel", "pain", "clinician", "other"]
EndReason = Literal["completed", "replaced", "discharged", "other"]


def schedule(
    *times: str, weekdays: Sequence[int] = (), window_h: int = 12, policy: PolicyName = ""
) -> pb.Schedule:
    """Due at these local times ("HH:MM") on these ISO weekdays (1 Monday to 7 Sunday; none means
    every day), each for `window_h` hours."""
    return fill(
        pb.Schedule(),
        times=times,
        weekdays=weekdays,
        window_h=window_h,
        policy=choice("policy", pb.CompletionPolicy.DESCRIPTOR, policy),
    )


def plan_item(
    exercise: str,
    when: pb.Schedule,
    *,
    sets: int = 1,
    reps: int | None = None,
    hold_s: int | None = None,
    minutes: int | None = None,
    side: SideName = "",
    tempo_s: Sequence[float] = (),
    rest_s: float = 0,
    load_kg: float | None = None,
    rom_target_deg: float | None = None,
    rpe_cap: float | None = None,
    instructions: str = "",
) -> pb.PlanItem:
    """One exercise. The dose is `sets` of `reps`, `sets` of `hold_s` seconds, or `minutes`."""
    if [reps, hold_s, minutes].count(None) != 2:
        raise invalid("dose", "oneof", "must be exactly one of reps, hold_s and minutes")
    item = fill(
        pb.PlanItem(),
        exercise_id=exercise,
        schedule=when,
        side=side_of(side),
        tempo_s=tempo_s,
        rest_s=rest_s,
        load_kg=load_kg,
        rom_target_deg=rom_target_deg,
        rpe_cap=rpe_cap,
        instructions=instructions,
    )
    if reps is not None:
        fill(item, reps=fill(pb.RepsDose(), sets=sets, reps=reps))
    elif hold_s is not None:
        fill(item, hold=fill(pb.HoldDose(), sets=sets, hold_s=hold_s))
    else:
        fill(item, duration=fill(pb.DurationDose(), minutes=minutes))
    return item


def plan(
    plan_id: str,
    items: Sequence[pb.PlanItem],
    *,
    effective_from: date | str,
    zone: str,
    version: int = 1,
    effective_until: date | str = "",
    sessions_per_week: int = 0,
    limits: pb.SafetyLimits | None = None,
) -> Body:
    """A first prescription, or a revision when `version` is above 1. Days and times are meant in
    `zone`, an IANA name."""
    prescribed = fill(
        pb.PlanPrescribed(),
        effective_from=str(effective_from),
        effective_until=str(effective_until),
        zone=zone,
        items=items,
        sessions_per_week=sessions_per_week,
        limits=limits,
    )
    return _plan(plan_id, version, prescribed=prescribed)


def plan_paused(
    plan_id: str, version: int, reason: PauseReason, until: datetime | None = None
) -> Body:
    return _plan(plan_id, version, paused=fill(pb.PlanPaused(), reason=reason, until=until))


def plan_resumed(plan_id: str, version: int) -> Body:
    return _plan(plan_id, version, resumed=pb.PlanResumed())


def plan_ended(plan_id: str, version: int, reason: EndReason) -> Body:
    return _plan(plan_id, version, ended=fill(pb.PlanEnded(), reason=reason))


def _plan(plan_id: str, version: int, **action: object) -> Body:
    return Body(plan=fill(pb.Plan(), plan_id=plan_id, version=version, **action))
