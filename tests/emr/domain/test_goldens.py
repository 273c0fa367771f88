from __future__ import annotations

import json

import pytest

from rehab_emr.domain.validation import problems
from tests.emr.domain.goldens import FOLDER, GOLDENS, place, printed


@pytest.mark.parametrize("name", GOLDENS)
def test_a_golden_bundle_is_what_is_made(name: str) -> None:
    assert printed(GOLDENS[name]()) == place(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOLDENS)
def test_a_golden_bundle_has_no_problem(name: str) -> None:
    assert problems(json.loads(place(name).read_text(encoding="utf-8"))) == ()


def test_every_golden_bundle_is_made_by_somebody() -> None:
    assert {one.stem for one in FOLDER.glob("*.json")} == set(GOLDENS)
