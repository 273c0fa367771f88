from __future__ import annotations

import json
from typing import Any

import pytest

from rehab_emr.domain.validation import problems
from tests.emr.domain.goldens import FOLDER, GOLDENS, SERVED, place, printed


@pytest.mark.parametrize("name", GOLDENS | SERVED)
def test_a_golden_bundle_is_what_is_made(name: str) -> None:
    assert printed((GOLDENS | SERVED)[name]()) == place(name).read_text(encoding="utf-8")


@pytest.mark.parametrize("name", GOLDENS)
def test_a_golden_bundle_has_no_problem(name: str) -> None:
    assert problems(json.loads(place(name).read_text(encoding="utf-8"))) == ()


@pytest.mark.parametrize("name", sorted(set(GOLDENS) - {"code-system"}))
def test_every_code_of_ours_that_is_sent_is_published(name: str) -> None:
    system = json.loads(place("code-system").read_text(encoding="utf-8"))
    published = {one["code"]: one["display"] for one in system["concept"]}

    def look(told: Any) -> None:
        if isinstance(told, dict):
            if told.get("system") == system["url"] and "code" in told:
                assert published[told["code"]] == told["display"]
            for value in told.values():
                look(value)
        elif isinstance(told, list):
            for value in told:
                look(value)

    look(json.loads(place(name).read_text(encoding="utf-8")))


def test_every_golden_bundle_is_made_by_somebody() -> None:
    assert {one.stem for one in FOLDER.glob("*.json")} == set(GOLDENS | SERVED)
