"""Several replicas of a service as one channel: calls go to one that answers."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Sequence
from typing import Any, Self

import grpc

STAGGER_S = 0.1
"""Head start of a replica before the next is tried beside it (as RFC 8305 does with addresses)."""
CONNECT_S = 1.0
"""After which a call is made without a connection, to fail with the reason why there is none."""
READY = grpc.ChannelConnectivity.READY

Address = str | Sequence[str]
"""host:port of a service, or those of its replicas."""


class Replicas(grpc.aio.Channel):
    """Begins with any, and stays with it as long as it answers: a lost connection, or a call that
    ends as UNAVAILABLE, makes the next call go to another. A call is never repeated here: who calls
    knows whether it may be."""

    def __init__(self, channels: Sequence[grpc.aio.Channel]) -> None:
        self._channels = list(channels)
        self._current = random.randrange(len(self._channels))

    async def pick(self) -> int:
        """The replica in use while it is connected, else the first to be; without any the one whose
        turn it is."""
        count = len(self._channels)
        if self._channels[self._current].get_state(try_to_connect=True) is READY:
            return self._current
        order = [(self._current + step) % count for step in range(count)]
        tries = [
            asyncio.ensure_future(self._connected(number, place * STAGGER_S))
            for place, number in enumerate(order)
        ]
        try:
            done, _ = await asyncio.wait(
                tries, timeout=CONNECT_S, return_when=asyncio.FIRST_COMPLETED
            )
            if done:
                self._current = done.pop().result()
        finally:
            for one in tries:
                one.cancel()
            await asyncio.gather(*tries, return_exceptions=True)
        return self._current

    async def _connected(self, number: int, after_s: float) -> int:
        await asyncio.sleep(after_s)
        await self._channels[number].channel_ready()
        return number

    def failed(self, number: int, error: grpc.aio.AioRpcError) -> None:
        """Turn to the next one, unless that was done since."""
        if error.code() is grpc.StatusCode.UNAVAILABLE and number == self._current:
            self._current = (number + 1) % len(self._channels)

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self, grace: float | None = None) -> None:
        await asyncio.gather(*(channel.close(grace) for channel in self._channels))

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:
        return self._channels[self._current].get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        await self._channels[self._current].wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        while self._channels[await self.pick()].get_state() is not READY:
            pass

    def unary_unary(self, *args: Any, **kwargs: Any) -> Any:
        return _Unary(self, [channel.unary_unary(*args, **kwargs) for channel in self._channels])

    def stream_unary(self, *args: Any, **kwargs: Any) -> Any:
        raise NotImplementedError("no call of the suite streams requests alone")

    def unary_stream(self, *args: Any, **kwargs: Any) -> Any:
        methods = [channel.unary_stream(*args, **kwargs) for channel in self._channels]
        return lambda *request, **told: _Stream(self, methods, request, told)

    def stream_stream(self, *args: Any, **kwargs: Any) -> Any:
        methods = [channel.stream_stream(*args, **kwargs) for channel in self._channels]
        return lambda *requests, **told: _Stream(self, methods, requests, told)


class _Unary:
    def __init__(self, replicas: Replicas, methods: Sequence[Callable[..., Any]]) -> None:
        self._replicas = replicas
        self._methods = methods

    async def __call__(self, request: Any, *, timeout: float | None = None, **told: Any) -> Any:
        loop = asyncio.get_running_loop()
        began = loop.time()
        number = await self._replicas.pick()
        left = None if timeout is None else max(0.001, timeout - (loop.time() - began))
        try:
            return await self._methods[number](request, timeout=left, **told)
        except grpc.aio.AioRpcError as error:
            self._replicas.failed(number, error)
            raise


class _Stream:
    """A call that is made once a replica has been picked for it."""

    def __init__(
        self,
        replicas: Replicas,
        methods: Sequence[Callable[..., Any]],
        request: tuple[Any, ...],
        told: dict[str, Any],
    ) -> None:
        self._replicas = replicas
        self._number = 0
        self._call: Any = None
        self._opening = asyncio.ensure_future(self._open(methods, request, told))

    async def _open(
        self,
        methods: Sequence[Callable[..., Any]],
        request: tuple[Any, ...],
        told: dict[str, Any],
    ) -> None:
        self._number = await self._replicas.pick()
        self._call = methods[self._number](*request, **told)

    async def read(self) -> Any:
        return await self._told(lambda call: call.read())

    async def write(self, message: Any) -> None:
        await self._told(lambda call: call.write(message))

    async def done_writing(self) -> None:
        await self._told(lambda call: call.done_writing())

    def cancel(self) -> bool:
        self._opening.cancel()
        return self._call is not None and bool(self._call.cancel())

    async def _told(self, step: Callable[[Any], Any]) -> Any:
        await asyncio.shield(self._opening)
        try:
            return await step(self._call)
        except grpc.aio.AioRpcError as error:
            self._replicas.failed(self._number, error)
            raise
