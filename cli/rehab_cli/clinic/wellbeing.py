"""How a patient feels and moves on a day: pain that ebbs and flares, a body that recovers."""

from __future__ import annotations

import math
import random

from rehab_cli.clinic.kinematics import Limb
from rehab_cli.clinic.people import Patient, Traits
from rehab_cli.clinic.prescription import Item

PAIN_EBBS_IN_DAYS = 60.0
FLARES_PER_DAY = 0.015
FULL_REACH = 1.04
"""What recovery tends to, as a share of the target."""


class Wellbeing:
    """State of one patient, moved on by a day at a time."""

    def __init__(self, patient: Patient, chance: random.Random) -> None:
        self.day = 0
        self._patient = patient
        self._chance = chance
        self._flare = 0.0

    @property
    def _traits(self) -> Traits:
        return self._patient.traits

    def wake(self) -> None:
        self.day += 1
        self._flare *= 0.6
        if self._chance.random() < FLARES_PER_DAY:
            self._flare = self._chance.uniform(2, 4.5)

    def pain(self, strain: float = 0.0) -> int:
        """0 to 10 on the numeric rating scale; `strain` is what exercise just added."""
        lasting = self._traits.pain * math.exp(-self.day / PAIN_EBBS_IN_DAYS)
        felt = lasting + self._flare + strain + self._chance.gauss(0, 0.7)
        return min(10, max(0, round(felt)))

    def limb(self, item: Item) -> Limb:
        """How an exercise is moved today. Pain costs range, practice brings it."""
        traits, exercise = self._traits, item.exercise
        recovered = 1 - math.exp(-self.day / traits.recovery_days)
        reach = traits.start_rom + (FULL_REACH - traits.start_rom) * recovered
        return Limb(
            joints=exercise.joints(self._patient.affected),
            rest_deg=exercise.rest_deg,
            target_deg=item.rom_target_deg or 0.0,
            tempo_s=exercise.tempo_s,
            scored=exercise.scored,
            reach=reach - 0.02 * self._flare + self._chance.gauss(0, 0.015),
            pace=traits.pace,
            fatigue=traits.fatigue,
            tremor_deg=traits.tremor_deg * (2 - recovered),
        )

    def exertion(self, share_done: float) -> float:
        """Borg CR10 after a session."""
        felt = 3 + 3 * share_done * (1.2 - self._traits.habit) + self._chance.gauss(0, 1)
        return round(min(10.0, max(0.5, felt)) * 2) / 2
