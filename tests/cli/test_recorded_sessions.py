"""Recordings read from disk, the skeleton's angles, and the events that sets become."""

from __future__ import annotations

import io
from datetime import UTC, date, timedelta
from pathlib import Path

import numpy as np
import pytest

from rehab.events.v1 import common_pb2, event_pb2, exercise_pb2
from rehab_cli.errors import SuiteError
from rehab_cli.recorded.sessions import Person, Scribe, Session, phases_ms
from rehab_cli.recorded.sets import MeasuredRep, RecordedSet, sets
from rehab_edge.errors import EdgeError
from rehab_edge.exercises import EXERCISES
from rehab_edge.kinematics import HALVES, Floats, joint_angles, rotations
from rehab_edge.metrics.measures import Measures, Tempo
from rehab_edge.sources.uiprmd import Take, chosen_movements, read
from tests.support.recordings import make_recordings, turned

DAY = date(2026, 3, 2)
SQUAT = EXERCISES["m01"]


@pytest.fixture(scope="module")
def recordings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_recordings(tmp_path_factory.mktemp("recordings"))


@pytest.fixture(scope="module")
def squats(recordings: Path) -> RecordedSet:
    return next(iter(sets(read(recordings, SQUAT, Take.CORRECT))))


def session_of(squats: RecordedSet, first_day: date = DAY) -> list[event_pb2.Event]:
    scribe = Scribe(Person(squats.subject), first_day)
    return list(scribe.session(Session(squats, first_day)))


# reading


def test_every_repetition_is_read_with_its_own_frames(recordings: Path) -> None:
    held = np.load(recordings / "kinect" / "m01_correct.npz")
    found = read(recordings, SQUAT, Take.CORRECT)
    assert len(found.repetitions) == len(held["index"]) == 8
    for one, (subject, episode, first, count) in zip(
        found.repetitions, held["index"].tolist(), strict=True
    ):
        assert (one.subject, one.episode) == (subject, episode)
        raw = held["angles_cdeg"][first : first + count].reshape(count, 22, 3)
        np.testing.assert_allclose(one.angles_deg, raw / 100)


def test_movements_are_those_named_or_those_there(recordings: Path) -> None:
    assert [one.id for one in chosen_movements(recordings, [])] == ["m01", "m07", "m09"]
    assert [one.id for one in chosen_movements(recordings, ["m09", "m01"])] == ["m01", "m09"]
    with pytest.raises(EdgeError, match="no movement m11"):
        chosen_movements(recordings, ["m11"])


def test_a_folder_or_file_that_is_absent_is_named(recordings: Path, tmp_path: Path) -> None:
    with pytest.raises(EdgeError, match="kinect is not there"):
        chosen_movements(tmp_path, [])
    (tmp_path / "kinect").mkdir()
    with pytest.raises(EdgeError, match="holds no recordings"):
        chosen_movements(tmp_path, [])
    with pytest.raises(EdgeError, match=r"m02_correct\.npz is not there"):
        read(recordings, EXERCISES["m02"], Take.CORRECT)


ANGLES = np.zeros((30, 66))
INDEX = np.array([[1, 1, 0, 30]], dtype=np.int32)


@pytest.mark.parametrize(
    ("arrays", "said"),
    [
        ({"angles_cdeg": ANGLES}, "has no array index"),
        ({"index": INDEX}, "has no array angles_cdeg"),
        ({"angles_cdeg": ANGLES[:, :65], "index": INDEX}, r"shape \(30, 65\)"),
        ({"angles_cdeg": ANGLES[0], "index": INDEX}, r"shape \(66,\)"),
        ({"angles_cdeg": ANGLES, "index": INDEX[:, :3]}, r"index has the shape \(1, 3\)"),
        ({"angles_cdeg": ANGLES, "index": INDEX * 1.0}, "whole numbers"),
        ({"angles_cdeg": ANGLES + np.nan, "index": INDEX}, "not numbers"),
        ({"angles_cdeg": ANGLES, "index": INDEX + np.array([0, 0, 1, 0])}, "outside the 30 frames"),
        ({"angles_cdeg": ANGLES, "index": INDEX - np.array([0, 0, 1, 0])}, "outside the 30 frames"),
        (
            {"angles_cdeg": ANGLES, "index": INDEX - np.array([0, 0, 0, 30])},
            "outside the 30 frames",
        ),
        ({"angles_cdeg": ANGLES.astype(str), "index": INDEX}, "not numbers"),
    ],
)
def test_a_file_with_wrong_arrays_is_told_in_one_line(
    tmp_path: Path, arrays: dict[str, np.ndarray], said: str
) -> None:
    (tmp_path / "kinect").mkdir()
    np.savez(tmp_path / "kinect" / "m01_correct.npz", **arrays)
    with pytest.raises(EdgeError, match=said) as told:
        read(tmp_path, SQUAT, Take.CORRECT)
    assert "m01_correct.npz" in str(told.value)
    assert "\n" not in str(told.value)


