"""Who made a resource, from which events, by which program."""

from __future__ import annotations

from datetime import UTC, datetime

from rehab_clinical.facts import moment

from rehab_emr.domain import codes, elements, keys
from rehab_emr.domain.history import History
from rehab_emr.domain.links import Identifier, Links
from rehab_emr.domain.resource import Json, Resource, Status

ASSEMBLER = "rehabtrack"


def provenance(of: Resource, history: History, links: Links) -> Resource:
    """A Provenance whose target is the resource.

    R4 gives Provenance no identifier: its name is a tag, and `condition` searches for that. Every
    content of a resource has its own, which rests on the same events.
    """
    key = keys.opaque(keys.PROVENANCE, of.key.kind, of.key.id, of.digest.hex())
    named = links.identifier(key)
    return Resource(
        key=key,
        type="Provenance",
        status=Status.FINAL,
        identifier=named,
        condition=f"_tag={named.system}|{named.value}",
        content=_content(of, history, links, named),
        event_ids=of.event_ids,
        event_kinds=of.event_kinds,
        references=frozenset({of.key}),
    )


def _content(of: Resource, history: History, links: Links, named: Identifier) -> Json:
    operation = "CREATE" if of.status is Status.FINAL else "UPDATE"
    return {
        "resourceType": "Provenance",
        "meta": {"tag": [{"system": named.system, "code": named.value}]},
        "target": [elements.reference(of.key, links, of.type)],
        "recorded": _recorded(of, history),
        "activity": {"coding": [{"system": codes.OPERATION, "code": operation}]},
        "agent": [
            {"type": _participant("assembler"), "who": assembler(links)},
            {"type": _participant("author"), "who": elements.patient_reference(links)},
        ],
        "entity": [
            {
                "role": "source",
                "what": {
                    "identifier": {
                        "system": f"{links.base}/fhir/identifier/event",
                        "value": event_id,
                    }
                },
            }
            for event_id in of.event_ids
        ],
    }


def _recorded(of: Resource, history: History) -> str:
    """The log's clock at the newest of the events: the same whenever it is asked."""
    wanted = frozenset(of.event_ids)
    told = [p.fact for p in history.every_part(of.key) if p.fact.stamp.event_id in wanted]
    newest = max(told, key=lambda fact: fact.position)
    at = newest.envelope.recorded_at
    instant: datetime = moment(at) if at.seconds else newest.stamp.at
    return instant.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def assembler(links: Links) -> Json:
    if links.organization:
        return {"reference": links.organization}
    system = f"{links.base}/fhir/identifier/system"
    return {"identifier": {"system": system, "value": ASSEMBLER}, "display": "RehabTrack"}


def _participant(code: str) -> Json:
    return {"coding": [{"system": codes.PARTICIPANT, "code": code}]}
