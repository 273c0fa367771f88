"""Gives events of a system that pulls their numbers: one sequence over all patients, without gaps,
one number for each content of a resource."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg

from rehab_emr.domain.keys import PROVENANCE, ResourceKey
from rehab_emr.planning import Planning
from rehab_emr.preparing import Part, Prepared
from rehab_emr.sending import ROUNDS, Way
from rehab_emr.settling import Next
from rehab_emr.storage.deliveries import DELIVERED, Delivery, Ended
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.lanes import Lane
from rehab_emr.storage.subscriptions import New, Noted, Subscriptions
from rehab_emr.wanting import links_of, options_of

AT_ONCE = 100
"""Resources of one patient that are numbered together."""


@dataclass(frozen=True, slots=True)
class _Known:
    """What was numbered before and has no news."""

    delivery: Delivery
    event: Noted


class Numbering:
    """One lane that was claimed. `run` ends when there is nothing to do now; `look` is told that
    there is something to notify of."""

    def __init__(
        self,
        way: Way,
        lane: Lane,
        endpoint: Endpoint,
        subscriptions: Subscriptions,
        look: Callable[[], None],
    ) -> None:
        self._way = way
        self._lane = lane
        self._endpoint = endpoint
        self._subscriptions = subscriptions
        self._look = look
        options = options_of(endpoint)
        self._planning = Planning(lane, options, way.lanes, way.deliveries, way.patients, way.clock)

    async def run(self) -> Next:
        """When it is due again. Raises LostLane, and what log and database raise."""
        for _ in range(ROUNDS):
            after = await self._round()
            if after is not None:
                return after
        return Next(due_in_s=0.0)

    async def _round(self) -> Next | None:
        way, key = self._way, self._lane.key
        held = await self._planning.plan()
        if held is not None:
            return held
        await self._planning.let_go()
        waiting = await way.deliveries.waiting(key, AT_ONCE)
        if not waiting:
            due = [await way.deliveries.next_in_s(key), self._planning.begins_in_s]
            return Next(min((one for one in due if one is not None), default=None))
        latest = await self._subscriptions.latest(key, [one.key for one in waiting])
        links = links_of(self._endpoint, way.base, self._lane.patient_id)
        told = [_as_told(one, latest.get(one.key)) for one in waiting]
        async with self._planning.patient() as patient:
            prepared = way.preparing.prepared(patient, told, links, way.clock.now())
        await self._store(prepared, waiting, latest)
        self._look()
        return None

    async def _store(
        self,
        prepared: Prepared,
        waiting: Sequence[Delivery],
        latest: Mapping[ResourceKey, Noted],
    ) -> None:
        same = {one.key for one in prepared.ended if one.state == DELIVERED}
        known = [_Known(one, latest[one.key]) for one in waiting if one.key in same]
        ended = [one for one in prepared.ended if one.state != DELIVERED]
        if ended or prepared.nothing:
            await self._way.settling.store(self._lane, ended, prepared.nothing)
        async with self._way.lanes.owned(self._lane) as connection:
            await self._number(connection, prepared.parts, known)

    async def _number(
        self, connection: asyncpg.Connection, parts: Sequence[Part], known: Sequence[_Known]
    ) -> None:
        """What was accepted stays so; what is to be sent again is told again from its number on. A
        delivery without a digest is made anew, of what its receiver may have accepted long ago."""
        key, deliveries = self._lane.key, self._way.deliveries
        events, accepted = await self._subscriptions.lock(connection, self._lane.endpoint_id)
        there = [one for one in known if one.event.number <= accepted and not _is_again(one)]
        rest = [one for one in known if one not in there]
        again_from = min([one.event.number for one in rest], default=events + 1)
        new = [_new(one) for one in parts]
        await self._subscriptions.number(connection, key, new, events, again_from)
        rows = [(one.key, one.digest, one.amended) for one in new]
        rows += [(one.delivery.key, one.event.digest or b"", one.event.amended) for one in known]
        await deliveries.numbered(connection, key, rows)
        done = [Ended(one.delivery.key, DELIVERED, accepted=True) for one in there]
        await deliveries.ended(connection, key, done)


def _is_again(known: _Known) -> bool:
    """Somebody wants it to be sent once more."""
    return known.delivery.digest is not None and not known.delivery.accepted


def _as_told(delivery: Delivery, event: Noted | None) -> Delivery:
    """As the receiver knows it: by the events, which outlive deliveries."""
    if event is None:
        return replace(delivery, digest=None, amended=False, accepted=False)
    return replace(delivery, digest=event.digest, amended=event.amended, accepted=True)


def _new(part: Part) -> New:
    beside = [one.key.id for one in part.beside if one.key.kind == PROVENANCE]
    return New(part.delivery.key, beside[0] if beside else None, part.digest, part.amends)