def bare_array() -> bytes:
    """An .npy file: one array without an archive around it."""
    held = io.BytesIO()
    np.save(held, INDEX)
    return held.getvalue()


@pytest.mark.parametrize("content", [b"", b"no archive", b"PK\x03\x04 broken", bare_array()])
def test_a_file_that_is_no_archive_is_told_in_one_line(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "kinect").mkdir()
    (tmp_path / "kinect" / "m01_correct.npz").write_bytes(content)
    with pytest.raises(EdgeError, match=r"cannot be read as an \.npz file"):
        read(tmp_path, SQUAT, Take.CORRECT)


def test_a_repetition_too_short_to_measure_is_named(tmp_path: Path) -> None:
    (tmp_path / "kinect").mkdir()
    short = np.array([[5, 1, 0, 4]], dtype=np.int32)
    np.savez(tmp_path / "kinect" / "m01_correct.npz", angles_cdeg=ANGLES, index=short)
    with pytest.raises(SuiteError, match="m01_correct, subject 5 cannot be measured"):
        list(sets(read(tmp_path, SQUAT, Take.CORRECT)))


# the skeleton


def test_matrices_turn_vectors_as_the_three_rotations_one_after_the_other_do() -> None:
    chance = np.random.default_rng(7)
    angles, vectors = chance.uniform(-180, 180, (50, 3)), chance.normal(size=(50, 3))
    by_matrix = np.einsum("fij,fj->fi", rotations(angles), vectors)
    np.testing.assert_allclose(by_matrix, turned(vectors, angles), atol=1e-12)


def pose(**joints: tuple[int, tuple[float, float, float]]) -> Floats:
    angles = np.zeros((1, 22, 3))
    for joint, turn in joints.values():
        angles[0, joint] = turn
    return angles


@pytest.mark.parametrize("half", HALVES, ids=lambda half: half.name)
def test_known_poses_have_their_angles(half: object) -> None:
    assert half in HALVES
    side, out = half.name, half.outward  # type: ignore[attr-defined]
    collar, hip = half.collar, half.hip  # type: ignore[attr-defined]

    def angle(name: str, **joints: tuple[int, tuple[float, float, float]]) -> float:
        return float(joint_angles(pose(**joints))[name if name == "trunk" else f"{name}_{side}"][0])

    hanging = (collar + 1, (0, 0, -90.0 * out))
    assert angle("trunk", waist=(0, (40, 0, 0))) == pytest.approx(40)
    assert angle("hip", thigh=(hip, (-85, 0, 0))) == pytest.approx(85)
    assert angle("knee", shank=(hip + 1, (110, 30, 0))) == pytest.approx(110)
    assert angle("shoulder") == pytest.approx(90)
    assert angle("shoulder", arm=hanging) == pytest.approx(0, abs=1e-5)
    assert angle("shoulder", arm=(collar + 1, (0, 0, 60.0 * out))) == pytest.approx(150)
    assert angle("elbow", forearm=(collar + 2, (0, 0, 95.0 * out))) == pytest.approx(95)
    upright = (collar + 2, (0, 0, 90.0 * out))
    assert angle("shoulder_rotation", forearm=upright) == pytest.approx(90)
    forward = (collar + 1, (90, 0, 0))
    assert angle("shoulder_rotation", arm=forward, forearm=upright) == pytest.approx(0, abs=1e-9)
    backward = (collar + 1, (0, 40.0 * out, -90.0 * out))
    assert angle("shoulder_extension", arm=backward) == pytest.approx(-40)


