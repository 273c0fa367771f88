"""What a repetition was like, measured on bodies whose movement is known."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from rehab_edge.exercises import exercise
from rehab_edge.metrics.rep import measured
from rehab_edge.metrics.smoothing import even
from rehab_edge.scoring.protocol import Attempt
from rehab_edge.scoring.rules import EXPECTED_DEG, RuleScorer, judged
from rehab_edge.skeleton import Joint, Sequence
from rehab_edge.sources.uiprmd import Take, read
from tests.edge.bodies import whole_bodies


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return whole_bodies(tmp_path_factory.mktemp("recordings"))


def reps(folder: Path, name: str, take: Take = Take.CORRECT, subject: int = 91) -> list[Sequence]:
    found = read(folder, exercise(name), take).repetitions
    return [one.sequence for one in found if one.subject == subject]


def hidden(of: Sequence, joint: Joint, share: float) -> Sequence:
    xyz = of.xyz.copy()
    xyz[np.random.default_rng(1).random(len(of)) < share, joint] = np.nan
    return Sequence(of.t_s, xyz, of.visibility)


def leaning(of: Sequence, degrees: float) -> Sequence:
    """The body above the hips leans to the left, out and back with the movement."""
    way = np.sin(np.linspace(0, np.pi, len(of)))
    turn = np.radians(degrees) * way
    xyz = of.xyz.copy()
    upper = [one for one in Joint if one <= Joint.WRIST_R and one is not Joint.MID_HIP]
    from_hips = xyz[:, upper] - xyz[:, [Joint.MID_HIP]]
    cos, sin = np.cos(turn)[:, None], np.sin(turn)[:, None]
    x, y = from_hips[..., 0].copy(), from_hips[..., 1].copy()
    from_hips[..., 0], from_hips[..., 1] = cos * x + sin * y, cos * y - sin * x
    xyz[:, upper] = xyz[:, [Joint.MID_HIP]] + from_hips
    return Sequence(of.t_s, xyz, of.visibility)


def test_a_squat_has_range_tempo_sides_and_smoothness(made: Path) -> None:
    for frames in reps(made, "m01"):
        found = measured(frames, exercise("m01"))
        assert found.primary is not None
        assert (found.side, found.usable, found.abstained) == ("both", 1.0, "")
        low, high = found.joints["knee_left"]
        assert high - low == pytest.approx(found.primary.rom_deg, rel=0.1)
        assert found.symmetry_pct == pytest.approx(0, abs=10)
        assert found.primary.tempo is not None
        assert found.primary.tempo.out_s == pytest.approx(1.0, abs=0.4)
        assert found.smoothness is not None
        assert found.smoothness < 0


@pytest.mark.parametrize(("subject", "side"), [(91, "right"), (92, "left")])
def test_the_side_is_the_one_that_moves(made: Path, subject: int, side: str) -> None:
    for frames in reps(made, "m07", subject=subject):
        assert measured(frames, exercise("m07")).side == side


def test_a_shaky_movement_is_less_smooth(made: Path) -> None:
    frames = reps(made, "m01")[0]
    chance = np.random.default_rng(2)
    wobble = np.cumsum(chance.normal(0, 0.006, (len(frames), 3)), axis=0).astype(np.float32)
    xyz = frames.xyz.copy()
    xyz[:, [Joint.KNEE_L, Joint.KNEE_R]] += wobble[:, None]
    shaky = measured(Sequence(frames.t_s, xyz, frames.visibility), exercise("m01"))
    calm = measured(frames, exercise("m01"))
    assert shaky.smoothness is not None
    assert calm.smoothness is not None
    assert shaky.smoothness < calm.smoothness - 0.5


def test_figures_do_not_depend_on_the_sensors_rate(made: Path) -> None:
    frames = reps(made, "m01")[0]
    half = Sequence(frames.t_s[::2], frames.xyz[::2], frames.visibility[::2])
    fast, slow = measured(frames, exercise("m01")).primary, measured(half, exercise("m01")).primary
    assert fast is not None
    assert slow is not None
    assert slow.rom_deg == pytest.approx(fast.rom_deg, rel=0.06)
    assert slow.duration_s == pytest.approx(fast.duration_s, abs=0.1)


def test_what_is_hardly_seen_is_not_measured(made: Path) -> None:
    frames = reps(made, "m01")[0]
    little = measured(hidden(frames, Joint.KNEE_L, 0.8), exercise("m01"))
    assert (little.abstained, little.primary) == ("seen_too_little", None)
    assert little.confidence < 0.4
    most = measured(hidden(frames, Joint.KNEE_L, 0.1), exercise("m01"))
    assert most.primary is not None
    assert most.usable == pytest.approx(0.9, abs=0.08)
    assert measured(frames[:4], exercise("m01")).abstained == "too_short"


def test_a_lean_of_the_trunk_is_a_compensation_of_its_size(made: Path) -> None:
    frames = reps(made, "m07")[0]
    assert "trunk_lean" not in {one.code for one in measured(frames, exercise("m07")).compensations}
    found = {one.code: one for one in measured(leaning(frames, 25), exercise("m07")).compensations}
    assert found["trunk_lean"].magnitude_deg == pytest.approx(25, abs=3)
    assert found["trunk_lean"].frames > 10


def test_gaps_are_bridged_and_what_is_mostly_unseen_is_unknown() -> None:
    t_s = np.arange(10) / 30
    path = np.arange(10.0)
    path[4] = np.nan
    lost = np.full(10, np.nan)
    lost[:3] = 1
    found = even(t_s, np.column_stack([path, lost]))
    assert found[:, 0] == pytest.approx(np.arange(10))
    assert np.isnan(found[:, 1]).all()


def test_rules_take_points_for_a_short_range_and_say_so(made: Path) -> None:
    scorer, squat = RuleScorer(), exercise("m01")
    assert scorer.warm_up().problem == ""
    (full, *_), (short, *_) = reps(made, "m01"), reps(made, "m01", Take.INCORRECT)
    told = scorer.score(Attempt(squat, full), None)
    less = scorer.score(Attempt(squat, short), None)
    seen = measured(short, squat)
    assert seen.primary is not None
    assert told.value is not None
    assert less.value is not None
    assert less.value < told.value
    assert ("short_range" in less.faults) == (seen.primary.rom_deg < EXPECTED_DEG["m01"])


def test_rules_hold_a_person_to_their_own_range(made: Path) -> None:
    seen = measured(reps(made, "m01")[0], exercise("m01"))
    assert seen.primary is not None
    own = judged(seen, exercise("m01"), seen.primary.rom_deg)
    more = judged(seen, exercise("m01"), 2 * seen.primary.rom_deg)
    assert (own.calibrated, "short_range" in own.faults) == (True, False)
    assert more.faults[0] == "short_range"


def test_rules_abstain_where_too_little_was_seen(made: Path) -> None:
    frames = hidden(reps(made, "m01")[0], Joint.KNEE_R, 0.9)
    told = RuleScorer().score(Attempt(exercise("m01"), frames), None)
    assert (told.value, told.abstained) == (None, "seen_too_little")
