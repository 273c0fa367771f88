"""Rules: what thirty of them cost an event, beside the same conditions as Python ifs, and the
shipped book over a simulated year.

    python -m bench.policy [--json PATH]

Process CPU time, medians of RUNS alternating runs. RUNS, EVENTS, PATIENTS and DAYS may be set in
the environment.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import statistics
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

import uvloop

from bench.feedback import latency
from bench.measure import Row, show
from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.events.v1.exercise_pb2 import RepObservation
from rehab_cli.bars import bar
from rehab_cli.clinic import simulate
from rehab_cli.policy import SHIPPED
from rehab_policy.domain.backtest import Backtest, backtest
from rehab_policy.domain.cel import Cel
from rehab_policy.domain.engine import Engine
from rehab_policy.domain.loading import load, load_paths, texts_of
from rehab_policy.domain.rules import RuleSet
from rehab_policy.domain.scopes import Scopes

RUNS = int(os.environ.get("RUNS", "5"))
EVENTS = int(os.environ.get("EVENTS", "3000"))
PATIENTS = int(os.environ.get("PATIENTS", "10"))
DAYS = int(os.environ.get("DAYS", "365"))
START = datetime(2026, 1, 5, tzinfo=UTC)
GOAL_PER_S = 5_000
RULES = 30

Streams = Mapping[str, list[RecordedEvent]]
Holds = Callable[[RepObservation], bool]


@dataclass(frozen=True)
class Condition:
    """One condition, as a rule has it and as a programmer would write it."""

    cel: str
    plain: Holds


def conditions() -> list[Condition]:
    """Thirty that hold for no repetition of the simulation, so that all of them are looked at."""
    return [one for number in range(RULES // 5) for one in _five(number)]


def _five(number: int) -> Iterator[Condition]:
    low, fast, deg = 1.0 - 0.1 * number, 100 - number, 90.0 + number
    yield Condition(
        f"rep_observation.reps.exists(r, has(r.score) && r.score < {low})",
        lambda seen: any(r.HasField("score") and r.score < low for r in seen.reps),
    )
    yield Condition(
        f"rep_observation.reps.all(r, r.duration_ms < {fast}u)",
        lambda seen: all(r.duration_ms < fast for r in seen.reps),
    )
    yield Condition(
        "rep_observation.reps.exists(r, r.compensations.exists(c, c.code == 'knee_valgus'"
        f" && c.magnitude_deg >= {deg}))",
        lambda seen: any(
            c.code == "knee_valgus" and c.magnitude_deg >= deg
            for r in seen.reps
            for c in r.compensations
        ),
    )
    yield Condition(
        f"rep_observation.exercise_id == 'none_{number}' && rep_observation.set_index > 1u",
        lambda seen: seen.exercise_id == f"none_{number}" and seen.set_index > 1,
    )
    yield Condition(
        f"rep_observation.set_index > {50 + number}u",
        lambda seen: seen.set_index > 50 + number,
    )


def book(told: list[Condition]) -> RuleSet:
    """Those conditions as rules; without any a rule on another kind, so that events are folded
    and nothing is asked."""
    rules = [_rule(f"rule.{n}", "rep_observation", one.cel) for n, one in enumerate(told)]
    return load(
        {
            "bench": "book: bench\nversion: 1\nrules:\n"
            + "".join(rules or [_rule("none", "goal", "false")])
        },
        Cel(),
    )


def _rule(rule_id: str, kind: str, when: str) -> str:
    return f"""
  - {{id: {rule_id}, version: 1, on: [{kind}], when: "{when}", action: alert, severity: low,
      cooldown: 1d, owner: bench, rationale: bench, source: bench, message: {{en: bench}}}}
