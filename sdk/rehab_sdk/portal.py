"""The event loop behind the blocking client: one thread for all clients of the process."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, contextmanager
from functools import wraps
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar

P = ParamSpec("P")
Result = TypeVar("Result")
Item = TypeVar("Item")
Inner = TypeVar("Inner")
_END = object()


class Portal:
    """Runs coroutines for threads that have no event loop."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(
            target=self._loop.run_forever, name="rehab-sdk", daemon=True
        )
        self._thread.start()

    def run(self, coroutine: Coroutine[Any, Any, Result]) -> Result:
        """Wait for the result. An interrupt cancels the coroutine and lets it clean up."""
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result()
        except BaseException:
            future.cancel()
            raise

    @contextmanager
    def entered(self, manager: AbstractAsyncContextManager[Item]) -> Iterator[Item]:
        """An asynchronous context, held open by a blocking one."""
        value = self.run(_awaited(manager.__aenter__()))
        try:
            yield value
        except BaseException as error:
            leaving = manager.__aexit__(type(error), error, error.__traceback__)
            if not self.run(_awaited(leaving)):
                raise
        else:
            self.run(_awaited(manager.__aexit__(None, None, None)))

    def iterate(self, items: AsyncIterator[Item]) -> Iterator[Item]:
        while True:
            item = self.run(_awaited(anext(items, _END)))
            if item is _END:
                return
            yield item  # type: ignore[misc]

    def close(self) -> None:
        self.run(self._loop.shutdown_asyncgens())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


_lock = threading.Lock()
_portal: Portal | None = None
_users = 0


@contextmanager
def portal() -> Iterator[Portal]:
    """The process's portal, as long as anybody uses it. One loop for all: grpc.aio polls badly
    from several."""
    global _portal, _users  # noqa: PLW0603 - the process's own
    with _lock:
        _portal = _portal or Portal()
        _users += 1
        mine = _portal
    try:
        yield mine
    finally:
        with _lock:
            _users -= 1
            if _users == 0:
                _portal = None
                mine.close()


class Blocking(Protocol):
    """What `blocking` and `iterating` turn methods for."""

    _portal: Portal
    _inner: Any


def blocking(
    method: Callable[Concatenate[Inner, P], Coroutine[Any, Any, Result]],
) -> Callable[Concatenate[Blocking, P], Result]:
    """The method of the inner object, waited for."""

    @wraps(method)
    def call(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        return self._portal.run(method(self._inner, *args, **kwargs))

    return call


def iterating(
    method: Callable[Concatenate[Inner, P], AsyncIterator[Item]],
) -> Callable[Concatenate[Blocking, P], Iterator[Item]]:
    """The iterator of the inner object, item by item."""

    @wraps(method)
    def call(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Item]:
        return self._portal.iterate(method(self._inner, *args, **kwargs))

    return call


def entering(
    method: Callable[Concatenate[Inner, P], AbstractAsyncContextManager[Item]],
    wrap: Callable[[Portal, Item], Result],
) -> Callable[Concatenate[Blocking, P], AbstractContextManager[Result]]:
    """The context of the inner object, its value wrapped for blocking use."""

    @wraps(method)
    @contextmanager
    def call(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Iterator[Result]:
        with self._portal.entered(method(self._inner, *args, **kwargs)) as value:
            yield wrap(self._portal, value)

    return call


def deriving(
    method: Callable[Concatenate[Inner, P], Item], wrap: Callable[[Portal, Item], Result]
) -> Callable[Concatenate[Blocking, P], Result]:
    """What the inner object makes without waiting, wrapped for blocking use."""

    @wraps(method)
    def call(self: Blocking, /, *args: P.args, **kwargs: P.kwargs) -> Result:
        return wrap(self._portal, method(self._inner, *args, **kwargs))

    return call


def connecting(
    connect: Callable[P, AbstractAsyncContextManager[Item]],
    wrap: Callable[[Portal, Item], Result],
) -> Callable[P, AbstractContextManager[Result]]:
    """The context that makes the outermost object, with the portal that all below it share."""

    @wraps(connect)
    @contextmanager
    def call(*args: P.args, **kwargs: P.kwargs) -> Iterator[Result]:
        with portal() as running, running.entered(connect(*args, **kwargs)) as value:
            yield wrap(running, value)

    return call


def waited_for(
    function: Callable[P, Coroutine[Any, Any, Result]],
) -> Callable[P, Result]:
    """The function, waited for."""

    @wraps(function)
    def call(*args: P.args, **kwargs: P.kwargs) -> Result:
        with portal() as running:
            return running.run(function(*args, **kwargs))

    return call


async def _awaited(awaitable: Awaitable[Result]) -> Result:
    return await awaitable
