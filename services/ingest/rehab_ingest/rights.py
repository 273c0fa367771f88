"""Whether callers may say what they say, by what identity knows and what came in just now."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Mapping, Sequence

from rehab_ingest.admission import Checked
from rehab_ingest.domain.rights import Told, may_change, refusal
from rehab_runtime.access.decide import Decision
from rehab_runtime.access.facts import PatientFacts
from rehab_runtime.access.gate import Gate
from rehab_runtime.access.known import Known
from rehab_runtime.auth import Principal
from rehab_runtime.clock import Clock
from rehab_runtime.errors import RehabError

HEARD_S = 10.0
"""After that long identity has heard what came in."""
PATIENCE_S, LOOK_S = 1.0, 0.05
"""How long it is waited for what another replica let in a moment ago."""
MAX_TOLD = 50_000


class Rights:
    """Without identity, in development only, whoever is let in may say anything of anybody."""

    def __init__(self, known: Known | None, gate: Gate | None, clock: Clock) -> None:
        self._known = known
        self._gate = gate
        self._clock = clock
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
        give_up = self._clock.monotonic() + PATIENCE_S
        while True:
            facts = await self._known.facts_of(subjects)
            decided, told = self._decided(checked, caller, facts, skew_ms)
            hopes = any(error is not None and may_change(error) for _, error in decided)
            if not hopes or self._clock.monotonic() > give_up:
                break
            await asyncio.sleep(LOOK_S)
        self._remember(told)
        await self._trace(checked, decided, method)
        return decided

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
        decided: list[Checked] = []
        for event, refused in checked:
            error = refused
            if error is None:
                subject = event.envelope.subject_id
                known = told[subject].added_to(facts[subject])
                error = refusal(event, caller, known, now, skew_ms)
                if error is None:
                    told[subject] = told[subject].and_of(event)
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


def _reason(error: RehabError) -> str:
    return error.violations[0].rule.replace(".", "_") if error.violations else "erased"
