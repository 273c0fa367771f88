"""What the services of one read model share: who may ask, of which snapshot, for which time."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from rehab.projections.v1 import projections_service_pb2 as pb
from rehab_projections import pages
from rehab_projections.access import may_read_patients, may_read_queue
from rehab_projections.answers import AsOf, care_of, patient_zone
from rehab_projections.board import Board
from rehab_projections.domain import windows
from rehab_projections.domain.care import CareRecord
from rehab_projections.domain.plan import PlanBook
from rehab_projections.messages import freshness, freshness_of_all
from rehab_projections.questions import of_all, window_told
from rehab_projections.servicer import ProjectionsServicer
from rehab_projections.storage.read import Snapshot
from rehab_runtime.auth import current_principal
from rehab_runtime.validation import require_valid

PLANNING = ("plan", "enrolment")
DEFAULT_PAGE = 50
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True)
class Span:
    """The local days asked about, in the patient's zone, with the care that decides it."""

    care: CareRecord
    zone: ZoneInfo
    book: PlanBook
    first: date
    last: date

    def told(self) -> dict[str, str]:
        """As fields of an answer."""
        return {
            "from_date": self.first.isoformat(),
            "to_date": self.last.isoformat(),
            "zone": self.zone.key,
        }


class Asked:
    """Gives snapshots as ProjectionsServicer does, to callers who may."""

    def __init__(self, servicer: ProjectionsServicer) -> None:
        self._servicer = servicer

    @property
    def board(self) -> Board:
        """The one that answers for the list itself: what it has judged is shared."""
        return self._servicer._board

    @asynccontextmanager
    async def patient(self, request: Any) -> AsyncIterator[tuple[Snapshot, pb.Freshness]]:
        """For a question about one patient, with what the answer reflects.

        Raises InvalidArgument, PermissionDenied, NotFound, Stale.
        """
        require_valid(request)
        may_read_patients(current_principal(), request.patient_id)
        async with self._servicer._patient(request) as view:
            yield view, freshness(view.cursors.home(request.patient_id))

    @asynccontextmanager
    async def clinic(self, request: Any) -> AsyncIterator[tuple[Snapshot, pb.Freshness]]:
        """For a question about a clinic. Raises InvalidArgument, PermissionDenied, Stale."""
        require_valid(request)
        may_read_queue(current_principal(), request.clinic_id)
        async with self._servicer._snapshot(request.consistency, of_all) as view:
            yield view, freshness_of_all(view.cursors)

    def as_of(self, request: Any) -> AsOf:
        """The time asked about. Raises InvalidArgument."""
        return self._servicer._as_of(request)

    def page(self, scope: tuple[str, ...], request: Any) -> tuple[AsOf, list[Any] | None]:
        """The time of the first page, and where the page before ended; None for the first."""
        place = pages.redeem(scope, request.page_token)
        if place is None:
            return self.as_of(request), None
        return AsOf(from_us(place[0]), from_us(place[1])), place[2:]


def next_page(scope: tuple[str, ...], as_of: AsOf, place: Sequence[Any]) -> str:
    return pages.issue(scope, [us(as_of.instant), us(as_of.facts_until), *place])


def us(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)


def from_us(told: int) -> datetime:
    return _EPOCH + timedelta(microseconds=told)


async def span_of(
    view: Snapshot, request: Any, as_of: AsOf, kinds: tuple[str, ...] = PLANNING
) -> Span:
    """What `request.window` means for its patient. Raises InvalidArgument."""
    window = window_told(request.window)
    care = await care_of(view, request.patient_id, kinds)
    zone = await patient_zone(view, request.patient_id, care)
    book = care.plans.as_of(as_of.facts_until)
    first, last = windows.bounds(window, as_of.instant, zone, book.first_day())
    return Span(care, zone, book, first, last)


def scope_of(name: str, request: Any, *more: str) -> tuple[str, ...]:
    """What a page token is good for: one question about one patient and window."""
    window = request.window.SerializeToString(deterministic=True).hex()
    return (name, request.patient_id, window, *more)
