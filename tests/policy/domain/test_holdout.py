"""Trials of nudges: arms that never change, what is withheld, and what followed."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from rehab.events.v1 import alert_pb2
from rehab_policy.domain.actions import events_of
from rehab_policy.domain.backtest import Arm, backtest
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.firing import Firing
from rehab_policy.domain.given import Given
from rehab_policy.domain.holdout import HOLDOUT, INTERVENTION, arm_of
from rehab_policy.domain.linting import lint
from rehab_policy.domain.rules import NudgeTrial, RuleSet
from rehab_policy.domain.snapshot import dump, load
from tests.policy.domain.books import PAIN, book, event, events, pain, problems, text
from tests.policy.domain.test_engine import NUDGE, at

NAME = "kind_word"
TRIAL = f"trial: {{name: {NAME}, holdout: 50, within: 2d}}"
TRIED = NUDGE.replace("cooldown: 1d", f"cooldown: 1d\n    {TRIAL}")


def _somebody(arm: str, share: int = 50) -> str:
    """A patient of the arm."""
    trial = NudgeTrial(NAME, share, timedelta(days=2))
    return next(one for one in map("p-{}".format, range(500)) if arm_of(trial, one) == arm)


NUDGED, WITHHELD = _somebody(INTERVENTION), _somebody(HOLDOUT)


def firings(rules: RuleSet, patient_id: str, *given: Given) -> list[Firing]:
    engine = Engine(rules)
    state = engine.start(patient_id)
    return [firing for one in events(*given) for firing in engine.step(state, one).firings]


def session(day: int, clock: str, **told: object) -> Given:
    return event(day, clock, "exercise_session", {"session_id": f"s-{day}", "started": {}, **told})


@settings(max_examples=20, derandomize=True, deadline=None)
@given(st.from_regex(r"[a-z][a-z0-9_]{0,20}", fullmatch=True), st.integers(1, 50))
def test_the_share_held_out_is_near_the_one_asked_for(name: str, share: int) -> None:
    trial = NudgeTrial(name, share, timedelta(days=3))
    patients = [f"patient-{number}" for number in range(2_000)]
    held = sum(arm_of(trial, one) == HOLDOUT for one in patients)
    # five standard deviations of a binomial share
    wide = 5 * (2_000 * share / 100 * (1 - share / 100)) ** 0.5
    assert abs(held - 20 * share) <= wide


@settings(max_examples=50, derandomize=True, deadline=None)
@given(st.text(max_size=40), st.integers(1, 49), st.timedeltas())
def test_whoever_is_held_out_stays_so_when_the_share_is_raised(
    patient_id: str, share: int, within: timedelta
) -> None:
    small, large = NudgeTrial(NAME, share, within), NudgeTrial(NAME, share + 1, within)
    assert arm_of(small, patient_id) in (HOLDOUT, INTERVENTION)
    assert arm_of(small, patient_id) == INTERVENTION or arm_of(large, patient_id) == HOLDOUT


def test_an_arm_is_the_same_for_ever() -> None:
    """Whoever changes the hash moves patients of running trials."""
    trial = NudgeTrial(NAME, 50, timedelta(days=3))
    held = [number for number in range(12) if arm_of(trial, f"patient-{number}") == HOLDOUT]
    assert held == [2, 3, 5, 7, 11]


def test_arms_of_different_trials_are_drawn_apart() -> None:
    one, other = (NudgeTrial(name, 50, timedelta(days=3)) for name in ("one", "other"))
    patients = [f"patient-{number}" for number in range(2_000)]
    same = sum(arm_of(one, patient) == arm_of(other, patient) for patient in patients)
    assert 850 < same < 1_150


def test_a_nudge_of_the_holdout_is_withheld_and_says_so_and_the_other_arm_is_nudged() -> None:
    (sent,) = firings(book(TRIED), NUDGED, pain(0, "10:00", 1))
    (withheld,) = firings(book(TRIED), WITHHELD, pain(0, "10:00", 1))
    assert (sent.outcome, sent.reason, sent.arm) == ("decided", "", "intervention")
    assert (withheld.outcome, withheld.reason, withheld.arm) == ("suppressed", "holdout", "holdout")
    (told,) = events_of(withheld)
    nudge = told.body.nudge
    assert nudge.stage == alert_pb2.NUDGE_STAGE_SUPPRESSED
    assert (nudge.reason, nudge.arm, nudge.trial) == ("holdout", "holdout", NAME)
    (told,) = events_of(sent)
    assert (told.body.nudge.arm, told.body.nudge.reason) == ("intervention", "")


def test_both_arms_fire_at_the_same_moments() -> None:
    reports = [pain(day, "10:00", 1) for day in range(6)]
    sent, withheld = (firings(book(TRIED), who, *reports) for who in (NUDGED, WITHHELD))
    assert [one.at for one in sent] == [one.at for one in withheld] != []


def test_whoever_has_not_consented_is_in_no_trial() -> None:
    rules = book(TRIED.replace("cooldown: 1d", "cooldown: 1d\n    consent: research"))
    (fired,) = firings(rules, WITHHELD, pain(0, "10:00", 1))
    assert (fired.reason, fired.arm, fired.trial) == ("consent", "", "")


def test_another_nudge_of_the_group_is_not_withheld_with_it() -> None:
    rules = TRIED.replace("cooldown: 1d", "cooldown: 1d\n    group: word")
    other = NUDGE.replace("id: nudge", "id: plain").replace(
        "cooldown: 1d", "cooldown: 1d\n    group: word"
    )
    both = book(rules + other)
    sent = firings(both, NUDGED, pain(0, "10:00", 1))
    assert [(one.rule_id, one.also) for one in sent] == [("nudge", ("plain",))]
    withheld = firings(both, WITHHELD, pain(0, "10:00", 1))
    assert [(one.rule_id, one.outcome) for one in withheld] == [
        ("nudge", "suppressed"),
        ("plain", "decided"),
    ]


def test_a_clinic_has_a_trial_by_override_and_takes_a_patient_out_of_it() -> None:
    on = f"overrides:\n  - {{clinic: c-test, rules: {{nudge: {{{TRIAL}}}}}}}\n"
    out = f"{on}  - {{patient: {WITHHELD}, rules: {{nudge: {{trial: none}}}}}}\n"
    (plain,) = firings(book(NUDGE), WITHHELD, pain(0, "10:00", 1))
    (tried,) = firings(book(NUDGE, on), WITHHELD, pain(0, "10:00", 1))
    (spared,) = firings(book(NUDGE, out), WITHHELD, pain(0, "10:00", 1))
    assert (plain.outcome, tried.outcome, spared.outcome) == ("decided", "suppressed", "decided")
    assert spared.arm == spared.trial == ""
    assert plain.firing_id == tried.firing_id == spared.firing_id


@pytest.mark.parametrize("who", [NUDGED, WITHHELD])
def test_a_session_begun_in_time_follows_a_nudge_of_either_arm_once(who: str) -> None:
    given = [pain(0, "10:00", 1), session(1, "09:00"), session(2, "09:30")]
    nudge, follows = firings(book(TRIED), who, *given)
    assert (follows.outcome, follows.firing_id, follows.at) == (
        "followed",
        nudge.firing_id,
        nudge.at,
    )
    assert follows.arm == nudge.arm
    assert not events_of(follows), "the log has both of them already"


def test_a_session_of_before_or_too_late_follows_nothing() -> None:
    before = session(0, "09:00")
    reps = {"session_id": "s-0", "exercise_id": "mini_squat", "reps": [{"index": 1, "score": 50}]}
    going_on = event(0, "10:30", "rep_observation", reps)
    given = [before, pain(0, "10:00", 1), going_on, session(2, "10:01")]
    assert [one.outcome for one in firings(book(TRIED), NUDGED, *given)] == ["decided"]


def test_a_session_that_comes_late_follows_by_when_it_was_begun() -> None:
    late = Given(**{**_fields(session(1, "09:00")), "late": timedelta(days=5)})
    found = firings(book(TRIED), NUDGED, pain(0, "10:00", 1), late)
    assert [one.outcome for one in found] == ["decided", "followed"]


def _fields(one: Given) -> dict[str, object]:
    return {name: getattr(one, name) for name in Given.__dataclass_fields__}


def test_what_is_in_the_shadow_is_followed_by_nothing() -> None:
    rules = book(TRIED.replace("cooldown: 1d", "cooldown: 1d\n    mode: shadow"))
    found = firings(rules, NUDGED, pain(0, "10:00", 1), session(1, "09:00"))
    assert [one.shadow for one in found] == [True]


def test_a_state_that_was_written_down_still_waits_for_a_session() -> None:
    engine = Engine(book(TRIED))
    state = engine.start(NUDGED)
    *first, last = events(pain(0, "10:00", 1), session(1, "09:00"))
    for one in first:
        engine.step(state, one)
    (follows,) = engine.step(load(dump(state)), last).firings
    assert follows.outcome == "followed"


def test_what_a_trial_remembers_of_a_patient_is_bounded() -> None:
    engine = Engine(book(TRIED.replace("cooldown: 1d", "cooldown: 1h")))
    state = engine.start(NUDGED)
    reports = [pain(day, clock, 1) for day in range(60) for clock in ("10:00", "12:00")]
    for one in events(*reports):
        engine.step(state, one)
    assert 0 < len(state.trialled) <= 34
    assert all(one.until > at(59, "12:00") - timedelta(days=15) for one in state.trialled.values())


def test_a_backtest_counts_both_arms_and_what_followed() -> None:
    nudge_and_session = events(pain(0, "10:00", 1), session(1, "09:00"), pain(4, "10:00", 1))
    streams = []
    for who in (NUDGED, WITHHELD):
        copies = [type(one).FromString(one.SerializeToString()) for one in nudge_and_session]
        for one in copies:
            one.envelope.subject_id = who
        streams.append((who, copies))
    found = backtest(book(NUDGE), book(TRIED), streams)
    assert found.trials == {
        (NAME, INTERVENTION): Arm(2, 1, 1, 1),
        (NAME, HOLDOUT): Arm(2, 1, 1, 1),
    }
    difference = found.rules["nudge", "nudge"]
    assert (difference.before, difference.after, difference.fewer) == (4, 2, 2)


@pytest.mark.parametrize(
    ("trial", "says"),
    [
        ("{name: kind, holdout: 0}", "must be a share from 1 to 50 per cent"),
        ("{name: kind, holdout: 51}", "must be a share from 1 to 50 per cent"),
        ("{name: kind, holdout: ten}", "must be a whole number"),
        ("{name: Kind!, holdout: 10}", "a trial's name is of lower-case letters"),
        ("{holdout: 10}", "a trial has a `name`"),
        ("{name: kind}", "a trial has a `holdout`"),
        ("{name: kind, holdout: 10, within: 3}", "must be a duration"),
        ("{name: kind, holdout: 10, within: 31d}", "at most 30d"),
        ("{name: kind, holdout: 10, within: 0d}", "more than nothing"),
        ("{name: kind, holdout: 10, arms: 2}", "unknown field 'arms'"),
        ("none", "must be a mapping"),
    ],
)
def test_a_wrong_trial_is_told_at_its_line_and_column(trial: str, says: str) -> None:
    found = problems(NUDGE.replace("cooldown: 1d", f"cooldown: 1d\n    trial: {trial}"))
    assert any(says in told for told in found), found
    assert all(told.startswith("book.yaml:14:") for told in found), found


@pytest.mark.parametrize("change", ["cooldown: 1d", "emergency: true"])
def test_alerts_and_emergencies_have_no_trial(change: str) -> None:
    found = problems(PAIN.replace("cooldown: 1d", f"{change}\n    {TRIAL}"))
    assert any("a `trial` is of a nudge" in told for told in found), found
    off = f"overrides:\n  - {{clinic: c, rules: {{pain: {{{TRIAL}}}}}}}\n"
    (told,) = problems(PAIN, off)
    assert "c: a `trial` is of a nudge" in told


def test_one_trial_is_told_the_same_everywhere_and_nobody_is_put_in_alone() -> None:
    other = TRIAL.replace("50", "20")
    differing = TRIED + TRIED.replace("id: nudge", "id: other").replace(TRIAL, other)
    (told,) = problems(differing)
    assert "trial 'kind_word' is told otherwise at book.yaml:" in told
    alone = f"overrides:\n  - {{patient: p, rules: {{nudge: {{{TRIAL}}}}}}}\n"
    (told,) = problems(NUDGE, alone)
    assert "one patient is taken out of a trial" in told


def test_lint_says_from_how_many_a_nudge_is_withheld(tmp_path: Path) -> None:
    (tmp_path / "book.yaml").write_text(text(TRIED))
    found = lint([tmp_path], Cel())
    assert "nudge: withheld from 50 % of the patients, trial kind_word" in found.remarks
