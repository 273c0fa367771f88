"""What an answer changes: deliveries, the account of disclosures, the endpoint's breaker."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from rehab.events.v1.event_pb2 import Event
from rehab_emr import metrics
from rehab_emr.domain.account import ACCEPTED, REJECTED, Outcome, delivery_id, told_of
from rehab_emr.domain.keys import ResourceKey
from rehab_emr.domain.links import Form
from rehab_emr.domain.verdicts import Answer, Judgement, Verdict, What, Whole, alone
from rehab_emr.net.receiver import NoAnswer
from rehab_emr.pace import Pace
from rehab_emr.preparing import Part
from rehab_emr.settings import Settings
from rehab_emr.storage.deliveries import DEAD, DELIVERED, PENDING, Deliveries, Ended
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.lanes import Lane, Lanes
from rehab_emr.telling import Teller
from rehab_emr.wanting import form_of
from rehab_runtime.box import Box
from rehab_runtime.logging import get_logger

log = get_logger("settling")


@dataclass(frozen=True, slots=True)
class Next:
    """When a lane is due again, None for not by itself; and how long its receiver is left alone."""

    due_in_s: float | None
    failures: int = 0
    wait_s: float = 0.0
    quiet_s: float = 0.0
    """So long nobody asks or sends, whatever happens."""


@dataclass(frozen=True, slots=True)
class After:
    """`next` None goes on at once, with `most` resources in a Bundle; 0 for as many as fit."""

    next: Next | None = None
    most: int = 0
    lasting: bool = False
    """The receiver takes no more than `most`, now and later."""
    there: Mapping[ResourceKey, str] = field(default_factory=dict)
    """What the receiver has now, by its references."""


@dataclass(frozen=True, slots=True)
class Sent:
    """Parts that left, with since when each is on its way."""

    lane: Lane
    endpoint: Endpoint
    parts: tuple[Part, ...]
    since: Mapping[ResourceKey, datetime]

    def told(self, part: Part, outcome: Outcome, remote: str) -> Event:
        """Of the time when it left, as it is told again by whoever sends it again."""
        since = self.since[part.delivery.key]
        identity = delivery_id(part.leaving, part.resource, part.delivery.position, since)
        return told_of(part.leaving, part.resource, identity, since, outcome, remote)


class Settling:
    def __init__(
        self,
        endpoints: Endpoints,
        lanes: Lanes,
        deliveries: Deliveries,
        teller: Teller,
        pace: Pace,
        box: Box,
        settings: Settings,
    ) -> None:
        self._endpoints = endpoints
        self._lanes = lanes
        self._deliveries = deliveries
        self._teller = teller
        self._pace = pace
        self._box = box
        self._most_attempts = settings.most_attempts
        self._threshold = settings.breaker_failures
        self._open_s = settings.breaker_ms / 1000

    async def settle(self, sent: Sent, answer: Answer, judged: Judgement) -> After:
        """Raises LostLane, and what log and database raise."""
        if judged.whole is not None:
            return await self._whole(sent, answer, judged, judged.whole)
        await self._endpoints.worked(sent.endpoint.endpoint_id)
        verdicts = [_together(one) for one in _grouped(sent.parts, judged.entries)]
        return await self._each(sent, verdicts, judged.quiet_s)

    async def unanswered(self, lane: Lane, error: NoAnswer) -> Next:
        """The receiver did not tell who the patient is."""
        reason = f"patient_search_{error.code}"
        if not error.later:
            return await self._paused(lane.endpoint_id, reason)
        return await self._again(lane, reason, None)

    async def store(
        self, lane: Lane, ended: Sequence[Ended], nothing: Sequence[ResourceKey] = ()
    ) -> None:
        sealed = [self._sealed(lane, one) for one in ended]
        async with self._lanes.owned(lane) as connection:
            await self._deliveries.ended(connection, lane.key, sealed, nothing)

    async def _whole(self, sent: Sent, answer: Answer, judged: Judgement, whole: Whole) -> After:
        lane, count = sent.lane, len(sent.parts)
        if answer.status == 504 and judged.quiet_s:
            # a gateway gave up, the receiver may not have
            whole = Whole.RETRY
            await self._endpoints.shrink(lane.endpoint_id, _smaller(sent))
        match whole:
            case Whole.SPLIT | Whole.SHRINK if count > 1:
                if whole is Whole.SHRINK:
                    await self._endpoints.shrink(lane.endpoint_id, _smaller(sent))
                return After(most=max(1, count // 2), lasting=whole is Whole.SHRINK)
            case Whole.SPLIT | Whole.SHRINK:
                return await self._each(sent, [alone(judged)])
            case Whole.AS_BATCH if form_of(sent.endpoint) is not Form.SINGLY:
                await self._simpler(sent.endpoint)
                return After(Next(0.0))
            case Whole.PAUSE | Whole.AS_BATCH:
                return After(await self._paused(lane.endpoint_id, judged.reason))
        quiet_s = judged.quiet_s
        if answer.fault == "timeout":
            # it may still be at it: two at once would be two resources there
            quiet_s += self._pace.timeout_s
        return After(await self._again(lane, judged.reason, judged.retry_after_s, quiet_s))

    async def _simpler(self, endpoint: Endpoint) -> None:
        what = "batches" if form_of(endpoint) is Form.BATCH else "transactions"
        await self._endpoints.disproved(endpoint.endpoint_id, what)

    async def _again(
        self, lane: Lane, reason: str, wait_s: float | None, quiet_s: float = 0.0
    ) -> Next:
        if reason == "http_429" and wait_s:
            await self._endpoints.wait(lane.endpoint_id, wait_s)
        else:
            told = (lane.endpoint_id, self._threshold, self._open_s)
            failures = await self._endpoints.failed(*told)
            if failures == self._threshold:
                log.warning(
                    "an endpoint does not answer: it is left alone for a while",
                    endpoint_id=lane.endpoint_id,
                    reason=reason,
                    remedy="see whether it is up; what waits is sent when it is back",
                )
        await self._deliveries.note(lane.key, reason)
        pause_s = max(self._pace.backoff_s(lane.failures + 1), wait_s or 0.0, quiet_s)
        return Next(pause_s, lane.failures + 1, pause_s, quiet_s)

    async def _paused(self, endpoint_id: str, reason: str) -> Next:
        await self._endpoints.pause(endpoint_id, reason)
        metrics.paused.inc()
        log.error(
            "an endpoint refuses whatever is sent: it is paused",
            endpoint_id=endpoint_id,
            reason=reason,
            remedy=f"mend its URL or our access to it, then: rehab emr resume {endpoint_id}",
        )
        return Next(0.0)

    async def _each(self, sent: Sent, verdicts: Sequence[Verdict], quiet_s: float = 0.0) -> After:
        ended, events, waits = [], [], []
        for part, verdict in zip(sent.parts, verdicts, strict=True):
            end = self._end(part, verdict)
            metrics.deliveries.labels("retry" if end.state == PENDING else end.state).inc()
            ended.append(end)
            if end.state == PENDING:
                waits.append(end.retry_s)
            elif end.state == DELIVERED:
                events.append(sent.told(part, ACCEPTED, end.remote))
            else:
                events.append(sent.told(part, REJECTED, ""))
        if events:
            await self._teller.answered(events)
        await self.store(sent.lane, ended)
        # those behind it wait, too: a patient's record grows in its order
        most = 1 if len(sent.parts) == 1 and waits else 0
        there = {end.key: end.remote for end in ended if end.remote}
        wait_s = max(*waits, quiet_s) if waits else 0.0
        after = Next(wait_s, 0, wait_s, quiet_s) if waits else None
        return After(after, most, there=there)

    def _end(self, part: Part, verdict: Verdict) -> Ended:
        key, attempts = part.delivery.key, part.delivery.attempts + 1
        outcome = json.dumps(verdict.outcome).encode() if verdict.outcome else None
        if verdict.what is What.ACCEPTED:
            return Ended(
                *(key, DELIVERED, ""), verdict.remote[:128], verdict.version[:64], accepted=True
            )
        if verdict.what is What.RETRY and attempts < self._most_attempts:
            wait_s = max(self._pace.backoff_s(attempts), verdict.retry_after_s or 0.0)
            return Ended(key, PENDING, verdict.reason, outcome=outcome, retry_s=wait_s)
        reason = f"gave_up_{verdict.reason}" if verdict.what is What.RETRY else verdict.reason
        log.warning(
            "a receiver will not take a resource",
            endpoint_id=part.delivery.endpoint_id,
            kind=key.kind,
            resource_id=key.id,
            reason=reason,
            remedy="rehab emr outcome tells what it says; mend it, then rehab emr replay",
        )
        return Ended(key, DEAD, reason, outcome=outcome)

    def _sealed(self, lane: Lane, end: Ended) -> Ended:
        if end.outcome is None:
            return end
        sealed = self._box.seal(end.outcome, "outcome", *lane.key, *end.key)
        return Ended(**{name: getattr(end, name) for name in _ENDED} | {"outcome": sealed})


def _smaller(sent: Sent) -> int:
    """Half as many entries in a Bundle."""
    return max(1, sum(len(one.entries) for one in sent.parts) // 2)


_ENDED: tuple[str, ...] = tuple(Ended.__dataclass_fields__)


def _grouped(parts: Sequence[Part], verdicts: Sequence[Verdict]) -> Sequence[Sequence[Verdict]]:
    """Those of each part and of what went beside it."""
    groups, place = [], 0
    for part in parts:
        count = len(part.entries)
        groups.append(verdicts[place : place + count])
        place += count
    return groups


def _together(verdicts: Sequence[Verdict]) -> Verdict:
    """The part is there when all of it is."""
    first: Any = verdicts[0]
    for one in verdicts[1:]:
        if first.what is What.ACCEPTED and one.what is not What.ACCEPTED:
            return Verdict(
                one.what, f"provenance_{one.reason}", outcome=one.outcome,
                retry_after_s=one.retry_after_s,
            )  # fmt: skip
    return Verdict(**{name: getattr(first, name) for name in Verdict.__dataclass_fields__})
