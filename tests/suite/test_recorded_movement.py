"""Recorded repetitions through the whole suite as processes: its read models show what an
independent computation on the recorded arrays finds."""

from __future__ import annotations

import itertools
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import numpy as np
import pytest

from rehab.events.v1 import common_pb2
from rehab.projections.v1 import projections_service_pb2 as read_pb
from rehab_cli.addresses import Addresses
from rehab_cli.checking import stored_ids
from rehab_cli.place import Place
from rehab_cli.recorded.replay import replay
from rehab_cli.recorded.sessions import CLINIC, Person
from rehab_cli.recorded.sets import sets
from rehab_edge.exercises import Exercise
from rehab_edge.sources.uiprmd import Take, read, recorded_movements
from rehab_sdk import AsyncRehab, dev_token
from tests.support.recordings import REPOSITORY, make_recordings, real_recordings, turned

REHAB = str(Path(sys.executable).with_name("rehab"))
DOCUMENT = REPOSITORY / "docs" / "recorded-movement.md"
MOVEMENTS = ("m01", "m07", "m09")
SIDES = {"left": common_pb2.SIDE_LEFT, "right": common_pb2.SIDE_RIGHT, "both": common_pb2.SIDE_BOTH}
EXERCISES = {"m01": "deep_squat", "m07": "shoulder_abduction", "m09": "shoulder_rotation"}
DOWN, LEFT = np.array([0.0, -1, 0]), np.array([1.0, 0, 0])


