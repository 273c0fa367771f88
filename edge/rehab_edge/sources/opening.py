"""A source by its name: a camera, a video, a recording, or a sensor of others."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehab_edge.errors import EdgeError
from rehab_edge.plugins import sensors
from rehab_edge.recorded import of_files
from rehab_edge.sensors import Watched
from rehab_edge.skeleton import Pose
from rehab_edge.sources.images import Picture, camera, camera_number, video
from rehab_edge.sources.seeing import PoseModel

SENSOR = "sensor:"
VIDEOS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"})


@dataclass(frozen=True)
class Opened:
    """`live` says that somebody moves in front of the device now; else it lasted `duration_s`.
    `trouble` says what became of the source, empty while all is well."""

    name: str
    poses: Iterator[Pose]
    live: bool
    duration_s: float = 0.0
    trouble: Callable[[], str] = str


@contextmanager
def opened(
    source: str, exercise: str, pose: Path | None = None, subject: int | None = None
) -> Iterator[Opened]:
    """Raises EdgeError, which says what is missing."""
    number, path = camera_number(source), Path(source)
    if source.startswith(SENSOR):
        yield _of_sensor(source.removeprefix(SENSOR), pose)
    elif number is not None:
        with camera(number) as pictures:
            yield Opened(source, _poses(pictures, pose), live=True)
    elif path.suffix.lower() in VIDEOS:
        with video(path) as (pictures, duration_s):
            yield Opened(path.name, _poses(pictures, pose), live=False, duration_s=duration_s)
    else:
        yield _recording(path, exercise, subject)


def _poses(pictures: Iterator[Picture], pose: Path | None) -> Iterator[Pose]:
    if pose is None:
        raise EdgeError("a camera or a video needs a pose model of yours: --pose FILE.tflite")
    model = PoseModel(pose)
    return (model.pose(picture) for picture in pictures)


def _of_sensor(name: str, pose: Path | None) -> Opened:
    found = {one.name: one for one in sensors()}
    if name not in found or found[name].problem:
        why = found[name].problem if name in found else f"known are: {', '.join(found) or 'none'}"
        raise EdgeError(f"there is no sensor {name} to open: {why}")
    watched = Watched(found[name].plugin)
    frames = watched.frames({"pose": str(pose)} if pose else {})
    poses = (frame.pose for frame in frames if frame.pose is not None)
    return Opened(name, poses, live=True, trouble=lambda: watched.health.problem)


def _recording(path: Path, exercise: str, subject: int | None) -> Opened:
    held = list(of_files([path], exercise))
    found = [one for one in held if subject in (None, one.person)]
    if len(found) != 1:
        people = ", ".join(str(one.person) for one in held)
        raise EdgeError(f"{path} holds several people: tell one with --subject ({people})")
    (one,) = found
    poses = (one.frames.pose(number) for number in range(len(one.frames)))
    return Opened(path.name, poses, live=False, duration_s=one.duration_s)
