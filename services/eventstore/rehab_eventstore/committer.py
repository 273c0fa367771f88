"""One batch from question to answer: decided, written, and never answered before it is known what
became of it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from rehab_eventstore import metrics
from rehab_eventstore.domain.chain import chain
from rehab_eventstore.domain.decide import Decision, Row, Verdict
from rehab_eventstore.domain.head import Head
from rehab_eventstore.memory import Memory
from rehab_eventstore.queue import Waiting
from rehab_eventstore.storage.link import (
    BatchRefused,
    CommitUnknown,
    Link,
    LinkLost,
    StatementRefused,
    Written,
)
from rehab_runtime.clock import Clock
from rehab_runtime.errors import Internal
from rehab_runtime.logging import get_logger

RETRY_S = 0.02
MAX_RETRY_S = 0.5
HUNT_BATCHES = 64

log = get_logger("writer")


@dataclass(frozen=True, slots=True)
class Attempt:
    """Rows to be written after a head, and the verdicts that hold once they are."""

    head: Head
    decision: Decision

    @property
    def rows(self) -> Sequence[Row]:
        return self.decision.rows

    @property
    def verdicts(self) -> Sequence[Verdict]:
        return self.decision.verdicts

    def stands(self, written: Sequence[Written]) -> bool:
        """Whether the log goes on after that head with exactly these rows."""
        return 0 < len(self.rows) <= len(written) and all(
            there.position == position
            and there.key == (row.stream, row.event.event_id)
            and there.fingerprint == row.sealed.fingerprint
            for position, (row, there) in enumerate(
                zip(self.rows, written, strict=False), self.head.position + 1
            )
        )


@dataclass(frozen=True, slots=True)
class Committed:
    """Rows that stand after a position, in order, each with its hash."""

    after: int
    recorded_at: datetime
    rows: Sequence[Row]
    hashes: Sequence[bytes]


class Committer:
    """`wrote` is told what has been committed, once its callers have been answered."""

    def __init__(
        self,
        link: Link,
        memory: Memory,
        clock: Clock,
        wrote: Callable[[Committed], None] = lambda _: None,
    ) -> None:
        self._wrote = wrote
        self._committed: Committed | None = None
        self._link = link
        self._memory = memory
        self._clock = clock
        self._hunting = 0

    async def settle(self, batch: Sequence[Waiting], deadline: float) -> None:
        """Answer every command of a batch.

        Raises LinkLost or StatementRefused, with nothing answered, when PostgreSQL did not tell
        before the deadline; what was asked may then be in the log or not.
        """
        delay = RETRY_S
        unsure: Attempt | None = None
        while True:
            try:
                if unsure is not None and await self._stands(unsure):
                    attempt = unsure
                    break
                attempt = await self._decided(batch)
                if await self._written(attempt):
                    break
            except BatchRefused as error:
                await self._sift(batch, deadline, error)
                return
            except CommitUnknown:
                unsure = attempt
                metrics.unknown_outcomes.inc()
            except (LinkLost, StatementRefused):
                self._memory.current = False
                if self._clock.monotonic() + delay > deadline:
                    raise
                await asyncio.sleep(delay)
                delay = min(MAX_RETRY_S, 2 * delay)
        for one, verdict in zip(batch, attempt.verdicts, strict=True):
            one.answer(verdict)
        committed, self._committed = self._committed, None
        if committed is not None:
            self._wrote(committed)

    async def _stands(self, attempt: Attempt) -> bool:
        """Learn what was written since the attempt; whether that was the attempt itself."""
        return attempt.stands(await self._memory.refresh(at_least=len(attempt.rows)))

    async def _decided(self, batch: Sequence[Waiting]) -> Attempt:
        if not self._memory.current:
            await self._memory.refresh()
        hunt = self._hunting > 0
        self._hunting -= hunt
        decision = await self._memory.decide([one.asked for one in batch], hunt=hunt)
        return Attempt(self._memory.head, decision)

    async def _written(self, attempt: Attempt) -> bool:
        """Write the rows; False when another writer was first and all must be decided anew."""
        head, rows = attempt.head, attempt.rows
        self._memory.current = False
        if rows:
            # the clock may be set back, or another replica's be ahead
            now = self._clock.now()
            recorded_at = max(now, head.recorded_at)
            metrics.clock_behind_seconds.set((recorded_at - now).total_seconds())
            hashes = chain(rows, head, recorded_at)
            if await self._link.append(head, recorded_at, rows, hashes):
                moved = replace(
                    head,
                    position=head.position + len(rows),
                    recorded_at=recorded_at,
                    hash=hashes[-1],
                )
                self._memory.wrote(moved, attempt.decision.written)
                self._committed = Committed(head.position, recorded_at, rows, hashes)
                return True
        elif not attempt.decision.refuses or await self._memory.still_holds():
            self._memory.current = True
            return True
        metrics.lost_rounds.inc()
        return False

    async def _sift(self, batch: Sequence[Waiting], deadline: float, error: BatchRefused) -> None:
        """PostgreSQL forbids a row. An event that was stored long ago is found by looking for all;
        after that a bad command is found by halving."""
        self._memory.current = True  # the head did not move: the rows were refused after it
        looked = self._hunting > 0
        self._hunting = HUNT_BATCHES
        if not looked:
            await self.settle(batch, deadline)
        elif len(batch) > 1:
            half = len(batch) // 2
            await self.settle(batch[:half], deadline)
            await self.settle(batch[half:], deadline)
        else:
            log.error("PostgreSQL refuses an append", error_type=str(error))
            batch[0].answer(Internal(f"PostgreSQL refuses the append: {error}"))
