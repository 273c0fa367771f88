"""The figures of the bench, and the card that tells them."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest
from typer.testing import CliRunner

from rehab_edge.angles import AT, angles
from rehab_edge.errors import Unreadable
from rehab_edge.evaluation import paper, squats
from rehab_edge.evaluation.counting import counting
from rehab_edge.evaluation.measures import auc, balanced_accuracy
from rehab_edge.evaluation.squats import Squats, read, split, summaries
from rehab_edge.evaluation.tables import tables
from rehab_edge.evaluation.unseen import Answers, answers, trained_on
from rehab_edge.exercises import Exercise
from rehab_edge.main import app
from rehab_edge.models import FORM, MODELS
from rehab_edge.skeleton import Sequence as Frames
from tests.edge.bodies import whole_bodies
from tests.support.recordings import real_recordings

CARD = json.loads((MODELS / "card.json").read_text())


@pytest.fixture(scope="module")
def strangers(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_bodies(tmp_path_factory.mktemp("people"), reps=5)


def test_the_auc_is_the_share_of_pairs_in_order() -> None:
    score = np.array([0.9, 0.8, 0.3, 0.3, 0.1])
    correct = np.array([True, False, True, False, False])
    assert auc(score, correct) == pytest.approx((3 + 0.5 + 1) / 6)
    assert auc(np.zeros(5), correct) == 0.5
    assert np.isnan(auc(score, np.ones(5, dtype=bool)))


def test_balanced_accuracy_of_a_constant_guess_is_a_half() -> None:
    correct = np.array([True, True, True, False])
    assert balanced_accuracy(np.ones(4, dtype=bool), correct) == 0.5
    assert balanced_accuracy(correct, correct) == 1


def made_answers(plain: list[float]) -> Answers:
    count = len(plain)
    unknown = np.full(count, np.nan)
    return Answers(
        movement=np.zeros(count, dtype=int),
        subject=np.repeat([1, 2], count // 2),
        correct=np.tile([True, False], count // 2),
        plain=np.array(plain),
        calibrated=unknown,
        aligned=unknown,
    )


def test_people_are_told_apart_from_a_scale_of_their_own() -> None:
    """Each is in order, yet the second's good ones score below the first's bad ones."""
    one, mean = tables(made_answers([3, 2, 3, 2, -2, -3, -2, -3]))
    assert (one.movement, one.people, one.repetitions) == ("m01", 2, 8)
    assert one.auc == 1
    assert one.pooled_auc == 0.75
    assert one.accuracy == 0.5
    assert np.isnan(one.calibrated_auc)
    assert mean.auc == one.auc


def test_without_both_takes_there_is_nothing_to_tell() -> None:
    with pytest.raises(Unreadable, match="both correct and incorrect"):
        tables(_all_correct())


def _all_correct() -> Answers:
    told = made_answers([1, 2, 3, 4])
    return Answers(**(vars(told) | {"correct": np.ones(4, dtype=bool)}))


def test_strangers_are_scored_by_the_shipped_network(strangers: Path) -> None:
    told = answers(strangers)
    assert not set(told.subject) & trained_on()
    assert np.isfinite(told.plain).all()
    baseline = told.correct & np.isnan(told.calibrated)
    assert baseline.sum() == 3 * 2 * 3  # three repetitions, two people, three movements
    again = answers(strangers)
    assert np.allclose(told.plain, again.plain, atol=0.5)


def test_moved_takes_hide_a_posture_at_rest_and_no_movement(strangers: Path) -> None:
    told = answers(strangers, variant="float32")
    good = told.correct & np.isfinite(told.calibrated)
    assert np.allclose(told.calibrated[good], told.aligned[good], atol=1e-3)


def test_the_bench_tells_of_strangers_and_writes_the_figures(
    strangers: Path, tmp_path: Path
) -> None:
    to = tmp_path / "figures.json"
    asked = ["bench", "--data", str(strangers), "--calls", "10", "--json", str(to)]
    done = CliRunner().invoke(app, asked)
    assert done.exit_code == 0, done.output
    figures = json.loads(to.read_text())
    assert figures["subjects"] == {"left_out_of_a_fold": [], "shipped_network": [91, 92]}
    for rows in figures["form"].values():
        assert [one["movement"] for one in rows] == ["m01", "m07", "m09", "mean"]
        assert all(0 <= one["auc"] <= 1 for one in rows)
    stages = {one["stage"] for one in figures["speed"]}
    assert {"window", "scorer", "scorer, calibrated"} < stages
    assert "91, 92" in done.output


def test_a_folder_without_recordings_is_told_in_a_line(tmp_path: Path) -> None:
    done = CliRunner().invoke(app, ["bench", "--data", str(tmp_path)])
    assert done.exit_code == 1
    assert "kinect" in done.output
    assert "Traceback" not in done.output


def test_models_shows_runtimes_choices_and_scorers() -> None:
    done = CliRunner().invoke(app, ["models"], env={"COLUMNS": "120"})
    assert done.exit_code == 0, done.output
    for said in ("ai-edge-litert", "tflite-runtime", "float32", "int8", "chosen", "learned"):
        assert said in done.output
    card = CliRunner().invoke(app, ["models", "--card"])
    assert card.output.startswith("# Model card")


def test_the_card_is_of_the_files_that_are_shipped() -> None:
    for name, digest in CARD["files"].items():
        assert hashlib.sha256((MODELS / name).read_bytes()).hexdigest() == digest
    assert set(CARD["files"]) == {f"form/{one.name}" for one in FORM.iterdir()}


def test_the_card_holds_the_goals() -> None:
    for variant in ("float32", "int8"):
        mean = CARD["form"][variant][-1]
        assert mean["movement"] == "mean"
        assert mean["auc"] >= 0.95
        assert mean["calibrated_accuracy"] >= 0.90
    mads = {
        variant: np.mean([one["mad"] for one in each]) for variant, each in CARD["squat"].items()
    }
    assert mads["float32"] <= 0.0140
    assert abs(mads["int8"] - mads["float32"]) <= 0.001


def test_the_card_tells_what_the_shipped_networks_do() -> None:
    """Measured anew where the recordings are: one movement of people left out, and the squats."""
    folder = real_recordings()
    if folder is None or not (folder / squats.PATH).exists():
        told = paper.deviations(
            made_squats(), variant="int8", runtime="ai-edge-litert", unseen=True
        )
        assert len(told) == 5
        return
    recorded = read(folder)
    for variant, each in CARD["squat"].items():
        told = paper.deviations(recorded, variant=variant, runtime="ai-edge-litert", unseen=False)
        assert [one.rows for one in told] == [one["rows"] for one in each]
        assert [one.mad for one in told] == pytest.approx([one["mad"] for one in each], abs=2e-4)
    mean = tables(answers(folder, variant="int8"))[-1]
    assert mean.auc == pytest.approx(CARD["form"]["int8"][-1]["auc"], abs=0.01)
    accuracy = CARD["form"]["int8"][-1]["calibrated_accuracy"]
    assert mean.calibrated_accuracy == pytest.approx(accuracy, abs=0.01)


def made_squats(subject: int = 91) -> Squats:
    chance = np.random.default_rng(5)
    curve = chance.normal(size=(18, squats.MOMENTS, squats.COLUMNS)).astype(np.float32)
    return Squats(
        subject=np.full(18, subject),
        episode=np.tile(np.arange(9), 2),
        correct=np.repeat([True, False], 9),
        score=chance.uniform(0.7, 0.95, 18).astype(np.float32),
        curve=curve,
        summary=summaries(curve),
    )


def test_the_papers_split_keeps_its_proportions_and_its_sides_apart() -> None:
    recorded = made_squats()
    training, reported = split(recorded, 3)
    assert not set(training) & set(reported)
    assert recorded.correct[training].sum() == recorded.correct.sum() * 62 // 90
    assert len(training) + len(reported) == len(recorded)
    assert np.array_equal(split(recorded, 3)[0], training)


def test_squats_of_strangers_are_told_apart_from_the_papers_split() -> None:
    strangers = made_squats()
    assert paper.deviations(strangers, variant="int8", runtime="ai-edge-litert", unseen=False) == []
    told = paper.deviations(strangers, variant="int8", runtime="ai-edge-litert", unseen=True)
    assert [one.rows for one in told] == [18] * 5


def test_a_squat_that_was_trained_on_is_never_reported() -> None:
    known = made_squats(subject=1)
    for one in paper.deviations(known, variant="int8", runtime="ai-edge-litert", unseen=False):
        assert one.rows < 18


def turns(frames: Frames, movement: Exercise) -> int:
    """Counts how often the primary angle crosses its middle upward: enough for made recordings."""
    both = angles(frames)[:, [AT[f"{movement.joint}_l"], AT[f"{movement.joint}_r"]]]
    path = both[:, np.ptp(both, axis=0).argmax()]
    over = path > (path.min() + path.max()) / 2
    return int((np.diff(over.astype(int)) == 1).sum())


def test_counting_is_held_against_joined_repetitions(strangers: Path) -> None:
    told = {one.movement: one for one in counting(strangers, turns)}
    assert list(told) == ["m01", "m07", "m09", "all"]
    assert told["m01"].exact == 1
    assert told["m01"].sequences == 4  # two people, two takes
    assert told["all"].sequences == 12
    assert told["all"].constant_exact == 1  # all have five


def test_a_counter_that_is_off_by_one_is_never_exact(strangers: Path) -> None:
    off = {one.movement: one for one in counting(strangers, lambda *seen: turns(*seen) + 1)}
    assert (off["m01"].exact, off["m01"].within_one, off["m01"].mean_error) == (0, 1, 1)
