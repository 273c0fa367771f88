"""From events that came in to verdicts: checked at the door, stored through the appender."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass

from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as pb
from rehab_ingest import metrics
from rehab_ingest.domain.door import refusal
from rehab_ingest.publisher import Appender
from rehab_ingest.quarantine import Quarantine
from rehab_runtime.auth import Principal
from rehab_runtime.errors import Overloaded, RehabError, Unavailable

AGAIN = (Unavailable, Overloaded)


@dataclass(frozen=True)
class Stored:
    """An event is committed."""

    shard: int
    position: int
    stream_version: int
    duplicate: bool


Verdict = Stored | RehabError
Checked = tuple[Event, RehabError | None]
"""An event, and why it may not come in."""


@dataclass(frozen=True)
class Prepared:
    """Refusals of the events of a chunk, and what goes to the log for each: the same every time it
    is tried."""

    refusals: Sequence[RehabError | None]
    told: Sequence[Event | None]


class Admission:
    def __init__(self, appender: Appender, quarantine: Quarantine, max_event_bytes: int) -> None:
        self._appender = appender
        self._quarantine = quarantine
        self.max_event_bytes = max_event_bytes

    def check(self, event: Event, clinic_id: str, skew_ms: int = 0) -> RehabError | None:
        """Why it may not come in. `skew_ms` is how far its device's clock is ahead."""
        error = refusal(event, clinic_id, self.max_event_bytes, skew_ms)
        if error is not None:
            metrics.rejected.labels(type(error).__name__).inc()
        return error

    def prepared(self, checked: Sequence[Checked], caller: Principal) -> Prepared:
        """What of it goes to the log: good events, and what tells of refused ones."""
        told = [
            event if refused is None else self._quarantine.kept(event, refused, caller)
            for event, refused in checked
        ]
        return Prepared([refused for _, refused in checked], told)

    async def settle(self, prepared: Prepared) -> list[Verdict]:
        """A verdict for each event that was checked. Raises as `store` does."""
        stored = iter(await self.store([one for one in prepared.told if one is not None]))
        verdicts: list[Verdict] = []
        for refused, told in zip(prepared.refusals, prepared.told, strict=True):
            verdict = next(stored) if told is not None else None
            if refused is not None and isinstance(verdict, RehabError):
                # known to the log by another try, or its patient was erased
                metrics.quarantined.labels("refused").inc()
            settled = refused or verdict
            assert settled is not None, "a good event is stored"
            verdicts.append(settled)
        return verdicts

    async def store(self, events: Sequence[Event]) -> list[Verdict]:
        """A verdict per event. Events of one subject keep their order. Raises Unavailable or
        Overloaded when some could not be stored for now: send all of them again."""
        subjects: dict[str, list[int]] = {}
        for index, event in enumerate(events):
            subjects.setdefault(event.envelope.subject_id, []).append(index)
        verdicts: list[Verdict | None] = [None] * len(events)
        outcomes = await asyncio.gather(
            *(
                self._store_subject(subject, [events[index] for index in own])
                for subject, own in subjects.items()
            ),
            return_exceptions=True,
        )
        for outcome, own in zip(outcomes, subjects.values(), strict=True):
            if isinstance(outcome, BaseException):
                raise outcome
            for index, verdict in zip(own, outcome, strict=True):
                verdicts[index] = verdict
        return [verdict for verdict in verdicts if verdict is not None]

    async def _store_subject(self, subject: str, events: list[Event]) -> list[Verdict]:
        try:
            appended = await self._appender.append(_request(subject, events))
        except AGAIN:
            raise
        except RehabError as error:
            if len(events) == 1:
                return [error]
            # one of them is refused and took the others with it: each on its own, in order
            return [
                verdict
                for event in events
                for verdict in await self._store_subject(subject, [event])
            ]
        metrics.acknowledged.inc(len(events))
        return _stored(appended, len(events))


def _stored(appended: pb.Appended, count: int) -> list[Verdict]:
    """Where each event stands: told one by one, or in a row that ends at the last place."""
    if appended.places:
        return [
            Stored(appended.shard, one.position, one.stream_version, one.duplicate)
            for one in appended.places
        ]
    return [
        Stored(
            appended.shard,
            appended.last_position - behind,
            appended.stream_version - behind,
            appended.duplicate,
        )
        for behind in reversed(range(count))
    ]


def _request(subject: str, events: list[Event]) -> pb.AppendRequest:
    request = pb.AppendRequest(stream=subject, priority=pb.PRIORITY_LIVE)
    request.expected.any.SetInParent()
    for event in events:
        request.events.add(envelope=event.envelope, body=event.body.SerializeToString())
    return request
