"""Single calls: a deadline, retries of what may pass, typed errors, a correlation id each.

Every call of the suite may be repeated: writes carry event ids, the rest reads.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from rehab_sdk.errors import CORRELATION_KEY, RehabError, TimedOut, from_rpc_error, is_passing
from rehab_sdk.options import Options

Answer = TypeVar("Answer")
Token = str | Callable[[], str]
Metadata = tuple[tuple[str, str], ...]


class Calls:
    def __init__(self, token: Token, options: Options) -> None:
        self._token = token
        self.options = options

    def metadata(self, correlation_id: str) -> Metadata:
        """What goes with a call. A token that is a function is asked each time."""
        token = self._token() if callable(self._token) else self._token
        marks = ((CORRELATION_KEY, correlation_id),)
        return (*marks, ("authorization", f"Bearer {token}")) if token else marks

    async def unary(
        self,
        method: Callable[..., Awaitable[Answer]],
        request: Any,
        *,
        wait_s: float = 0,
    ) -> Answer:
        """Call until it succeeds, fails for good, or the deadline is over. `wait_s` is what the
        server may take to wait on the caller's wish, beside the deadline. Raises RehabError."""
        loop = asyncio.get_running_loop()
        until = loop.time() + self.options.deadline_s + wait_s
        correlation_id = new_correlation_id()
        attempt = 0
        while True:
            try:
                return await method(
                    request,
                    timeout=max(0.001, until - loop.time()),
                    metadata=self.metadata(correlation_id),
                )
            except grpc.aio.AioRpcError as failed:
                error = from_rpc_error(failed, correlation_id)
                attempt += 1
                pause_s = self.pause_s(error, attempt)
                if _is_final(error) or loop.time() + pause_s >= until:
                    raise error from failed
            await asyncio.sleep(pause_s)

    def pause_s(self, error: RehabError | None, attempt: int) -> float:
        """Before the next attempt: the back-off, and no less than the server asked for."""
        asked_s = error.retry_after_s if error is not None else None
        return (asked_s or 0) + self.options.backoff.delay_s(attempt)


def new_correlation_id() -> str:
    return uuid.uuid4().hex


def _is_final(error: RehabError) -> bool:
    return isinstance(error, TimedOut) or not is_passing(error)
