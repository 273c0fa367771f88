"""Whether someone exercises: a habit that can lapse and come back, and how far a session goes."""

from __future__ import annotations

import random
from dataclasses import dataclass
from typing import NamedTuple

from rehab_cli.clinic.people import Traits
from rehab_cli.clinic.prescription import Item, Window

LAPSED_SHARE = 0.04
"""Of the ordinary chance of exercising is left to somebody who fell out of the habit."""
ABANDON_REASONS = ("fatigue", "interrupted", "technical", "other")
SKIP_REASONS = ("too_hard", "no_time", "no_equipment", "other")


class Undertaking(NamedTuple):
    """One exercise as it is meant to be done: the amounts of its sets; none when it is skipped."""

    item: Item
    sets: tuple[int, ...]
    skip_reason: str = ""


@dataclass(frozen=True)
class Intent:
    """What somebody is about to do for a window. `after_sets` is when they give up."""

    undertakings: tuple[Undertaking, ...]
    untold: bool = False
    abandon_reason: str = ""
    after_sets: int = 10_000


class Habit:
    """Two states, in the habit and out of it; each day may change the state."""

    def __init__(self, traits: Traits, chance: random.Random) -> None:
        self.lapsed = False
        self._traits = traits
        self._chance = chance

    def wake(self) -> None:
        traits = self._traits
        changes = traits.return_per_day if self.lapsed else traits.lapse_per_day
        if self._chance.random() < changes:
            self.lapsed = not self.lapsed

    def intends(self, window: Window) -> Intent | None:
        """What will be done for a window, None when nothing will."""
        chance = self._chance
        will = self._traits.habit * (LAPSED_SHARE if self.lapsed else 1)
        if chance.random() >= will:
            return None
        untold = chance.random() < self._traits.untold
        mood = chance.random()
        if mood < 0.78:
            return Intent(tuple(_whole(item) for item in window.items), untold)
        if mood < 0.82:
            return Intent(tuple(_more(item) for item in window.items), untold)
        if mood < 0.93:
            return Intent(self._partly(window.items), untold)
        sets = sum(item.sets for item in window.items)
        whole = tuple(_whole(item) for item in window.items)
        return Intent(whole, False, chance.choice(ABANDON_REASONS), chance.randint(1, sets))

    def _partly(self, items: tuple[Item, ...]) -> tuple[Undertaking, ...]:
        return tuple(self._shortened(item, first=item is items[0]) for item in items)

    def _shortened(self, item: Item, *, first: bool) -> Undertaking:
        """The first exercise is always begun; of the others some are left out."""
        if not first and self._chance.random() < 0.3:
            return Undertaking(item, (), self._chance.choice(SKIP_REASONS))
        sets = self._chance.randint(1, item.sets)
        least = max(1, item.amount // 2)
        return Undertaking(
            item, tuple(self._chance.randint(least, item.amount) for _ in range(sets))
        )


def _whole(item: Item) -> Undertaking:
    return Undertaking(item, (item.amount,) * item.sets)


def _more(item: Item) -> Undertaking:
    return Undertaking(item, (item.amount,) * (item.sets + 1))
