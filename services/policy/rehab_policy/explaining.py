"""Why an alert was raised: the patient's stream is folded again until it is."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import aclosing

from google.protobuf.message import Message

from rehab.events.v1.event_pb2 import Body, RecordedEvent
from rehab.policy.v1 import policy_service_pb2 as pb
from rehab_policy.books import LIVE, Books
from rehab_policy.domain.explaining import explain
from rehab_policy.domain.firing import Firing, Outcome
from rehab_policy.keeping import Known
from rehab_policy.messages import alert_message
from rehab_policy.states import EVENTS_BETWEEN, stepped
from rehab_policy.storage.alerts import AlertRow
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Unavailable
from rehab_runtime.eventlog import EventLog

_WORDS = re.compile(r"[a-z_][a-z0-9_.]*")


class Explaining:
    def __init__(self, books: Books, event_log: EventLog, clock: Clock) -> None:
        self._books = books
        self._log = event_log
        self._clock = clock

    async def explain(self, row: AlertRow) -> pb.ExplainResponse:
        """Raises Unavailable."""
        firing, seen = await self._fire_again(row)
        cause = seen[-1] if seen else None
        answer = pb.ExplainResponse(alert=alert_message(row), reproduced=firing is not None)
        if firing is None:
            return answer
        try:
            told = explain(firing, await self._books.rules_of(firing.book_version))
        except KeyError:
            raise Unavailable("the rules it was raised by are not kept") from None
        answer.condition, answer.rationale = told.condition, told.rationale
        answer.source, answer.owner, answer.review = told.source, told.owner, told.review
        answer.also.extend(told.also)
        if cause is not None and cause.envelope.event_id == firing.cause_id:
            body = Body.FromString(cause.body)
            for name, value in named_in(told.condition, _scalars(body)):
                answer.facts.add(name=name, value=_written(value))
        for fact in told.facts:
            answer.facts.add(name=fact.name, value=fact.value, unit=fact.unit, source=fact.source)
        looked_at = {*firing.input_event_ids, firing.cause_id}
        for envelope in (event.envelope for event in seen):
            if envelope.event_id in looked_at:
                answer.events.add(
                    event_id=envelope.event_id,
                    kind=envelope.kind,
                    recorded_at=envelope.recorded_at,
                )
        return answer

    async def _fire_again(self, row: AlertRow) -> tuple[Firing | None, Sequence[RecordedEvent]]:
        """The firing, and what was folded up to it."""
        track = next((one for one in await self._books.tracks() if one.id == LIVE), None)
        if track is None:
            raise Unavailable("no rules are in force")
        known, seen = Known(track.engine.start(row.patient_id)), list[RecordedEvent]()
        async with aclosing(self._log.pages_of(row.patient_id)) as stream:
            async for page in stream:
                for event in page:
                    step = stepped(track, known, event)
                    seen.append(event)
                    found = _found(row, step.firings if step is not None else ())
                    if found is not None:
                        return found, seen
                    if len(seen) % EVENTS_BETWEEN == 0:
                        await asyncio.sleep(0)
        later = track.engine.until(known.state, self._clock.now())
        return _found(row, later.firings), seen


def _found(row: AlertRow, firings: Sequence[Firing]) -> Firing | None:
    return next(
        (one for one in firings if one.alert_id == row.alert_id and one.outcome is Outcome.DECIDED),
        None,
    )


def _scalars(message: Message, path: str = "") -> Iterator[tuple[str, object]]:
    """What a message says, field by field, as a condition names it."""
    for field, value in message.ListFields():
        name = f"{path}{field.name}"
        if field.is_repeated:
            continue
        if isinstance(value, Message):
            yield from _scalars(value, f"{name}.")
        else:
            yield name, value


def named_in(condition: str, told: Iterable[tuple[str, object]]) -> Iterator[tuple[str, object]]:
    """Those that the condition names."""
    words = frozenset(_WORDS.findall(condition))
    return ((name, value) for name, value in told if name in words)


def _written(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else f"{value:g}"
