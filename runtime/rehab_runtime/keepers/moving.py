"""Two keepers at once, while data keys move from one to the other."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from rehab_runtime.keepers.wrapper import (
    Kek,
    KeyRefused,
    KeyWrapper,
    Unwrapped,
    Wrapped,
    carry_over,
)

A = TypeVar("A")
FORMS = {"file": "local-", "vault": "vault:", "kms": "arn:"}
"""How the ids of each keeper's key-encryption keys begin."""


def is_of(keeper: str, kek: Kek) -> bool:
    return kek.id.startswith(FORMS[keeper])


class Moving:
    """A KeyWrapper that opens the keys of both, and wraps by the target alone: to rewrap a key of
    the source is to move it."""

    def __init__(
        self, target: KeyWrapper, source: KeyWrapper, of_source: Callable[[Kek], bool]
    ) -> None:
        self._target = target
        self._source = source
        self._of_source = of_source

    async def newest(self) -> Kek:
        return await self._target.newest()

    async def wrap(self, keys: Sequence[Unwrapped]) -> Sequence[Wrapped]:
        return await self._target.wrap(keys)

    async def unwrap(self, keys: Sequence[Wrapped]) -> Sequence[Unwrapped | KeyRefused]:
        return await self._each(keys, self._target.unwrap, self._source.unwrap)

    async def rewrap(self, keys: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
        async def move(theirs: Sequence[Wrapped]) -> Sequence[Wrapped | KeyRefused]:
            return await carry_over(theirs, self._source, self._target)

        return await self._each(keys, self._target.rewrap, move)

    async def _each(
        self,
        keys: Sequence[Wrapped],
        of_target: Callable[[Sequence[Wrapped]], Awaitable[Sequence[A]]],
        of_source: Callable[[Sequence[Wrapped]], Awaitable[Sequence[A]]],
    ) -> list[A]:
        """Each keeper is asked for its own keys, and not at all when there are none."""
        sides = [self._of_source(key.kek) for key in keys]
        ours = [key for key, source in zip(keys, sides, strict=True) if not source]
        theirs = [key for key, source in zip(keys, sides, strict=True) if source]
        target = iter(await of_target(ours) if ours else ())
        source = iter(await of_source(theirs) if theirs else ())
        return [next(source if side else target) for side in sides]
