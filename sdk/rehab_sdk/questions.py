"""What every question to the read models tells: which days, and what the answer must reflect."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Literal

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_sdk.errors import invalid
from rehab_sdk.events._fill import fill
from rehab_sdk.places import MinPosition, Newest, Positions

Days = int | Literal["whole_plan", "this_day", "this_week", "this_month"] | tuple[date, date]
"""Days up to as_of, the whole plan, the local day, week or month of as_of, or a range of local
days, both included."""
_UNITS = {
    "this_day": pb.CALENDAR_UNIT_DAY,
    "this_week": pb.CALENDAR_UNIT_WEEK,
    "this_month": pb.CALENDAR_UNIT_MONTH,
}
MAX_WAIT_S = 5.0


class Freshness:
    """Read your own writes: unless told otherwise a read reflects what this client last wrote."""

    def __init__(self, written: Newest) -> None:
        self._written = written

    def __call__(self, min_position: MinPosition, max_wait_s: float) -> pb.Consistency:
        wanted = fill(pb.Consistency(), max_wait_ms=max(1, int(max_wait_s * 1000)))
        match min_position:
            case int():
                return fill(wanted, min_position=min_position)
            case None:
                positions: Positions = self._written.positions
            case Mapping():
                positions = min_position
            case _:
                positions = {min_position.shard: min_position.position}
        for shard, position in positions.items():
            fill(wanted.min_positions.add(), shard=shard, position=position)
        return wanted


def window(days: Days) -> pb.Window:
    """The window of time meant by `days`."""
    if days == "whole_plan":
        return pb.Window(whole_plan=True)
    if isinstance(days, str):
        if days not in _UNITS:
            raise invalid("days", "days.known", "must be a number of days or a named window")
        return pb.Window(calendar=_UNITS[days])
    if isinstance(days, tuple):
        first, last = days
        return pb.Window(range=pb.DateRange(from_date=first.isoformat(), to_date=last.isoformat()))
    return fill(pb.Window(), days=days)
