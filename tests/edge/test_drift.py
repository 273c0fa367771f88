"""Drift is found when it is there, not when it is not, and a sensor's is no person's."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import repeat
from pathlib import Path

import numpy as np
import pytest

from rehab_edge.drift import FEATURES, Feature, Finding, Monitor, Reference, TooFew, Watch
from rehab_edge.drift.monitor import ALPHA, examine
from rehab_edge.drift.statistics import (
    chi_squared_survival,
    counts,
    holm,
    ks_distance,
    ks_p_value,
    psi,
)
from rehab_edge.outbox import SealedFile

SENSOR = tuple(Feature(f"s{number}", "sensor") for number in range(5))
MOVEMENT = tuple(Feature(f"m{number}", "movement") for number in range(8))
ALL = SENSOR + MOVEMENT
TRIALS = 60
PER_SESSION = 20


def drawn(
    chance: np.random.Generator,
    count: int,
    alike: float = 0.0,
    shift: dict[str, float] | None = None,
) -> np.ndarray:
    """Standard normal features; `alike` is the share of variance between sessions."""
    days = chance.normal(size=(count // PER_SESSION, len(ALL))) * np.sqrt(alike)
    own = chance.normal(size=(count, len(ALL))) * np.sqrt(1 - alike)
    found = np.repeat(days, PER_SESSION, axis=0) + own
    for column, feature in enumerate(ALL):
        found[:, column] += (shift or {}).get(feature.name, 0.0)
    return found


def reference(chance: np.random.Generator, count: int = 600, alike: float = 0.0) -> Reference:
    sessions = np.repeat(np.arange(count // PER_SESSION), PER_SESSION).tolist()
    return Reference.of(ALL, drawn(chance, count, alike), sessions)


@pytest.fixture
def chance() -> np.random.Generator:
    return np.random.default_rng(20)


def test_windows_without_drift_are_taken_for_it_in_one_of_a_hundred(
    chance: np.random.Generator,
) -> None:
    normal = reference(chance, 2000)
    alarms = sum(bool(examine(ALL, normal, drawn(chance, 200))) for _ in range(400))
    assert alarms / 400 <= 2 * ALPHA + 0.01  # of two causes; and what 400 trials leave open


def test_a_shift_by_half_a_standard_deviation_is_found(chance: np.random.Generator) -> None:
    normal = reference(chance)
    for name in ("s1", "m3"):
        shifted = (drawn(chance, 200, shift={name: 0.5}) for _ in range(TRIALS))
        assert sum(name in examine(ALL, normal, one) for one in shifted) >= 0.9 * TRIALS


def test_sessions_that_differ_from_day_to_day_are_no_drift(chance: np.random.Generator) -> None:
    seen = []
    for _ in range(12):
        normal = reference(chance, alike=0.3)
        seen += [bool(examine(ALL, normal, drawn(chance, 200, alike=0.3))) for _ in range(10)]
    naive = Reference.of(ALL, drawn(chance, 600), np.arange(600).tolist())
    cried = [bool(examine(ALL, naive, drawn(chance, 200, alike=0.3))) for _ in range(20)]
    assert np.mean(seen) <= 0.1
    assert np.mean(cried) > 0.5


def test_nothing_is_said_of_the_movement_while_the_sensor_drifts(
    chance: np.random.Generator,
) -> None:
    found = examine(ALL, reference(chance), drawn(chance, 200, shift={"s0": 2.0, "m0": 2.0}))
    assert {one.cause for one in found.values()} == {"sensor"}
    assert "s0" in found


def test_what_drifts_is_told_once_after_two_windows_and_again_when_it_comes_back(
    chance: np.random.Generator,
) -> None:
    monitor = Monitor(ALL, reference(chance), window=200)

    def told(shift: float) -> list[str]:
        pushed = [monitor.push(one) for one in drawn(chance, 200, shift={"m2": shift})]
        assert not any(pushed[:-1])
        return [finding.feature for finding in pushed[-1]]

    assert [told(1.0) for _ in range(4)] == [[], ["m2"], [], []]
    assert told(0.0) == []
    assert [told(1.0) for _ in range(2)] == [[], ["m2"]]


def test_a_finding_holds_counts_and_no_values(chance: np.random.Generator) -> None:
    found = examine(ALL, reference(chance), drawn(chance, 200, shift={"s0": 2.0}))["s0"]
    assert (sum(found.reference), sum(found.observed)) == (600, 200)
    assert all(isinstance(count, int) for count in (*found.reference, *found.observed))
    assert found.psi > 0.25


def test_what_was_hardly_measured_or_never_varied_is_left_out(chance: np.random.Generator) -> None:
    samples = drawn(chance, 600)
    samples[::2, 0] = np.nan
    samples[100:, 1] = np.nan
    samples[:, 2] = 30.0
    sessions = np.repeat(np.arange(30), 20).tolist()
    normal = Reference.of(ALL, samples, sessions)
    assert {one.feature.name for one in normal.normals} == {one.name for one in ALL} - {"s1", "s2"}
    window = drawn(chance, 200, shift={"s0": 5.0})
    window[:150, 0] = np.nan
    assert "s0" not in examine(ALL, normal, window)


@pytest.mark.parametrize(("samples", "sessions"), [(100, 10), (400, 2)])
def test_too_little_is_no_reference(
    chance: np.random.Generator, samples: int, sessions: int
) -> None:
    of = np.arange(samples) % sessions
    with pytest.raises(TooFew):
        Reference.of(ALL, drawn(chance, samples), of.tolist())


def test_a_watch_goes_on_over_restarts_as_if_there_were_none(
    chance: np.random.Generator, tmp_path: Path
) -> None:
    key = bytes(range(32))
    days = [drawn(chance, PER_SESSION) for _ in range(30)]
    days += [drawn(chance, PER_SESSION, shift={"s0": 2.0}) for _ in range(25)]

    def told(watches: Iterator[Watch]) -> list[list[str]]:
        found = []
        for day in days:
            watch = next(watches)
            findings: list[Finding] = [one for sample in day for one in watch.push(sample)]
            found.append([one.feature for one in findings])
            watch.save()
        return found

    steady = told(repeat(Watch(features=ALL)))
    memory = SealedFile(tmp_path / "drift", key)
    assert told(Watch(memory, ALL) for _ in days) == steady
    assert [names for names in steady if names] == [["s0"]]
    held = (tmp_path / "drift").read_bytes()
    assert b"samples" not in held


def test_a_watch_has_a_name_for_every_feature_once() -> None:
    names = [one.name for one in FEATURES]
    assert len(names) == len(set(names))


def test_statistics_are_those_of_the_tables() -> None:
    # chi-squared: NIST/SEMATECH e-Handbook, 1.3.6.7.4; Kolmogorov: critical values for large n
    for degrees, value in ((1, 3.841), (2, 5.991), (4, 9.488), (5, 11.070), (9, 16.919)):
        assert chi_squared_survival(value, degrees) == pytest.approx(0.05, abs=2e-5)
    assert ks_p_value(1.3581 / 100, 10_000) == pytest.approx(0.05, rel=0.02)
    assert ks_distance(np.array([1.0, 2, 3, 4]), np.array([3.0, 4, 5, 6])) == 0.5
    assert counts(np.array([1.0, 2.0]), np.array([0.0, 1, 1.5, 2, 9])).tolist() == [1, 2, 2]
    assert psi(np.array([10, 10]), np.array([20, 20])) == pytest.approx(0)
    assert holm(np.array([0.01, 0.04, 0.03])).tolist() == pytest.approx([0.03, 0.06, 0.06])
