"""Everything that can be said of a rule book and its tests without running them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from rehab_policy.domain.expressions import Language
from rehab_policy.domain.holdout import told_of_trials
from rehab_policy.domain.loading import examine, texts_of
from rehab_policy.domain.rules import RuleSet
from rehab_policy.domain.trials import Trial, TrialError, trial_texts, trials_of, untested


@dataclass(frozen=True)
class Lint:
    """`problems` keep a book from being used; `remarks` do not."""

    rules: RuleSet | None
    trials: tuple[Trial, ...]
    problems: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def good(self) -> bool:
        return not self.problems


def lint(paths: Iterable[Path], language: Language) -> Lint:
    """Rules and tests of files and folders. Raises OSError, BookError for what is not UTF-8."""
    told = list(paths)
    loaded = examine(texts_of(told), language)
    problems = [str(problem) for problem in loaded.problems]
    trials: list[Trial] = []
    for file, text in trial_texts(told).items():
        try:
            trials += trials_of({file: text})
        except TrialError as error:
            problems.append(str(error))
    remarks = _remarks(loaded.rules, trials) if loaded.rules else []
    return Lint(loaded.rules, tuple(trials), tuple(problems), tuple(remarks))


def _remarks(rules: RuleSet, trials: Iterable[Trial]) -> list[str]:
    """What a reviewer should know."""
    reviewed = [rule.id for rule in rules.rules if rule.review]
    reviewed += [limit.name for limit in rules.limits.values() if limit.review]
    used = _used(rules)
    unused = [name for name in rules.limits if name not in used]
    return [
        *(f"{rule}: no test makes it fire" for rule in untested(rules, trials)),
        *(f"{name}: needs clinician review" for name in reviewed),
        *(f"{name}: no rule asks for this limit" for name in unused),
        *told_of_trials(rules),
    ]


def _used(rules: RuleSet) -> set[str]:
    texts = [rule.when for rule in rules.rules]
    texts += [text for w in rules.windows.values() for text in (w.where, w.of)]
    used = {name for name in rules.limits if any(f"limit.{name}" in text for text in texts)}
    absences = (rule.absence.hours for rule in rules.rules if rule.absence)
    return used | {hours for hours in absences if isinstance(hours, str)}