def rehab(*words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([REHAB, *words], capture_output=True, text=True, timeout=100, check=False)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """The folder of a suite that `rehab up` runs on ports of its own."""
    folder = tmp_path_factory.mktemp("suite")
    command = [REHAB, "up", "--data", str(folder), "--port-base", "0"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as up:
        assert up.stdout is not None
        while not next(up.stdout).startswith("ready after"):
            pass
        yield folder
        up.send_signal(signal.SIGINT)
        assert up.wait(30) == 0


@pytest.fixture(
    scope="module", params=["made here", *(["UI-PRMD"] if real_recordings() is not None else [])]
)
def recordings(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A small recording, and the real ones where they are."""
    if request.param == "made here":
        return make_recordings(tmp_path_factory.mktemp("recordings"))
    real = real_recordings()
    assert real is not None
    return real


def repetitions(folder: Path, movement: str, take: str) -> dict[int, list[np.ndarray]]:
    """Recorded Euler angles in degrees by subject."""
    with np.load(folder / "kinect" / f"{movement}_{take}.npz") as held:
        angles, index = held["angles_cdeg"] / 100.0, held["index"]
    found: dict[int, list[np.ndarray]] = {}
    for subject, _, first, count in index.tolist():
        found.setdefault(subject, []).append(angles[first : first + count].reshape(count, 22, 3))
    return found


def knee(angles: np.ndarray, side: str) -> np.ndarray:
    joint = {"left": 15, "right": 19}[side]
    x, z = np.radians(angles[:, joint, 0]), np.radians(angles[:, joint, 2])
    return np.degrees(np.arccos(np.clip(np.cos(x) * np.cos(z), -1, 1)))


def arm(angles: np.ndarray, side: str, bones: int) -> np.ndarray:
    """Where the upper arm points (1 bone) or the forearm (2), seen from the chest."""
    collar, out = {"left": (6, LEFT), "right": (10, -LEFT)}[side]
    pointing = np.tile(out, (len(angles), 1))
    for joint in range(collar + bones, collar - 1, -1):
        pointing = turned(pointing, angles[:, joint])
    return pointing


def primary(movement: str, angles: np.ndarray, side: str) -> np.ndarray:
    if movement == "m01":
        return (knee(angles, "left") + knee(angles, "right")) / 2
    if movement == "m07":
        return np.degrees(np.arccos(np.clip(arm(angles, side, 1) @ DOWN, -1, 1)))
    forearm = arm(angles, side, 2)
    return np.unwrap(np.degrees(np.arctan2(forearm[:, 1], forearm[:, 2])), period=360)


def rom(path: np.ndarray) -> float:
    """Median of 5 frames, then a quadratic through each 7, as docs/recorded-movement.md says."""
    padded = np.concatenate([[path[0]] * 2, path, [path[-1]] * 2])
    middle = np.array([sorted(padded[at : at + 5])[2] for at in range(len(path))])
    smooth = []
    for at in range(len(path)):
        first = min(max(at - 3, 0), len(path) - 7)
        frames = np.arange(first, first + 7)
        smooth.append(np.polyval(np.polyfit(frames - at, middle[frames], 2), 0))
    return float(max(smooth) - min(smooth))


def expected_side(movement: str, reps: list[np.ndarray]) -> str:
    if movement == "m01":
        return "both"
    moved = {
        s: np.median([rom(primary(movement, rep, s)) for rep in reps]) for s in SIDES if s != "both"
    }
    return max(moved, key=lambda s: moved[s])


def stored_and_known(output: str) -> tuple[int, int]:
    """Events stored now, and those that were there before."""
    found = re.search(r"(\d+) events stored, (\d+) were there before", output)
    assert found is not None, output
    return int(found[1]), int(found[2])


async def quality(
    addresses: Addresses, subject: int, movement: str, take: str
) -> read_pb.ExerciseQuality:
    """Of the day on which the take is said to have been."""
    token, patient = dev_token("therapist", "uiprmd", "uiprmd-desk"), f"uiprmd-s{subject:02}"
    async with AsyncRehab.connect(
        ingest=addresses.ingest, projections=addresses.projections, token=token
    ) as desk:
        head = (await desk.lag()).projections[0].head
        (day,) = {
            date.fromisoformat(session.local_date)
            async for session in desk.patients.sessions(patient, min_position=head, max_wait_s=20)
            if f"-{movement}-{take}-" in session.session_id
        }
        answer = await desk.patients.quality(
            patient, days=(day, day), exercise=EXERCISES[movement], min_position=head
        )
    (found,) = answer.exercises
    return found


async def test_quality_shows_the_recorded_repetitions_and_their_ranges_once(
    data: Path, recordings: Path
) -> None:
    chosen = [word for movement in MOVEMENTS for word in ("--movement", movement)]
    first = rehab("replay", str(recordings), *chosen, "--data", str(data))
    assert first.returncode == 0, first.stdout + first.stderr
    stored, known = stored_and_known(first.stdout)
    assert stored > 0
    assert known == 0
    again = rehab("replay", str(recordings), *chosen, "--data", str(data))
    assert again.returncode == 0, again.stdout + again.stderr
    assert stored_and_known(again.stdout) == (0, stored)
    note = Place(data).running()
    assert note is not None
    for movement, take in itertools.product(MOVEMENTS, ("correct", "incorrect")):
        for subject, reps in repetitions(recordings, movement, take).items():
            side = expected_side(movement, reps)
            paths = [primary(movement, rep, side) for rep in reps]
            roms = [rom(path) for path in paths]
            seen = await quality(note.addresses, subject, movement, take)
            assert seen.side == SIDES[side]
            assert seen.reps == len(reps)
            assert seen.p90_rom_deg == pytest.approx(np.percentile(roms, 90), abs=0.01)
            lasted = np.median([round(1000 * len(rep) / 30) for rep in reps])
            assert seen.median_duration_ms == lasted
            assert seen.scored == 0
            raw = np.percentile([np.ptp(path) for path in paths], 90)
            assert seen.p90_rom_deg <= raw + 1
            joints = {one.joint: one for one in seen.joints}
            for name in ("left", "right"):
                wanted = np.median([rom(knee(rep, name)) for rep in reps])
                assert joints[f"knee_{name}"].median_rom_deg == pytest.approx(wanted, abs=0.02)


async def test_a_replay_weeks_later_stores_nothing_twice(data: Path, tmp_path: Path) -> None:
    folder = make_recordings(tmp_path, subjects=(71, 72))
    note = Place(data).running()
    assert note is not None
    weeks_ago = datetime.now(UTC).date() - timedelta(days=21)
    assert await replay(note.addresses, folder, movements=["m01"], today=weeks_ago) == 0
    whole = rehab("replay", str(folder), "--data", str(data))
    assert whole.returncode == 0, whole.stdout + whole.stderr
    stored, known = stored_and_known(whole.stdout)
    # Of two people: admission, and for each movement a plan and two sessions of four repetitions.
    assert known == 2 * (3 + 1 + 2 * (4 + 3))
    assert stored == 2 * 2 * (1 + 2 * (4 + 3))
    ids = await stored_ids(note.addresses, CLINIC)
    for subject in (71, 72):
        own = ids["", Person(subject).id]
        assert len(own) == len({*own}) == (known + stored) / 2


def test_one_subject_alone_is_sent(data: Path, tmp_path: Path) -> None:
    folder = make_recordings(tmp_path, subjects=(81, 82))
    sent = rehab("replay", str(folder), "--subject", "82", "--data", str(data))
    assert sent.returncode == 0, sent.stdout + sent.stderr
    assert re.search(r"m01 deep squat +correct +4 +4 ", sent.stdout)


def test_a_folder_without_recordings_is_told_in_one_line(data: Path, tmp_path: Path) -> None:
    told = rehab("replay", str(tmp_path), "--data", str(data))
    assert told.returncode == 1
    assert told.stderr.count("\n") == 1
    assert "kinect" in told.stderr


def test_the_feet_stay_on_the_floor_in_no_other_order_of_rotations(recordings: Path) -> None:
    with np.load(recordings / "kinect" / "m01_correct.npz") as held:
        angles = held["angles_cdeg"].reshape(-1, 22, 3) / 100.0
        offsets = held["positions_x50"].reshape(-1, 22, 3) / 50.0
        index = held["index"].tolist()
    wander: dict[tuple[int, ...], float] = {}
    for order in itertools.permutations(range(3)):
        ankles = []
        for hip in (14, 18):
            leg = offsets[:, hip + 1] + turned(offsets[:, hip + 2], angles[:, hip + 1], order)
            leg = offsets[:, hip] + turned(leg, angles[:, hip], order)
            ankles.append((offsets[:, 0] + turned(leg, angles[:, 0], order))[:, 1])
        heights = np.array(ankles)
        deviations = [heights[:, at : at + count].std(axis=1).mean() for _, _, at, count in index]
        wander[order] = float(np.median(deviations))
    chosen = wander.pop((2, 0, 1))
    assert chosen < 5
    assert chosen < 0.6 * min(wander.values())


def test_the_primary_joint_moves_most_of_the_worked_side(recordings: Path) -> None:
    for movement in recorded_movements(recordings):
        ranges: dict[str, list[float]] = {}
        for one in sets(read(recordings, movement, Take.CORRECT)):
            sides = ("left", "right") if one.side == "both" else (one.side,)
            for joint in ("hip", "knee", "shoulder", "elbow", movement.joint):
                moved = [rep.joints[f"{joint}_{s}"].rom_deg for rep in one.reps for s in sides]
                ranges.setdefault(joint, []).append(float(np.median(moved)))
        typical = {joint: float(np.median(moved)) for joint, moved in ranges.items()}
        assert typical[movement.joint] >= 0.95 * max(typical.values()), movement.id


def of_all(folder: Path, movement: Exercise, take: Take) -> tuple[str, list[float]]:
    """The three cells of a take in the document, and each subject's median range."""
    found = list(sets(read(folder, movement, take)))
    reps = [rep.primary for one in found for rep in one.reps]
    tempos = [rep.tempo for rep in reps if rep.tempo is not None]
    phases = [[tempo.out_s, tempo.hold_s, tempo.back_s] for tempo in tempos]
    told = " / ".join(f"{phase:.2f}" for phase in np.median(phases, axis=0))
    typical = np.median([rep.rom_deg for rep in reps])
    lasted = np.median([rep.duration_s for rep in reps])
    ranges = [float(np.median([rep.primary.rom_deg for rep in one.reps])) for one in found]
    return f"{typical:.0f} | {lasted:.2f} | {told}", ranges


if (REAL := real_recordings()) is not None:

    @pytest.mark.parametrize("movement", recorded_movements(REAL), ids=lambda one: one.id)
    def test_the_document_tells_what_is_measured(movement: Exercise) -> None:
        assert REAL is not None
        good, ranges = of_all(REAL, movement, Take.CORRECT)
        poor, others = of_all(REAL, movement, Take.INCORRECT)
        less = sum(one > other for one, other in zip(ranges, others, strict=True))
        row = f"| {movement.id} {movement.name} | {good} | {poor} | {less} of {len(ranges)} |"
        assert row in DOCUMENT.read_text().splitlines()
