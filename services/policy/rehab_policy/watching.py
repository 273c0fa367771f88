"""Tells every step of every alert, once and in order, to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rehab.policy.v1 import policy_service_pb2 as pb
from rehab_policy import metrics
from rehab_policy.access import Guard
from rehab_policy.messages import step_message
from rehab_policy.storage.alerts import Alerts
from rehab_runtime.watching import Watchers

METHOD = "WatchAlerts"
STEPS_AT_ONCE = 100
LOOK_S = 1.0
"""How often it is looked for steps of which nothing was heard."""
BEAT_S = 15.0


class Watching(Watchers):
    def __init__(self, alerts: Alerts, guard: Guard, most: int) -> None:
        super().__init__(most, metrics.watchers)
        self._alerts = alerts
        self._guard = guard

    async def told(
        self, request: pb.WatchAlertsRequest
    ) -> AsyncGenerator[pb.WatchAlertsResponse, None]:
        """For ever. Raises Draining, Overloaded, and what the guard raises."""
        with self.one_more():
            async for told in self._steps(request):
                yield told

    async def _steps(
        self, request: pb.WatchAlertsRequest
    ) -> AsyncGenerator[pb.WatchAlertsResponse, None]:
        loop = asyncio.get_running_loop()
        place = await self._alerts.head() if request.from_now else request.after
        beat_at = loop.time()
        if request.from_now:
            yield pb.WatchAlertsResponse(up_to=place)
        while True:
            news, head = self.news, await self._alerts.head()
            while place < head:
                steps = await self._alerts.steps(
                    place, head, request.clinic_id, request.therapist_id, STEPS_AT_ONCE
                )
                shown = await self._guard.shown(METHOD, {one.alert.patient_id for one in steps})
                for step in steps:
                    if step.alert.patient_id in shown:
                        beat_at = loop.time()
                        yield pb.WatchAlertsResponse(step=step_message(step))
                place = steps[-1].seq if len(steps) == STEPS_AT_ONCE else head
            if loop.time() - beat_at >= BEAT_S:
                await self._guard.again(METHOD, request)
                beat_at = loop.time()
                yield pb.WatchAlertsResponse(up_to=place)
            await self.wait(news, LOOK_S)
