"""Live feedback: what a service of the suite says to a patient goes to the device that streams."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import ROLE_SERVICE, Body, RecordedEvent
from rehab.ingest.v1 import ingest_service_pb2 as pb
from rehab_ingest import metrics
from rehab_ingest.registry import Registry
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog
from rehab_runtime.logging import get_logger

KINDS = ("feedback",)
FIRST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0

log = get_logger("coaching")


class Coaching:
    """`run` is its task. Feedback that comes while the log cannot be heard is not said later: the
    movement is over. It is in the log all the same."""

    def __init__(self, event_log: EventLog, registry: Registry, clock: Clock) -> None:
        self._log = event_log
        self._registry = registry
        self._clock = clock

    async def run(self) -> None:
        pause = FIRST_PAUSE_S
        while True:
            try:
                shards = (await self._log.head()).shards
                async with asyncio.TaskGroup() as tasks:
                    for shard in range(shards):
                        tasks.create_task(self._listen(shard), name=f"coaching-{shard}")
                pause = FIRST_PAUSE_S
            except RehabError as error:
                log.debug("the log is not heard", reason=error.detail)
            except ExceptionGroup as fallen:
                _, others = fallen.split(RehabError)
                if others is not None:
                    raise others from None
            await asyncio.sleep(pause)
            pause = min(LONGEST_PAUSE_S, pause * 2)

    async def _listen(self, shard: int) -> None:
        async for events in self._log.live(KINDS, shard):
            wanted = [event for event in events if self._is_for_somebody_here(event)]
            if wanted:
                await self._log.open(wanted)
                self._say(wanted)

    def _is_for_somebody_here(self, event: RecordedEvent) -> bool:
        """A device needs not be told what it said itself."""
        envelope = event.envelope
        return envelope.actor.role == ROLE_SERVICE and self._registry.hears(
            envelope.clinic_id, envelope.subject_id
        )

    def _say(self, events: Sequence[RecordedEvent]) -> None:
        for event in events:
            if event.key_id or event.erased:
                continue
            try:
                told = Body.FromString(event.body).feedback
            except DecodeError:
                log.error("feedback cannot be read", position=event.envelope.position)
                continue
            if not told.HasField("form"):
                continue
            form = told.form
            said = pb.LiveFeedback(
                session_id=told.session_id,
                cue=form.cue,
                text=form.text,
                rep_event_id=form.rep_event_id,
                stop=form.stop,
            )
            envelope = event.envelope
            heard = self._registry.say(envelope.clinic_id, envelope.subject_id, said)
            metrics.feedback.labels("said" if heard else "nobody").inc()
            since = self._clock.now().timestamp() - envelope.recorded_at.ToNanoseconds() / 1e9
            metrics.feedback_seconds.observe(max(0.0, since))
