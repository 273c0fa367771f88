"""The shipped rule book and its own tests."""

from __future__ import annotations

import pytest

from rehab.events.v1 import common_pb2
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.linting import lint
from rehab_policy.domain.reading import RULE_FIELDS
from rehab_policy.domain.rules import ActionKind
from rehab_policy.domain.trials import Trial, run_tests, trial_texts, trials_of
from tests.policy.domain.books import BOOK, shipped

TRIALS = trials_of(trial_texts([BOOK]))


@pytest.mark.parametrize("trial", TRIALS, ids=[trial.name for trial in TRIALS])
def test_the_book_does_what_its_tests_say(trial: Trial) -> None:
    (verdict,) = run_tests(shipped(), [trial])
    assert verdict.good, verdict.differences


def test_the_book_has_no_problem_and_every_rule_a_test_that_makes_it_fire() -> None:
    found = lint([BOOK], Cel())
    assert not found.problems
    assert not [remark for remark in found.remarks if "needs clinician review" not in remark]


def test_every_rule_speaks_four_languages_and_says_where_it_comes_from() -> None:
    book = shipped()
    assert book.languages == ("en", "de", "es", "fr")
    assert len(book.rules) >= 30
    for rule in book.rules:
        assert all(rule.messages[language].strip() for language in book.languages)
        assert rule.source, rule.id
        assert rule.rationale, rule.id
        assert rule.owner, rule.id


def test_what_rests_on_a_weak_source_is_marked_for_review() -> None:
    book = shipped()
    weak = ("weak", "clinical consensus", "product choice of")
    for rule in book.rules:
        if any(word in rule.source for word in weak) and rule.id != "symptom.unmapped":
            assert rule.review, rule.id
    for limit in book.limits.values():
        if "clinical consensus" in limit.source:
            assert limit.review, limit.name


def test_emergencies_are_critical_have_a_chain_and_an_answer_is_due() -> None:
    emergencies = [rule for rule in shipped().rules if rule.emergency]
    assert {rule.id for rule in emergencies} >= {
        "emergency.pain",
        "emergency.fall",
        "emergency.dizziness",
        "emergency.chest_pain",
        "emergency.heart_rate",
    }
    for rule in emergencies:
        assert rule.action is ActionKind.ALERT
        assert rule.severity == common_pb2.SEVERITY_CRITICAL
        assert rule.escalation, rule.id
        assert rule.answer_within, rule.id


def test_the_document_counts_the_rules_and_names_every_field_of_a_rule() -> None:
    page = (BOOK.parents[3] / "docs/domain/rules.md").read_text()
    assert f"{len(shipped().rules)} rules in English" in page
    assert not [field for field in RULE_FIELDS if field not in page]
