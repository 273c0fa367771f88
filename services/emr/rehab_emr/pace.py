"""How fast an endpoint is called, and how long it is left alone."""

from __future__ import annotations

import asyncio
from random import Random

from rehab_emr.settings import Settings
from rehab_emr.storage.endpoints import Endpoint, Endpoints

MOST_WAIT_S = 1.0
"""Whoever would have to wait longer for a turn lets others work meanwhile."""
DOUBLINGS = 20


class Pace:
    """Turns are taken in the database: the rate is that of all replicas together."""

    def __init__(self, endpoints: Endpoints, settings: Settings, chance: Random) -> None:
        self.timeout_s = settings.request_timeout_ms / 1000
        self.lag_s = settings.search_lag_ms / 1000
        # whoever takes over from a process that fell asks first what is there
        self.lease_s = self.timeout_s + max(settings.lease_ms / 1000, self.lag_s)
        self._endpoints = endpoints
        self._retry_s = settings.retry_ms / 1000
        self._retry_most_s = settings.retry_most_ms / 1000
        self._threshold = settings.breaker_failures
        self._chance = chance

    async def turn(self, endpoint: Endpoint, requests: int = 1) -> float:
        """Wait for a turn of so many requests. Seconds when it would take too long: then none was
        taken."""
        rate = endpoint.requests_per_second / requests
        burst = max(1, round(rate))
        wait_s = await self._endpoints.take_turn(endpoint.endpoint_id, rate, burst, MOST_WAIT_S)
        if wait_s > MOST_WAIT_S:
            return wait_s
        if wait_s > 0:
            await asyncio.sleep(wait_s)
        return 0.0

    async def came_back(self, endpoint: Endpoint) -> None:
        """A lane that was let through by an open breaker found nothing wrong: another one may
        try."""
        await self._endpoints.came_back(endpoint.endpoint_id, self._threshold)

    def backoff_s(self, failures: int) -> float:
        """Before the next try after so many failures, at least one: doubled each time, up to a
        bound, and anywhere in its upper half, so that not all come back at once."""
        longest = min(self._retry_s * 2 ** min(failures - 1, DOUBLINGS), self._retry_most_s)
        return longest * self._chance.uniform(0.5, 1.0)
