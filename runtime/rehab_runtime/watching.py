"""Those who watch what a service tells: no more than it bears, told of news at once, sent away when
it stops."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager

from prometheus_client import Gauge

from rehab_runtime.errors import Draining, Overloaded
from rehab_runtime.tasks import set_within

AGAIN_S = 5.0


class Watchers:
    """`most` at once; `open_now` shows how many."""

    def __init__(self, most: int, open_now: Gauge) -> None:
        self._most = most
        self._open_now = open_now
        self._count = 0
        self._news = asyncio.Event()
        self._closing = False

    def look(self) -> None:
        """There is news, whichever replica made it."""
        self._news.set()
        self._news = asyncio.Event()

    def close(self) -> None:
        """Send everybody to another replica."""
        self._closing = True
        self.look()

    @property
    def news(self) -> asyncio.Event:
        """Set by what is news from now on: take it before looking, wait for it afterwards. Raises
        Draining when everybody is to leave."""
        if self._closing:
            raise Draining("watchers are asked to leave")
        return self._news

    @contextmanager
    def one_more(self) -> Iterator[None]:
        """As long as the context is open. Raises Overloaded."""
        if self._count >= self._most:
            raise Overloaded("too many watches", retry_after_s=AGAIN_S)
        self._count += 1
        self._open_now.set(self._count)
        try:
            yield
        finally:
            self._count -= 1
            self._open_now.set(self._count)

    async def wait(self, news: asyncio.Event, longest_s: float) -> None:
        """Until there is news, or so long."""
        await set_within(news, longest_s)
