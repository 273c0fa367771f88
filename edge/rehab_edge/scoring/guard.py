"""A scorer that cannot hurt the session: switched off when it fails or takes too long.

It runs in a thread of its own, so that one that never returns costs its deadline once and no more.
Python cannot stop the thread; it is left behind, and as a daemon it does not keep the process.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from dataclasses import replace

from rehab_edge.scoring.calibration import PatientBaseline
from rehab_edge.scoring.protocol import Attempt, FormScore, FormScorer, abstention

DEADLINE_S = 0.5
"""Nothing is waited for longer; a patient would notice."""
BUDGET_S = 0.05
OVERRUNS = 3
"""In a row; a single one may be the machine's fault."""

_Work = tuple[Attempt, PatientBaseline | None, "queue.SimpleQueue[FormScore | Exception]"]


class Guarded:
    """`told` hears once why the scorer was switched off: failed, timed_out, too_slow or
    not_a_score."""

    def __init__(
        self,
        scorer: FormScorer,
        *,
        told: Callable[[str, str], None] = lambda _id, _why: None,
        deadline_s: float = DEADLINE_S,
        budget_s: float = BUDGET_S,
    ) -> None:
        self.id = scorer.id
        self.disabled = ""
        self._scorer, self._told = scorer, told
        self._deadline_s, self._budget_s = deadline_s, budget_s
        self._slow = 0
        self._work: queue.SimpleQueue[_Work | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def score(self, attempt: Attempt, baseline: PatientBaseline | None = None) -> FormScore:
        """Raises nothing; abstains with `scorer_off` once the scorer is switched off."""
        if self.disabled:
            return abstention("scorer_off")
        began = time.perf_counter()
        answer = self._asked(attempt, baseline)
        took_s = time.perf_counter() - began
        why = _wrong_with(answer)
        if not why and took_s > self._budget_s:
            self._slow += 1
            why = "too_slow" if self._slow >= OVERRUNS else ""
        elif not why:
            self._slow = 0
        if why:
            self._switch_off(why)
        if not isinstance(answer, FormScore) or why == "not_a_score":
            return abstention("scorer_off")
        return replace(answer, latency_us=1e6 * took_s)

    def close(self) -> None:
        self._work.put(None)

    def _asked(
        self, attempt: Attempt, baseline: PatientBaseline | None
    ) -> FormScore | Exception | None:
        """None when nothing came in time."""
        if self._thread is None:
            self._thread = threading.Thread(
                target=_serve,
                args=(self._scorer, self._work),
                name=f"scorer-{self.id}",
                daemon=True,
            )
            self._thread.start()
        answers: queue.SimpleQueue[FormScore | Exception] = queue.SimpleQueue()
        self._work.put((attempt, baseline, answers))
        try:
            return answers.get(timeout=self._deadline_s)
        except queue.Empty:
            return None

    def _switch_off(self, why: str) -> None:
        self.disabled = why
        self.close()
        self._told(self.id, why)


def _serve(scorer: FormScorer, work: queue.SimpleQueue[_Work | None]) -> None:
    while (asked := work.get()) is not None:
        attempt, baseline, answers = asked
        try:
            answers.put(scorer.score(attempt, baseline))
        except Exception as error:
            answers.put(error)


def _wrong_with(answer: object) -> str:
    if answer is None:
        return "timed_out"
    if isinstance(answer, Exception):
        return "failed"
    if not isinstance(answer, FormScore):
        return "not_a_score"
    inside = answer.value is None or 0 <= answer.value <= 100
    return "" if inside and 0 <= answer.confidence <= 1 else "not_a_score"
