"""Billing thresholds of remote therapeutic monitoring, as versioned rows by payer and date.

Sources: DOMAIN section 2.1 (AAPC, Medbridge, Physitrack, StrataPT) and its contradictions in 2.4.
They are data and never constants: sources contradict each other, and what one payer takes another
refuses. A worksheet that rests on them is no claim; who bills must check with the payer.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from rehab.events.v1 import patient_pb2

MSK = patient_pb2.MONITORING_SYSTEM_MUSCULOSKELETAL
RESPIRATORY = patient_pb2.MONITORING_SYSTEM_RESPIRATORY
CBT = patient_pb2.MONITORING_SYSTEM_CBT

RPM_CODES = frozenset({"99445", "99453", "99454", "99457", "99458", "99470", "99091"})
"""Remote physiologic monitoring: both in one month is a reason for denial (DOMAIN finding 10)."""
ASSISTANTS: Mapping[str, str] = {"PTA": "CQ", "OTA": "CO", "COTA": "CO"}
"""The modifier when an assistant acts, by credential (DOMAIN section 2.2)."""


@dataclass(frozen=True, slots=True)
class Policy:
    """In force from a date for a payer. Days are distinct days with data in `window_days`.

    `low` codes need `low_days` and `high` codes `high_days`; a policy without low codes has an
    empty mapping. Minutes are whole minutes of a calendar month. `setup_days` is a policy value:
    its source for 2026 was not found.
    """

    version: str
    payer: str
    effective_from: date
    source: str
    setup: str
    setup_days: int
    high: Mapping[int, str]
    high_days: int
    low: Mapping[int, str]
    low_days: int
    first_minutes: str
    each_further: str
    block_minutes: int
    short: str
    short_minutes: int
    window_days: int = 30

    def supply(self, system: int, days: int) -> str | None:
        """The device code that so many days prove, None when none does."""
        if days >= self.high_days:
            return self.high.get(system)
        return self.low.get(system) if days >= self.low_days else None

    def next_days(self, days: int) -> int | None:
        """The days at which another device code begins, None beyond the last."""
        steps = [self.high_days, *([self.low_days] if self.low else [])]
        return min((step for step in steps if step > days), default=None)

    def management(self, minutes: int) -> tuple[tuple[str, int], ...]:
        """The codes, each with its units, that so many minutes of a month prove."""
        if minutes >= self.block_minutes:
            further = (minutes - self.block_minutes) // self.block_minutes
            codes = ((self.first_minutes, 1), (self.each_further, further))
            return tuple(told for told in codes if told[1])
        return ((self.short, 1),) if self.short and minutes >= self.short_minutes else ()

    def next_minutes(self, minutes: int) -> int:
        """The minutes at which another code or unit begins."""
        if self.short and minutes < self.short_minutes:
            return self.short_minutes
        return (minutes // self.block_minutes + 1) * self.block_minutes


_HIGH: Mapping[int, str] = {RESPIRATORY: "98976", MSK: "98977", CBT: "98978"}
_LOW: Mapping[int, str] = {RESPIRATORY: "98984", MSK: "98985", CBT: "98986"}

POLICIES = (
    Policy(
        version="medicare-2022",
        payer="medicare",
        effective_from=date(2022, 1, 1),
        source="CPT 2022 as summarised by Medbridge and Physitrack",
        setup="98975",
        setup_days=16,
        high=_HIGH,
        high_days=16,
        low={},
        low_days=16,
        first_minutes="98980",
        each_further="98981",
        block_minutes=20,
        short="",
        short_minutes=0,
    ),
    Policy(
        version="medicare-2026",
        payer="medicare",
        effective_from=date(2026, 1, 1),
        source="CPT 2026 as summarised by AAPC and Medbridge; days for 98975 not found",
        setup="98975",
        setup_days=2,
        high=_HIGH,
        high_days=16,
        low=_LOW,
        low_days=2,
        first_minutes="98980",
        each_further="98981",
        block_minutes=20,
        short="98979",
        short_minutes=10,
    ),
)
"""Newest last, for each payer."""


def policy_on(day: date, payer: str = "medicare") -> Policy:
    """The row in force on a day, the oldest of the payer before that.

    Raises LookupError for a payer without rows.
    """
    rows = [row for row in POLICIES if row.payer == payer]
    if not rows:
        raise LookupError(payer)
    in_force = [row for row in rows if row.effective_from <= day]
    return in_force[-1] if in_force else rows[0]
