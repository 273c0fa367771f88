"""Windows beside a plain reckoning of the same figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import takewhile

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_policy.domain.points import (
    AT,
    EVENT_ID,
    MATCHED,
    MOST_PARTS,
    MOST_POINTS,
    VALUE,
    Parts,
    Point,
    begun,
    figure,
    forget,
    prune,
)
from rehab_policy.domain.rules import Figure, Window


def _add(parts: Parts, name: str, points: list[Point], within: timedelta) -> None:
    (parts.get(name) or begun(parts, name, within)).add(points)


START = datetime(2026, 3, 2, tzinfo=UTC)
POINTS = st.lists(
    st.builds(
        lambda minute, *rest: (START + timedelta(minutes=minute), *rest),
        st.integers(0, 600),
        st.integers(0, 9).map(lambda number: f"e-{number}"),
        st.just(0),
        st.integers(-40, 40).map(lambda value: value / 8),
        st.booleans(),
    ),
    max_size=30,
    unique_by=lambda point: point[:3],
)


def window(told: Figure) -> Window:
    return Window("w", told, "pain_report", timedelta(hours=3))


def plainly(told: Figure, points: list[Point], now: datetime) -> float | None:
    known = sorted(point for point in points if point[AT] > now - timedelta(hours=3))
    values = [point[VALUE] for point in known]
    half = now - timedelta(minutes=90)
    older = [point[VALUE] for point in known if point[AT] <= half]
    newer = [point[VALUE] for point in known if point[AT] > half]
    if told is Figure.COUNT:
        return len(known)
    if told is Figure.STREAK:
        return len(list(takewhile(lambda point: point[MATCHED], reversed(known))))
    if not known or (told is Figure.CHANGE and not (older and newer)):
        return None
    return {
        Figure.AVG: lambda: sum(values) / len(values),
        Figure.MIN: lambda: min(values),
        Figure.MAX: lambda: max(values),
        Figure.LAST: lambda: values[-1],
        Figure.SINCE: lambda: max(0.0, (now - known[-1][AT]).total_seconds() / 3600),
        Figure.CHANGE: lambda: sum(newer) / len(newer) - sum(older) / len(older),
    }[told]()


@pytest.mark.parametrize("told", Figure)
@given(POINTS, st.lists(st.integers(0, 900), min_size=1, max_size=4), st.integers(0, 9))
def test_a_window_tells_what_a_plain_reckoning_does(
    told: Figure, points: list[Point], minutes: list[int], gone: int
) -> None:
    parts: Parts = {}
    for point in points:
        _add(parts, "", [point], timedelta(hours=3))
    forget(parts, f"e-{gone}")
    left = [point for point in points if point[EVENT_ID] != f"e-{gone}"]
    for minute in sorted(minutes):
        now = START + timedelta(minutes=minute)
        found = figure(window(told), parts.get(""), now)
        expected = plainly(told, left, now)
        assert found == (expected if expected is None else pytest.approx(expected, abs=1e-6))


def test_points_and_parts_are_bounded() -> None:
    parts: Parts = {}
    for number in range(MOST_POINTS + 50):
        point = (START + timedelta(seconds=number), f"e-{number}", 0, 1.0, True)
        _add(parts, "", [point], timedelta(days=1))
    assert len(parts[""].points) == MOST_POINTS
    assert parts[""].mean() == 1.0
    for number in range(MOST_PARTS + 50):
        at = START + timedelta(days=1, seconds=number)
        point = (at, f"p-{number}", 0, 1.0, True)
        _add(parts, f"part-{number}", [point], timedelta(days=1))
    assert len(parts) == MOST_PARTS
    assert "" not in parts, "the part without news for the longest time goes first"
    prune(parts, START + timedelta(days=3))
    assert parts == {}