"""


def streams(patients: int, days: int, reps_per_event: int) -> Streams:
    """The simulated clinic as the log has it, by patient."""
    found: dict[str, list[RecordedEvent]] = {}
    clinic = simulate(1, start=START, days=days, patients=patients, reps_per_event=reps_per_event)
    for timed in clinic:
        envelope = timed.event.envelope
        stream = found.setdefault(envelope.subject_id, [])
        recorded = RecordedEvent(envelope=envelope, body=timed.event.body.SerializeToString())
        recorded.envelope.recorded_at.FromDatetime(timed.at)
        recorded.envelope.stream_version = len(stream) + 1
        stream.append(recorded)
    return found


def fold(engine: Engine, told: Streams, also: Callable[[RecordedEvent], None] | None) -> float:
    """CPU seconds to fold every stream; `also` is done with each event."""
    began = time.process_time()
    for patient, stream in told.items():
        state = engine.start(patient)
        for event in stream:
            engine.step(state, event)
            if also is not None:
                also(event)
    return time.process_time() - began


def plainly(told: list[Condition]) -> Callable[[RecordedEvent], None]:
    """The conditions as Python ifs, on the body once it is opened."""
    plain = [one.plain for one in told]

    def also(event: RecordedEvent) -> None:
        if event.envelope.kind == "rep_observation":
            seen = Body.FromString(event.body).rep_observation
            for holds in plain:
                if holds(seen):
                    raise AssertionError("no condition of the benchmark holds")

    return also


def medians(measures: Mapping[str, Callable[[], float]]) -> dict[str, float]:
    """The median of each, measured in turn so that a noisy minute meets all of them."""
    seen: dict[str, list[float]] = {name: [] for name in measures}
    for run in range(RUNS):
        for name, measure in measures.items():
            seen[name].append(measure())
            print(f"  {run + 1}/{RUNS} {name}: {seen[name][-1]:.3f} s", flush=True)
    return {name: statistics.median(seconds) for name, seconds in seen.items()}


def live(told: Streams) -> Streams:
    """Repetitions alone, one an event, as a phone sends them while the patient moves."""
    chosen: dict[str, list[RecordedEvent]] = {}
    left = EVENTS
    for patient, stream in told.items():
        reps = [one for one in stream if one.envelope.kind == "rep_observation"][:left]
        left -= len(reps)
        chosen[patient] = reps
    return chosen


def of_folding() -> list[Row]:
    told = live(streams(8, 21, 1))
    count = sum(map(len, told.values()))
    every = conditions()
    asking, silent = Engine(book(every)), Engine(book([]))
    ifs = plainly(every)
    took = medians(
        {
            "fold and 30 rules": lambda: fold(asking, told, None),
            "fold and 30 ifs": lambda: fold(silent, told, ifs),
            "fold alone": lambda: fold(silent, told, None),
        }
    )
    ours, plain, alone = (count / seconds for seconds in took.values())
    of_rules = took["fold and 30 rules"] - took["fold alone"]
    of_ifs = took["fold and 30 ifs"] - took["fold alone"]
    return [
        _beside("Events folded and asked 30 rules, a core", ours, "30 Python ifs", plain),
        _beside("Events folded and asked 30 rules, a core", ours, "folded alone", alone),
        Row(
            "30 rules on an event, without the fold",
            round(1e6 * of_rules / count, 1),
            "us CPU",
            "30 Python ifs, us CPU",
            round(1e6 * of_ifs / count, 1),
            round(of_rules / of_ifs, 2) if of_ifs > 0 else 0.0,
        ),
    ]


def of_conditions() -> list[Row]:
    """The conditions of one event: in one list, as the engine asks them, and one by one."""
    every = conditions()
    event = next(
        one for stream in live(streams(1, 7, 1)).values() for one in stream if len(one.body) > 50
    )
    body = Body.FromString(event.body).rep_observation
    scope = Scopes(Cel(), {}, {}).of_emergency(["rep_observation"])
    together = scope.compile(f"[{', '.join(one.cel for one in every)}]")
    single = [scope.compile(one.cel) for one in every]
    values = {"rep_observation": body}
    turns = range(2_000)

    def timed(ask: Callable[[], object]) -> Callable[[], float]:
        def measure() -> float:
            began = time.process_time()
            for _ in turns:
                ask()
            return time.process_time() - began

        return measure

    def one_by_one() -> None:
        bound = scope.bind(values)
        for program in single:
            program.value(bound)

    took = medians(
        {
            "one list": timed(lambda: together.value(scope.bind(values))),
            "one by one": timed(one_by_one),
            "ifs": timed(lambda: [one.plain(body) for one in every]),
        }
    )
    of_list, of_single, of_ifs = (1e6 * seconds / len(turns) for seconds in took.values())
    return [
        Row(
            "30 conditions in one list", round(of_list, 1), "us CPU", "30 Python ifs, us CPU",
            round(of_ifs, 1), round(of_list / of_ifs, 2),
        ),
        Row(
            "30 conditions in one list", round(of_list, 1), "us CPU", "one by one, us CPU",
            round(of_single, 1), round(of_list / of_single, 2),
        ),
    ]  # fmt: skip


def of_a_year() -> list[Row]:
    """The shipped book against itself with a stricter limit, over every patient's year."""
    shipped, stricter = load_paths([SHIPPED], Cel()), _stricter()
    told = streams(PATIENTS, DAYS, 0)
    events = sum(map(len, told.values()))
    began = time.process_time()
    with bar("patients") as moved:
        found = backtest(
            shipped,
            stricter,
            told.items(),
            until=START + timedelta(days=DAYS),
            moved=lambda patients, _events: moved(patients, len(told)),
        )
    took = time.process_time() - began
    show_backtest(found)
    return [
        _beside(
            "Events of a simulated year by the shipped book, a core",
            2 * events / took,
            "events of that year",
            events,
        )
    ]


def _stricter() -> RuleSet:
    """The shipped book with pain of 6 as critical."""
    was, becomes = "pain_critical_nprs:\n    {default: 7", "pain_critical_nprs:\n    {default: 6"
    texts = texts_of([SHIPPED])
    assert any(was in text for text in texts.values())
    return load({name: text.replace(was, becomes) for name, text in texts.items()}, Cel())


def show_backtest(found: Backtest) -> None:
    total = found.total
    print(f"{found.patients} patients, {found.days} days, {found.events:,} events")
    print(f"firings: {total.before:,} before, {total.after:,} after", end="")
    print(f" (+{total.more:,} -{total.fewer:,})")
    for (rule_id, _), told in sorted(found.rules.items()):
        print(f"  {rule_id:<30} {told.before:>6} {told.after:>6}  +{told.more} -{told.fewer}")
    touched = Counter(bool(one.more or one.fewer) for one in found.by_patient.values())
    print(f"patients whose alerts change: {touched[True]}")
    for load_of in found.load_after:
        print(
            f"  {load_of.therapist_id:<12} {load_of.mean_per_day:.2f} alerts a day,"
            f" at most {load_of.most_in_a_day}; {load_of.low} of {load_of.alerts} low"
        )


def _beside(what: str, per_s: float, baseline: str, base: float) -> Row:
    goal = baseline != "events of that year" and "30 rules" in what
    return Row(
        what,
        round(per_s),
        "events/s",
        baseline,
        round(base),
        round(per_s / base, 2),
        f">= {GOAL_PER_S:,}/s" if goal else "",
        per_s >= GOAL_PER_S if goal else None,
    )


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m bench.policy")
    parser.add_argument("--json", type=Path)
    path = parser.parse_args().json
    rows = [*of_conditions(), *of_folding(), *of_a_year()]
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        rows += runner.run(latency())
    show(rows, path)


if __name__ == "__main__":
    main()
