"""A source by its name: a camera, a video, or a recording."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rehab_edge.errors import EdgeError
from rehab_edge.recorded import of_files
from rehab_edge.skeleton import Pose
from rehab_edge.sources.images import Picture, camera, camera_number, video
from rehab_edge.sources.seeing import PoseModel

VIDEOS = frozenset({".mp4", ".mov", ".avi", ".mkv", ".webm", ".m4v"})


@dataclass(frozen=True)
class Opened:
    """`live` says that somebody moves in front of the device now; else it lasted `duration_s`."""

    name: str
    poses: Iterator[Pose]
    live: bool
    duration_s: float = 0.0


@contextmanager
def opened(
    source: str, exercise: str, pose: Path | None = None, subject: int | None = None
) -> Iterator[Opened]:
    """Raises EdgeError, which says what is missing."""
    number, path = camera_number(source), Path(source)
    if number is not None:
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


def _recording(path: Path, exercise: str, subject: int | None) -> Opened:
    held = list(of_files([path], exercise))
    found = [one for one in held if subject in (None, one.person)]
    if len(found) != 1:
        people = ", ".join(str(one.person) for one in held)
        raise EdgeError(f"{path} holds several people: tell one with --subject ({people})")
    (one,) = found
    poses = (one.frames.pose(number) for number in range(len(one.frames)))
    return Opened(path.name, poses, live=False, duration_s=one.duration_s)
