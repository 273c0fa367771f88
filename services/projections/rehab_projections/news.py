"""Tells watchers that the patient or the clinic they look at was changed, by whichever replica."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field

import asyncpg

from rehab_projections.progress import Progress
from rehab_projections.storage.cursors import Cursors
from rehab_projections.storage.read import Reader
from rehab_runtime.errors import RehabError


@dataclass
class _Subject:
    """Who watches it. `written` names the version of a patient's row, None before it is known."""

    watchers: set[asyncio.Event] = field(default_factory=set)
    written: str | None = None

    def wake(self) -> None:
        for watcher in self.watchers:
            watcher.set()


class News:
    """One look for all watchers of this process: when the fold has moved, and every `tick_s` all
    the same, for another replica may be the one that folds. Looks are at least `interval_s` apart.
    `run` is its task.

    A patient's watchers are woken when the patient's row was written, as every fold does that
    changes anything of the patient. A clinic's are woken when the fold names the clinic, and once a
    tick when any shard has moved.
    """

    def __init__(
        self, reader: Reader, progress: Progress, *, interval_s: float, tick_s: float
    ) -> None:
        self._reader = reader
        self._progress = progress
        self._interval_s = interval_s
        self._tick_s = tick_s
        self._patients: dict[str, _Subject] = {}
        self._clinics: dict[str, _Subject] = {}
        self._watched = asyncio.Event()
        self._cursors = Cursors()
        self._swept_at = 0.0

    async def run(self) -> None:
        seen = Cursors()
        while True:
            await self._watched.wait()
            if seen == self._progress.cursors:
                await self._progress.moved(self._tick_s)
            seen = self._progress.cursors
            # while PostgreSQL is away nothing changes, and a version of the read models that is no
            # more is left for another one; the next tick looks again
            with contextlib.suppress(RehabError, asyncpg.PostgresError):
                await self._look()
            await asyncio.sleep(self._interval_s)

    @asynccontextmanager
    async def of_patient(self, patient_id: str) -> AsyncIterator[asyncio.Event]:
        """An event that is set after each change from now on. Raises Unavailable."""
        watcher = asyncio.Event()
        with self._watching(self._patients, patient_id, watcher) as subject:
            if subject.written is None:
                written = await self._reader.written([patient_id])
                subject.written = written.get(patient_id, "")
            yield watcher

    @contextmanager
    def of_clinic(self, clinic_id: str) -> Iterator[asyncio.Event]:
        """As of_patient, for any patient of the clinic."""
        watcher = self._progress.watch(clinic_id)
        try:
            with self._watching(self._clinics, clinic_id, watcher):
                yield watcher
        finally:
            self._progress.unwatch(clinic_id, watcher)

    @contextmanager
    def _watching(
        self, subjects: dict[str, _Subject], name: str, watcher: asyncio.Event
    ) -> Iterator[_Subject]:
        subject = subjects.setdefault(name, _Subject())
        subject.watchers.add(watcher)
        self._watched.set()
        try:
            yield subject
        finally:
            subject.watchers.discard(watcher)
            if not subject.watchers:
                del subjects[name]
            if not self._patients and not self._clinics:
                self._watched.clear()

    async def _look(self) -> None:
        if self._patients:
            asked = dict(self._patients)
            written = await self._reader.written(list(asked))
            for patient_id, subject in asked.items():
                now = written.get(patient_id, "")
                if subject.written != now:
                    subject.wake()
                subject.written = now
        now_s = asyncio.get_running_loop().time()
        if self._clinics and now_s - self._swept_at >= self._tick_s:
            self._swept_at = now_s
            cursors = await self._reader.cursors()
            if cursors != self._cursors:
                for subject in self._clinics.values():
                    subject.wake()
            self._cursors = cursors
