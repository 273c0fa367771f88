"""Where events wait until the server has settled them."""

from __future__ import annotations

import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from rehab.errors.v1.failure_pb2 import Failure


@dataclass(frozen=True)
class Refusal:
    """A refused event, kept for inspection. `event` is the serialised rehab.events.v1.Event."""

    seq: int
    event: bytes
    failure: Failure


@dataclass(frozen=True)
class Dropped:
    """An event that an outbox let go to make room, or because it was too old. `seq` is the number
    it had just then; those behind it have moved up."""

    seq: int
    event: bytes
    why: Literal["room", "age"]


class Outbox(Protocol):
    """A device's unsettled events in order. Sequence numbers are contiguous within an epoch, from
    1. One stream uses an outbox at a time, from one thread. Methods must be quick: they run on the
    event loop. A durable outbox commits before a method returns."""

    @property
    def epoch(self) -> int:
        """Epoch of the numbers, at least 1. It rises when the outbox is made anew, so that numbers
        of a lost outbox are never used again."""
        ...

    @property
    def capacity(self) -> int | None:
        """How many unsettled events it holds; None leaves it to the server's window."""
        ...

    @property
    def durable(self) -> bool:
        """Whether events outlive the process. Then the client sends in the background as long as it
        is open, and leaving a stream does not wait for a server that stays away."""
        ...

    @property
    def full(self) -> bool:
        """Whether the next event pushes out another, which is avoided while there is a server to
        wait for."""
        ...

    @property
    def settled_seq(self) -> int:
        """The newest settled number of the epoch, 0 before the first."""
        ...

    @property
    def last_seq(self) -> int:
        """The newest number given in the epoch, `settled_seq` when nothing is unsettled."""
        ...

    @property
    def resume_token(self) -> str:
        """The token of the newest settling, empty before the first."""
        ...

    def append(self, event: bytes) -> int:
        """Keep an event behind all others; its number."""
        ...

    def unsettled(self, after_seq: int, limit: int) -> Sequence[bytes]:
        """At most `limit` events with consecutive numbers from `after_seq` + 1. `after_seq` is not
        below `settled_seq`."""
        ...

    def settle(self, upto_seq: int, resume_token: str, refused: Sequence[Refusal] = ()) -> None:
        """Let go of events up to and with `upto_seq`, except that the refused ones are kept aside;
        all or nothing. An empty token leaves the one before."""
        ...

    def begin_epoch(self, above: int = 0) -> None:
        """Number the unsettled events from 1 in a new epoch, higher than the one before and than
        `above`, and forget the token. For when the server knows other numbers than the outbox."""
        ...

    def take_dropped(self) -> Sequence[Dropped]:
        """What was let go since this was asked last, in that order. Only `append` lets go, and
        never of an event that `unsettled` has given out in this epoch."""
        ...


_lock = threading.Lock()
_last_epoch = 0


def new_epoch() -> int:
    """An epoch above every earlier one of this process, and of this machine while its clock runs
    forward: microseconds since 1970 at least."""
    global _last_epoch  # noqa: PLW0603 - the process's own
    with _lock:
        _last_epoch = max(time.time_ns() // 1000, _last_epoch + 1)
        return _last_epoch


class MemoryOutbox:
    """Lives as long as the process. Every one has an epoch of its own."""

    capacity: int | None = None
    durable = False
    full = False

    def __init__(self, epoch: int | None = None) -> None:
        self.epoch = epoch if epoch is not None else new_epoch()
        self.settled_seq = 0
        self.last_seq = 0
        self.resume_token = ""
        self._events: dict[int, bytes] = {}

    def append(self, event: bytes) -> int:
        self.last_seq += 1
        self._events[self.last_seq] = event
        return self.last_seq

    def unsettled(self, after_seq: int, limit: int) -> Sequence[bytes]:
        until = min(after_seq + limit, self.last_seq)
        return [self._events[seq] for seq in range(after_seq + 1, until + 1)]

    def settle(self, upto_seq: int, resume_token: str, refused: Sequence[Refusal] = ()) -> None:
        del refused  # the stream keeps them as long as this outbox would
        for seq in range(self.settled_seq + 1, upto_seq + 1):
            del self._events[seq]
        self.settled_seq = upto_seq
        self.resume_token = resume_token or self.resume_token

    def begin_epoch(self, above: int = 0) -> None:
        self._events = {seq - self.settled_seq: event for seq, event in self._events.items()}
        self.last_seq -= self.settled_seq
        self.settled_seq = 0
        self.epoch = max(new_epoch(), self.epoch + 1, above + 1)
        self.resume_token = ""

    def take_dropped(self) -> Sequence[Dropped]:
        return ()
