"""What a rule book is refused for, and how precisely that is told."""

from __future__ import annotations

import pytest

from rehab_policy.domain.cel import Cel
from rehab_policy.domain.loading import BookError, load
from tests.policy.domain.books import PAIN, book, problems, text


def test_a_good_book_loads_with_its_version_and_hash() -> None:
    loaded = book()
    assert (loaded.name, loaded.version, len(loaded.sha256)) == ("test", 3, 64)
    assert [rule.id for rule in loaded.rules] == ["pain"]
    assert book().sha256 == loaded.sha256


def test_a_type_error_is_told_at_its_line_and_column() -> None:
    (told,) = problems(PAIN.replace("pain_report.nprs >= limit.severe", "pain_report.nprs >= 8"))
    line = text(PAIN).split("\n").index("    when: pain_report.nprs >= limit.severe") + 1
    assert told.startswith(f"book.yaml:{line}:28: pain: when: found no matching overload")
    assert "'_>=_' applied to '(uint, int)'" in told
    assert told.endswith("(in the expression: 1:18)")


def test_a_field_that_does_not_exist_is_told_inside_a_block() -> None:
    when = "when: |\n      pain_report.nprs >= limit.severe\n      && pain_report.sight == 'knee'"
    rules = PAIN.replace("when: pain_report.nprs >= limit.severe", when)
    (told,) = problems(rules)
    line = text(rules).split("\n").index("      && pain_report.sight == 'knee'") + 1
    assert told.startswith(f"book.yaml:{line}:21: pain: when: undefined field 'sight'")


def test_every_type_error_of_a_condition_is_told() -> None:
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "pain_report.a && pain_report.b")
    assert len(problems(rules)) == 2


@pytest.mark.parametrize(
    ("was", "becomes", "says"),
    [
        ("action: alert", "action: alarm", "must be one of feedback, nudge, alert"),
        ("on: [pain_report]", "on: [pain_reports]", "did you mean 'pain_report'?"),
        ("cooldown: 1d", "cooldwn: 1d", "unknown field 'cooldwn'; did you mean 'cooldown'?"),
        ("cooldown: 1d", "cooldown: 1 day", "must be a duration such as"),
        ("cooldown: 1d\n", "\n", "an alert has a `cooldown`"),
        ("severity: high", "severity: awful", "must be one of low, high, critical"),
        ("severity: high\n", "\n", "an alert has a `severity`"),
        ("version: 2", "version: two", "must be a whole number"),
        ("source: a study", "source: ' '", "`source` is empty"),
        ("owner: us\n", "\n", "a rule has a `owner`"),
        ("limit.severe", "limit.sever", "undefined field 'sever'"),
        (">= limit.severe", "", "must be bool, is uint"),
        ('{en: "Pain', '{de: "Pain', "has no message in 'en'"),
        ("{pain_report.nprs} of", "{pain_report.nprz} of", "message in 'en', {pain_report.nprz}"),
        ("on: [pain_report]", 'on: [pain_report]\n    daily: {at: "09:00"}', "one trigger"),
        ("on: [pain_report]", "daily: {at: 9}", "must be a time of day in quotes"),
        ("id: pain", "id: Pain!", "an id is of lower-case letters"),
        ("cooldown: 1d", "cooldown: 1d\n    emergency: true", "decided by the event alone"),
        ("cooldown: 1d", "cooldown: 1d\n    cue: slower", "`cue` and `stop` are of feedback"),
        ("cooldown: 1d", "cooldown: 1d\n    key: pain_report.nprs", "key: must be string, is uint"),
        (
            "cooldown: 1d",
            "cooldown: 1d\n    escalate: [{after: 2h, to: a}, {after: 1h, to: b}]",
            "each level of `escalate` comes later",
        ),
    ],
)
def test_what_is_wrong_with_a_rule_is_said(was: str, becomes: str, says: str) -> None:
    assert was in PAIN
    found = problems(PAIN.replace(was, becomes))
    assert any(says in told for told in found), found
    assert all(told.startswith("book.yaml:") for told in found)


@pytest.mark.parametrize(
    ("limit", "says"),
    [
        (
            "{default: 11, type: count, unit: a, between: [4, 10], source: s}",
            "must be within 4 and",
        ),
        ("{default: 5.5, type: count, unit: a, between: [4, 10], source: s}", "and whole"),
        ("{default: 5, unit: a, between: [10, 4], source: s}", "the least and the most"),
        ("{default: 5, unit: a, between: [1, 9]}", "a limit has a `source`"),
        ("{default: 5, unit: a, between: [1, 9], source: s, plan: pain}", "the plan has no limit"),
    ],
)
def test_a_limit_has_bounds_and_a_source(limit: str, says: str) -> None:
    found = problems(more="").copy()
    assert not found
    found = problems(other=f"limits:\n  mine: {limit}\n")
    assert any(says in told and told.startswith("other.yaml:2:") for told in found), found


