"""A session as it goes on: its clock, and the words in which its steps are told."""

from __future__ import annotations

import random
from dataclasses import dataclass
from datetime import datetime

from rehab.events.v1 import exercise_pb2 as pb
from rehab.events.v1.event_pb2 import Body
from rehab_cli.clinic.deeds import Deed
from rehab_cli.clinic.happening import Author, Happening, later
from rehab_cli.clinic.people import Patient
from rehab_cli.clinic.wellbeing import Wellbeing


@dataclass
class Scene:
    """`at` is the session's clock; it only goes on."""

    patient: Patient
    chance: random.Random
    feeling: Wellbeing
    session_id: str
    plan_version: int
    started_at: datetime
    at: datetime
    reps_per_event: int
    """Repetitions in one event; 0 for a whole set."""

    @property
    def since_start_ms(self) -> int:
        return round(1000 * (self.at - self.started_at).total_seconds())

    def wait(self, seconds: float) -> None:
        self.at = later(self.at, seconds)

    def told(self, author: Author, body: Body, *deeds: Deed) -> Happening:
        return Happening(self.at, author, body, deeds, self.session_id, self.plan_version)

    def step(self, author: Author, *deeds: Deed, **action: object) -> Happening:
        """A step of the session's own kind, such as started=…"""
        session = pb.ExerciseSession(session_id=self.session_id, **action)  # type: ignore[arg-type]
        return self.told(author, Body(exercise_session=session), *deeds)

    def felt(self, author: Author, **said: object) -> Happening:
        """Feedback of the session, such as exertion=…"""
        feedback = pb.Feedback(session_id=self.session_id, **said)  # type: ignore[arg-type]
        return self.told(author, Body(feedback=feedback))
