"""One session from a source, watched in the terminal, kept for the clinic when there is one."""

from __future__ import annotations

import signal
import threading
import uuid
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from time import monotonic

from rich.console import Console

from rehab.events.v1.event_pb2 import Event
from rehab_edge.angles import NAMES
from rehab_edge.baselines import keep_baseline, kept_baseline
from rehab_edge.drift import Watch
from rehab_edge.exercises import Exercise
from rehab_edge.eyes import eyes, primary_angles
from rehab_edge.journal import Entry, Journal
from rehab_edge.linking import Link, admitted_since
from rehab_edge.live import View, shown
from rehab_edge.outbox import Conditions, Outbox
from rehab_edge.performing import Performance, paced
from rehab_edge.report import Summary
from rehab_edge.scribe import Scribe, Told
from rehab_edge.sources.opening import Opened

DRAIN_S = 10.0
"""That leaving waits for the clinic. What it has not taken by then waits on the disk."""


@dataclass(frozen=True)
class Kept:
    """Where a session goes that is somebody's."""

    outbox: Outbox
    scribe: Scribe
    watch: Watch
    journal: Journal

    def keep(self, event: Event) -> None:
        self.outbox.keep(event)


@dataclass(frozen=True)
class Running:
    """`speed` is for files: 1 as recorded, 0 as fast as it goes. `longest_s` ends it, 0 does not.
    With `calibrate` the first three repetitions, which somebody watched, become what later ones are
    compared with. Without a `link` nothing is kept."""

    exercise: Exercise
    source: Opened
    link: Link | None
    conditions: Conditions
    speed: float = 0.0
    longest_s: float = 0.0
    calibrate: bool = False

    def run(self, console: Console, *, view: bool = True) -> Performance:
        """Until the source ends, or Ctrl-C. Raises EdgeError, RehabError."""
        seen = View(
            self.exercise.exercise_id, self.source.name, NAMES[primary_angles(self.exercise)[0]]
        )
        with ExitStack() as stack:
            kept = stack.enter_context(self._kept(self.link)) if self.link else None
            performance = self._performance(seen, kept)
            if view and console.is_terminal:
                stack.enter_context(shown(seen, console))
            self._perform(performance, seen, kept)
        if not (view and console.is_terminal):
            console.print(seen)
        if self.calibrate and self.link is not None:
            keep_baseline(self.link.home, self.exercise, performance.first)
        return performance

    def _performance(self, view: View, kept: Kept | None) -> Performance:
        baseline = kept_baseline(self.link.home, self.exercise) if self.link else None
        return Performance(
            eyes(self.exercise, baseline),
            kept.scribe if kept else None,
            kept.keep if kept else _nowhere,
            kept.watch if kept else Watch(),
            view,
            coaching=self.source.live,
            primary=primary_angles(self.exercise)[0],
        )

    def _perform(self, performance: Performance, view: View, kept: Kept | None) -> None:
        began = monotonic()
        first_ns = None
        reps = 0
        with stoppable() as stopped:
            for pose in self.source.poses:
                first_ns = pose.t_ns if first_ns is None else first_ns
                if self.speed > 0 and not self.source.live:
                    paced(pose.t_ns, first_ns, began, self.speed)
                performance.frame(pose)
                if kept is not None and len(performance.reps) > reps:
                    reps = len(performance.reps)
                    kept.journal.reached(kept.scribe.told.session_id, performance.at_s)
                    view.waiting = kept.outbox.waiting
                if stopped.is_set() or 0 < self.longest_s <= performance.at_s:
                    break
            performance.end()

    @contextmanager
    def _kept(self, link: Link) -> Iterator[Kept]:
        now = datetime.now(UTC)
        started_at = now - timedelta(seconds=0 if self.source.live else self.source.duration_s)
        home, session_id = link.home, uuid.uuid4().hex
        journal = Journal(home.remembered("sessions"))
        since = admitted_since(home, started_at)
        told = Told(link.patient, session_id, self.exercise.exercise_id, started_at, "camera")
        context = link.context("camera" if self.source.live else "import")
        with Outbox.open(
            home,
            clinic_id=link.clinic,
            connect=link.admitting(since),
            conditions=self.conditions,
        ) as outbox:
            for left in abandoned(journal, link, outbox.keep):
                journal.end(left)
            entry = Entry(link.patient, self.exercise.exercise_id, started_at)
            journal.begin(session_id, entry)
            outbox.told(in_session=True)
            memory = home.remembered(f"drift-{self.exercise.exercise_id}")
            yield Kept(outbox, Scribe(context, told), Watch(memory), journal)
            journal.end(session_id)
            outbox.told(in_session=False)
            outbox.drained(DRAIN_S)


@contextmanager
def stoppable() -> Iterator[threading.Event]:
    """Set by Ctrl-C and SIGTERM: whoever exercises has had enough, and what was seen is told to
    its end. The second one ends it at once."""
    stopped = threading.Event()

    def stop(number: int, _: object) -> None:
        stopped.set()
        signal.signal(number, before[signal.Signals(number)])

    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, stop)
    try:
        yield stopped
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _nowhere(_: Event) -> None: ...


def abandoned(journal: Journal, link: Link, keep: Callable[[Event], None]) -> Iterator[str]:
    """Sessions that a killed run left open: they ended where they were last heard of."""
    for session_id, entry in journal.left_open():
        told = Told(entry.patient, session_id, entry.exercise_id, entry.started_at)
        scribe = Scribe(link.context("camera"), told)
        keep(scribe.abandoned("technical", entry.reached_s))
        yield session_id


def summary(exercise: Exercise, source: Opened, done: Performance) -> Summary:
    """For the report."""
    t_s, angles = done.traced()
    notes = [f"This has drifted: {one}" for one in done.drifted]
    if done.trace.cut:
        notes.append("The session was long: the plots show its last part.")
    sight = done.eyes.sight()
    return Summary(
        exercise.name,
        source.name,
        t_s,
        angles,
        primary_angles(exercise),
        done.reps,
        sight.stages,
        (*sight.notes, *notes),
        sight.made_by,
    )
