"""Single calls: a deadline, retries of what may pass, typed errors, a correlation id each.

Every call of the suite may be repeated: writes carry event ids, the rest reads.
"""

from __future__ import annotations

import asyncio
import uuid
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar

import grpc

from rehab_sdk.credentials import ApiKey
from rehab_sdk.errors import (
    CORRELATION_KEY,
    RehabError,
    TimedOut,
    Unauthenticated,
    from_rpc_error,
    is_passing,
)
from rehab_sdk.login import Login
from rehab_sdk.options import Options

Answer = TypeVar("Answer")
Token = str | Callable[[], str]
Metadata = tuple[tuple[str, str], ...]
READMISSIONS = 3
"""New tokens that a stream or a watch shows in a row to a server that refuses them: it may not know
yet what signed the first. A single call shows one."""


class Calls:
    def __init__(self, token: Token | ApiKey | Login, options: Options) -> None:
        self._token = token.key if isinstance(token, ApiKey) else token
        self.options = options

    def metadata(self, correlation_id: str) -> Metadata:
        """What goes with a call. A token that is a function is asked each time. Raises Unavailable
        while a login has no token in force; `admitted` waits for one."""
        match self._token:
            case Login():
                token = self._token.token
            case str():
                token = self._token
            case _:
                token = self._token()
        marks = ((CORRELATION_KEY, correlation_id),)
        return (*marks, ("authorization", f"Bearer {token}")) if token else marks

    async def admitted(self, correlation_id: str) -> Metadata:
        """What goes with a call, once the client is let in. Raises RehabError."""
        if isinstance(self._token, Login):
            await self._token.ready()
        return self.metadata(correlation_id)

    async def readmitted(self, error: RehabError, shown: Metadata) -> bool:
        """Whether the call that showed this metadata may be repeated with another token: once, for
        a server that refuses a new token as well refuses the caller. Raises RehabError."""
        if not isinstance(error, Unauthenticated):
            return False
        refused = dict(shown).get("authorization", "").removeprefix("Bearer ")
        if isinstance(self._token, Login):
            return await self._token.renewed(refused)
        return callable(self._token) and self._token() != refused

    async def once(self, method: Callable[..., Awaitable[Answer]], request: Any) -> Answer:
        """Call one time, for what must not be repeated as it is. Raises RehabError."""
        correlation_id = new_correlation_id()
        try:
            shown = await self.admitted(correlation_id)
            return await method(request, timeout=self.options.deadline_s, metadata=shown)
        except grpc.aio.AioRpcError as failed:
            raise from_rpc_error(failed, correlation_id) from failed

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
        attempt, readmitted = 0, False
        while True:
            shown: Metadata = ()
            try:
                shown = await self._until(until, self.admitted(correlation_id))
                return await method(
                    request, timeout=max(0.001, until - loop.time()), metadata=shown
                )
            except grpc.aio.AioRpcError as failed:
                error = from_rpc_error(failed, correlation_id)
                error.__cause__ = failed
            except RehabError as failed:
                error = failed
            if shown and not readmitted:
                readmitted = await self._until(until, self.readmitted(error, shown))
                if readmitted:
                    continue
            attempt += 1
            pause_s = self.pause_within(until - loop.time(), error, attempt)
            if _is_final(error) or pause_s is None:
                raise error
            await asyncio.sleep(pause_s)

    async def _until(self, until: float, awaitable: Awaitable[Answer]) -> Answer:
        try:
            async with asyncio.timeout_at(until):
                return await awaitable
        except TimeoutError as late:
            raise TimedOut("not logged in within the deadline") from late

    def pause_s(self, error: RehabError | None, attempt: int) -> float:
        """Before the next attempt: the back-off, and no less than the server asked for."""
        asked_s = error.retry_after_s if error is not None else None
        return (asked_s or 0) + self.options.backoff.delay_s(attempt)

    def pause_within(self, left_s: float, error: RehabError | None, attempt: int) -> float | None:
        """The same in what is left of a deadline: at most half of it, for a server that comes back
        just before the end is still in time. None when nothing comes of another attempt."""
        asked_s = (error.retry_after_s if error is not None else None) or 0
        room_s = left_s - asked_s
        if room_s <= self.options.backoff.first_s:
            return None
        return asked_s + min(self.options.backoff.delay_s(attempt), room_s / 2)


def new_correlation_id() -> str:
    return uuid.uuid4().hex


def _is_final(error: RehabError) -> bool:
    return isinstance(error, TimedOut) or not is_passing(error)
