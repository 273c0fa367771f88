"""Gives lanes that are due to senders, as many at once as each endpoint takes."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable

from rehab_emr import metrics
from rehab_emr.errors import raised_at
from rehab_emr.pull.numbering import Numbering
from rehab_emr.receivers import Receivers
from rehab_emr.rounds import Rounds
from rehab_emr.sending import Sending, Way
from rehab_emr.settings import Settings
from rehab_emr.settling import Next
from rehab_emr.storage.endpoints import Endpoint
from rehab_emr.storage.lanes import Lane, LostLane
from rehab_emr.storage.subscriptions import Subscriptions
from rehab_runtime.errors import Erased, RehabError
from rehab_runtime.logging import get_logger

AHEAD = 2
"""Lanes claimed for each request that may be under way: while one is answered, another one is
prepared."""

log = get_logger("dispatching")


class Dispatching:
    """`rounds` has its task. `notify` is told when there are events to notify of."""

    def __init__(
        self,
        way: Way,
        receivers: Receivers,
        subscriptions: Subscriptions,
        notify: Callable[[], None],
        settings: Settings,
    ) -> None:
        self._way = way
        self._subscriptions = subscriptions
        self._notify = notify
        self._receivers = receivers
        self._threshold = settings.breaker_failures
        self._open: dict[asyncio.Task[None], str] = {}
        self.rounds = Rounds(self._dispatch, self._open.keys, settings.tick_ms / 1000)

    async def _dispatch(self) -> None:
        busy = Counter(self._open.values())
        for endpoint in await self._receivers.endpoints():
            free = endpoint.concurrency * AHEAD - busy[endpoint.endpoint_id]
            if endpoint.paused or free <= 0:
                continue
            lanes = await self._way.lanes.claim(
                endpoint.endpoint_id, free, self._way.pace.lease_s, self._threshold
            )
            for lane in lanes:
                task = asyncio.create_task(self._send(lane, endpoint), name="sends a lane")
                self._open[task] = endpoint.endpoint_id
                task.add_done_callback(self._closed)
        metrics.sending.set(len(self._open))

    def _closed(self, task: asyncio.Task[None]) -> None:
        self._open.pop(task, None)
        self.rounds.look()

    async def _send(self, lane: Lane, endpoint: Endpoint) -> None:
        try:
            after = await self._sent(lane, endpoint)
            await self._way.lanes.release(
                lane, after.due_in_s, after.failures, after.wait_s, after.quiet_s
            )
            if lane.is_probe and not after.failures and not endpoint.notify:
                await self._way.pace.came_back(endpoint)
        except LostLane:
            metrics.lost_lanes.inc()
            log.debug("a lane is another's, or its patient's data was erased")
        except RehabError as error:
            # the lease ends by itself
            log.debug("a lane could not be given back", reason=error.detail)

    async def _sent(self, lane: Lane, endpoint: Endpoint) -> Next:
        failures = lane.failures + 1
        try:
            if endpoint.notify:
                return await self._number(lane, endpoint)
            with self._receivers.lent(endpoint) as receiver:
                return await Sending(self._way, lane, endpoint, receiver).run()
        except Erased:
            return Next(None)
        except RehabError as error:
            log.warning(
                "a patient's deliveries wait",
                endpoint_id=endpoint.endpoint_id,
                error_type=type(error).__name__,
                reason=error.detail,
                remedy="see that PostgreSQL and the event store answer",
            )
        except LostLane:
            raise
        except Exception as error:
            metrics.failures.labels("sending").inc()
            # only types and places: what it says may hold patient data
            log.error(
                "a patient's deliveries cannot be sent",
                endpoint_id=endpoint.endpoint_id,
                error_type=type(error).__name__,
                path=raised_at(error),
                remedy="this is a fault of the service: report it",
            )
        wait_s = self._way.pace.backoff_s(failures)
        return Next(wait_s, failures, wait_s)

    async def _number(self, lane: Lane, endpoint: Endpoint) -> Next:
        numbering = Numbering(self._way, lane, endpoint, self._subscriptions, self._notify)
        return await numbering.run()
