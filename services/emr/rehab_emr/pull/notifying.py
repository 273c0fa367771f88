"""Notifies systems that pull: events in the order of their numbers, one notification at a time for
each system over all replicas, the same again until it is taken; and a sign of life in silence."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from functools import partial
from itertools import groupby

from rehab_emr import metrics
from rehab_emr.domain.account import ACCEPTED, PUSHED
from rehab_emr.domain.notifications import Content, Kind, notification
from rehab_emr.domain.verdicts import Answer, Judgement, Whole, judge
from rehab_emr.errors import raised_at
from rehab_emr.net.receiver import Receiver
from rehab_emr.pace import Pace
from rehab_emr.pull.happening import happened
from rehab_emr.pull.pulling import Given, Pulling, Reason
from rehab_emr.pull.subscribing import Subscribing
from rehab_emr.receivers import Receivers
from rehab_emr.rounds import Rounds
from rehab_emr.settings import Settings
from rehab_emr.storage.endpoints import Endpoint, Endpoints
from rehab_emr.storage.subscriptions import Subscription, Subscriptions
from rehab_emr.telling import Teller
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Erased, RehabError
from rehab_runtime.logging import get_logger

log = get_logger("notifying")


class Notifying:
    """`rounds` has its task."""

    def __init__(
        self,
        endpoints: Endpoints,
        receivers: Receivers,
        subscriptions: Subscriptions,
        subscribing: Subscribing,
        pulling: Pulling,
        teller: Teller,
        pace: Pace,
        clock: Clock,
        settings: Settings,
    ) -> None:
        self._endpoints = endpoints
        self._receivers = receivers
        self._subscriptions = subscriptions
        self._subscribing = subscribing
        self._pulling = pulling
        self._teller = teller
        self._pace = pace
        self._clock = clock
        self._threshold = settings.breaker_failures
        self._open_s = settings.breaker_ms / 1000
        self._open: dict[str, asyncio.Task[None]] = {}
        self.rounds = Rounds(self._look, self._open.values, settings.tick_ms / 1000)

    async def _look(self) -> None:
        for endpoint in await self._receivers.endpoints():
            if endpoint.notify and not endpoint.paused:
                self._begin(endpoint)

    def _begin(self, endpoint: Endpoint) -> None:
        name = endpoint.endpoint_id
        if name not in self._open:
            task = asyncio.create_task(self._guarded(endpoint), name="notifies")
            self._open[name] = task
            task.add_done_callback(partial(self._closed, name))

    def _closed(self, name: str, _: asyncio.Task[None]) -> None:
        self._open.pop(name, None)

    async def _guarded(self, endpoint: Endpoint) -> None:
        try:
            while await self._notified(endpoint):
                pass
        except RehabError as error:
            # the lease ends by itself
            log.warning(
                "a system cannot be notified",
                endpoint_id=endpoint.endpoint_id,
                error_type=type(error).__name__,
                reason=error.detail,
                remedy="see that PostgreSQL and the event store answer",
            )
        except Exception as error:
            metrics.failures.labels("notifying").inc()
            log.error(
                "a system cannot be notified",
                endpoint_id=endpoint.endpoint_id,
                error_type=type(error).__name__,
                path=raised_at(error),
                remedy="this is a fault of the service: report it",
            )

    async def _notified(self, endpoint: Endpoint) -> bool:
        """Whether there may be more to tell at once."""
        claimed = await self._subscriptions.claim(endpoint.endpoint_id, self._pace.lease_s)
        if claimed is None:
            return False
        late_s = await self._pace.turn(endpoint)
        if late_s:
            await self._subscriptions.release(claimed, late_s)
            return False
        try:
            with self._receivers.lent(endpoint) as receiver:
                return await self._tell(endpoint, claimed, receiver)
        except RehabError:
            await self._subscriptions.release(claimed, self._pace.backoff_s(1))
            raise

    async def _tell(self, endpoint: Endpoint, claimed: Subscription, receiver: Receiver) -> bool:
        first, last = claimed.accepted + 1, claimed.sending
        events = await self._subscriptions.events(endpoint.endpoint_id, first, last, last)
        kind = Kind.EVENT if events else Kind.HEARTBEAT
        given: dict[int, Given] = {}
        if endpoint.notify == Content.FULL and events:
            since = claimed.sending_since
            reason = Reason(PUSHED, since, since)
            given = dict(await self._pulling.several(endpoint, events, reason))
        subscribed = self._subscribing.subscribed(endpoint, "active", last)
        told = happened(self._subscribing.facade, events, given)
        content = notification(kind, subscribed, told, f"{kind.value}-{first}-{last}")
        if not await self._subscriptions.hold_on(claimed, self._pace.lease_s):
            return False
        with metrics.request_seconds.time():
            answer = await receiver.send(content)
        metrics.notifications.labels(kind.value, answer.fault or f"http_{answer.status}").inc()
        if 200 <= answer.status < 300:
            return await self._accepted(claimed, given.values())
        judged = judge(answer, len(events), self._clock.now())
        await self._refused(endpoint, claimed, answer, judged, len(events))
        return False

    async def _accepted(self, claimed: Subscription, given: Iterable[Given]) -> bool:
        """The log hears first: whoever falls in between tells the same again."""
        by_patient = sorted(given, key=_patient)
        for _, of_one in groupby(by_patient, _patient):
            try:
                await self._teller.answered([one.told(ACCEPTED) for one in of_one])
            except Erased:
                continue
        await self._endpoints.worked(claimed.endpoint_id)
        done = await self._subscriptions.accept(claimed)
        if done is None:
            # it is told again, or another one tells it
            await self._subscriptions.release(claimed, 0.0)
        else:
            metrics.deliveries.labels("delivered").inc(done)
        if claimed.status == "error":
            log.info("a system answers again", endpoint_id=claimed.endpoint_id)
        return True

    async def _refused(
        self,
        endpoint: Endpoint,
        claimed: Subscription,
        answer: Answer,
        judged: Judgement,
        count: int,
    ) -> None:
        name = endpoint.endpoint_id
        match judged.whole:
            case Whole.SHRINK if count > 1:
                await self._endpoints.shrink(name, max(1, count // 2))
                await self._subscriptions.release(claimed, 0.0, cut=True)
            case Whole.PAUSE | Whole.AS_BATCH:
                await self._endpoints.pause(name, judged.reason)
                await self._subscriptions.release(claimed, 0.0)
                metrics.paused.inc()
                log.error(
                    "a system refuses notifications: it is paused",
                    endpoint_id=name,
                    reason=judged.reason,
                    remedy=f"mend its URL or our access to it, then: rehab emr resume {name}",
                )
            case _ if judged.reason == "http_429" and judged.retry_after_s:
                await self._endpoints.wait(name, judged.retry_after_s)
                await self._subscriptions.release(claimed, judged.retry_after_s)
            case _:
                wait_s = self._pace.backoff_s(claimed.failures + 1)
                wait_s = max(wait_s, judged.retry_after_s or 0.0)
                await self._endpoints.failed(name, self._threshold, self._open_s)
                await self._subscriptions.release(claimed, wait_s, self._threshold)
                if claimed.failures + 1 == self._threshold:
                    log.warning(
                        "a system does not take notifications: its subscription is in error",
                        endpoint_id=name,
                        reason=answer.fault or judged.reason,
                        remedy="see whether it is up; it is told all when it is back",
                    )


def _patient(given: Given) -> str:
    return given.part.leaving.patient_id
