"""What the readers of single models share: the question's common fields, and pages on demand."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any, TypeVar

from google.protobuf.message import Message

from rehab_sdk.calls import Calls
from rehab_sdk.events._fill import fill
from rehab_sdk.places import MinPosition
from rehab_sdk.questions import Freshness

M = TypeVar("M", bound=Message)


class Reader:
    """As AsyncPatients: `min_position` is what an answer must reflect, the client's own last write
    when None; an answer is waited for `max_wait_s` seconds."""

    def __init__(self, stub: Any, calls: Calls, fresh: Freshness) -> None:
        self._stub = stub
        self._calls = calls
        self._fresh = fresh

    def _asked(self, request: M, min_position: MinPosition, max_wait_s: float, **fields: Any) -> M:
        return fill(request, consistency=self._fresh(min_position, max_wait_s), **fields)

    async def _answer(
        self, rpc: Callable[..., Awaitable[Any]], request: Message, max_wait_s: float
    ) -> Any:
        return await self._calls.unary(rpc, request, wait_s=max_wait_s)

    async def _items(
        self, rpc: Callable[..., Awaitable[Any]], request: Any, field: str, max_wait_s: float
    ) -> AsyncIterator[Any]:
        """Items of all pages; a page is fetched when it is needed."""
        while True:
            page = await self._calls.unary(rpc, request, wait_s=max_wait_s)
            for item in getattr(page, field):
                yield item
            if not page.next_page_token:
                return
            request.page_token = page.next_page_token