@pytest.mark.parametrize(
    ("window", "says"),
    [
        ("{count: pain_report}", "has a `within`"),
        ("{count: pain_report, within: 61d}", "at most 60d"),
        ("{avg: pain_report, within: 1d}", "avg needs `of`"),
        ("{count: pain_report, of: pain_report.nprs, within: 1d}", "count has no `of`"),
        ("{streak: pain_report, within: 1d}", "a streak needs `where`"),
        ("{count: pain_report, where: pain_report.nprs, within: 1d}", "where: must be bool"),
        ("{avg: pain_report, of: pain_report.site, within: 1d}", "of: must be double or int"),
        ("{count: pain_report, each: reps, within: 1d}", "pain_report has no list 'reps'"),
        ("{count: pain_report, where: patient.quiet, within: 1d}", "undeclared reference"),
        ("{count: pain_report, avg: pain_report, within: 1d}", "a window has one of"),
    ],
)
def test_a_window_is_checked_like_a_condition(window: str, says: str) -> None:
    found = problems(other=f"windows:\n  mine: {window}\n")
    assert any(says in told and "mine" in told for told in found), found


def test_a_name_that_is_told_twice_is_refused_with_both_places() -> None:
    (told,) = problems(other=f"rules:{PAIN}")
    assert "'pain' is there already, at book.yaml:" in told
    assert told.startswith("other.yaml:")


def test_a_figure_that_may_be_absent_must_be_asked_for_first() -> None:
    bare = PAIN.replace("pain_report.nprs >= limit.severe", "patient.pain.rise >= limit.severe")
    (told,) = problems(bare)
    assert "patient.pain.rise may be absent: ask has(patient.pain.rise) first" in told
    asked = bare.replace("patient.pain.rise >=", "has(patient.pain.rise) && patient.pain.rise >=")
    assert not problems(asked)


def test_a_parted_window_is_of_its_own_kind_alone() -> None:
    windows = (
        "windows:\n  w: {count: rep_observation, by: rep_observation.session_id, within: 1d}\n"
    )
    rules = PAIN.replace("pain_report.nprs >= limit.severe", "window.w > 3u")
    (told,) = problems(rules, windows)
    assert "window w is parted: it may be asked on rep_observation alone" in told


def test_an_emergency_may_ask_for_nothing_but_its_event() -> None:
    rules = PAIN.replace("cooldown: 1d", "emergency: true").replace(
        "pain_report.nprs >= limit.severe", "patient.pain.count_7d > 3u"
    )
    (told,) = problems(rules)
    assert "undeclared reference to 'patient.pain.count_7d'" in told


@pytest.mark.parametrize(
    ("override", "says"),
    [
        ("{clinic: c, limits: {severe: 3}}", "severe must be within 4 and 10"),
        ("{clinic: c, limits: {sever: 5}}", "did you mean 'severe'?"),
        ("{patient: p, rules: {pian: {enabled: false}}}", "did you mean 'pain'?"),
        ("{limits: {severe: 5}}", "is for a `clinic` or for a `patient`"),
        ("{patient: p, rules: {pain: {when: 'true'}}}", "unknown field 'when'"),
    ],
)
def test_an_override_stays_within_the_bounds(override: str, says: str) -> None:
    found = problems(other=f"overrides:\n  - {override}\n")
    assert any(says in told and told.startswith("other.yaml:2:") for told in found), found


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ("book: [", "is not YAML"),
        ("rules: 5", "must be a list"),
        ("- 1", "must be a mapping"),
        ("book: a\nbook: b", "'book' is told twice"),
        ("&a [*a]", "has aliases"),
        ("a: &a [1]\nb: [*a, *a]", "has aliases"),
        ("[" * 40 + "]" * 40, "is nested too deeply"),
        ("[" * 5000 + "]" * 5000, "is nested too deeply"),
        ("\x07", "a character that is not allowed"),
        ("", "no file says `book:`"),
        (f"book: {'a' * 1_000_001}", "is longer than"),
    ],
)
def test_what_is_no_rule_book_is_refused_in_words(wrong: str, says: str) -> None:
    with pytest.raises(BookError, match=says.replace("[", r"\[")):
        load({"x.yaml": wrong}, Cel())
