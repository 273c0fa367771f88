"""The same client for programs without an event loop. Nothing is written twice: each class here
waits for its asynchronous sibling on the portal's loop."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any, ParamSpec, TypeVar, overload

from rehab.events.v1.event_pb2 import Event
from rehab.ingest.v1.ingest_service_pb2 import LiveFeedback
from rehab_sdk.billing import AsyncBilling
from rehab_sdk.client import AsyncRehab
from rehab_sdk.enrolment import enrol_device
from rehab_sdk.errors import Dropped, RehabError, Rejected
from rehab_sdk.events import AbandonReason, Body
from rehab_sdk.machine import Acked
from rehab_sdk.places import Positions
from rehab_sdk.portal import (
    Portal,
    blocking,
    connecting,
    deriving,
    entering,
    iterating,
    waited_for,
)
from rehab_sdk.progress import AsyncProgress
from rehab_sdk.reads import AsyncPatients, AsyncWorkQueue
from rehab_sdk.receipt import Receipt
from rehab_sdk.session import AsyncSession
from rehab_sdk.spool import Spool
from rehab_sdk.stream import Stream as AsyncStream
from rehab_sdk.verbs import SessionVerbs
from rehab_sdk.vitals import AsyncVitals
from rehab_sdk.workload import AsyncWorkload

P = ParamSpec("P")
Answer = TypeVar("Answer")
Item = TypeVar("Item")


class BlockingReceipt:
    """`wait` for Acked; it raises Rejected, or NotAcknowledged. Nobody has to wait."""

    def __init__(self, portal: Portal, receipt: Receipt) -> None:
        self._portal = portal
        self._receipt = receipt
        self.event_id = receipt.event_id

    def wait(self) -> Acked:
        return self._portal.run(self._receipt.wait())

    def done(self) -> bool:
        return self._receipt.done()

    @property
    def verdict(self) -> Acked | RehabError | None:
        """Acked, the error, or None as long as it is open."""
        return self._receipt.verdict


class Stream:
    """See the asynchronous Stream."""

    def __init__(self, portal: Portal, inner: AsyncStream) -> None:
        self._portal = portal
        self._inner = inner

    def send(self, event: Event) -> BlockingReceipt:
        return BlockingReceipt(self._portal, self._portal.run(self._inner.send(event)))

    flush = blocking(AsyncStream.flush)
    leave = blocking(AsyncStream.leave)
    close = blocking(AsyncStream.close)

    def unacknowledged(self) -> list[Event]:
        return self._inner.unacknowledged()

    @property
    def rejected(self) -> Sequence[Rejected]:
        return self._inner.rejected

    @property
    def dropped(self) -> Sequence[Dropped]:
        return self._inner.dropped

    @property
    def rejected_count(self) -> int:
        return self._inner.rejected_count

    @property
    def positions(self) -> Positions:
        return self._inner.positions

    @property
    def clock_skew_ms(self) -> int:
        return self._inner.clock_skew_ms


class Session(SessionVerbs[BlockingReceipt]):
    """See AsyncSession."""

    def __init__(self, portal: Portal, inner: AsyncSession) -> None:
        super().__init__(inner.script)
        self._portal = portal
        self._inner = inner

    def log(self, body: Body) -> BlockingReceipt:
        return BlockingReceipt(self._portal, self._portal.run(self._inner.log(body)))

    def abandon(self, reason: AbandonReason) -> None:
        """Leaving will say that the session ended early, and why."""
        self._inner.abandon(reason)

    def feedback(self) -> Iterator[LiveFeedback]:
        """Live coaching for this session, until it ends: read it in a thread of its own."""
        return self._portal.iterate(self._inner.feedback())

    @property
    def rejected(self) -> Sequence[Rejected]:
        return self._inner.rejected


class Patients:
    """See AsyncPatients."""

    def __init__(self, portal: Portal, inner: AsyncPatients) -> None:
        self._portal = portal
        self._inner = inner

    adherence = blocking(AsyncPatients.adherence)
    quality = blocking(AsyncPatients.quality)
    sessions = iterating(AsyncPatients.sessions)


class WorkQueue:
    """See AsyncWorkQueue."""

    def __init__(self, portal: Portal, inner: AsyncWorkQueue) -> None:
        self._portal = portal
        self._inner = inner

    list = blocking(AsyncWorkQueue.list)

    watch = entering(AsyncWorkQueue.watch, Portal.iterate)


class Vitals:
    """See AsyncVitals."""

    def __init__(self, portal: Portal, inner: AsyncVitals) -> None:
        self._portal = portal
        self._inner = inner

    metrics = blocking(AsyncVitals.metrics)
    readings = iterating(AsyncVitals.readings)
    days = iterating(AsyncVitals.days)
    nights = blocking(AsyncVitals.nights)


class Billing:
    """See AsyncBilling."""

    def __init__(self, portal: Portal, inner: AsyncBilling) -> None:
        self._portal = portal
        self._inner = inner

    evidence = blocking(AsyncBilling.evidence)
    gaps = iterating(AsyncBilling.gaps)


class Progress:
    """See AsyncProgress."""

    def __init__(self, portal: Portal, inner: AsyncProgress) -> None:
        self._portal = portal
        self._inner = inner

    weeks = iterating(AsyncProgress.weeks)
    missed = iterating(AsyncProgress.missed)
    session = blocking(AsyncProgress.session)
    reps = iterating(AsyncProgress.reps)
    pain_against_quality = blocking(AsyncProgress.pain_against_quality)


class Workload:
    """See AsyncWorkload."""

    def __init__(self, portal: Portal, inner: AsyncWorkload) -> None:
        self._portal = portal
        self._inner = inner

    therapists = blocking(AsyncWorkload.therapists)
    days = blocking(AsyncWorkload.days)
    templates = blocking(AsyncWorkload.templates)


def _rehab(portal: Portal, inner: AsyncRehab) -> Rehab:
    return Rehab(portal, inner)


class Rehab:
    """See AsyncRehab. Made by `connect`; may be used from several threads."""

    def __init__(self, portal: Portal, inner: AsyncRehab) -> None:
        self._portal = portal
        self._inner = inner
        self.context = inner.context
        self.event = inner.context.event
        self.patients = Patients(portal, inner.patients)
        self.work_queue = WorkQueue(portal, inner.work_queue)
        self.vitals = Vitals(portal, inner.vitals)
        self.billing = Billing(portal, inner.billing)
        self.progress = Progress(portal, inner.progress)
        self.workload = Workload(portal, inner.workload)

    @overload
    def watch(
        self, read: Callable[P, Iterator[Item]], /, *args: P.args, **kwargs: P.kwargs
    ) -> AbstractContextManager[Iterator[list[Item]]]: ...

    @overload
    def watch(
        self, read: Callable[P, Answer], /, *args: P.args, **kwargs: P.kwargs
    ) -> AbstractContextManager[Iterator[Answer]]: ...

    @contextmanager
    def watch(self, read: Any, /, *args: Any, **kwargs: Any) -> Iterator[Iterator[Any]]:
        """See AsyncRehab: `with client.watch(client.patients.adherence, "p1") as answers`."""
        asynchronous = read.__wrapped__.__get__(read.__self__._inner)
        with self._portal.entered(self._inner.watch(asynchronous, *args, **kwargs)) as answers:
            yield self._portal.iterate(answers)

    connect = staticmethod(connecting(AsyncRehab.connect, _rehab))
    enrol_device = staticmethod(waited_for(enrol_device))
    log = blocking(AsyncRehab.log)
    log_many = blocking(AsyncRehab.log_many)
    lag = blocking(AsyncRehab.lag)
    drained = blocking(AsyncRehab.drained)
    acting = deriving(AsyncRehab.acting, _rehab)
    session = entering(AsyncRehab.session, Session)
    stream = entering(AsyncRehab.stream, Stream)

    @property
    def last_positions(self) -> Positions:
        """The newest positions this client wrote, by shard of the log; its reads reflect them."""
        return self._inner.last_positions

    @property
    def spool(self) -> Spool | None:
        """See AsyncRehab."""
        return self._inner.spool

    @property
    def waiting(self) -> int:
        """Streamed events without a verdict."""
        return self._inner.waiting

    def reflect(self, positions: Positions) -> None:
        """See AsyncRehab."""
        self._inner.reflect(positions)
