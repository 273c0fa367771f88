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


class Admission:
    def __init__(self, appender: Appender, max_event_bytes: int) -> None:
        self._appender = appender
        self.max_event_bytes = max_event_bytes

    def check(self, event: Event, clinic_id: str, skew_ms: int = 0) -> RehabError | None:
        """Why it may not come in. `skew_ms` is how far its device's clock is ahead."""
        error = refusal(event, clinic_id, self.max_event_bytes, skew_ms)
        if error is not None:
            metrics.rejected.labels(type(error).__name__).inc()
        return error

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
