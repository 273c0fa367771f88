from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rehab_emr.domain import keys
from rehab_emr.domain.bundles import PLAIN, bundle
from rehab_emr.domain.links import Dialect, Form, Identifier, IfNoneExist, Links
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.places import full_url
from rehab_emr.domain.provenances import provenance
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import BASE, LINKS, history_of, of_kind, only, pain, session
from tests.emr.domain.goldens import of_kinds
from tests.projections.given import event_id

PAIN_SYSTEM = f"{BASE}/fhir/identifier/pain"


def sent(form: Form, *, again: bool = False, dialect: Dialect = PLAIN) -> Any:
    made = [only(history_of([pain(1, 4)]), keys.PAIN, again=again)]
    return json.loads(bundle(made, LINKS, form, dialect))["entry"][0]["request"]


def test_what_is_final_is_created_unless_it_is_there() -> None:
    assert sent(Form.TRANSACTION) == {
        "method": "POST",
        "url": "Observation",
        "ifNoneExist": f"identifier={PAIN_SYSTEM}|{event_id(1)}",
    }


def test_what_is_amended_is_updated_where_it_is() -> None:
    assert sent(Form.TRANSACTION, again=True) == {
        "method": "PUT",
        "url": f"Observation?identifier={PAIN_SYSTEM}|{event_id(1)}",
    }


@pytest.mark.parametrize(
    ("dialect", "search"),
    [
        (Dialect(IfNoneExist.QUESTION_MARK), f"?identifier={PAIN_SYSTEM}|{event_id(1)}"),
        (Dialect(IfNoneExist.TYPED), f"Observation?identifier={PAIN_SYSTEM}|{event_id(1)}"),
        (Dialect(encode_separator=True), f"identifier={PAIN_SYSTEM}%7C{event_id(1)}"),
    ],
)
def test_a_receiver_is_spoken_to_in_its_dialect(dialect: Dialect, search: str) -> None:
    assert sent(Form.TRANSACTION, dialect=dialect)["ifNoneExist"] == search


def test_the_entries_are_in_the_order_of_the_resources() -> None:
    history = history_of([pain(1, 4), pain(2, 5), *session(10)])
    made = of_kinds(history, keys.SESSION, keys.PAIN, keys.DEVICE)
    told = json.loads(bundle(made, LINKS, Form.BATCH))
    named = [one["resource"]["identifier"][0]["value"] for one in told["entry"]]
    assert named == [one.key.id for one in made]


def test_two_resources_of_one_key_are_refused() -> None:
    made = only(history_of([pain(1, 4)]), keys.PAIN)
    with pytest.raises(ValueError, match="two resources of one key"):
        bundle([made, made], LINKS, Form.TRANSACTION)


def test_within_a_transaction_references_go_to_the_entries() -> None:
    made = of_kinds(history_of(session(1)), keys.SESSION, keys.SESSION_EXERCISE)
    told = json.loads(bundle(made, LINKS, Form.TRANSACTION))
    members = told["entry"][0]["resource"]["hasMember"]
    assert [one.get("reference") for one in members] == [None, told["entry"][1]["fullUrl"]]
    assert members[0]["identifier"]["system"].endswith("/session-duration")


def test_within_a_batch_references_go_by_identifier() -> None:
    made = of_kinds(history_of(session(1)), keys.SESSION, keys.SESSION_EXERCISE)
    told = json.loads(bundle(made, LINKS, Form.BATCH))
    assert "urn:uuid" not in json.dumps([one["resource"] for one in told["entry"]])


def test_what_the_receiver_has_is_referred_to_by_its_own_id() -> None:
    history = history_of(session(1))
    (exercise,) = of_kind(history, keys.SESSION_EXERCISE)
    (device,) = of_kind(history, keys.DEVICE)
    links = replace(LINKS, known={exercise: "Observation/17", device: "Device/3"})
    made = of_kinds(history, keys.SESSION, links=links)
    told = json.loads(bundle(made, links, Form.BATCH))["entry"][0]["resource"]
    assert told["hasMember"][1]["reference"] == "Observation/17"
    assert told["device"]["reference"] == "Device/3"


def test_resources_stay_as_they_are_when_they_are_bundled() -> None:
    made = of_kinds(history_of(session(1)), keys.SESSION, keys.SESSION_EXERCISE)
    before = [one.json for one in made]
    bundle(made, LINKS, Form.TRANSACTION)
    assert [one.json for one in made] == before


def test_keys_of_different_kinds_have_different_places_though_their_ids_are_the_same() -> None:
    assert full_url(keys.ResourceKey("pain", "x")) != full_url(keys.ResourceKey("vital", "x"))


def test_a_provenance_names_the_events_and_is_found_by_its_tag() -> None:
    history = history_of([pain(1, 8), pain(2, 3, corrects=event_id(1))])
    of = only(history, keys.PAIN, again=True)
    made = provenance(of, history, LINKS)
    assert problems(made.content) == ()
    assert made.content["target"][0]["identifier"]["value"] == event_id(1)
    assert made.content["activity"]["coding"][0]["code"] == "UPDATE"
    assert [one["what"]["identifier"]["value"] for one in made.content["entity"]] == [event_id(2)]
    assert made.condition == f"_tag={BASE}/fhir/identifier/provenance|{made.key.id}"
    told = json.loads(bundle([of, made], LINKS, Form.TRANSACTION))
    assert told["entry"][1]["resource"]["target"][0]["reference"] == told["entry"][0]["fullUrl"]


def test_every_content_has_a_provenance_of_its_own_and_the_same_content_the_same() -> None:
    first = history_of([pain(1, 8)])
    second = history_of([pain(1, 8), pain(2, 3, corrects=event_id(1))])
    once = provenance(only(first, keys.PAIN), first, LINKS)
    again = provenance(only(first, keys.PAIN, again=True), first, LINKS)
    other = provenance(only(second, keys.PAIN, again=True), second, LINKS)
    assert once.key == again.key
    assert once.key != other.key


def test_a_patient_who_is_no_literal_is_named_by_identifier() -> None:
    links = Links(BASE, patient_identifier=Identifier("https://h.example.org/mrn", "17"))
    made = only(history_of([pain(1, 4)]), keys.PAIN, links)
    assert made.content["subject"]["identifier"]["value"] == "17"
    assert problems(made.content) == ()


def test_links_to_nobody_are_refused() -> None:
    history = history_of([pain(1, 4)])
    with pytest.raises(ValueError, match="patient"):
        resource(history, *of_kind(history, keys.PAIN), replace(LINKS, patient=""))
