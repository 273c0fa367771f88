"""What a search tells of one resource, and what it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from rehab_emr.domain import keys
from rehab_emr.domain.bundles import PLAIN
from rehab_emr.domain.links import Form
from rehab_emr.domain.lookups import Looked, looked_for, read
from rehab_emr.domain.provenances import provenance
from rehab_emr.domain.requests import Manner, Request, There, requests_of
from rehab_emr.domain.resource import Resource
from tests.emr.domain.given import LINKS, history_of, only, pain

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)
HISTORY = history_of([pain(1, 4)])
PAIN = only(HISTORY, keys.PAIN)
AMENDED = only(HISTORY, keys.PAIN, again=True)
NEITHER = Manner(conditional_create=False, conditional_update=False)


def stored(of: Resource = PAIN, id_: str = "17", version: str = "3") -> dict[str, Any]:
    meta = {**of.content.get("meta", {}), "versionId": version}
    return {**of.content, "id": id_, "meta": meta}


def answer(*found: Any, status: str = "200", **more: Any) -> dict[str, Any]:
    entries = [{"resource": one, "search": {"mode": "match"}} for one in found]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entries, **more}
    return {"response": {"status": status}, "resource": bundle}


def test_what_is_found_is_known_by_its_place_and_version() -> None:
    there = Looked(there=There("Observation/17", "3"))
    assert looked_for(answer(stored()), PAIN, NOW) == there
    assert looked_for(answer(), PAIN, NOW) == Looked()
    origin = provenance(PAIN, HISTORY, LINKS)
    found = looked_for(answer(stored(origin)), origin, NOW)
    assert found.there == There("Provenance/17", "3")
    unversioned = {name: told for name, told in stored().items() if name != "meta"}
    assert looked_for(answer(unversioned), PAIN, NOW).there == There("Observation/17")


def test_several_are_never_chosen_from() -> None:
    found = looked_for(answer(stored(), stored(id_="18")), PAIN, NOW)
    assert found.there is None
    assert found.verdict is not None
    assert (found.verdict.what, found.verdict.reason) == ("dead", "duplicate_at_receiver")
    assert "Observation/17, Observation/18" in json.dumps(found.verdict.outcome)
    assert looked_for(answer(stored(), stored()), PAIN, NOW).there is not None


def test_what_was_not_asked_for_shows_that_the_search_was_none() -> None:
    other = {**stored(), "identifier": [{"system": "urn:x", "value": "1"}]}
    assert looked_for(answer(other), PAIN, NOW).ignored
    hint = {"resourceType": "OperationOutcome"}
    told = answer()
    told["resource"]["entry"] = [{"resource": hint, "search": {"mode": "outcome"}}]
    assert looked_for(told, PAIN, NOW) == Looked()


def test_a_page_without_matches_that_is_not_the_last_says_nothing() -> None:
    found = looked_for(answer(link=[{"relation": "next", "url": "x"}]), PAIN, NOW)
    assert found.verdict is not None
    assert (found.verdict.what, found.verdict.reason) == ("retry", "search_incomplete")


def test_a_refused_search_is_told_as_one() -> None:
    for status, what in (("400", "dead"), ("429", "retry"), ("503", "retry")):
        verdict = looked_for(answer(status=status), PAIN, NOW).verdict
        assert verdict is not None
        assert (verdict.what, verdict.reason) == (what, f"search_http_{status}")
    verdict = looked_for({"response": {"status": "200"}}, PAIN, NOW).verdict
    assert verdict is not None
    assert (verdict.what, verdict.reason) == ("retry", "search_not_fhir")


def test_what_is_read_where_it_was_counts_only_if_it_is_still_that() -> None:
    there = {"response": {"status": "200"}, "resource": stored()}
    assert read(there, PAIN, NOW).there == There("Observation/17", "3")
    for gone in ("404 Not Found", "410"):
        assert read({"response": {"status": gone}}, PAIN, NOW) == Looked()
    other = {**stored(), "identifier": []}
    assert read({"response": {"status": "200"}, "resource": other}, PAIN, NOW) == Looked()


def asked(
    of: Resource, manner: Manner, there: There | None = None, form: Form = Form.BATCH
) -> Request | None:
    found = {of.key: there} if there else {}
    (one,) = requests_of([of], LINKS, form, PLAIN, manner, found)
    return one


def test_what_is_asked_follows_from_what_is_there_and_what_the_receiver_can_do() -> None:
    there = There("Observation/17", "3")
    assert asked(PAIN, NEITHER, there) is None
    new = asked(PAIN, NEITHER)
    assert new is not None
    assert (new.method, new.url, new.if_none_exist, new.is_blind) == ("POST", "Observation", "", 1)
    changed = asked(AMENDED, NEITHER, there)
    assert changed is not None
    assert (changed.method, changed.url, changed.if_match) == ("PUT", there.reference, 'W/"3"')
    assert changed.resource is not None
    assert changed.resource["id"] == "17"
    assert changed.entry["request"]["ifMatch"] == 'W/"3"'
    creates = replace(NEITHER, conditional_create=True)
    assert not asked(AMENDED, creates).is_blind  # type: ignore[union-attr]
    updates = replace(NEITHER, conditional_update=True)
    for one in (PAIN, AMENDED):
        told = asked(one, updates)
        assert told is not None
        assert (told.method, told.url.partition("?")[0]) == ("PUT", "Observation")


def test_what_is_there_is_referred_to_where_it_is() -> None:
    origin = provenance(PAIN, HISTORY, LINKS)
    there = {PAIN.key: There("Observation/17")}
    told = requests_of([PAIN, origin], LINKS, Form.TRANSACTION, PLAIN, NEITHER, there)
    assert told[0] is None
    assert told[1] is not None
    assert told[1].resource is not None
    assert told[1].resource["target"][0]["reference"] == "Observation/17"


JSON = st.recursive(
    st.none() | st.integers() | st.text(max_size=6),
    lambda inside: st.lists(inside, max_size=3)
    | st.dictionaries(
        st.sampled_from(
            ["resourceType", "entry", "response", "status", "resource", "search", "mode", "link",
             "relation", "identifier", "meta", "tag", "id", "versionId"]
        ),
        inside,
        max_size=4,
    ),
    max_leaves=12,
)  # fmt: skip


@given(inside=JSON)
def test_whatever_a_search_answers_is_judged(inside: Any) -> None:
    ok, bundle = {"status": "200"}, {"resourceType": "Bundle", "entry": inside}
    entries = (
        inside,
        {"response": ok, "resource": inside},
        {"response": ok, "resource": bundle},
        answer({"resourceType": "Observation", "meta": inside, "identifier": inside}),
    )
    for entry in entries:
        for found in (looked_for(entry, PAIN, NOW), read(entry, PAIN, NOW)):
            assert not (found.there and found.verdict)
