"""What training feeds the networks; the networks themselves need TensorFlow and are measured by the
bench."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest

from rehab_edge.scoring.calibration import REPETITIONS
from rehab_edge.scoring.window import Window, window
from rehab_edge.skeleton import Joint
from tests.edge.bodies import whole_bodies
from tests.edge.recorded import made

EDGE = Path(__file__).parents[2] / "edge"


@pytest.fixture(scope="module")
def training() -> Iterator[ModuleType]:
    """It is no installed package."""
    sys.path.insert(0, str(EDGE))
    import training.augment  # noqa: PLC0415
    import training.baselines  # noqa: PLC0415
    import training.dataset  # noqa: PLC0415

    yield training
    sys.path.remove(str(EDGE))


@pytest.fixture(scope="module")
def data(training: ModuleType, tmp_path_factory: pytest.TempPathFactory) -> object:
    folder = whole_bodies(tmp_path_factory.mktemp("train"), reps=5)
    return training.dataset.dataset(folder, variants=3, seed=1)


def test_a_variant_is_still_a_repetition(training: ModuleType) -> None:
    for seed in range(30):
        found = training.augment.varied(made()[0].frames, np.random.default_rng(seed))
        assert (np.diff(found.t_s) > 0).all()
        seen = window(found, right=False)
        assert seen.seen > 0.6
        assert np.array_equal(np.isfinite(found.xyz).all(axis=-1), found.visibility == 1)


def test_variants_differ_and_the_first_is_as_recorded(data: object) -> None:
    first = made()[0]
    assert data.curves.shape[0] == 3
    assert data.subject[0] == first.subject
    assert not np.allclose(data.curves[0][0], data.curves[1][0], atol=0.5, equal_nan=True)


def test_the_same_seed_gives_the_same_data(
    training: ModuleType, data: object, tmp_path: Path
) -> None:
    folder = whole_bodies(tmp_path, reps=5)
    again = training.dataset.dataset(folder, variants=3, seed=1)
    assert np.array_equal(again.curves, data.curves, equal_nan=True)
    assert np.array_equal(again.summaries, data.summaries, equal_nan=True)


def test_the_mirror_image_exchanges_the_sides(training: ModuleType) -> None:
    frames = made()[0].frames
    other = training.augment.mirror(frames)
    left = frames.xyz[:, Joint.KNEE_L] * np.array([-1, 1, 1])
    assert np.allclose(other.xyz[:, Joint.KNEE_R], left)
    assert np.allclose(training.augment.mirror(other).xyz, frames.xyz, equal_nan=True)


def test_a_baseline_is_three_correct_ones_of_the_same_person_and_never_oneself(
    training: ModuleType, data: object
) -> None:
    """Each repetition's summary is a power of two of its place here, so that a mean tells what it
    was made of."""
    places = np.array([_place(data, row) for row in range(len(data))])
    marks = np.broadcast_to((2.0**places)[None, :, None], (3, len(data), 1))
    marked = type(data)(**vars(data) | {"summaries": marks})
    order = np.arange(len(data))
    found = training.baselines.some_baselines(marked, order, np.random.default_rng(4))
    assert isinstance(found, Window)
    for row in order:
        total = round(float(found.summary[row, 0]) * REPETITIONS)
        same = (data.movement == data.movement[row]) & (data.subject == data.subject[row])
        allowed = {1 << places[one] for one in np.flatnonzero(same & data.correct) if one != row}
        parts = {1 << bit for bit in range(12) if total >> bit & 1}
        assert len(parts) == REPETITIONS
        assert parts <= allowed


def _place(data: object, row: int) -> int:
    """Among the repetitions of the same person and movement."""
    same = (data.movement == data.movement[row]) & (data.subject == data.subject[row])
    return int(np.flatnonzero(same).tolist().index(row))
