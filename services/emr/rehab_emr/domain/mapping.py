"""From a patient's history to resources of FHIR R4."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from types import MappingProxyType

from rehab_clinical.facts import Fact

from rehab_emr.domain import (
    devices,
    keys,
    motion_observations,
    observing,
    reading_observations,
    report_observations,
    session_observations,
)
from rehab_emr.domain.history import History, Part
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Links
from rehab_emr.domain.observing import Asked, Observed
from rehab_emr.domain.resource import Json, Resource, Status

_OBSERVED: Mapping[str, Callable[..., Observed | None]] = MappingProxyType(
    {
        keys.SESSION: session_observations.session,
        keys.SESSION_DURATION: session_observations.duration,
        keys.SESSION_EXERCISE: session_observations.exercise,
        keys.ROM: motion_observations.range_of_motion,
        keys.REP_SERIES: motion_observations.series,
        keys.WEEK: report_observations.week,
        keys.PAIN: report_observations.pain,
        keys.VITAL: reading_observations.reading,
        keys.READING: reading_observations.reading,
        keys.DAY: reading_observations.day,
        keys.SLEEP: reading_observations.sleep,
        keys.WORKOUT: reading_observations.workout,
    }
)


def resource(
    history: History, key: ResourceKey, links: Links, *, again: bool = False
) -> Resource | None:
    """The resource as the history now tells it; None when there is nothing to tell.

    `again` says that the receiver may have it already, an unknown outcome included: it is then
    `amended`. Where every event it rested on was corrected away, it is `entered-in-error` and holds
    no values: send that only to a receiver that may have it. Compare `digest` with that of what was
    sent last: the same means that there is no news.

    Raises ValueError for content that cannot be, such as a value that is no finite number.
    """
    subject = history.subject(key)
    if subject is None:
        return None
    asked = Asked(history, key, links)
    if key.kind == keys.DEVICE:
        return _device(asked, again=again)
    observed = _OBSERVED[key.kind]
    standing = history.parts(key)
    told = observed(asked, subject, void=False) if standing else None
    if told is not None:
        return _resource(asked, told, Status.AMENDED if again else Status.FINAL, standing)
    if standing and not again:
        return None
    told = observed(asked, subject, void=True)
    if told is None:
        return None
    return _resource(asked, told, Status.ENTERED_IN_ERROR, history.every_part(key))


def _resource(asked: Asked, told: Observed, status: Status, parts: tuple[Part, ...]) -> Resource:
    device = observing.device_key(asked) if told.by_device else None
    made = observing.content(asked, told, status.value, device)
    members, others = tuple(told.members), set(told.derived_from)
    if status is Status.ENTERED_IN_ERROR:
        made, members, others = observing.retracted(made), (), set()
    if device is not None:
        others.add(device)
    rests_on = [part.fact for part in parts]
    if told.event_ids is not None:
        rests_on = [fact for fact in rests_on if fact.stamp.event_id in told.event_ids]
    return _named(asked, "Observation", status, made, rests_on, members, others)


def _device(asked: Asked, *, again: bool) -> Resource | None:
    """A device's key is made of all that is told of it: it never changes, and is not taken back."""
    made = devices.device(asked)
    first = [part.fact for part in asked.history.every_part(asked.key)][:1]
    status = Status.AMENDED if again else Status.FINAL
    return _named(asked, "Device", status, made, first, (), set())


def _named(
    asked: Asked,
    type_: str,
    status: Status,
    made: Json,
    facts: Sequence[Fact],
    members: tuple[ResourceKey, ...],
    others: set[ResourceKey],
) -> Resource:
    identifier = asked.links.identifier(asked.key)
    return Resource(
        key=asked.key,
        type=type_,
        status=status,
        identifier=identifier,
        condition=f"identifier={identifier.system}|{identifier.value}",
        content=made,
        event_ids=tuple(dict.fromkeys(fact.stamp.event_id for fact in facts)),
        event_kinds=frozenset(fact.kind for fact in facts),
        members=members,
        references=frozenset({*members, *others}),
    )
