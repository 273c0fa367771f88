"""The golden Bundles: run as a module it writes them anew, and a person reads the difference."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

from rehab.events.v1 import event_pb2
from rehab_emr.domain import keys
from rehab_emr.domain.bundles import bundle
from rehab_emr.domain.code_system import code_system
from rehab_emr.domain.export import Order, document
from rehab_emr.domain.history import History
from rehab_emr.domain.links import Form, Identifier, Links, Options
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.notifications import (
    Content,
    Focus,
    Happened,
    Kind,
    Subscribed,
    notification,
)
from rehab_emr.domain.provenances import provenance
from rehab_emr.domain.resource import Resource, dumped
from rehab_emr.domain.subscription import (
    Channel,
    capabilities,
    place_of,
    presented,
    status_bundle,
    subscription,
    topic_of,
    url_of,
    version_of,
)
from tests.emr.domain.given import (
    BASE,
    BEGIN,
    LINKS,
    history_of,
    of_kind,
    pain,
    plan,
    pressure,
    quantity,
    sample,
    samples,
    session,
    sleep,
    spread,
    workout,
)
from tests.projections.given import event_id

FOLDER = Path(__file__).parents[1] / "golden"
FINE = replace(LINKS, options=Options(rep_series=True, readings=True))
NOON = BEGIN + timedelta(hours=4)


def of_kinds(
    history: History, *kinds: str, links: Links = LINKS, again: bool = False
) -> list[Resource]:
    """The resources of the kinds that there is something to tell of."""
    made = [
        resource(history, key, links, again=again)
        for kind in kinds
        for key in of_kind(history, kind)
    ]
    return [one for one in made if one is not None]


def readings() -> list[event_pb2.Event]:
    minute = timedelta(minutes=1)
    return [
        samples(1, "blood_pressure", sample(NOON, **pressure(128, 82))),
        samples(2, "weight_body_mass", sample(NOON, **quantity(81.65, "kg"))),
        samples(3, "blood_oxygen_saturation", sample(NOON, **quantity(97, "%"))),
        samples(4, "body_temperature", sample(NOON, **quantity(36.6, "Cel"))),
        samples(5, "resting_heart_rate", sample(NOON, end=NOON + minute, **quantity(58, "/min"))),
        samples(
            6,
            "heart_rate",
            sample(NOON, **spread(61, 64, 70)),
            sample(NOON + minute, **spread(60, 66, 75)),
        ),
        samples(7, "heart_rate_variability", sample(NOON, **quantity(41.2, "ms"))),
        samples(8, "respiratory_rate", sample(NOON, **quantity(14, "/min"))),
        samples(9, "step_count", sample(NOON, end=NOON + minute, **quantity(92, "{count}"))),
        samples(10, "active_energy", sample(NOON, end=NOON + minute, **quantity(4.1, "kcal"))),
        samples(11, "apple_exercise_time", sample(NOON, end=NOON + minute, **quantity(1, "min"))),
        sleep(12),
        workout(13),
    ]


def a_session() -> bytes:
    history = history_of(session(1))
    kinds = (keys.DEVICE, keys.SESSION, keys.SESSION_DURATION, keys.SESSION_EXERCISE, keys.ROM)
    made = of_kinds(history, *kinds)
    made += [provenance(one, history, LINKS) for one in made if one.key.kind == keys.SESSION]
    return bundle(made, LINKS, Form.TRANSACTION)


def weeks() -> bytes:
    history = history_of([plan(1), *session(10), *session(20, "s2", BEGIN + timedelta(days=1))])
    return bundle(of_kinds(history, keys.WEEK), LINKS, Form.BATCH)


def vitals() -> bytes:
    history = history_of(readings())
    kinds = (keys.VITAL, keys.DAY, keys.SLEEP, keys.WORKOUT)
    return bundle(of_kinds(history, *kinds), LINKS, Form.BATCH)


def fine_grained() -> bytes:
    history = history_of([*session(30), *readings()])
    made = of_kinds(history, keys.REP_SERIES, keys.READING, links=FINE)
    return bundle(made, FINE, Form.COLLECTION)


def corrected() -> bytes:
    """A pain told wrong, a blood pressure that was of somebody else, a session told twice."""
    history = history_of(
        [
            pain(1, 8),
            pain(2, 3, corrects=event_id(1)),
            samples(3, "blood_pressure", sample(NOON, **pressure(180, 110))),
            samples(4, "weight_body_mass", sample(NOON, **quantity(81.6, "kg"))),
            samples(
                5,
                "weight_body_mass",
                sample(NOON, **quantity(80.1, "kg")),
                corrects=event_id(3),
            ),
        ]
    )
    made = of_kinds(history, keys.PAIN, keys.VITAL, again=True)
    return bundle(made, LINKS, Form.TRANSACTION)


def record() -> bytes:
    """The whole record, checked codes alone, as a document."""
    history = history_of([plan(100), *session(110), pain(120, 4), *readings()])
    links = Links(
        BASE,
        patient_identifier=Identifier("https://hospital.example.org/mrn", "000-111"),
        options=Options(checked_codes_only=True),
    )
    return document(history, links, Order("export-1", "patient-1", NOON + timedelta(days=30)))


def told() -> bytes:
    history = history_of([pain(1, 4)])
    (one,) = of_kinds(history, keys.PAIN)
    subscribed = Subscribed(
        f"{BASE}/fhir/Subscription/s1", f"{BASE}/fhir/topic/pain", "active", 7, Content.FULL
    )
    place = f"{BASE}/fhir/Observation/{one.key.id}"
    happened = [Happened(7, NOON, Focus(one.type, place, created=True, content=one.content))]
    return notification(Kind.EVENT, subscribed, happened, "7")


def several() -> bytes:
    """One that is new, one that was corrected, and one of somebody who was erased since."""
    focused = [
        Focus("Observation", f"{FACADE}/Observation/{number}", created=number == 1)
        for number in (1, 2)
    ]
    beside = (f"{FACADE}/Provenance/3",)
    happened = [Happened(n, NOON, one, beside) for n, one in enumerate(focused, 1)]
    happened.append(Happened(3, NOON, None))
    return notification(Kind.EVENT, SUBSCRIBED, happened, "3")


def asked_for() -> bytes:
    """What `$events` answers: resources as they are pulled."""
    history = history_of([*session(20), pain(40, 4)])
    links = Links(BASE, patient_identifier=Identifier("urn:patients", "patient-1"))
    made = of_kinds(history, keys.SESSION, keys.SESSION_DURATION, keys.PAIN, links=links)
    happened = []
    for number, one in enumerate(made, 1):
        content = presented(one, links, version_of(one.digest, amended=False))
        place = f"{FACADE}/{place_of(one.key)}"
        happened.append(Happened(number, NOON, Focus(one.type, place, True, content)))
    full = replace(SUBSCRIBED, content=Content.FULL, events=len(made))
    return notification(Kind.QUERY, full, happened, "1-3")


def subscribed() -> bytes:
    channel = Channel("https://hospital.example.org/hook", "id-only", 60, 20)
    return dumped(subscription("hospital", SUBSCRIBED.topic, "active", channel))


FACADE = f"{BASE}/fhir"
SUBSCRIBED = Subscribed(url_of(FACADE, "hospital"), topic_of(BASE), "active", 3, Content.ID_ONLY)
SERVED = {
    "subscription": subscribed,
    "capabilities": lambda: dumped(capabilities(FACADE, "RehabTrack", NOON)),
}
"""What is read of the service itself."""
GOLDENS = {
    "session": a_session,
    "weeks": weeks,
    "vitals": vitals,
    "fine-grained": fine_grained,
    "corrected": corrected,
    "record": record,
    "notification": told,
    "notification-several": several,
    "notification-asked-for": asked_for,
    "notification-heartbeat": lambda: notification(Kind.HEARTBEAT, SUBSCRIBED, (), "3"),
    "subscription-status": lambda: dumped(status_bundle(SUBSCRIBED)),
    "code-system": lambda: code_system(LINKS),
}


def printed(content: bytes) -> str:
    shown: Any = json.loads(content)
    return json.dumps(shown, indent=1, ensure_ascii=False) + "\n"


def place(name: str) -> Path:
    return FOLDER / f"{name}.json"


if __name__ == "__main__":
    for name, make in (GOLDENS | SERVED).items():
        place(name).write_text(printed(make()), encoding="utf-8")
