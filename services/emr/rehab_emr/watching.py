"""Tells deliveries as they change, to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr import metrics
from rehab_emr.access import Guard
from rehab_emr.messages import delivery_message
from rehab_emr.storage.deliveries import Deliveries, Wanted
from rehab_runtime.watching import Watchers

METHOD = "WatchDeliveries"
LOOK_S = 1.0
"""How often it is looked for changes of which nothing was heard."""
BACK_S = 10.0
"""Whoever commits later than that after its number was given out is not told of."""
AT_ONCE = 1000
AGAIN_S = 15.0


class Watching(Watchers):
    def __init__(self, deliveries: Deliveries, guard: Guard, most: int) -> None:
        super().__init__(most, metrics.watchers)
        self._deliveries = deliveries
        self._guard = guard

    async def told(
        self, request: pb.WatchDeliveriesRequest
    ) -> AsyncGenerator[pb.WatchDeliveriesResponse, None]:
        """For ever. Raises Draining, Overloaded, and what the guard raises."""
        with self.one_more():
            async for told in self._changes(request):
                yield told

    async def _changes(
        self, request: pb.WatchDeliveriesRequest
    ) -> AsyncGenerator[pb.WatchDeliveriesResponse, None]:
        loop = asyncio.get_running_loop()
        wanted = Wanted(request.clinic_id, request.endpoint_id)
        told = {one.change for one in await self._deliveries.changed(wanted, BACK_S, AT_ONCE)}
        looked_at = loop.time()
        while True:
            news = self.news
            lately = await self._deliveries.changed(wanted, BACK_S, AT_ONCE)
            for one in lately:
                if one.change not in told:
                    yield pb.WatchDeliveriesResponse(delivery=delivery_message(one))
            told = {one.change for one in lately}
            if loop.time() - looked_at >= AGAIN_S:
                await self._guard.again(METHOD, request)
                looked_at = loop.time()
            await self.wait(news, LOOK_S)
