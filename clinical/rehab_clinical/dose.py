"""How much of an occurrence was done: exact ratios of prescribed amounts."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from math import lcm

from rehab.events.v1 import common_pb2
from rehab_clinical.done import Done, DoneByExercise
from rehab_clinical.occurrences import DueItem, Occurrence
from rehab_clinical.plan import Item, Unit

FULL_DOSE = Fraction(4, 5)
"""Full: 16 of 20 prescribed sessions, the common threshold in the literature on adherence."""
EXCEEDED_DOSE = Fraction(6, 5)
_ONE = Fraction(1)


def exact_mean(ratios: Sequence[Fraction]) -> Fraction:
    """Of one ratio at least. Those of one denominator, as most are, are added as whole numbers."""
    numerators: dict[int, int] = {}
    for ratio in ratios:
        of = ratio.denominator
        numerators[of] = numerators.get(of, 0) + ratio.numerator
    common = lcm(*numerators)
    total = sum(numerator * (common // of) for of, numerator in numerators.items())
    return Fraction(total, common * len(ratios))


@dataclass(frozen=True, slots=True)
class ItemDose:
    """Prescribed and done of one exercise and side, in `unit`."""

    exercise_id: str
    side: int
    unit: Unit
    prescribed: Fraction
    done: Fraction
    tally: Done

    @property
    def raw_ratio(self) -> Fraction:
        return self.done / self.prescribed


@dataclass(frozen=True)
class Dosed:
    """An occurrence with what was done in it. Ratios are dimensionless, and reckoned once."""

    occurrence: Occurrence
    items: tuple[ItemDose, ...]
    session_ids: tuple[str, ...]

    @cached_property
    def ratio(self) -> Fraction:
        """The mean over exercises, each capped at 1."""
        return exact_mean([min(_ONE, item.raw_ratio) for item in self.items])

    @cached_property
    def raw_ratio(self) -> Fraction:
        return exact_mean([item.raw_ratio for item in self.items])

    @property
    def started(self) -> bool:
        return any(item.done > 0 for item in self.items)

    @property
    def full(self) -> bool:
        return self.ratio >= FULL_DOSE

    @property
    def exceeded(self) -> bool:
        return self.raw_ratio > EXCEEDED_DOSE


@dataclass(frozen=True, slots=True)
class Contribution:
    """What one session brought to an occurrence, and the items whose policy admits it."""

    session_id: str
    done: DoneByExercise
    admitted: tuple[DueItem, ...]


def dosed(occurrence: Occurrence, sessions: Sequence[Contribution]) -> Dosed:
    sides = _sides_prescribed(occurrence.items)
    doses: dict[tuple[str, int, Unit], ItemDose] = {}
    for due in occurrence.items:
        item = due.item
        alone = len(sides[item.exercise_id]) == 1
        tally = sum(
            (_of_item(item, s.done, alone=alone) for s in sessions if due in s.admitted), Done()
        )
        key = (item.exercise_id, item.side, item.unit)
        before = doses.get(key)
        # The same exercise and side prescribed twice at one time is one dose: counting what was
        # done against each would count it twice.
        prescribed = Fraction(item.amount) + (before.prescribed if before else 0)
        doses[key] = ItemDose(*key, prescribed, _amount(item.unit, tally), tally)
    return Dosed(occurrence, tuple(doses.values()), tuple(s.session_id for s in sessions))


def _sides_prescribed(items: Iterable[DueItem]) -> Mapping[str, set[int]]:
    sides: dict[str, set[int]] = {}
    for due in items:
        sides.setdefault(due.item.exercise_id, set()).add(due.item.side)
    return sides


def _of_item(item: Item, done: DoneByExercise, *, alone: bool) -> Done:
    """What counts for the item's side.

    Both sides at once work each of them; one side after the other work both as often as the lesser
    of the two. Where sides were not told apart, the only prescribed side is meant.
    """

    def on(side: int) -> Done:
        return done.get((item.exercise_id, side), Done())

    untold = on(common_pb2.SIDE_UNSPECIFIED)
    both = on(common_pb2.SIDE_BOTH)
    left, right = on(common_pb2.SIDE_LEFT), on(common_pb2.SIDE_RIGHT)
    match item.side:
        case common_pb2.SIDE_UNSPECIFIED:
            return untold + both + left + right
        case common_pb2.SIDE_BOTH:
            return untold + both + _lesser(left, right)
        case _:
            return on(item.side) + both + (untold if alone else Done())


def _lesser(left: Done, right: Done) -> Done:
    return Done(
        reps=min(left.reps, right.reps),
        hold_ms=min(left.hold_ms, right.hold_ms),
        active_ms=min(left.active_ms, right.active_ms),
        scored=min(left.scored, right.scored),
        good=min(left.good, right.good, left.scored, right.scored),
    )


def _amount(unit: Unit, tally: Done) -> Fraction:
    match unit:
        case Unit.REPS:
            return Fraction(tally.reps)
        case Unit.SECONDS:
            return Fraction(tally.hold_ms, 1000)
        case Unit.MINUTES:
            return Fraction(tally.active_ms, 60_000)
