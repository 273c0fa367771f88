"""Questions from messages: what the contract's rules cannot say is checked here."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

from google.protobuf.timestamp_pb2 import Timestamp
from rehab_clinical.days import zone_named
from rehab_clinical.facts import moment
from rehab_clinical.windows import (
    LONGEST_DAYS,
    Calendar,
    DateRange,
    Days,
    Unit,
    WholePlan,
    Window,
)

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.progress import Wanted
from rehab_runtime.errors import InvalidArgument, Violation
from rehab_runtime.slices import shard_of


def window_told(window: pb.Window) -> Window:
    """The window asked for, 28 days when none. Raises InvalidArgument for impossible dates."""
    match window.WhichOneof("span"):
        case "days":
            return Days(window.days)
        case "whole_plan":
            return WholePlan()
        case "range":
            return date_range(window.range, "window.range")
        case "calendar":
            return Calendar(Unit(window.calendar))
        case _:
            return Days()


def of_patient(patient_id: str, told: pb.Consistency, shards: int) -> Wanted:
    """What an answer about a patient must reflect: of the patient's shard only."""
    shard = shard_of(patient_id, shards)
    positions = [one.position for one in told.min_positions if one.shard == shard]
    return {shard: max([told.min_position, *positions])}


def of_all(told: pb.Consistency, shards: int) -> Wanted:
    """What an answer about any patients must reflect. Raises InvalidArgument for one position
    without a shard of several, and for a shard that the log does not have."""
    if told.min_position and shards > 1:
        rule = "must be told by shard, in min_positions: the log has several"
        raise _broken("consistency.min_position", "shard.told", rule)
    wanted = {0: told.min_position} if told.min_position else {}
    for place, one in enumerate(told.min_positions):
        if one.shard >= shards:
            rule = f"must be a shard of the log: it has {shards}"
            raise _broken(f"consistency.min_positions[{place}].shard", "shard.exists", rule)
        wanted[one.shard] = max(one.position, wanted.get(one.shard, 0))
    return wanted


def date_range(told: pb.DateRange, field: str) -> DateRange:
    """The local days told in a field. Raises InvalidArgument for impossible ones."""
    first = _date(f"{field}.from_date", told.from_date)
    last = _date(f"{field}.to_date", told.to_date)
    if not 0 <= (last - first).days < LONGEST_DAYS:
        rule = f"must not be before from_date, nor {LONGEST_DAYS} days or more after it"
        raise _broken(f"{field}.to_date", "range.order", rule)
    return DateRange(first, last)


def _date(field: str, text: str) -> date:
    try:
        told = date.fromisoformat(text)
    except ValueError:
        raise _broken(field, "date.exists", "must be a day of the calendar") from None
    if not 2000 <= told.year < 2200:
        raise _broken(field, "date.years", "must lie in the years 2000 to 2199")
    return told


def as_of_of(timestamp: Timestamp, *, told: bool, latest: datetime) -> datetime | None:
    """The time asked for, None when none is. Raises InvalidArgument beyond what can be reckoned."""
    if not told:
        return None
    try:
        at = moment(timestamp)
    except ValueError:
        at = None
    if at is None or at.year < 2000 or at > latest:
        rule = "must be a time from the year 2000 to one year from now"
        raise _broken("as_of", "timestamp.range", rule)
    return at


def zone_of(field: str, name: str, otherwise: ZoneInfo) -> ZoneInfo:
    """The zone named in a field, another when it is empty. Raises InvalidArgument for no zone."""
    if not name:
        return otherwise
    zone = zone_named(name)
    if zone is None:
        raise _broken(field, "zone.exists", "must be an IANA time zone")
    return zone


def _broken(field: str, rule: str, message: str) -> InvalidArgument:
    return InvalidArgument(violations=[Violation(field, rule, message)])
