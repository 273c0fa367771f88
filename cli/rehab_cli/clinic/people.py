"""Who is in the clinic. Names and addresses live here alone: no event ever holds one."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, timedelta

from rehab_cli.clinic.ids import opaque
from rehab_cli.clinic.library import CONDITIONS, LEFT, RIGHT, Condition, Side

ZONES = ("America/Los_Angeles", "America/New_York", "Europe/Berlin", "Pacific/Honolulu")
LANGUAGES = {"Europe/Berlin": "de"}
PHONES = (("Pixel 9", "Android 16"), ("iPhone 17", "iOS 26.1"), ("Galaxy S25", "Android 15"))

_FIRST = (
    "Ottoline",
    "Zebulon",
    "Isaura",
    "Leopold",
    "Marisol",
    "Thaddeus",
    "Winnifred",
    "Casimir",
    "Philippa",
    "Evander",
    "Henrike",
    "Saoirse",
)
_LAST = (
    "Quillfeather",
    "Brandtwerder",
    "Okonjo-Reyes",
    "Vandersloot",
    "Pennyworthy",
    "Achterberg",
    "Szymkowiak",
    "Fitzalderley",
    "Kaleikini",
    "Castellanetta",
    "Thistlewaite",
    "Obradovska",
    "Papadrakis",
    "Escamillo",
)


@dataclass(frozen=True)
class Person:
    """A person's own details, for checks that nothing of them leaks."""

    name: str
    email: str
    phone: str
    birth_date: str


@dataclass(frozen=True)
class Therapist:
    id: str
    person: Person
    device_id: str
    """The clinic's computer, from which the therapist's events come."""


@dataclass(frozen=True)
class Traits:
    """How someone moves and lives. Shares and chances are 0 to 1."""

    habit: float
    """Chance of doing a due session in an ordinary week."""
    lapse_per_day: float
    """Chance of falling out of the habit on a day."""
    return_per_day: float
    """Chance of finding back on a day."""
    untold: float
    """Share of sessions done without the camera and told afterwards."""
    offline_per_day: float
    """Chance that the phone has no network for a part of a day."""
    start_rom: float
    """Range of motion at the start, as a share of the target."""
    recovery_days: float
    """Time constant of recovery, in days."""
    fatigue: float
    """Loss of range per repetition of a set, as a share."""
    tremor_deg: float
    """Amplitude of tremor when fresh, in degrees."""
    pace: float
    """Durations of phases as a share of the prescribed tempo."""
    pain: float
    """Pain at the start, 0 to 10."""
    lateness: float
    """Where in a due window sessions fall: 0 its start, 1 its end."""


@dataclass(frozen=True)
class Patient:
    """Someone in treatment. The ids tell nothing about the person."""

    id: str
    person: Person
    clinic_id: str
    therapist: Therapist
    zone: str
    device_id: str
    device_model: str
    os: str
    consent_id: str
    episode_id: str
    plan_id: str
    condition: Condition
    affected: Side
    enrolled_after_days: int
    traits: Traits
    chance_seed: str

    @property
    def language(self) -> str:
        return LANGUAGES.get(self.zone, "en")


@dataclass(frozen=True)
class Clinic:
    """The people of one seed."""

    id: str
    therapists: tuple[Therapist, ...]
    patients: tuple[Patient, ...]

    def canaries(self) -> Iterator[str]:
        """Every name, address, phone number and date of birth: they must be found nowhere."""
        team = [therapist.person for therapist in self.therapists]
        for person in (*team, *(patient.person for patient in self.patients)):
            yield from (person.name, person.email, person.phone, person.birth_date)


def clinic(seed: int, patients: int = 40, therapists: int = 3) -> Clinic:
    """The clinic of a seed. A patient is the same whatever the number of the others is."""
    clinic_id = opaque("c", seed, "clinic")
    team = tuple(
        Therapist(
            id=opaque("t", seed, "therapist", index),
            person=_person(seed, "therapist", index),
            device_id=opaque("desk", seed, index),
        )
        for index in range(therapists)
    )
    return Clinic(
        id=clinic_id,
        therapists=team,
        patients=tuple(
            _patient(seed, index, clinic_id, team[index % therapists]) for index in range(patients)
        ),
    )


def _person(seed: int, role: str, index: int) -> Person:
    chance = random.Random(f"{seed}:{role}:{index}:person")
    first, last = chance.choice(_FIRST), chance.choice(_LAST)
    address = f"{first}.{last}.{index}@example.org".lower()
    born = date(1931, 1, 1) + timedelta(days=chance.randrange(20_000))
    return Person(
        f"{first} {last}", address, f"+1555{chance.randrange(10**7):07}", born.isoformat()
    )


def _patient(seed: int, index: int, clinic_id: str, therapist: Therapist) -> Patient:
    chance = random.Random(f"{seed}:patient:{index}:traits")
    model, system = chance.choice(PHONES)
    return Patient(
        id=opaque("p", seed, "patient", index),
        person=_person(seed, "patient", index),
        clinic_id=clinic_id,
        therapist=therapist,
        zone=ZONES[index % len(ZONES)],
        device_id=opaque("phone", seed, index),
        device_model=model,
        os=system,
        consent_id=opaque("consent", seed, index),
        episode_id=opaque("episode", seed, index),
        plan_id=opaque("plan", seed, index),
        condition=chance.choice(CONDITIONS),
        affected=chance.choice((LEFT, RIGHT)),
        enrolled_after_days=chance.choice((0, 0, 0, 0, 1, 2, 3, 5)),
        traits=_traits(chance),
        chance_seed=f"{seed}:patient:{index}:life",
    )


def _traits(chance: random.Random) -> Traits:
    return Traits(
        habit=0.35 + 0.62 * chance.betavariate(4, 1.5),
        lapse_per_day=chance.choice((0.0, 0.01, 0.02, 0.05)),
        return_per_day=chance.choice((0.0, 0.1, 0.2, 0.3)),
        untold=chance.choice((0.0, 0.0, 0.05, 0.2)),
        offline_per_day=chance.choice((0.0, 0.02, 0.05, 0.2)),
        start_rom=chance.uniform(0.5, 0.75),
        recovery_days=chance.uniform(12, 45),
        fatigue=chance.uniform(0.002, 0.012),
        tremor_deg=chance.uniform(0.02, 0.12),
        pace=chance.uniform(0.75, 1.15),
        pain=chance.uniform(0.5, 6),
        lateness=chance.betavariate(2, 3),
    )
