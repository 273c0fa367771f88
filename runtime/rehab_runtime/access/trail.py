"""The trail of who was let at patients' data. Nothing is handed out before the log tells of it."""

from __future__ import annotations

import asyncio
import contextlib
from collections import OrderedDict
from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from rehab_runtime.clock import Clock
from rehab_runtime.errors import Draining, Overloaded, RehabError
from rehab_runtime.lifecycle import Background
from rehab_runtime.logging import get_logger
from rehab_runtime.metrics import declare_counter

MAX_SUBJECTS = 1000
"""Of one event, as rehab.events.v1.Access says."""
NOBODY = ""
"""In the place of the subjects of what is about no patient, or was denied before it was known whose
it is."""
MAX_WAITING = 20_000
MAX_COVERED = 100_000

log = get_logger("audit")
untraced = declare_counter(
    "access_untraced_total",
    "Denials that the log was not told of: it was away, or too many waited.",
    "see why the log does not take events; a flood of denials is an attack or a broken client",
)


class Reading(NamedTuple):
    """Who calls what, whether they may, and what that rests on. `clinic_id` is the one that the
    actor acts for, empty for a service."""

    actor: str
    role: str
    rpc: str
    allowed: bool
    reason: str
    purpose: str = ""
    consent_id: str = ""
    clinic_id: str = ""


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
    commit before began. Who does the same to the same subject again within `covered_s`, on the same
    grounds, is covered by the event that is there."""

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

    async def allow(self, reading: Reading, subjects: Collection[str]) -> None:
        """Return once the log tells of it. Raises Overloaded, Unavailable, Draining: then nothing
        may be handed out."""
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

    def deny(self, reading: Reading, subjects: Collection[str] = (NOBODY,)) -> None:
        """Told behind the answer, for there is nothing to hold back."""
        open_ = self._uncovered(reading, subjects)
        new = {one for one in open_ if not self._flight.holds(reading, one)}
        if not new:
            return
        try:
            if self._page.size >= MAX_WAITING:
                raise Overloaded("too many readings wait for their trace")
            self._add(reading, new)
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
        """Return when all that was allowed and denied has been told."""
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
            if NOBODY in subjects:
                yield Told(reading, (), at, until)
            ordered = sorted(subjects - {NOBODY})
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


@asynccontextmanager
async def running(trail: Trail, background: Background, name: str) -> AsyncIterator[Trail]:
    """A trail at work; all that it was given is told when the context is left."""
    background.start(trail.run(), name)
    try:
        yield trail
    finally:
        await trail.close()


def _lost(denials: int, error: RehabError) -> None:
    untraced.inc(denials)
    log.error("a denial could not be told in the log", reason=error.detail, count=denials)
