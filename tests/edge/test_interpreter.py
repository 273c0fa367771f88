"""The facade over the TFLite runtimes."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from rehab_edge.errors import ModelRefused, NoRuntime
from rehab_edge.interpreter import RUNTIMES, choose, load, self_test, usable
from rehab_edge.interpreter.facade import Tensor
from rehab_edge.models import FORM, MODELS
from rehab_edge.scoring.network import Network, example
from rehab_edge.scoring.scales import Scales

ROOT = Path(__file__).parents[2]
NEWER = "ai-edge-litert"
PROBE = (MODELS / "probe.tflite").read_bytes()
NUMBERS = {"numbers": np.array([1, 2, 3, 4], dtype=np.float32)}
EACH = """
import json
import sys
from rehab_edge.models import FORM
from rehab_edge.scoring.network import Network, example
told = {}
for runtime in sys.argv[1:]:
    for variant in ("float32", "int8"):
        network = Network.load(FORM, runtime=runtime, variant=variant)
        inputs = example(network.scales, calibrated=True).named()
        answer = network.calibrated.interpreter.run(inputs)[0].ravel()
        told[f"{runtime} {variant}"] = [float(one) for one in answer]
print(json.dumps(told))
"""


def test_the_installed_runtime_builds_an_interpreter_and_adds_up() -> None:
    test = self_test(NEWER)
    assert test.ok, test.problem
    assert test.version
    assert NEWER in usable()


def test_every_runtime_runs_both_variants_of_the_shipped_network_and_they_agree() -> None:
    """In a process of its own: the older one needs numpy 1, and ends with Python 3.11."""
    runtimes = list(RUNTIMES) if sys.version_info < (3, 12) else [NEWER]
    beside = os.pathsep.join([str(Path(sys.prefix) / "tflite"), str(ROOT / "edge")])
    done = subprocess.run(
        [sys.executable, "-c", EACH, *runtimes],
        env=os.environ | {"PYTHONPATH": beside},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stderr
    told = {name: np.array(answer) for name, answer in json.loads(done.stdout).items()}
    assert len(told) == 2 * len(runtimes)
    reference = told[f"{NEWER} float32"]
    for runtime in runtimes:
        assert np.allclose(told[f"{runtime} float32"], reference, atol=1e-4)
        assert np.abs(told[f"{runtime} int8"] - reference).max() < 0.3


def test_a_runtime_that_is_not_there_is_named() -> None:
    with pytest.raises(NoRuntime, match="nobody-has-this is not installed"):
        load(PROBE, "nobody-has-this")


def test_bytes_that_are_no_model_are_refused() -> None:
    with pytest.raises(ModelRefused, match="refuses the model"):
        load(b"nothing" * 100, NEWER)


def test_an_input_that_is_missing_or_of_another_size_is_named() -> None:
    interpreter = load(PROBE, NEWER)
    with pytest.raises(ModelRefused, match="numbers, which was not given"):
        interpreter.run({})
    with pytest.raises(ModelRefused, match="numbers takes"):
        interpreter.run({"numbers": np.zeros(5, np.float32)})


def test_types_and_shapes_are_read_from_the_model() -> None:
    whole = load((FORM / "plain.int8.tflite").read_bytes(), NEWER)
    assert whole.dtype == "int8"
    assert whole.inputs["curve"].shape == (1, 48, 43)
    assert load((FORM / "plain.float32.tflite").read_bytes(), NEWER).dtype == "float32"


def test_real_numbers_survive_a_quantised_tensor_to_within_half_a_step() -> None:
    tensor = Tensor("x", 0, (1, 5), np.dtype("int8"), scale=0.03, zero_point=7)
    values = np.array([-3.9, -1, 0, 0.5, 3.5], dtype=np.float32)
    assert np.abs(tensor.real(tensor.stored(values)) - values).max() <= 0.015 + 1e-6


def test_numbers_beyond_a_quantised_tensor_are_held_at_its_ends() -> None:
    tensor = Tensor("x", 0, (1, 2), np.dtype("int8"), scale=0.1, zero_point=0)
    assert tensor.stored(np.array([-1e6, 1e6])).tolist() == [[-128, 127]]


def test_the_fastest_that_agrees_is_chosen() -> None:
    chosen = choose({"float32": PROBE}, NUMBERS, np.array([5, 3]), tolerance=1e-3)
    fastest = min((one for one in chosen.timings if not one.problem), key=lambda one: one.median_us)
    assert (chosen.runtime, chosen.variant) == (fastest.runtime, fastest.variant)
    assert fastest.median_us > 0


def test_a_variant_that_gives_another_answer_is_out() -> None:
    with pytest.raises(NoRuntime, match="off by 1"):
        choose({"float32": PROBE}, NUMBERS, np.array([5, 4]), tolerance=1e-3)


def test_a_broken_variant_is_out_and_the_other_is_chosen() -> None:
    models = {"int8": b"broken" * 50, "float32": PROBE}
    chosen = choose(models, NUMBERS, np.array([5, 3]), tolerance=1e-3)
    assert chosen.variant == "float32"
    assert any(one.problem for one in chosen.timings if one.variant == "int8")


def test_without_any_runtime_it_says_so() -> None:
    with pytest.raises(NoRuntime, match="no runtime runs the model"):
        choose({"float32": PROBE}, NUMBERS, np.array([5, 3]), tolerance=1, runtimes=[])


def test_int8_answers_as_float32_does() -> None:
    scales = Scales.from_bytes((FORM / "scales.npz").read_bytes())
    inputs = example(scales, calibrated=False).named()
    told = [
        Network.load(FORM, variant=variant).plain.interpreter.run(inputs)[0]
        for variant in ("float32", "int8")
    ]
    assert np.abs(told[0] - told[1]).max() < 0.3
