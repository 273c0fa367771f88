"""Appends what rules decided: once, however often it is decided."""

from __future__ import annotations

from collections.abc import Sequence

from rehab.errors.v1 import error_reason_pb2
from rehab.errors.v1.error_reason_pb2 import ErrorReason
from rehab.events.v1.event_pb2 import Event
from rehab.eventstore.v1 import eventstore_service_pb2 as store
from rehab_policy import metrics
from rehab_runtime.errors import Unavailable
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger

EVENTS_AT_ONCE = 500
LATER = frozenset(
    {error_reason_pb2.ERROR_REASON_OVERLOADED, error_reason_pb2.ERROR_REASON_UNAVAILABLE}
)
TOLD = frozenset(
    {error_reason_pb2.ERROR_REASON_EVENT_ID_REUSED, error_reason_pb2.ERROR_REASON_ERASED}
)
"""Decided before, by rules of another wording; or of somebody of whom nothing is told any more."""

log = get_logger("publisher")


class Publisher:
    def __init__(self, event_log: EventLog) -> None:
        self._log = event_log

    async def append(self, events: Sequence[Event]) -> None:
        """In this order. Raises Unavailable when not all are known to be in the log: all may be
        appended again."""
        for first in range(0, len(events), EVENTS_AT_ONCE):
            chunk = events[first : first + EVENTS_AT_ONCE]
            verdicts = await self._log.batch_append([_request(event) for event in chunk])
            for event, verdict in zip(chunk, verdicts, strict=True):
                if verdict.HasField("failure"):
                    _judge(event, verdict)


def _request(event: Event) -> store.AppendRequest:
    request = store.AppendRequest(stream=event.envelope.subject_id)
    request.expected.any.SetInParent()
    request.events.add(
        envelope=event.envelope, body=event.body.SerializeToString(deterministic=True)
    )
    return request


def _judge(event: Event, verdict: store.AppendVerdict) -> None:
    reason = verdict.failure.reason
    if reason in LATER:
        raise Unavailable(f"the log did not take an event: {ErrorReason.Name(reason)}")
    if reason not in TOLD:
        metrics.failures.labels("append").inc()
        log.error(
            "the log refuses what a rule decided",
            reason=ErrorReason.Name(reason),
            kind=event.envelope.kind,
            event_id=event.envelope.event_id,
            remedy="correct the rule: its message or action breaks the contract",
        )
