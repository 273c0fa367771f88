"""A device's sequence: which events of a batch are new, and what is settled."""

from __future__ import annotations

from dataclasses import dataclass

from rehab_runtime.errors import SequenceGap, Violation, WindowExceeded


@dataclass(frozen=True)
class Sequence:
    """Settled up to `settled`, received up to `received`; contiguous, from 1."""

    settled: int
    received: int
    window: int

    @classmethod
    def resumed(cls, acked: int, window: int) -> Sequence:
        return cls(acked, acked, window)

    def receive(self, first_seq: int, count: int) -> tuple[Sequence, int]:
        """The sequence with the batch, and how many of its first events were received before.

        Raises SequenceGap or WindowExceeded.
        """
        if first_seq > self.received + 1:
            expected = self.received + 1
            rule = Violation("batch.first_seq", "seq.contiguous", f"must be at most {expected}")
            raise SequenceGap(violations=[rule], metadata={"expected_seq": str(expected)})
        last = first_seq + count - 1
        repeated = max(0, min(count, self.received - first_seq + 1))
        received = max(self.received, last)
        if received - self.settled > self.window:
            rule = Violation(
                "batch.events", "window", f"at most {self.window} may be unacknowledged"
            )
            error = WindowExceeded(
                violations=[rule], metadata={"window": str(self.window)}, retry_after_s=0.5
            )
            raise error
        return Sequence(self.settled, received, self.window), repeated

    def settle(self, seq: int) -> Sequence:
        return Sequence(max(self.settled, seq), self.received, self.window)
