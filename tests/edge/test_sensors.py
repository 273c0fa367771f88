"""Sensors of others, and what becomes of those that fail."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from dataclasses import replace
from importlib.metadata import EntryPoint

import numpy as np
import pytest

from rehab_edge.errors import EdgeError
from rehab_edge.plugins import SENSORS, sensors
from rehab_edge.sensors import (
    API_VERSION,
    WRONG_FRAMES,
    Capability,
    SensorFrame,
    Watched,
)
from rehab_edge.sources import opening
from tests.edge.recorded import made

FRAMES = made()[0].frames


class Recording:
    """Frames that were recorded."""

    api_version = API_VERSION
    id = "recording"
    capabilities = frozenset({Capability.LANDMARKS})

    def __init__(self) -> None:
        self.closed = 0

    def self_test(self) -> str:
        return ""

    def open(self, settings: Mapping[str, str]) -> None: ...

    def frames(self) -> Iterator[SensorFrame]:
        for at in range(len(FRAMES)):
            pose = FRAMES.pose(at)
            yield SensorFrame(pose.t_ns, pose)

    def close(self) -> None:
        self.closed += 1


class Absent(Recording):
    def self_test(self) -> str:
        return "no camera"


class Breaking(Recording):
    def frames(self) -> Iterator[SensorFrame]:
        yield from list(super().frames())[:5]
        raise OSError("unplugged")


class Unopened(Recording):
    def open(self, settings: Mapping[str, str]) -> None:
        raise PermissionError("camera")


class Stuttering(Recording):
    """Every third frame comes twice."""

    def frames(self) -> Iterator[SensorFrame]:
        for at, frame in enumerate(super().frames()):
            yield frame
            if at % 3 == 0:
                yield frame


class Mad(Recording):
    def frames(self) -> Iterator[SensorFrame]:
        for frame in super().frames():
            wrong = np.full_like(FRAMES.xyz[0], np.inf)
            yield replace(frame, pose=replace(FRAMES.pose(0), xyz=wrong))


@pytest.fixture(autouse=True)
def importable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, __name__, sys.modules[__name__])


def entry(name: str, what: type) -> EntryPoint:
    return EntryPoint(name, f"{what.__module__}:{what.__qualname__}", SENSORS)


def test_a_sensor_is_found_by_its_entry_point_and_one_that_is_absent_says_so() -> None:
    found = {one.name: one for one in sensors([entry("here", Recording), entry("gone", Absent)])}
    assert isinstance(found["here"].plugin, Recording)
    assert found["gone"].problem == "no camera"


def test_a_good_sensor_gives_all_its_frames_and_is_closed() -> None:
    sensor = Recording()
    watched = Watched(sensor)
    assert len(list(watched.frames({}))) == len(FRAMES)
    assert (watched.health.frames, watched.health.problem) == (len(FRAMES), "")
    assert sensor.closed == 1


@pytest.mark.parametrize(("plugin", "frames"), [(Breaking, 5), (Unopened, 0)])
def test_a_sensor_that_fails_ends_and_is_told_of(plugin: type, frames: int) -> None:
    told: list[tuple[str, str]] = []
    watched = Watched(plugin(), told=lambda name, why: told.append((name, why)))
    assert len(list(watched.frames({}))) == frames
    assert told == [("recording", "failed")]
    assert watched.sensor.closed == 1


def test_frames_that_come_twice_are_left_out() -> None:
    watched = Watched(Stuttering())
    times = [frame.t_ns for frame in watched.frames({})]
    assert times == sorted(set(times))
    assert len(times) == len(FRAMES)
    assert watched.health.wrong_frames > 0


def test_a_sensor_that_gives_nothing_but_wrong_frames_is_switched_off() -> None:
    watched = Watched(Mad())
    assert list(watched.frames({})) == []
    assert watched.health.problem == "wrong_frames"
    assert watched.health.wrong_frames == WRONG_FRAMES


def test_the_shipped_camera_is_a_plugin_and_says_what_it_lacks() -> None:
    found = {one.name: one for one in sensors()}
    assert found["camera"].problem == ""
    watched = Watched(found["camera"].plugin)
    assert list(watched.frames({})) == []
    assert watched.health.problem == "failed"


def test_a_session_may_come_from_a_sensor_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    known = sensors([entry("mine", Breaking), entry("gone", Absent)])
    monkeypatch.setattr(opening, "sensors", lambda: known)
    with opening.opened("sensor:mine", "m01") as frames:
        assert frames.live
        assert len(list(frames.poses)) == 5
        assert frames.trouble() == "failed"
    for name, why in (("gone", "no camera"), ("other", "known are: gone, mine")):
        with pytest.raises(EdgeError, match=why), opening.opened(f"sensor:{name}", "m01"):
            pass
