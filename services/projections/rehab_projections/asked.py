"""What all questions share: who may ask, of which snapshot, for which time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Iterable, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta
from functools import partial, wraps
from typing import Any, TypeVar, cast

from google.protobuf.message import Message

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections.access import may_ask, may_read_patient_of
from rehab_projections.answers import AsOf, known
from rehab_projections.kept import KeptAnswers, question_of
from rehab_projections.messages import freshness, freshness_of_all
from rehab_projections.progress import Progress, Wanted, require_reached
from rehab_projections.questions import as_of_of, of_all, of_patient, window_told
from rehab_projections.storage.read import Patient, Reader, Snapshot
from rehab_runtime import pages
from rehab_runtime.access.gate import Gate
from rehab_runtime.auth import current_principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import NotFound
from rehab_runtime.validation import require_valid

M = TypeVar("M", bound=Message)
DEFAULT_PAGE = 50
DEFAULT_WAIT_MS = 1000
FURTHEST = timedelta(days=366)


Read = Callable[[Any, Any, Snapshot, pb.Freshness], Awaitable[M]]


class Asked:
    """Gives snapshots, each at the positions asked for or later, to callers who may."""

    def __init__(
        self,
        reader: Reader,
        progress: Progress,
        clock: Clock,
        kept: KeptAnswers | None = None,
        gate: Gate | None = None,
    ) -> None:
        self._reader = reader
        self._progress = progress
        self._clock = clock
        self._kept = kept
        self._gate = gate

    def require_role(self, request: Any) -> None:
        """Where no gate has decided. Raises PermissionDenied, NotFound."""
        if self._gate is None:
            may_ask(current_principal(), request)

    async def again(self, method: str, request: Any) -> None:
        """Decide once more on a call that goes on. Raises what the gate raises."""
        if self._gate is not None:
            await self._gate.admit(method, request)

    async def shown(self, method: str, patient_ids: Iterable[str]) -> Collection[str]:
        """Those of the patients whom the caller may see, each traced."""
        patients = list(patient_ids)
        if self._gate is None or current_principal().role == "service":
            return patients
        decisions = await self._gate.decide_each(method, patients)
        return {patient for patient, decision in decisions.items() if decision.allowed}

    @asynccontextmanager
    async def patient(self, request: Any) -> AsyncIterator[tuple[Snapshot, pb.Freshness]]:
        """For a question about one patient, with what the answer reflects.

        Raises InvalidArgument, PermissionDenied, NotFound, Stale.
        """
        async with self._patient(request) as (view, _):
            yield view, freshness(view.cursors.home(request.patient_id))

    async def answer(
        self, request: Any, told_as: type[M], make: Callable[[Snapshot, pb.Freshness], Awaitable[M]]
    ) -> M:
        """The answer to a question about one patient: the one kept, or one that is made. Raises as
        `patient`."""
        async with self._patient(request) as (view, patient):
            fresh = freshness(view.cursors.home(request.patient_id))
            if self._kept is None:
                return await make(view, fresh)
            question = question_of(request, patient.written)
            answer: Any = await self._kept.get(question, told_as)
            if answer is not None:
                answer.freshness.CopyFrom(fresh)
                return cast("M", answer)
            answer = await make(view, fresh)
        await self._kept.put(question, answer)
        return cast("M", answer)

    @asynccontextmanager
    async def _patient(self, request: Any) -> AsyncIterator[tuple[Snapshot, Patient]]:
        require_valid(request)
        self._check_times(request)
        self.require_role(request)
        asked = partial(of_patient, request.patient_id)
        async with self._snapshot(request.consistency, asked) as view:
            try:
                patient = await known(view, request.patient_id)
            except NotFound:
                if self._kept is not None:
                    await self._kept.forget(request.patient_id)
                raise
            if self._gate is None:
                may_read_patient_of(current_principal(), patient.clinic_id)
            yield view, patient

    def _check_times(self, request: Any) -> None:
        """What is wrong with the question itself is told before PostgreSQL is asked."""
        fields = request.DESCRIPTOR.fields_by_name
        if "window" in fields:
            window_told(request.window)
        if "as_of" in fields:
            self.as_of(request)

    @asynccontextmanager
    async def clinic(self, request: Any) -> AsyncIterator[tuple[Snapshot, pb.Freshness]]:
        """For a question about a clinic. Raises InvalidArgument, PermissionDenied, Stale."""
        require_valid(request)
        self.require_role(request)
        async with self._snapshot(request.consistency, of_all) as view:
            yield view, freshness_of_all(view.cursors)

    def as_of(self, request: Any) -> AsOf:
        """The time asked about. Raises InvalidArgument."""
        now = self._clock.now()
        told = as_of_of(request.as_of, told=request.HasField("as_of"), latest=now + FURTHEST)
        return AsOf.at(told, now)

    def now(self) -> AsOf:
        return AsOf.at(None, self._clock.now())

    def page(
        self, scope: tuple[str, ...], request: Any, *shape: type
    ) -> tuple[AsOf, list[Any] | None]:
        """The time of the first page, and where the page before ended, of this shape; None for the
        first. Raises InvalidArgument."""
        place = pages.redeem(scope, request.page_token, (datetime, datetime, *shape))
        if place is None:
            return self.as_of(request), None
        instant, facts_until = place[:2]
        if not 2000 <= instant.year <= facts_until.year <= (self._clock.now() + 2 * FURTHEST).year:
            raise pages.refused()
        return AsOf(instant, facts_until), place[2:]

    @asynccontextmanager
    async def _snapshot(
        self, consistency: pb.Consistency, asked: Callable[[pb.Consistency, int], Wanted]
    ) -> AsyncIterator[Snapshot]:
        wanted: Wanted = {}
        if consistency.min_position or consistency.min_positions:
            max_wait_s = (consistency.max_wait_ms or DEFAULT_WAIT_MS) / 1000
            wanted = asked(consistency, await self._progress.shards(max_wait_s))
            await self._progress.until(wanted, max_wait_s)
        async with self._reader.snapshot() as view:
            # A database that crashed may stand before what it had shown.
            require_reached(wanted, view.cursors)
            yield view


def next_page(scope: tuple[str, ...], as_of: AsOf, place: Sequence[Any]) -> str:
    return pages.issue(scope, [as_of.instant, as_of.facts_until, *place])


def of_patient_kept(told_as: type[M]) -> Callable[[Read[M]], Callable[..., Awaitable[M]]]:
    """A call from what makes its answer out of a question about one patient and a snapshot; the
    answer is kept for whoever asks the same of an unchanged patient. For a servicer that has its
    Asked as `asked`."""

    def call(make: Read[M]) -> Callable[..., Awaitable[M]]:
        @wraps(make)
        async def answer(self: Any, request: Any, _context: object) -> M:
            asked: Asked = self.asked
            return await asked.answer(request, told_as, partial(make, self, request))

        return answer

    return call
