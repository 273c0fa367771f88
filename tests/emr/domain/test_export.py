from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta

from rehab_emr.domain import keys
from rehab_emr.domain.export import Order, document, everything, manifest, ndjson
from rehab_emr.domain.links import Identifier, Options
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import BEGIN, LINKS, history_of, pain, plan, session
from tests.emr.domain.goldens import readings
from tests.projections.given import body, event, event_id

AFTER = BEGIN + timedelta(days=30)
ORDER = Order("export-1", "patient-1", AFTER)
WHOLE = [plan(100), *session(110), pain(120, 4), *readings()]


def test_a_document_begins_with_what_it_is_and_whose() -> None:
    links = replace(LINKS, patient_identifier=Identifier("https://h.example.org/mrn", "17"))
    told = json.loads(document(history_of(WHOLE), links, ORDER))
    assert problems(told) == ()
    composition, patient = (one["resource"] for one in told["entry"][:2])
    assert composition["resourceType"] == "Composition"
    assert composition["subject"]["reference"] == told["entry"][1]["fullUrl"]
    assert [one["value"] for one in patient["identifier"]] == ["patient-1", "17"]


def test_everything_in_a_document_is_referred_to_within_it() -> None:
    told = json.loads(document(history_of(WHOLE), LINKS, ORDER))
    places = {one["fullUrl"] for one in told["entry"]}
    sections = told["entry"][0]["resource"]["section"]
    referred = {one["reference"] for section in sections for one in section["entry"]}
    assert referred <= places
    for entry in told["entry"][2:]:
        made = entry["resource"]
        assert "Patient/p1" not in json.dumps(made)
        for name in ("hasMember", "derivedFrom"):
            assert all(one["reference"] in places for one in made.get(name, ()))


def test_lines_are_by_type_and_refer_to_each_other_by_id() -> None:
    files = ndjson(history_of(WHOLE), LINKS, ORDER)
    assert set(files) == {"Patient", "Observation", "Device", "Provenance"}
    ids = set()
    lines = [json.loads(line) for told in files.values() for line in told.splitlines()]
    for line in lines:
        assert problems(line) == ()
        ids.add(f"{line['resourceType']}/{line['id']}")
    assert len(ids) == len(lines)
    for line in lines:
        for name in ("hasMember", "derivedFrom", "target"):
            assert all(one["reference"] in ids for one in line.get(name, ()))
        if "subject" in line:
            assert line["subject"]["reference"] in ids


def test_the_manifest_counts_the_lines() -> None:
    files = ndjson(history_of([pain(1, 4), pain(2, 5)]), LINKS, ORDER)
    urls = {type_: f"https://x.example.org/{type_}" for type_ in files}
    told = json.loads(manifest(files, urls, ORDER, "https://x.example.org/$export"))
    assert {one["type"]: one["count"] for one in told["output"]} == {
        "Device": 1,
        "Observation": 2,
        "Patient": 1,
        "Provenance": 3,
    }
    assert told["error"] == []
    assert told["transactionTime"] == "2026-04-01T07:00:00.000Z"


def test_what_is_not_ready_is_left_out() -> None:
    now = replace(ORDER, at=BEGIN + timedelta(minutes=10))
    made = everything(history_of([plan(1), *session(10), *readings()]), LINKS, now)
    assert {one.key.kind for one in made} == {
        *(keys.SESSION, keys.SESSION_DURATION, keys.SESSION_EXERCISE, keys.ROM),
        *(keys.DEVICE, keys.PROVENANCE),
    }


def test_what_was_taken_back_is_left_out() -> None:
    told = {"metric": "weight", "samples": []}
    history = history_of(
        [pain(1, 4), event(2, BEGIN, body(health_samples=told), corrects=event_id(1))]
    )
    assert everything(history, LINKS, ORDER) == []


def test_only_the_kinds_that_are_asked_for_are_told() -> None:
    order = replace(ORDER, kinds=frozenset({keys.PAIN, keys.REP_SERIES}))
    made = everything(history_of(WHOLE), LINKS, order)
    assert {one.key.kind for one in made} == {keys.PAIN}
    fine = replace(LINKS, options=Options(rep_series=True))
    made = everything(history_of(WHOLE), fine, order)
    assert {one.key.kind for one in made} == {keys.PAIN, keys.REP_SERIES}


def test_the_same_order_gives_the_same_bytes() -> None:
    assert document(history_of(WHOLE), LINKS, ORDER) == document(history_of(WHOLE), LINKS, ORDER)


def test_the_record_of_somebody_who_did_nothing_is_a_document() -> None:
    told = json.loads(document(history_of([]), LINKS, ORDER))
    assert problems(told) == ()
    assert "section" not in told["entry"][0]["resource"]
