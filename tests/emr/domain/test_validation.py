"""What is broken is found: every rule, on a resource that is right but for that."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from typing import Any

import pytest

from rehab_emr.domain import codes
from rehab_emr.domain.units import UNITS
from rehab_emr.domain.validation import problems
from tests.emr.domain.goldens import place


def golden(name: str) -> Any:
    return json.loads(place(name).read_text(encoding="utf-8"))


def observation(code: str) -> Any:
    for entry in golden("vitals")["entry"]:
        made = entry["resource"]
        if made["code"]["coding"][0]["code"] == code:
            return made
    raise AssertionError(code)


def put(*path: str | int, value: Any) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        for part in path[:-1]:
            told = told[part]
        told[path[-1]] = value

    return change


def drop(*path: str | int) -> Callable[[Any], None]:
    def change(told: Any) -> None:
        for part in path[:-1]:
            told = told[part]
        del told[path[-1]]

    return change


WEIGHT, PRESSURE, HEART_RATE = "29463-7", "85354-9", "8867-4"
ABSENT = {"coding": [{"system": codes.ABSENT, "code": "unknown"}]}
BROKEN = [
    (WEIGHT, put("status", value="done"), "required binding"),
    (WEIGHT, drop("status"), "model"),
    (WEIGHT, drop("code"), "model"),
    (WEIGHT, put("note", value="x"), "model"),
    (WEIGHT, put("triggeredBy", value=[]), "model"),
    (WEIGHT, put("valueString", value="80"), "model"),
    (WEIGHT, put("valueQuantity", "value", value="eighty"), "model"),
    (WEIGHT, put("valueQuantity", "code", value="kilo"), "UCUM"),
    (WEIGHT, put("valueQuantity", "code", value="/min"), "bodyweight"),
    (WEIGHT, drop("valueQuantity", "system"), "qty-3"),
    (WEIGHT, drop("valueQuantity", "unit"), "bodyweight"),
    (WEIGHT, put("valueQuantity", "comparator", value="~"), "quantity-comparator"),
    (WEIGHT, put("dataAbsentReason", value=ABSENT), "obs-6"),
    (WEIGHT, drop("valueQuantity"), "vs-2"),
    (WEIGHT, drop("effectiveDateTime"), "vitalsigns"),
    (WEIGHT, put("effectiveDateTime", value="2026-03"), "vs-1"),
    (WEIGHT, put("effectiveDateTime", value="2026-03-02T08:00:00"), ""),
    (WEIGHT, put("effectiveDateTime", value="2026-13-02"), ""),
    (WEIGHT, put("category", value=[]), "ele-1"),
    (WEIGHT, drop("category"), "vitalsigns"),
    (WEIGHT, put("code", "coding", 0, "code", value="29463-8"), "bodyweight"),
    (WEIGHT, put("code", "coding", 0, "code", value="29463-7 "), ""),
    (WEIGHT, put("code", "text", value=" "), "string"),
    (WEIGHT, put("id", value="x" * 65), ""),
    (WEIGHT, put("subject", value={"reference": "Practitioner/1"}), "Reference"),
    (WEIGHT, put("subject", value={"reference": "Patient"}), "Reference"),
    (WEIGHT, put("subject", value={"type": "Patient"}), "Reference"),
    (WEIGHT, put("device", value={"type": "Patient", "display": "x"}), "Reference"),
    (WEIGHT, put("identifier", 0, "use", value="main"), "identifier-use"),
    (WEIGHT, put("identifier", 0, "system", value="pain"), "uri"),
    (PRESSURE, drop("component", 1), "bp"),
    (PRESSURE, drop("component", 0, "valueQuantity"), "vs-3"),
    (PRESSURE, put("component", 0, "valueQuantity", "code", value="kg"), "bp"),
    (PRESSURE, put("component", 0, "dataAbsentReason", value=ABSENT), "obs-6"),
    (HEART_RATE, put("valueQuantity", "code", value="Hz"), "UCUM"),
    (
        HEART_RATE,
        put(
            "component", 0, "code", value={"coding": [{"system": codes.LOINC, "code": HEART_RATE}]}
        ),
        "obs-7",
    ),
]


@pytest.mark.parametrize(("code", "break_it", "rule"), BROKEN)
def test_a_broken_observation_is_found(
    code: str, break_it: Callable[[Any], None], rule: str
) -> None:
    made = observation(code)
    assert problems(made) == ()
    break_it(made)
    found = problems(made)
    assert found
    assert any(rule in one.rule for one in found), found


BROKEN_BUNDLES = [
    ("session", put("type", value="send"), "bundle-type"),
    ("session", put("total", value=3), "bdl-1"),
    ("session", drop("entry", 0, "request"), "bdl-3"),
    ("session", put("entry", 0, "response", value={"status": "200"}), "bdl-4"),
    ("session", put("entry", 0, "fullUrl", value="https://x.org/Device/1/_history/2"), "bdl-8"),
    ("session", put("entry", 0, "request", "method", value="SEND"), "http-verb"),
    ("session", put("entry", 0, "request", "method", value="PUT"), "conditional create"),
    ("session", put("entry", 0, "request", "url", value="Device?x=1"), "create"),
    ("session", put("entry", 0, "resource", "status", value="ok"), "device-status"),
    ("session", put("entry", 0, "resource", "deviceName", 0, "type", value="x"), "nametype"),
    ("session", put("entry", 5, "resource", "entity", 0, "role", value="x"), "entity-role"),
    ("session", put("entry", 5, "resource", "recorded", value="2026-03-02"), ""),
    ("session", put("entry", 1, "resource", "status", value="ok"), "observation-status"),
    ("session", put("entry", 1, "resource", "effectivePeriod", "end", value="2020"), "per-1"),
    ("record", drop("identifier", "system"), "bdl-9"),
    ("record", drop("timestamp"), "bdl-10"),
    ("record", drop("entry", 0), "bdl-11"),
    ("record", put("entry", 0, "resource", "status", value="x"), "composition-status"),
    ("record", put("entry", 1, "resource", "gender", value="x"), "administrative-gender"),
    ("record", put("entry", 1, "resource", value={"resourceType": "Basic", "code": {}}), "none of"),
]


@pytest.mark.parametrize(("name", "break_it", "rule"), BROKEN_BUNDLES)
def test_a_broken_bundle_is_found(name: str, break_it: Callable[[Any], None], rule: str) -> None:
    made = golden(name)
    break_it(made)
    assert any(rule in one.rule for one in problems(made)), problems(made)


def test_one_identity_twice_in_a_bundle_is_found() -> None:
    made = golden("session")
    again = copy.deepcopy(made["entry"][0])
    again["fullUrl"] = "urn:uuid:6d2b0c52-7f0e-5a49-9d5c-3b1f6f2c8a11"
    made["entry"].append(again)
    assert [one.rule for one in problems(made)] == ["bdl-7: once in a Bundle"]


def test_a_type_that_is_not_sent_is_refused() -> None:
    for type_ in ("MedicationRequest", None, 7):
        (found,) = problems({"resourceType": type_})
        assert found.path == "resourceType"


@pytest.mark.parametrize("data", ["", " 1", "1  2", "1,2", "x", "1. 2"])
def test_sampled_data_is_decimals_between_single_blanks(data: str) -> None:
    made = golden("fine-grained")
    series = next(one["resource"] for one in made["entry"] if "valueSampledData" in one["resource"])
    assert problems(series) == ()
    series["valueSampledData"]["data"] = data
    assert problems(series) != ()


def test_a_problem_tells_no_value() -> None:
    made = observation(WEIGHT)
    made["code"]["text"] = "Ottoline Quillfeather "
    made["valueQuantity"]["code"] = "Ottoline"
    made["note"] = "Ottoline"
    assert "Ottoline" not in str(problems(made))


def test_units_are_told_in_words() -> None:
    assert UNITS["mm[Hg]"] == "mmHg"
    assert len(codes.own_codes()) == len({one.code for one in codes.own_codes()})
