from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from rehab_emr.domain import keys
from rehab_emr.domain.notifications import Content, Focus, Happened, Kind, Subscribed, notification
from rehab_emr.domain.validation import problems
from tests.emr.domain.given import BASE, BEGIN, history_of, only, pain

URL = f"{BASE}/fhir/Subscription/s1"
PLACE = f"{BASE}/fhir/Observation/17"
SUBSCRIBED = Subscribed(URL, f"{BASE}/fhir/topic/pain", "active", 7, Content.FULL)


def happened(*, again: bool = False) -> Happened:
    made = only(history_of([pain(1, 4)]), keys.PAIN, again=again)
    focus = Focus(made.type, PLACE, created=not again, content=made.content)
    return Happened(7, BEGIN, focus, (f"{BASE}/fhir/Provenance/18",))


def told(kind: Kind, subscribed: Subscribed, *events: Happened) -> Any:
    made = json.loads(notification(kind, subscribed, events, "7"))
    assert problems(made) == ()
    return made


def parameters(made: Any) -> dict[str, Any]:
    status = made["entry"][0]["resource"]["parameter"]
    return {
        one["name"]: next((value for name, value in one.items() if name != "name"), None)
        for one in status
    }


def test_the_first_entry_says_how_the_subscription_stands() -> None:
    made = told(Kind.EVENT, SUBSCRIBED, happened())
    assert made["type"] == "history"
    assert made["entry"][0]["request"] == {"method": "GET", "url": f"{URL}/$status"}
    stands = parameters(made)
    assert stands["subscription"] == {"reference": URL}
    assert stands["type"] == "event-notification"
    assert stands["events-since-subscription-start"] == "7"
    event = {one["name"]: one for one in stands["notification-event"]}
    assert event["event-number"]["valueString"] == "7"
    assert event["timestamp"]["valueInstant"] == "2026-03-02T07:00:00.000Z"
    assert event["focus"]["valueReference"]["reference"] == PLACE
    assert event["additional-context"]["valueReference"]["reference"].endswith("/Provenance/18")


def test_a_full_notification_holds_the_resource() -> None:
    entry = told(Kind.EVENT, SUBSCRIBED, happened())["entry"][1]
    assert entry["resource"]["valueQuantity"]["value"] == 4
    assert (entry["request"]["method"], entry["response"]["status"]) == ("POST", "201")


def test_an_amended_resource_is_told_as_an_update() -> None:
    entry = told(Kind.EVENT, SUBSCRIBED, happened(again=True))["entry"][1]
    assert (entry["request"]["method"], entry["response"]["status"]) == ("PUT", "200")


def test_an_id_only_notification_holds_no_resource() -> None:
    subscribed = replace(SUBSCRIBED, content=Content.ID_ONLY)
    entry = told(Kind.EVENT, subscribed, happened())["entry"][1]
    assert "resource" not in entry
    assert entry["fullUrl"].endswith("/Observation/17")


def test_an_empty_notification_does_not_even_say_which() -> None:
    made = told(Kind.EVENT, replace(SUBSCRIBED, content=Content.EMPTY), happened())
    assert len(made["entry"]) == 1
    assert "Observation" not in json.dumps(made)


@pytest.mark.parametrize("kind", [Kind.HANDSHAKE, Kind.HEARTBEAT])
def test_a_sign_of_life_has_no_events(kind: Kind) -> None:
    assert parameters(told(kind, SUBSCRIBED))["type"] == kind.value
    with pytest.raises(ValueError, match="events"):
        notification(kind, SUBSCRIBED, [happened()], "7")


def test_a_notification_that_is_sent_again_is_the_same() -> None:
    first = notification(Kind.EVENT, SUBSCRIBED, [happened()], "7")
    assert first == notification(Kind.EVENT, SUBSCRIBED, [happened()], "7")
    assert first != notification(Kind.EVENT, SUBSCRIBED, [happened()], "8")


def test_what_was_erased_keeps_its_number_and_nothing_else() -> None:
    erased = Happened(8, BEGIN, None)
    made = told(Kind.EVENT, replace(SUBSCRIBED, events=8), happened(), erased)
    assert len(made["entry"]) == 2
    *_, last = made["entry"][0]["resource"]["parameter"]
    assert [one["name"] for one in last["part"]] == ["event-number", "timestamp"]


def test_a_resource_that_changed_twice_is_in_a_notification_once() -> None:
    again = replace(happened(again=True), number=8)
    made = told(Kind.EVENT, replace(SUBSCRIBED, events=8), happened(), again)
    assert [one.get("fullUrl") for one in made["entry"][1:]] == [PLACE]
    assert made["entry"][1]["resource"]["status"] == "amended"
