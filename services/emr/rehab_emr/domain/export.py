"""A copy of a patient's record: as one document, or as lines by type, as bulk data goes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from rehab_emr.domain import codes, elements, keys, provenances
from rehab_emr.domain.history import History
from rehab_emr.domain.keys import KINDS, ResourceKey
from rehab_emr.domain.links import Identifier, Links
from rehab_emr.domain.mapping import resource
from rehab_emr.domain.places import full_url, linked
from rehab_emr.domain.resource import Json, Resource, dumped

_SECTIONS = (
    ("Sessions of exercise", (keys.SESSION, keys.SESSION_DURATION, keys.SESSION_EXERCISE)),
    ("Range of motion", (keys.ROM, keys.REP_SERIES)),
    ("Weeks", (keys.WEEK,)),
    ("Pain", (keys.PAIN,)),
    ("Vital signs", (keys.VITAL, keys.DAY, keys.READING)),
    ("Sleep and activity", (keys.SLEEP, keys.WORKOUT)),
)


@dataclass(frozen=True, slots=True)
class Order:
    """What is asked for: `export_id` names the copy, `at` is its time, which has a zone. `kinds`
    are those wanted, of which the links' options may take some away."""

    export_id: str
    patient_id: str
    at: datetime
    kinds: frozenset[str] = KINDS


def everything(history: History, links: Links, order: Order) -> list[Resource]:
    """Every resource that was ready by then, by kind and time. Those taken back are left out: the
    copy tells what is so."""
    wanted = order.kinds & links.options.kinds
    known = history.keys()
    ready = [(key, history.ready_at(key)) for key in known if key.kind in wanted]
    told = sorted((at, key) for key, at in ready if at is not None and at <= order.at)
    made = [
        one
        for _, key in sorted(told, key=lambda pair: (pair[1].kind, pair[0], pair[1].id))
        if history.parts(key) and (one := resource(history, key, links)) is not None
    ]
    if keys.PROVENANCE in wanted:
        made += [provenances.provenance(one, history, links) for one in made]
    return made


def document(history: History, links: Links, order: Order) -> bytes:
    """A Bundle of type document: a Composition, the patient, and everything."""
    patient = _patient_key(order)
    inside = replace(links, patient=full_url(patient), known={})
    made = everything(history, inside, order)
    places = {one.identifier: full_url(one.key) for one in made}
    entries = [
        _entry(keys.opaque("composition", order.export_id), _composition(made, inside, order)),
        _entry(patient, _patient(links, order)),
        *(_entry(one.key, linked(one.content, places)) for one in made),
    ]
    return dumped(
        {
            "resourceType": "Bundle",
            "identifier": elements.identifier(
                Identifier(f"{links.base}/fhir/identifier/export", order.export_id)
            ),
            "type": "document",
            "timestamp": _instant(order.at),
            "entry": entries,
        }
    )


def ndjson(history: History, links: Links, order: Order) -> Mapping[str, bytes]:
    """By resource type, one resource a line, each with an id by which the others refer to it."""
    patient = _patient_key(order)
    inside = replace(links, patient=f"Patient/{patient.id}", known={})
    made = everything(history, inside, order)
    places = {one.identifier: f"{one.type}/{_id(one.key)}" for one in made}
    lines: dict[str, list[bytes]] = {
        "Patient": [dumped(_with_id(patient.id, _patient(links, order)))]
    }
    for one in made:
        line = dumped(_with_id(_id(one.key), linked(one.content, places)))
        lines.setdefault(one.type, []).append(line)
    return {type_: b"\n".join(told) + b"\n" for type_, told in lines.items()}


def manifest(
    files: Mapping[str, bytes], urls: Mapping[str, str], order: Order, asked: str
) -> bytes:
    """The status answer of bulk data when all is done. `asked` is the URL that was asked for,
    `urls` where each type's file is."""
    return dumped(
        {
            "transactionTime": _instant(order.at),
            "request": asked,
            "requiresAccessToken": True,
            "output": [
                {"type": type_, "url": urls[type_], "count": told.count(b"\n")}
                for type_, told in sorted(files.items())
            ],
            "error": [],
        }
    )


def _composition(made: Sequence[Resource], links: Links, order: Order) -> Json:
    told: Json = {
        "resourceType": "Composition",
        "status": "final",
        "type": elements.concept(links, codes.EPISODE_SUMMARY, codes.HOME_EXERCISE_RECORD),
        "subject": {"reference": links.patient},
        "date": _instant(order.at),
        "author": [provenances.assembler(links)],
        "title": codes.HOME_EXERCISE_RECORD.display,
    }
    sections = [
        {"title": title, "entry": entries}
        for title, kinds in _SECTIONS
        if (entries := _references(one for one in made if one.key.kind in kinds))
    ]
    if sections:
        told["section"] = sections
    return told


def _references(made: Iterable[Resource]) -> list[Json]:
    return [{"reference": full_url(one.key)} for one in made]


def _patient(links: Links, order: Order) -> Json:
    named = [Identifier(f"{links.base}/fhir/identifier/patient", order.patient_id)]
    if links.patient_identifier is not None:
        named.append(links.patient_identifier)
    return {
        "resourceType": "Patient",
        "identifier": [elements.identifier(one) for one in named],
    }


def _patient_key(order: Order) -> ResourceKey:
    return keys.opaque("patient", order.patient_id)


def _entry(key: ResourceKey, content: Mapping[str, Any]) -> Json:
    return {"fullUrl": full_url(key), "resource": dict(content)}


def _id(key: ResourceKey) -> str:
    return keys.opaque("entry", key.kind, key.id).id


def _with_id(id_: str, content: Mapping[str, Any]) -> Json:
    return {"resourceType": content["resourceType"], "id": id_, **content}


def _instant(at: datetime) -> str:
    return at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
