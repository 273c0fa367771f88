"""The trail of who was let at patients' data. Nothing is handed out before the log tells of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from rehab_eventstore import metrics
from rehab_runtime.auth import current_principal, require_service
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, Overloaded, PermissionDenied, RehabError
from rehab_runtime.logging import get_logger

MAX_SUBJECTS = 1000
"""Of one event, as rehab.events.v1.Access says."""
NOBODY = ""
"""In the place of the subjects of a reading that was denied."""
MAX_WAITING = 20_000
MAX_COVERED = 100_000

log = get_logger("audit")


class Reading(NamedTuple):
    """Who reads what, and whether they may."""

    actor: str
    role: str
    rpc: str
    allowed: bool


@dataclass(frozen=True)
class Told:
    """One event of the trail."""

    reading: Reading
    subjects: Sequence[str]
    at: datetime
    covered_until: datetime


Tell = Callable[[Sequence[Told]], Awaitable[None]]
"""Returns when the log has the events; raises RehabError when it does not take them."""


class _Page:
    """What is told next, all in one go."""

    def __init__(self) -> None:
        self.readings: dict[Reading, set[str]] = {}
        self.size = 0
        self.told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        # all who waited may have been cancelled, and for denials nobody waits
        self.told.add_done_callback(asyncio.Future.exception)

    def add(self, reading: Reading, subjects: Collection[str]) -> None:
        known = self.readings.setdefault(reading, set())
        self.size -= len(known)
        known.update(subjects)
        self.size += len(known)

    def holds(self, reading: Reading, subject: str) -> bool:
        return subject in self.readings.get(reading, ())

    @property
    def denials(self) -> int:
        return sum(not reading.allowed for reading in self.readings)


class Trail:
    """Readings gather while those before them are committed, and for at least `pace_s` after the
    commit before began. A reader who reads a subject again within `covered_s` is covered by the
    event that is there: a key may be kept that long anyway, and used as often."""

    def __init__(self, tell: Tell, clock: Clock, *, covered_s: float, pace_s: float) -> None:
        self._tell = tell
        self._clock = clock
        self._covered_s = covered_s
        self._pace_s = pace_s
        # from the oldest to the newest: all are covered equally long
        self._covered: OrderedDict[tuple[Reading, str], float] = OrderedDict()
        self._page = _Page()
        self._flight = _Page()
        self._filled = asyncio.Event()
        self._closing = asyncio.Event()
        self._ended = asyncio.Event()

    def admit(self, readers: frozenset[str], rpc: str) -> None:
        """Let a service of these names in. Raises PermissionDenied, and tells of it."""
        try:
            require_service(readers)
        except PermissionDenied:
            self._denied(rpc)
            raise

    async def read(self, rpc: str, subjects: Collection[str]) -> None:
        """Return once the log tells that the caller reads these subjects. Raises Overloaded,
        Unavailable, Draining: then nothing may be handed out."""
        reading = _reading(rpc, allowed=True)
        open_ = self._uncovered(reading, subjects)
        flying = {one for one in open_ if self._flight.holds(reading, one)}
        waited = [self._flight] if flying else []
        if new := open_ - flying:
            waited.append(self._page)
            if self._page.size and self._page.size + len(new) > MAX_WAITING:
                raise Overloaded("too many readings wait for their trace")
            self._add(reading, new)
        for page in waited:
            # shielded: others may wait for it too
            await asyncio.shield(page.told)

    def _denied(self, rpc: str) -> None:
        """Told behind the answer, for there is nothing to hold back."""
        reading = _reading(rpc, allowed=False)
        if not self._uncovered(reading, [NOBODY]) or self._flight.holds(reading, NOBODY):
            return
        try:
            if self._page.size >= MAX_WAITING:
                raise Overloaded("too many readings wait for their trace")
            self._add(reading, [NOBODY])
        except RehabError as error:
            _lost(1, error)

    def _uncovered(self, reading: Reading, subjects: Collection[str]) -> set[str]:
        now = self._clock.monotonic()
        return {one for one in subjects if self._covered.get((reading, one), now) <= now}

    def _add(self, reading: Reading, subjects: Collection[str]) -> None:
        if self._closing.is_set():
            raise Draining
        self._page.add(reading, subjects)
        self._filled.set()

    async def run(self) -> None:
        """Tell until `close`."""
        try:
            while not self._closing.is_set() or self._page.size:
                await self._filled.wait()
                self._filled.clear()
                await self._turn()
        finally:
            # none waits unless this falls
            self._closing.set()
            if not self._page.told.done():
                self._page.told.set_exception(Draining())
            self._ended.set()

    async def close(self) -> None:
        """Return when all that was read and denied has been told."""
        self._closing.set()
        self._filled.set()
        await self._ended.wait()

    async def _turn(self) -> None:
        if not self._page.size:
            return
        page, self._page = self._page, _Page()
        self._flight = page
        began = self._clock.monotonic()
        try:
            await self._tell(list(self._events(page)))
        except RehabError as error:
            if page.denials:
                _lost(page.denials, error)
            page.told.set_exception(error)
        except BaseException:
            page.told.set_exception(Draining())
            raise
        else:
            self._cover(page, began)
            page.told.set_result(None)
        self._flight = _Page()
        await self._pause(began + self._pace_s - self._clock.monotonic())

    async def _pause(self, seconds: float) -> None:
        """So that a busy second costs the log a few events and not hundreds."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, seconds)):
                await self._closing.wait()

    def _events(self, page: _Page) -> Iterator[Told]:
        at = self._clock.now()
        until = at + timedelta(seconds=self._covered_s)
        for reading, subjects in page.readings.items():
            if not reading.allowed:
                yield Told(reading, (), at, until)
                continue
            ordered = sorted(subjects)
            for first in range(0, len(ordered), MAX_SUBJECTS):
                yield Told(reading, ordered[first : first + MAX_SUBJECTS], at, until)

    def _cover(self, page: _Page, began: float) -> None:
        until = began + self._covered_s
        for reading, subjects in page.readings.items():
            for subject in subjects:
                self._covered.pop((reading, subject), None)
                self._covered[reading, subject] = until
        while len(self._covered) > MAX_COVERED or next(iter(self._covered.values())) <= began:
            self._covered.popitem(last=False)


def _reading(rpc: str, *, allowed: bool) -> Reading:
    caller = current_principal()
    return Reading(caller.id, caller.role, rpc, allowed)


def _lost(denials: int, error: RehabError) -> None:
    metrics.untraced.inc(denials)
    log.error("a denied reading could not be told in the log", reason=error.detail, count=denials)