def test_the_worked_side_is_found(recordings: Path) -> None:
    found = {
        one.subject: one.side for one in sets(read(recordings, EXERCISES["m07"], Take.CORRECT))
    }
    assert found == {91: "right", 92: "left"}


def test_the_side_that_bends_more_shows_in_the_symmetry(recordings: Path) -> None:
    right, left = sets(read(recordings, SQUAT, Take.CORRECT))
    assert right.side == left.side == "both"
    assert all(rep.symmetry_pct is not None and rep.symmetry_pct < -2 for rep in right.reps)
    assert all(rep.symmetry_pct is not None and rep.symmetry_pct > 2 for rep in left.reps)


# the events


def test_the_same_recording_on_the_same_days_makes_the_same_events(squats: RecordedSet) -> None:
    assert session_of(squats) == session_of(squats)
    assert Scribe(Person(1), DAY).admission() == Scribe(Person(1), DAY).admission()


def test_every_event_has_an_id_of_its_own(recordings: Path) -> None:
    events = [
        event
        for movement in ("m01", "m07")
        for take in Take
        for one in sets(read(recordings, EXERCISES[movement], take))
        for event in session_of(one)
    ]
    for subject in (91, 92):
        scribe = Scribe(Person(subject), DAY)
        events += [*scribe.admission(), *map(scribe.prescription, EXERCISES.values())]
    assert len({event.envelope.event_id for event in events}) == len(events)


def test_other_frames_make_another_session(squats: RecordedSet, tmp_path: Path) -> None:
    other = make_recordings(tmp_path, reps=3)
    shorter = next(iter(sets(read(other, SQUAT, Take.CORRECT))))
    assert Session(shorter, DAY).id != Session(squats, DAY).id


def test_a_session_tells_its_repetitions_in_order_and_unscored(squats: RecordedSet) -> None:
    first, *seen, _, last = session_of(squats)
    assert first.body.exercise_session.HasField("started")
    reps = [event.body.rep_observation.reps[0] for event in seen]
    assert [rep.index for rep in reps] == [1, 2, 3, 4]
    begins = [0, *np.cumsum([rep.duration_ms for rep in reps])]
    assert [rep.start_ms for rep in reps] == begins[:-1]
    started = first.envelope.occurred_at.ToDatetime(UTC)
    for event, end_ms in zip(seen, begins[1:], strict=True):
        ended = event.envelope.occurred_at.ToDatetime(UTC)
        assert ended - started == timedelta(milliseconds=int(end_ms))
        assert event.body.rep_observation.side == common_pb2.SIDE_BOTH
    assert last.body.exercise_session.completed.duration_s == begins[-1] / 1000
    for rep, one in zip(reps, squats.reps, strict=True):
        assert not rep.HasField("score")
        assert rep.unscored_reason == exercise_pb2.UNSCORED_REASON_NO_MODEL
        assert rep.rom_deg == pytest.approx(one.primary.rom_deg, abs=0.01)
        assert sum(rep.phases_ms) == rep.duration_ms


def test_takes_lie_on_days_of_their_own(recordings: Path) -> None:
    days = {
        take: Session(next(iter(sets(read(recordings, SQUAT, take)))), DAY).day for take in Take
    }
    assert days == {Take.CORRECT: DAY, Take.INCORRECT: DAY + timedelta(days=1)}


@pytest.mark.parametrize(
    ("movement", "phases"),
    [("m01", [1000, 200, 900, 400]), ("m07", [900, 400, 1000, 200]), ("m09", [])],
)
def test_phases_are_told_as_the_muscles_work(movement: str, phases: list[int]) -> None:
    measured = Measures(0, 90, 90, 150, 2.5, Tempo(1.0, 0.2, 0.9, 0.4))
    rep = MeasuredRep(1, measured, {}, None)
    assert phases_ms(EXERCISES[movement], rep) == phases


def test_phases_that_round_up_still_make_the_duration() -> None:
    """77 frames of which none is at rest."""
    measured = Measures(0, 90, 90, 150, 77 / 30, Tempo(20 / 30, 20 / 30, 37 / 30, 0.0))
    phases = phases_ms(SQUAT, MeasuredRep(1, measured, {}, None))
    assert sum(phases) == round(1000 * 77 / 30)
    assert min(phases) >= 0
