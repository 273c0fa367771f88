"""Events of a subscription as notifications tell them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rehab_emr.domain.keys import PROVENANCE, ResourceKey
from rehab_emr.domain.notifications import Focus, Happened
from rehab_emr.domain.subscription import place_of, type_of
from rehab_emr.pull.pulling import Given
from rehab_emr.storage.subscriptions import Noted


def happened(
    facade: str, events: Sequence[Noted], given: Mapping[int, Given]
) -> Sequence[Happened]:
    """With what is `given` of them, by their numbers."""
    return [_one(facade, event, given.get(event.number)) for event in events]


def _one(facade: str, event: Noted, given: Given | None) -> Happened:
    key = event.key
    if key is None:
        return Happened(event.number, event.at, None)
    content = given.content if given is not None else None
    place = f"{facade}/{place_of(key)}"
    focus = Focus(type_of(key.kind), place, not event.amended, content)
    if event.provenance_id is None:
        return Happened(event.number, event.at, focus)
    beside = f"{facade}/{place_of(ResourceKey(PROVENANCE, event.provenance_id))}"
    return Happened(event.number, event.at, focus, (beside,))
