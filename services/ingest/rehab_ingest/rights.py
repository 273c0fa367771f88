"""Whether callers may say what they say, by what identity knows and what came in just now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping, Sequence

from google.protobuf.message import DecodeError

from rehab.events.v1.event_pb2 import Body, Event, RecordedEvent
from rehab_ingest.admission import Checked
from rehab_ingest.domain.rights import SELVES, Told, may_change, refusal
from rehab_runtime.access.decide import Decision
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.known import Known
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError
from rehab_runtime.eventlog import EventLog

HEARD_S = 10.0
"""After that long identity has heard what came in."""
KINDS = ("consent", "enrolment", "care_team")
"""What the log is asked for when somebody would be refused for lack of it."""
PATIENCE_S, PAUSE_S = 1.0, 0.05
"""How long it is waited for what is on its way."""
LOOK_S = 0.2
"""For so long what the log answered is not asked again."""
MAX_TOLD = 50_000


class Rights:
    """Without identity, in development only, whoever is let in may say anything of anybody."""

    def __init__(
        self,
        event_log: EventLog,
        known: Known | None,
        gate: Gate | None,
        clock: Clock,
        patience_s: float = PATIENCE_S,
    ) -> None:
        self._patience_s = patience_s
        self._log = event_log
        self._known = known
        self._gate = gate
        self._clock = clock
        self._looked_up: OrderedDict[str, float] = OrderedDict()
        self._told: OrderedDict[str, tuple[float, Told]] = OrderedDict()

    async def checked(
        self, checked: Sequence[Checked], caller: Principal, method: str, skew_ms: int = 0
    ) -> Sequence[Checked]:
        """The same with what is refused by this, too. Raises Unavailable when identity does not
        answer: then nothing may come in, and nothing is refused."""
        if self._known is None:
            return checked
        subjects = {event.envelope.subject_id for event, refused in checked if refused is None}
        if not subjects:
            return checked
        loop = asyncio.get_running_loop()
        give_up = loop.time() + self._patience_s
        while True:
            decided, told = await self._newest(checked, caller, subjects, skew_ms)
            hopes = any(error is not None and may_change(error) for _, error in decided)
            if not hopes or loop.time() >= give_up:
                break
            # what it rests on may be on its way, by another device's stream
            await asyncio.sleep(PAUSE_S)
        self._remember(told)
        await self._trace(checked, decided, method)
        return decided

    async def _newest(
        self, checked: Sequence[Checked], caller: Principal, subjects: Iterable[str], skew_ms: int
    ) -> tuple[list[Checked], dict[str, Told]]:
        """By what identity knows, and the log itself before anything is refused for lack of it."""
        assert self._known is not None
        facts = await self._known.facts_of(subjects)
        decided, told = self._decided(checked, caller, facts, skew_ms)
        doubtful = {
            event.envelope.subject_id
            for event, error in decided
            if error is not None and may_change(error)
        }
        if caller.role not in SELVES | {"service"}:
            # whom nobody knows yet may be another clinic's patient
            doubtful |= {one for one, known in facts.items() if not known.known}
        if new := self._not_looked_up(doubtful):
            for subject in new:
                await self._look_up(subject)
            decided, told = self._decided(checked, caller, facts, skew_ms)
        return decided, told

    def _not_looked_up(self, subjects: Iterable[str]) -> Collection[str]:
        """Those of whom the log was not asked a moment ago: wrong ids cost no more than that."""
        now = self._clock.monotonic()
        while self._looked_up and next(iter(self._looked_up.values())) <= now:
            self._looked_up.popitem(last=False)
        return {one for one in subjects if one not in self._looked_up}

    async def _look_up(self, patient_id: str) -> None:
        """What identity may not have heard yet: nothing is refused for its being behind. Raises
        Unavailable."""
        told = Told()
        async for events in self._log.pages_of(patient_id, kinds=KINDS):
            for event in events:
                told |= Told(clinic_id=event.envelope.clinic_id)
                if not event.erased and not event.key_id:
                    told = _and_stored(told, event)
        self._looked_up[patient_id] = self._clock.monotonic() + LOOK_S
        # what follows rests on it as well, and on what came in since the log was asked
        self._remember({patient_id: told | self._told_of(patient_id)})

    def _decided(
        self,
        checked: Sequence[Checked],
        caller: Principal,
        facts: Mapping[str, PatientFacts],
        skew_ms: int,
    ) -> tuple[list[Checked], dict[str, Told]]:
        """Event by event: what one tells, the next may rest on."""
        now = self._clock.now()
        told = {subject: self._told_of(subject) for subject in facts}
        known = {subject: one.added_to(facts[subject]) for subject, one in told.items()}
        decided: list[Checked] = []
        for event, refused in checked:
            error = refused
            if error is None:
                subject = event.envelope.subject_id
                error = refusal(event, caller, known[subject], now, skew_ms)
                if error is None and (more := told[subject].and_of(event)) is not told[subject]:
                    told[subject] = more
                    known[subject] = more.added_to(facts[subject])
            decided.append((event, error))
        return decided, told

    def _told_of(self, subject: str) -> Told:
        until, told = self._told.get(subject, (0.0, Told()))
        return told if until > self._clock.monotonic() else Told()

    def _remember(self, told: Mapping[str, Told]) -> None:
        until = self._clock.monotonic() + HEARD_S
        for subject, one in told.items():
            if one != self._told_of(subject):
                self._told[subject] = until, one
                self._told.move_to_end(subject)
        while len(self._told) > MAX_TOLD:
            self._told.popitem(last=False)

    async def _trace(
        self, before: Sequence[Checked], after: Sequence[Checked], method: str
    ) -> None:
        """What is allowed, the log tells by itself; what is denied is told here."""
        if self._gate is None:
            return
        denied: dict[str, set[str]] = {}
        for (_, known), (event, error) in zip(before, after, strict=True):
            if known is None and error is not None:
                denied.setdefault(_reason(error), set()).add(event.envelope.subject_id)
        for reason, subjects in denied.items():
            await self._gate.trace(method, Decision(False, reason), subjects)


def _and_stored(told: Told, event: RecordedEvent) -> Told:
    """The same after an event of the log. One that cannot be read may have withdrawn anything:
    nothing that came before counts, as for identity."""
    try:
        body = Body.FromString(event.body)
        return told.and_of(Event(envelope=event.envelope, body=body))
    except (DecodeError, OverflowError):
        return Told(clinic_id=told.clinic_id)


def _reason(error: RehabError) -> str:
    return error.violations[0].rule.replace(".", "_") if error.violations else "erased"
