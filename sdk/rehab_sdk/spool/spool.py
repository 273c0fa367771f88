"""The spool: an outbox on disk that makes room for what matters."""

from __future__ import annotations

import bisect
import os
import secrets
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from rehab.events.v1.event_pb2 import Event
from rehab_sdk.clock import Clock, SystemClock
from rehab_sdk.outbox import Dropped, Refusal, new_epoch
from rehab_sdk.spool.aside import Aside, DroppedEvent, RefusedEvent
from rehab_sdk.spool.policy import CLOCK_WAS_SET, Limits, Rank, born_before, rank_of
from rehab_sdk.spool.sealing import AesGcm, Part, Plain, Vault
from rehab_sdk.spool.storage import SpoolError, Storage

AGE_CHECK_S = 60.0


@dataclass(frozen=True)
class Going:
    """An event that is let go within the running transaction."""

    number: int
    event: bytes
    why: Literal["room", "age"]


class Spool:
    """An Outbox. `clinic_id` and `device_id` say whose it is: another's file is refused. With a
    `key` of 32 bytes what it holds is encrypted. Raises SpoolError or Invalid.

    When more waits than the limits allow, events of the lowest rank go first, and of those the
    oldest (see `rank_of`). Each is told to who sent it, and by `dropped` until `forget`."""

    durable = True
    capacity: int | None = 1 << 62
    """`full` says when there is no room."""

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        clinic_id: str,
        device_id: str,
        key: bytes | None = None,
        limits: Limits = Limits(),  # noqa: B008 - frozen
        clock: Clock | None = None,
    ) -> None:
        self._limits = limits
        self._clock = clock or SystemClock()
        sealing: AesGcm | Plain = Plain() if key is None else AesGcm(key)
        self._storage = Storage(path)
        try:
            if self._storage.is_new:
                self._begin(clinic_id, device_id, sealing)
            self._vault = self._own(clinic_id, device_id, sealing)
            self._load()
        except BaseException:
            self._storage.close()
            raise

    def _begin(self, clinic_id: str, device_id: str, sealing: AesGcm | Plain) -> None:
        file_id = secrets.token_bytes(16)
        encrypted = isinstance(sealing, AesGcm)
        check = Vault(sealing, file_id).seal(Part.KEY, 0, b"") if encrypted else None
        with self._storage.changing(durable=True):
            self._storage.execute("begin", file_id, clinic_id, device_id, check, new_epoch())

    def _own(self, clinic_id: str, device_id: str, sealing: AesGcm | Plain) -> Vault:
        rows: list[Any] = self._storage.execute("whose")
        if len(rows) != 1:
            raise SpoolError("spool.damaged", "the file is damaged, or no spool")
        file_id, clinic, device, check, *came = rows[0]
        if (clinic, device) != (clinic_id, device_id):
            raise SpoolError("spool.device", "the spool is another device's")
        if isinstance(sealing, AesGcm) != (check is not None):
            how = "without a key" if check is None else "with a key"
            raise SpoolError("spool.key", f"the spool was made {how}")
        vault = Vault(sealing, file_id)
        if check is not None:
            vault.open(Part.KEY, 0, check)
        self.epoch: int = came[0]
        self.settled_seq: int = came[1]
        self.resume_token: str = came[2]
        return vault

    def _load(self) -> None:
        events: list[Any] = self._storage.execute("ids")
        self._numbers = [number for number, _ in events]  # of the unsettled, in order
        self._sizes = dict(events)
        self._bytes = sum(self._sizes.values())
        self._newest = self._storage.newest_id("event")
        self._aside = Aside(self._storage, self._vault)
        self._offered = 0  # how many of the oldest may be on their way
        self._offered_bytes = 0
        self._dropped: list[Dropped] = []
        self._age_checked = float("-inf")
        with self._storage.changing():
            going = [*self._making_room(len(self._numbers), self._bytes)]
        self._gone(going)
        self._dropped.clear()  # nobody has asked for a verdict yet; `dropped` tells

    def close(self) -> None:
        self._storage.close()

    # the outbox

    @property
    def last_seq(self) -> int:
        return self.settled_seq + len(self._numbers)

    @property
    def full(self) -> bool:
        waiting, size = len(self._numbers) - self._offered, self._bytes - self._offered_bytes
        return waiting >= self._limits.events or size >= self._limits.bytes

    def append(self, event: bytes) -> int:
        """Keep an event; safety events are on the disk when this returns. Raises SpoolError."""
        rank = rank_of(Event.FromString(event))
        self._newest += 1
        number, size, now = self._newest, len(event), self._clock.now().timestamp()
        waiting = len(self._numbers) - self._offered + 1
        waiting_bytes = self._bytes - self._offered_bytes + size
        with self._storage.changing(durable=rank is Rank.SAFETY):
            sealed = self._vault.seal(Part.EVENT, number, event)
            self._storage.execute("keep", number, int(rank), now, size, sealed)
            going = [*self._making_room(waiting, waiting_bytes)]
        self._numbers.append(number)
        self._sizes[number] = size
        self._bytes += size
        seq = self.last_seq
        self._gone(going)
        return seq

    def unsettled(self, after_seq: int, limit: int) -> Sequence[bytes]:
        start = after_seq - self.settled_seq
        chosen = self._numbers[start : start + limit]
        if not chosen:
            return []
        rows: list[Any] = self._storage.execute("read", chosen[0], len(chosen))
        for number in self._numbers[self._offered : start + len(chosen)]:
            self._offered += 1
            self._offered_bytes += self._sizes[number]
        return [self._vault.open(Part.EVENT, number, sealed) for number, sealed in rows]

    def settle(self, upto_seq: int, resume_token: str, refused: Sequence[Refusal] = ()) -> None:
        count = upto_seq - self.settled_seq
        going = self._numbers[:count]
        token = resume_token or self.resume_token
        now = self._clock.now().timestamp()
        with self._storage.changing():
            for one in refused:
                self._aside.keep_refused(one.event, one.failure, now)
            if going:
                self._storage.execute("settle", going[-1])
            self._storage.execute("came", upto_seq, token)
        for number in going[: self._offered]:
            self._offered_bytes -= self._sizes[number]
        self._offered = max(0, self._offered - count)
        del self._numbers[:count]
        self._bytes -= sum(self._sizes.pop(number) for number in going)
        self.settled_seq, self.resume_token = upto_seq, token

    def begin_epoch(self, above: int = 0) -> None:
        epoch = max(new_epoch(), self.epoch + 1, above + 1)
        with self._storage.changing(durable=True):
            self._storage.execute("renumber", epoch)
        self.epoch, self.settled_seq, self.resume_token = epoch, 0, ""
        self._offered = self._offered_bytes = 0

    def take_dropped(self) -> Sequence[Dropped]:
        taken, self._dropped = self._dropped, []
        return taken

    # what the program looks at

    def dropped(self) -> list[DroppedEvent]:
        """What was let go, oldest first, by this process and those before it, until `forget`."""
        return self._aside.dropped()

    def refused(self) -> list[RefusedEvent]:
        """What the server refused, oldest first, until `forget`."""
        return self._aside.refused()

    def forget(self) -> None:
        """What `dropped` and `refused` have told has been looked at."""
        self._aside.forget()

    def of_rank(self, rank: Rank) -> list[bytes]:
        """Unsettled events of a rank, oldest first, for whoever tells them ahead of their turn:
        they stay where they are, and the log knows them by their ids when they come again."""
        rows: list[Any] = self._storage.execute("of_rank", int(rank))
        return [self._vault.open(Part.EVENT, number, sealed) for number, sealed in rows]

    @property
    def oldest_s(self) -> float:
        """How long the oldest unsettled event waits, in seconds by the clock that it was kept by;
        0 when none does, or the clock was set back."""
        rows: list[Any] = self._storage.execute("oldest")
        return max(0.0, self._clock.now().timestamp() - rows[0][0]) if rows else 0.0

    # making room

    def _making_room(self, waiting: int, size: int) -> Iterator[Going]:
        """Let go of what is too old, and then of what there is no room for, within the running
        transaction."""
        behind = self._numbers[self._offered - 1] if self._offered else 0
        for number in self._aged(behind):
            going = self._let_go(number, "age")
            waiting, size = waiting - 1, size - len(going.event)
            yield going
        while waiting > self._limits.events or (size > self._limits.bytes and waiting):
            rows: list[Any] = self._storage.execute("first_to_go", behind)
            going = self._let_go(rows[0][0], "room")
            waiting, size = waiting - 1, size - len(going.event)
            yield going

    def _aged(self, behind: int) -> list[int]:
        if self._clock.monotonic() - self._age_checked < AGE_CHECK_S:
            return []
        self._age_checked = self._clock.monotonic()
        before = born_before(self._clock.now().timestamp(), self._limits)
        rows: list[Any] = self._storage.execute(
            "aged", behind, int(Rank.SAFETY), before, CLOCK_WAS_SET
        )
        return [number for (number,) in rows]

    def _let_go(self, number: int, why: Literal["room", "age"]) -> Going:
        ((sealed,),) = self._storage.execute("take", number)
        assert isinstance(sealed, bytes)
        event = self._vault.open(Part.EVENT, number, sealed)
        self._aside.keep_dropped(event, why, self._clock.now().timestamp())
        self._storage.execute("drop", number)
        return Going(number, event, why)

    def _gone(self, going: Sequence[Going]) -> None:
        """The transaction holds: now it is so in memory as well."""
        for one in going:
            place = bisect.bisect_left(self._numbers, one.number)
            del self._numbers[place]
            self._bytes -= self._sizes.pop(one.number)
            self._dropped.append(Dropped(self.settled_seq + place + 1, one.event, one.why))
