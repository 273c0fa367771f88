"""Tells deliveries as they change, to whoever watches."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

from rehab.emr.v1 import emr_service_pb2 as pb
from rehab_emr import metrics
from rehab_emr.access import Guard
from rehab_emr.messages import delivery_message
from rehab_emr.storage.deliveries import Deliveries, Wanted
from rehab_runtime.errors import Draining, Overloaded
from rehab_runtime.tasks import set_within

METHOD = "WatchDeliveries"
LOOK_S = 1.0
"""How often it is looked for changes of which nothing was heard."""
BACK_S = 10.0
"""Whoever commits later than that after its number was given out is not told of."""
AT_ONCE = 1000
AGAIN_S = 15.0


class Watching:
    def __init__(self, deliveries: Deliveries, guard: Guard, most: int) -> None:
        self._deliveries = deliveries
        self._guard = guard
        self._most = most
        self._count = 0
        self._news = asyncio.Event()
        self._closing = False

    def look(self) -> None:
        """Deliveries changed, whichever replica changed them."""
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """Send everybody to another replica."""
        self._closing = True
        self.look()

    async def told(
        self, request: pb.WatchDeliveriesRequest
    ) -> AsyncGenerator[pb.WatchDeliveriesResponse, None]:
        """For ever. Raises Draining, Overloaded, and what the guard raises."""
        if self._count >= self._most:
            raise Overloaded("too many watches", retry_after_s=5)
        self._count += 1
        metrics.watchers.set(self._count)
        try:
            async for told in self._changes(request):
                yield told
        finally:
            self._count -= 1
            metrics.watchers.set(self._count)

    async def _changes(
        self, request: pb.WatchDeliveriesRequest
    ) -> AsyncGenerator[pb.WatchDeliveriesResponse, None]:
        loop = asyncio.get_running_loop()
        wanted = Wanted(request.clinic_id, request.endpoint_id)
        told = {one.change for one in await self._deliveries.changed(wanted, BACK_S, AT_ONCE)}
        looked_at = loop.time()
        while not self._closing:
            news = self._news
            lately = await self._deliveries.changed(wanted, BACK_S, AT_ONCE)
            for one in lately:
                if one.change not in told:
                    yield pb.WatchDeliveriesResponse(delivery=delivery_message(one))
            told = {one.change for one in lately}
            if loop.time() - looked_at >= AGAIN_S:
                await self._guard.again(METHOD, request)
                looked_at = loop.time()
            await set_within(news, LOOK_S)
        raise Draining("watchers are asked to leave")
