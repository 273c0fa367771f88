"""docs/domain/fhir.md publishes the codes: it says of each what the program says."""

from __future__ import annotations

import re
from pathlib import Path

from rehab_emr.domain import codes
from rehab_emr.domain.codes import CATEGORY, Code, Mark
from rehab_emr.domain.keys import KINDS

TEXT = (Path(__file__).parents[3] / "docs/domain/fhir.md").read_text(encoding="utf-8")
MARKS = {Mark.HL7: "HL7", Mark.TABLE: "table", Mark.SECONDARY: "secondary"}


def every_code() -> list[Code]:
    named = [one for one in vars(codes).values() if isinstance(one, Code)]
    return [*named, *codes.RANGES.values(), *codes.SITES.values()]


def published() -> dict[str, str]:
    """The mark by code."""
    rows = re.findall(r"^\| ([\w, -]+) \| [^|]+ \| (HL7|table|secondary) \|$", TEXT, re.MULTILINE)
    return {code: mark for told, mark in rows for code in told.split(", ")}


def test_every_code_is_published_with_its_mark_and_no_other_is() -> None:
    wanted = {
        one.code: MARKS[one.mark]
        for one in every_code()
        if one.mark in MARKS and one.system != CATEGORY
    }
    assert published() == wanted


def test_every_kind_is_published() -> None:
    assert {kind for kind in KINDS if f"`{kind}`" not in TEXT} == set()


def test_every_secondary_code_stands_beside_one_of_ours_or_a_text() -> None:
    """Left out, it leaves something that says what it is of."""
    secondary = [one for one in every_code() if one.mark is Mark.SECONDARY]
    ranges, sites = set(codes.RANGES.values()), set(codes.SITES.values())
    beside = {codes.PAIN: codes.PAIN_RATING, codes.EPISODE_SUMMARY: codes.HOME_EXERCISE_RECORD}
    assert all(one in ranges | sites or beside[one].mark is Mark.OURS for one in secondary)
