"""What is sent is valid by R4's own definitions, as a validator that is not ours reads them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.emr.domain.goldens import FOLDER, place

pytestmark = pytest.mark.skipif(
    "REHAB_CI" not in os.environ and not (shutil.which("node") and shutil.which("npm")),
    reason="Node.js is no requirement of ours: where it is, and in CI, its validator judges",
)
VALIDATOR = Path(__file__).parent / "validator"
INSTALL_S, RUN_S = 90, 60


def run(*command: str, cwd: Path, timeout_s: float) -> str:
    done = subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, "NO_UPDATE_NOTIFIER": "1"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        timeout=timeout_s,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    return done.stdout.decode()


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("validator")
    shutil.copytree(VALIDATOR, folder, dirs_exist_ok=True)
    quiet = ("--no-audit", "--no-fund", "--no-package-lock", "--ignore-scripts", "--silent")
    run("npm", "install", *quiet, cwd=folder, timeout_s=INSTALL_S)
    return folder


def judged(installed: Path, *files: Path) -> Any:
    told = run("node", "validate.mjs", *map(str, files), cwd=installed, timeout_s=RUN_S)
    return json.loads(told)


def test_no_golden_bundle_has_an_error(installed: Path) -> None:
    told = judged(installed, *sorted(FOLDER.glob("*.json")))
    assert told["found"] == []
    assert told["judged"] > 50
    assert told["coded"] > 50
    assert told["profiled"] > 10


def first_of(bundle: Any, profile: str) -> Any:
    return next(
        entry["resource"]
        for entry in bundle["entry"]
        if any(profile in one for one in entry["resource"].get("meta", {}).get("profile", ()))
    )


def without_diastolic(bundle: Any) -> None:
    del first_of(bundle, "bp")["component"][1]


def without_whose_heart_it_was(bundle: Any) -> None:
    del first_of(bundle, "heartrate")["subject"]


def without_code(bundle: Any) -> None:
    del bundle["entry"][0]["resource"]["code"]


def of_an_unknown_category(bundle: Any) -> None:
    bundle["entry"][0]["resource"]["category"][0]["coding"][0]["code"] = "vitals"


def with_an_element_of_another_version(bundle: Any) -> None:
    bundle["entry"][0]["resource"]["triggeredBy"] = []
    bundle["entry"][0]["resource"]["instantiatesCanonical"] = "http://example.org"


BREAKS: list[Callable[[Any], None]] = [
    without_diastolic,
    without_whose_heart_it_was,
    without_code,
    of_an_unknown_category,
    with_an_element_of_another_version,
]


def test_it_finds_what_is_broken_on_purpose(installed: Path, tmp_path: Path) -> None:
    for make_wrong in BREAKS:
        bundle = json.loads(place("vitals").read_text(encoding="utf-8"))
        make_wrong(bundle)
        file = tmp_path / f"{make_wrong.__name__}.json"
        file.write_text(json.dumps(bundle), encoding="utf-8")
    found = judged(installed, *sorted(tmp_path.glob("*.json")))["found"]
    for make_wrong in BREAKS:
        assert any(one.startswith(make_wrong.__name__) for one in found), make_wrong.__name__
