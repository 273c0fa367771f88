"""Windows at work: the points of an event, and the figures as of a moment."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from rehab_clinical.facts import Fact

from rehab_policy.domain.expressions import Bound, EvaluationError, Program
from rehab_policy.domain.folding import Seen
from rehab_policy.domain.points import Point, figure
from rehab_policy.domain.programs import PointsOf
from rehab_policy.domain.rules import Window
from rehab_policy.domain.state import PatientState

LARGEST = 1e12
"""Nothing measured is larger; what is, or is no number, is no point."""
Failed = Callable[[str, str], None]
"""Takes the name of what failed, and how."""


def seen_in(fact: Fact, of_kind: PointsOf, limits: Any, failed: Failed) -> Seen:
    """The points an event leaves and the part it belongs to, both by definition. A window that
    fails has neither. Windows that see the same keep the same points, once."""
    bound = of_kind.scope.bind(
        {"limit": limits, "envelope": fact.envelope, fact.kind: getattr(fact.body, fact.kind)}
    )
    at, event_id = fact.stamp
    seen: dict[str, Sequence[Point]] = {}
    parts: dict[str, str] = {}
    made: dict[tuple[int, float, bool], Point] = {}
    for told, one in zip(of_kind.within, _found(of_kind, bound, failed), strict=True):
        if one is None:
            continue
        parts[told], values = one
        points = []
        for place, value in enumerate(values):
            if value and -LARGEST <= value[0] <= LARGEST:
                key = place, value[0], value[1]
                point = made.get(key)
                if point is None:
                    point = made[key] = (at, event_id, *key)
                points.append(point)
        if points:
            seen[told] = points
    return Seen(seen, parts, of_kind.within)


def _found(of_kind: PointsOf, bound: Bound, failed: Failed) -> Iterable[Any]:
    if of_kind.all is not None:
        try:
            every: list[Any] = of_kind.all.value(bound)
        except EvaluationError:
            pass  # which of them it is, is found below
        else:
            return every
    return [_alone(window, program, bound, failed) for _, window, program in of_kind.windows]


def _alone(window: Window, program: Program, bound: Bound, failed: Failed) -> Any:
    try:
        return program.value(bound)
    except EvaluationError as error:
        failed(window.name, str(error))
        return None


def figures_of(
    state: PatientState,
    windows: Iterable[tuple[str, Window]],
    now: datetime,
    parts: Mapping[str, str],
) -> dict[str, float]:
    """By name; a window that has nothing to tell is absent."""
    told: dict[str, float] = {}
    points = state.points
    for defined, window in windows:
        known = points.get(defined)
        value = figure(window, known.get(parts.get(defined, "")) if known else None, now)
        if value is not None:
            told[window.name] = value
    return told
