"""A session keeps count so that the app need not."""

from __future__ import annotations

import pytest

from rehab_sdk.errors import Invalid
from rehab_sdk.events import Body
from rehab_sdk.verbs import Script, SessionVerbs
from tests.sdk.given import StandingClock


class Telling(SessionVerbs[Body]):
    """Gives back what was said."""

    def __init__(self, exercise: str = "squat") -> None:
        self.clock = StandingClock()
        script = Script("session-1", exercise, self.clock)
        script.begin()
        super().__init__(script)

    def log(self, body: Body) -> Body:
        return body


def test_repetitions_are_numbered_within_their_set() -> None:
    session = Telling()
    seen = [session.rep(score=80).rep_observation for _ in range(3)]
    assert [(rep.set_index, rep.reps[0].index) for rep in seen] == [(1, 1), (1, 2), (1, 3)]
    session.set_completed()
    after = session.rep(score=80).rep_observation
    assert (after.set_index, after.reps[0].index) == (2, 1)


def test_a_set_is_told_as_it_was_seen() -> None:
    session = Telling()
    for score in (95, 69.9, 70):
        session.rep(score=score)
        session.clock.advance(3)
    done = session.set_completed(rpe=4).exercise_session.set_completed
    assert (done.exercise_id, done.reps, done.good_reps, done.duration_s) == ("squat", 3, 2, 9)
    assert done.rpe == 4


def test_a_set_without_scores_has_no_good_repetitions() -> None:
    session = Telling()
    session.rep(unscored="no_model")
    assert not session.set_completed().exercise_session.set_completed.HasField("good_reps")


def test_a_set_nobody_watched_is_told_as_said() -> None:
    done = Telling().set_completed(reps=12, duration_s=40).exercise_session.set_completed
    assert (done.reps, done.duration_s, done.set_index) == (12, 40, 1)


def test_exercises_and_sides_are_counted_apart() -> None:
    session = Telling()
    session.rep(score=80, side="left")
    right = session.rep(score=80, side="right").rep_observation
    lunge = session.rep(score=80, exercise="lunge").rep_observation
    assert (right.reps[0].index, lunge.reps[0].index) == (1, 1)
    session.set_completed(side="left")
    assert session.rep(score=80, side="left").rep_observation.set_index == 2
    assert session.rep(score=80, side="right").rep_observation.set_index == 1


def test_naming_the_sessions_own_exercise_changes_no_count() -> None:
    session = Telling()
    session.rep(score=80)
    assert session.rep(score=80, exercise="squat").rep_observation.reps[0].index == 2


def test_a_repetition_starts_before_it_is_told() -> None:
    session = Telling()
    session.clock.advance(10)
    rep = session.rep(score=80, duration_ms=2500).rep_observation.reps[0]
    assert (rep.start_ms, rep.duration_ms) == (7500, 2500)


def test_a_repetition_never_starts_before_the_session() -> None:
    assert Telling().rep(score=80, duration_ms=2500).rep_observation.reps[0].start_ms == 0


def test_everything_said_belongs_to_the_session() -> None:
    session = Telling()
    said = [
        session.pain(3, phase="post").pain_report,
        session.exertion(4).feedback,
        session.difficulty(2).feedback,
        session.symptom("dizziness").symptom_report,
        session.fall().symptom_report,
        session.cue("knee_out").feedback,
        session.skip("pain").exercise_session,
    ]
    assert {message.session_id for message in said} == {"session-1"}


def test_an_exercise_must_be_named_somewhere() -> None:
    with pytest.raises(Invalid, match="exercise"):
        Telling(exercise="").rep(score=80)
