"""What answers mean, entry by entry."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rehab_emr.domain.conformance import examined
from rehab_emr.domain.verdicts import Answer, Whole, alone, judge, retry_after_s

NOW = datetime(2026, 3, 2, 12, 0, tzinfo=UTC)


def answered(*statuses: str, **more: Any) -> Answer:
    entries = [{"response": {"status": status, **more}} for status in statuses]
    body = {"resourceType": "Bundle", "type": "transaction-response", "entry": entries}
    return Answer(200, {}, body)


def test_refusals_inside_of_200_are_refusals() -> None:
    told = judge(answered("201 Created", "422 Unprocessable", "429", "200", "412"), 5, NOW)
    assert told.whole is None
    assert [(one.what, one.reason) for one in told.entries] == [
        ("accepted", ""),
        ("dead", "http_422"),
        ("retry", "http_429"),
        ("accepted", ""),
        ("dead", "duplicate_at_receiver"),
    ]


@pytest.mark.parametrize(
    ("location", "etag", "stored"),
    [
        ("Observation/17/_history/2", 'W/"2"', ("Observation/17", "2")),
        ("https://a.example/fhir/Observation/a-b.c/_history/9", "", ("Observation/a-b.c", "9")),
        ("/Observation/17", 'W/"x1"', ("Observation/17", "x1")),
        ("", "", ("", "")),
        ("javascript:alert(1)", "no tag", ("", "")),
    ],
)
def test_what_is_stored_is_known_by_location_and_tag(
    location: str, etag: str, stored: tuple[str, str]
) -> None:
    (told,) = judge(answered("201", location=location, etag=etag), 1, NOW).entries
    assert (told.remote, told.version) == stored


def test_what_is_stored_is_known_by_the_resource_that_comes_back() -> None:
    answer = answered("200")
    assert answer.body is not None
    answer.body["entry"][0]["resource"] = {"resourceType": "Observation", "id": "5"}
    assert judge(answer, 1, NOW).entries[0].remote == "Observation/5"


@pytest.mark.parametrize(
    ("answer", "whole", "reason"),
    [
        (Answer(0, fault="timeout"), Whole.RETRY, "timeout"),
        (Answer(200), Whole.RETRY, "not_fhir"),
        (answered("201"), Whole.RETRY, "entries_missing"),
        (Answer(400), Whole.SPLIT, "http_400"),
        (Answer(409), Whole.SPLIT, "http_409"),
        (Answer(422), Whole.SPLIT, "http_422"),
        (Answer(413), Whole.SHRINK, "http_413"),
        (Answer(504), Whole.SHRINK, "http_504"),
        (Answer(400, {}, {"issue": [{"code": "too-costly"}]}), Whole.SHRINK, "http_400"),
        (Answer(405), Whole.AS_BATCH, "http_405"),
        (Answer(429), Whole.RETRY, "http_429"),
        (Answer(503), Whole.RETRY, "http_503"),
        (Answer(401), Whole.PAUSE, "http_401"),
        (Answer(403), Whole.PAUSE, "http_403"),
        (Answer(404), Whole.PAUSE, "http_404"),
        (Answer(302), Whole.PAUSE, "http_302"),
    ],
)
def test_a_refused_request_says_what_to_do_next(answer: Answer, whole: Whole, reason: str) -> None:
    told = judge(answer, 2, NOW)
    assert (told.whole, told.reason, told.entries) == (whole, reason, ())


def test_alone_a_resource_is_dead_where_it_is_refused_and_waits_where_the_server_is_not_well() -> (
    None
):
    assert alone(judge(Answer(422), 1, NOW)).what == "dead"
    assert alone(judge(Answer(413), 1, NOW)).what == "dead"
    assert alone(judge(Answer(409), 1, NOW)).what == "retry"
    assert judge(Answer(504), 1, NOW).whole is Whole.RETRY


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inside: (
        st.lists(inside, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "resourceType",
                    "entry",
                    "response",
                    "status",
                    "location",
                    "etag",
                    "outcome",
                    "issue",
                    "code",
                    "extension",
                    "url",
                    "valueInteger",
                    "resource",
                    "id",
                ]
            ),
            inside,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@given(body=JSON, entries=st.lists(JSON, max_size=3), status=st.sampled_from([200, 201, 400, 422]))
def test_whatever_a_receiver_says_is_judged(body: Any, entries: list[Any], status: int) -> None:
    told = body if isinstance(body, dict) else {}
    for content in (told, {"resourceType": "Bundle", "entry": entries}, told | {"entry": entries}):
        judged = judge(Answer(status, {}, content), 2, NOW)
        assert (judged.whole is None) == (len(judged.entries) == 2)
        for one in judged.entries:
            assert one.remote.isascii()
            assert one.version.isprintable()
        examined(content)


@pytest.mark.parametrize("status", [None, "", "ok", {}, "9"])
def test_an_entry_that_says_nothing_is_no_success(status: Any) -> None:
    body = {"resourceType": "Bundle", "entry": [{"response": {"status": status}}]}
    told = judge(Answer(200, {}, body), 1, NOW)
    assert told.entries[0].what != "accepted"
    for broken in ({}, {"response": None}, None, []):
        body = {"resourceType": "Bundle", "entry": [broken]}
        assert judge(Answer(200, {}, body), 1, NOW).entries[0].what == "retry"


@pytest.mark.parametrize(
    ("headers", "body", "seconds"),
    [
        ({"Retry-After": "7"}, None, 7),
        ({"retry-after": "Mon, 02 Mar 2026 12:00:30 GMT"}, None, 30),
        ({"retry-after": "Mon, 02 Mar 2026 11:00:30 GMT"}, None, 0),
        ({"x-ms-retry-after-ms": "1500", "retry-after": "1"}, None, 1.5),
        ({"retry-after": "soon"}, None, None),
        ({"retry-after": "-3"}, None, None),
        ({"retry-after": "99999999"}, None, 86_400),
        ({}, {"extension": [{"url": "https://x.example/rate-limit-reset", "valueInteger": 4}]}, 4),
        ({}, {"extension": "?"}, None),
        ({}, None, None),
    ],
)
def test_receivers_say_how_long_they_want_to_be_left_alone(
    headers: dict[str, str], body: Any, seconds: float | None
) -> None:
    assert retry_after_s(headers, body, NOW) == seconds
