"""Scorers and sensors of others, found by entry points.

    [project.entry-points."rehab_edge.form_scorers"]
    mine = "my_package:MyScorer"

What is named is called without arguments and gives the plugin. One that cannot be imported, is of
another version of the interface or fails its self-test is left out, and it is told why; nothing a
plugin does at start stops the device.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Any

from rehab_edge.scoring.protocol import API_VERSION, FormScorer
from rehab_edge.sensors import API_VERSION as SENSOR_API
from rehab_edge.sensors import SensorPlugin

SCORERS = "rehab_edge.form_scorers"
SENSORS = "rehab_edge.sensors"


@dataclass(frozen=True)
class Found:
    """`plugin` is there when `problem` is empty."""

    name: str
    plugin: Any = None
    problem: str = ""


def discover(
    group: str, api_version: int, check: Callable[[Any], str], entries: Iterable[EntryPoint] = ()
) -> list[Found]:
    """Of a group, by name; of two of the same name the first. `check` says what is wrong with a
    plugin, or nothing."""
    named: dict[str, EntryPoint] = {}
    for entry in entries or entry_points(group=group):
        named.setdefault(entry.name, entry)
    return [_found(named[name], api_version, check) for name in sorted(named)]


def scorers(entries: Iterable[EntryPoint] = ()) -> list[Found]:
    """All that are installed, warmed up; the shipped ones among them."""
    return discover(SCORERS, API_VERSION, _warmed, entries)


def sensors(entries: Iterable[EntryPoint] = ()) -> list[Found]:
    """All that are installed and could be opened now."""
    return discover(SENSORS, SENSOR_API, _tested, entries)


def _tested(sensor: SensorPlugin) -> str:
    return sensor.self_test()


def _warmed(scorer: FormScorer) -> str:
    return scorer.warm_up().problem


def _found(entry: EntryPoint, api_version: int, check: Callable[[Any], str]) -> Found:
    try:
        plugin = entry.load()()
        theirs = plugin.api_version
        if theirs != api_version:
            return Found(entry.name, problem=f"is of interface {theirs}, not {api_version}")
        problem = check(plugin)
    except Exception as error:
        return Found(entry.name, problem=f"{type(error).__name__} at start")
    return Found(entry.name, problem=problem) if problem else Found(entry.name, plugin)
